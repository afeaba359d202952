"""The law of inheritance: what a parent stops, no accepted child lets through.

The oracle is not the table of orders but a small gate of its own: a rule, a measurement with its
interval, a model, a stage and a day, and whether that stops the stage (spec, `decide_on`).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.policy.model import DecideOn, OnInsufficient, Policy, Rule, Severity
from aims_gate.policy.resolve import resolve
from tests.support.laws import law

START = datetime(2027, 1, 1, tzinfo=UTC)
STAGES = ("dev", "staging", "production")


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One measurement in one situation."""

    value: float
    low: float
    high: float
    model: str
    stage: str
    now: datetime
    age_days: float
    burden: DecideOn
    """What the check decides by where the rule says nothing."""


def stops(policy: Policy, rule: Rule, probe: Probe) -> bool:
    """Tell whether *rule* stands in the way, for a statistic whose neutral value is 1."""
    scope = rule.applies_to
    if scope and scope.models and not {"*", probe.model} & set(scope.models):
        return False
    if scope and scope.stages and probe.stage not in scope.stages:
        return False
    if rule.severity is not Severity.BLOCK or (rule.effective_from or START) > probe.now:
        return False
    if rule.max_age_days is not None and probe.age_days > rule.max_age_days:
        return True
    assert rule.require is not None
    assert rule.require.at_least is not None
    limit = rule.require.at_least
    line = rule.require.warn_below if rule.require.warn_below is not None else (limit + 1) / 2
    reaction = rule.on_insufficient or policy.on_insufficient
    if reaction is None:
        last = probe.stage == policy.stages[-1]
        reaction = OnInsufficient.BLOCK if last else OnInsufficient.WARN
    match rule.decide_on or probe.burden:
        case DecideOn.PROVEN_BREACH:
            return probe.value < limit and probe.high < line
        case DecideOn.ESTIMATE:
            return probe.value < limit
        case DecideOn.PROVEN_PASS:
            uncertain = probe.low < limit and reaction is OnInsufficient.BLOCK
            return probe.value < limit or uncertain


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packs")


def lets_through(parent: Policy, child: Policy) -> Probe | None:
    """Find a situation that the parent stops and the child does not."""
    return next(
        (
            probe
            for probe in PROBES
            if stops(parent, parent.rules[0], probe) and not stops(child, child.rules[0], probe)
        ),
        None,
    )


limits = st.sampled_from([0.6, 0.7, 0.75, 0.8])
OPTIONS: dict[str, list[object]] = {
    "severity": ["info", "warn", "block"],
    "decide_on": ["proven_breach", "estimate", "proven_pass"],
    "on_insufficient": ["warn", "block"],
    "effective_from": ["2027-01-05", "2027-02-01"],
    "max_age_days": [1, 10, 30],
    "at_least": [0.6, 0.7, 0.75, 0.8],
    "warn_below": [0.8, 0.9, 0.95],
    "models": ["[a]", "[a, b]", "['*']"],
    "stages": ["[dev]", "[dev, production]", "[dev, staging, production]"],
}
keys = st.fixed_dictionaries(
    {}, optional={key: st.sampled_from(options) for key, options in OPTIONS.items()}
)
few_keys = st.builds(
    lambda stated, chosen: {key: value for key, value in stated.items() if key in chosen},
    keys,
    st.sets(st.sampled_from(list(OPTIONS)), min_size=1, max_size=2),
)
PROBES = [
    Probe(
        value=value,
        low=value - below,
        high=value + above,
        model=model,
        stage=stage,
        now=START + timedelta(days=days),
        age_days=age,
        burden=burden,
    )
    for value, below, above, model, stage, days, age, burden in itertools.product(
        (0.5, 0.65, 0.72, 0.78, 0.85),
        (0.0, 0.2),
        (0.0, 0.1, 0.2),
        ("a", "c"),
        ("staging", "production"),
        (0, 10, 40),
        (5, 20),
        (DecideOn.PROVEN_BREACH, DecideOn.ESTIMATE),
    )
]
"""Every situation that the drawn rules can tell apart, more or less: 1,440 of them."""
reactions = st.sampled_from(["", "on_insufficient: warn\n", "on_insufficient: block\n"])


def written(stated: dict[str, object], *, check: bool) -> str:
    """Write a rule as YAML."""
    plain = {k: v for k, v in stated.items() if k not in {"at_least", "warn_below"}}
    scope = ", ".join(f"{k}: {plain.pop(k)}" for k in ("models", "stages") if k in plain)
    require = ", ".join(f"{k}: {stated[k]}" for k in ("at_least", "warn_below") if k in stated)
    parts = ["id: PERF-01", *(["check: performance.score"] if check else [])]
    parts += [f"{key}: {value}" for key, value in plain.items()]
    parts += [f"require: {{{require}}}"] if require else []
    parts += [f"applies_to: {{{scope}}}"] if scope else []
    return f"rules: [{{{', '.join(parts)}}}]\n"


def policy_text(name: str, rest: str) -> str:
    return f'apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {{id: {name}, version: "1"}}\n{rest}'


def family(folder: Path, parent: str, child: str) -> tuple[Policy, Policy, bool]:
    """Resolve a parent and its child; the last value is whether the child was accepted."""
    text = policy_text("parent", parent)
    (folder / "parent@1.yaml").write_text(text, encoding="utf-8")
    base, problems = resolve(text.encode(), uri="parent")
    assert base is not None
    assert problems == ()
    below = policy_text("child", f"extends: [{{pack: parent@1}}]\n{child}")
    policy, found = resolve(below.encode(), uri="child", packs=folder)
    assert policy is not None
    return base, policy, not found


@law(150)
@given(parent=keys, child=few_keys, above=reactions, below=reactions, limit=limits)
def test_no_accepted_child_lets_through_what_its_parent_stops(
    folder: Path,
    parent: dict[str, object],
    child: dict[str, object],
    above: str,
    below: str,
    limit: float,
) -> None:
    stated = {"at_least": limit} | parent
    base, policy, accepted = family(
        folder, above + written(stated, check=True), below + written(child, check=False)
    )
    if not accepted:
        return
    assert lets_through(base, policy) is None


@pytest.mark.parametrize("key", list(OPTIONS))
@pytest.mark.parametrize("burden", ["", "proven_breach", "proven_pass"])
def test_no_value_of_a_key_over_any_other_lets_more_through(
    folder: Path, key: str, burden: str
) -> None:
    """Every value, and none, in the parent, under every value in the child."""
    common = {"at_least": 0.7} | ({"decide_on": burden} if burden else {})
    accepted = 0
    for before, after in itertools.product((None, *OPTIONS[key]), OPTIONS[key]):
        stated = common | ({} if before is None else {key: before})
        base, policy, sound = family(
            folder, written(stated, check=True), written({key: after}, check=False)
        )
        accepted += sound
        assert not sound or lets_through(base, policy) is None
    assert accepted, "a law about nothing proves nothing"


@law(100)
@given(parent=keys, limit=limits, above=reactions)
def test_restating_a_parent_word_for_word_is_accepted(
    folder: Path, parent: dict[str, object], limit: float, above: str
) -> None:
    """Otherwise the law above could hold by refusing everything."""
    stated = {"at_least": limit} | parent
    base, policy, accepted = family(
        folder, above + written(stated, check=True), above + written(stated, check=True)
    )
    assert accepted
    assert policy.rules[0].require == base.rules[0].require
