"""Laws of every check that reads data: order, names, weights and ranges.

That no outcome improves as a threshold becomes stricter is held in `tests/test_judge_laws.py`, once
for all of them, because no check sees a threshold.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given
from hypothesis import strategies as st

from aims_gate.checks import CHECKS
from aims_gate.checks.contract import BRACKETS, IN_MEMORY, VALUES
from aims_gate.checks.metrics import BUILDERS
from aims_gate.facts import Statistic
from aims_gate.frames.arrow import ArrowFrame
from aims_gate.plan import build
from aims_gate.policy.model import Role, TaskKind
from aims_gate.sources.subject import Data
from tests.checks.subjects import data, judged
from tests.support.laws import law

ROWS = 2_500
ROLES = (Role.EVALUATION, Role.REFERENCE, Role.CURRENT, Role.CHAMPION)
SPEC: dict[str, Any] = {
    "label": "y",
    "prediction": "p",
    "score": "s",
    "positive": "yes",
    "key": "id",
    "time": "t",
    "sensitive": {"sex": None},
}
RULES: dict[str, list[dict[str, Any]]] = {
    "performance.score": [{"metric": "f1"}, {"metric": "roc_auc"}, {"metric": "log_loss"}],
    "performance.champion": [{"metric": "accuracy"}, {"metric": "roc_auc"}],
    "performance.calibration": [{}, {"by": ["sex"]}],
    "performance.sample": [{"statistic": "positives"}],
    "performance.robustness": [
        {"effect": "flips", "columns": ["q"]},
        {"metric": "accuracy", "columns": ["q"]},
    ],
    "performance.slices": [{"metric": "accuracy", "by": ["sex", "c"], "depth": 2}],
    "fairness.impact_ratio": [{}, {"by": ["sex", "c", ["sex", "c"]], "against": "rest"}],
    "fairness.parity": [{}],
    "fairness.odds": [{}, {"compare": "ratio"}],
    "fairness.predictive_parity": [{}],
    "fairness.group_performance": [{"metric": "accuracy"}, {"metric": "roc_auc"}],
    "fairness.label_bias": [{"metric": "tvd"}, {"metric": "js"}],
    "fairness.score_gap": [{}],
    "fairness.representation": [{"population": {"sex": {"F": 0.5, "M": 0.4, "X": 0.1}}}],
    # of all columns together the folds depend on the values, so new names deal them anew
    "fairness.proxy": [{"columns": ["c", "x"], "together": False}],
    "drift.columns": [
        {"columns": ["c", "x"], "numeric": method, "categorical": other}
        for method, other in (("psi", "psi"), ("js", "js"), ("hellinger", "hellinger"))
    ]
    + [
        {"columns": ["c", "x"], "numeric": "chi2", "categorical": "chi2"},
        {"columns": ["x"], "numeric": "ks"},
        {"columns": ["x"], "numeric": "wasserstein"},
    ],
    "drift.share": [{"columns": ["c", "x"]}],
    "drift.prediction": [{"of": "score"}, {"method": "positive_rate", "of": "prediction"}],
    "drift.label": [{}, {"method": "positive_rate"}],
    "drift.new_value": [{"columns": ["c", "x"], "share": 0.2}],
    "drift.performance": [{"metric": "accuracy"}, {"metric": "brier"}],
    "data.schema": [{"columns": {"x": "number", "c": "text"}}],
    "data.missing": [{"columns": ["c", "x"]}],
    "data.ranges": [{"allowed": {"x": {"at_least": 0}}}, {"against": "reference"}],
    "data.duplicates": [{"columns": ["c", "x"]}],
    "data.overlap": [{"columns": ["c", "x"]}],
    "data.freshness": [{}, {"of": "gap"}],
    "data.personal": [{"columns": ["c"]}],
}
NAMED = (
    "digest",
    "distribution",
    "gather",
    "histogram",
    "moments",
    "repeats",
    "span",
)
"""Members of a frame that `StatisticSpec.needs` names; the others count rows or leave some out."""
WITHOUT = {"performance.logged"}  # reads MLflow's own numbers; its law stands in its own tests
CASES = [
    pytest.param(name, rule, id=f"{name}-{place}")
    for name, rules in RULES.items()
    for place, rule in enumerate(rules)
]
LAWS = law(2, phases=[Phase.generate])
SEEDS = st.integers(0, 10_000)

Table = Mapping[str, Any]


def table(seed: int, role: Role) -> dict[str, Any]:
    """Rows of three unequal groups; current data have moved a little."""
    rng = np.random.default_rng([seed, ROLES.index(Role.EVALUATION if _paired(role) else role)])
    y = rng.random(ROWS) < 0.4
    s = np.round(np.clip(0.3 + 0.3 * y + rng.normal(0, 0.2, ROWS), 0.01, 0.99), 2)
    q = np.where(rng.random(ROWS) < 0.1, s < 0.5, s >= 0.5)
    moved = 0.3 if role is Role.CURRENT else 0.0
    days = rng.integers(1, 300, ROWS)
    return {
        "id": np.arange(ROWS),
        "y": _words(y),
        "p": _words(q if role is Role.CHAMPION else s >= 0.5),
        "s": np.round(1 - s, 2) if role is Role.CHAMPION else s,
        "q": _words(q),
        "sex": rng.choice(["F", "M", "X"], ROWS, p=[0.5, 0.35, 0.15]),
        "c": rng.choice(["a", "b", "c"], ROWS, p=[0.5 - moved, 0.3, 0.2 + moved]),
        "x": np.round(rng.normal(moved, 1, ROWS), 1),
        "t": np.datetime64("2026-10-31", "s") - days.astype("timedelta64[D]"),
        "n": rng.integers(1, 4, ROWS),
    }


def _paired(role: Role) -> bool:
    return role in {Role.EVALUATION, Role.CHAMPION}


def _words(where: Any) -> Any:
    return np.where(where, "yes", "no")


def tables(seed: int) -> dict[Role, dict[str, Any]]:
    return {role: table(seed, role) for role in ROLES}


def measured(
    name: str, rule: Table, given_tables: Mapping[Role, Table], *, weight: str | None = None
) -> Mapping[str, Statistic]:
    check = build(name, rule)
    roles = check.judged().roles or check.about.roles
    spec = {**SPEC, "weight": weight} if weight else SPEC
    return judged(check, *(_data(given_tables[role], role, spec) for role in roles))


def _data(columns: Table, role: Role, spec: Table) -> Data:
    kept = {name: v for name, v in columns.items() if name != "n" or "weight" in spec}
    found = data(kept, role, **spec)
    own = replace(found.identity, digest=f"{ROLES.index(role)}" * 64)  # equal digests are one file
    return replace(found, identity=own)


def numbers(cell: Statistic) -> list[float]:
    ends = [] if cell.interval is None else [cell.interval.low, cell.interval.high]
    assert cell.value is not None, cell.reason
    return [cell.value, *ends, cell.rows]


def same(one: Mapping[str, Statistic], other: Mapping[str, Statistic]) -> None:
    assert one.keys() == other.keys()
    for where, cell in one.items():
        assert numbers(cell) == pytest.approx(numbers(other[where]), rel=1e-8, abs=1e-9), where


def test_every_check_that_reads_data_is_held_to_the_laws() -> None:
    """A new check cannot be left out; the two libraries' own numbers are theirs."""
    own = {n for n in CHECKS if n.split(".")[0] in {"performance", "fairness", "drift", "data"}}
    assert own == RULES.keys() | WITHOUT


@pytest.mark.parametrize(("name", "rule"), CASES)
@LAWS
@given(SEEDS)
def test_the_order_of_rows_changes_nothing(name: str, rule: Table, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shuffled = {
        role: {column: values[order] for column, values in columns.items()}
        for role, columns in tables(seed).items()
        for order in (rng.permutation(ROWS),)
    }
    same(measured(name, rule, tables(seed)), measured(name, rule, shuffled))


@pytest.mark.parametrize(("name", "rule"), CASES)
@LAWS
@given(SEEDS)
def test_weights_are_repeated_rows(name: str, rule: Table, seed: int) -> None:
    """Keys of repeated rows are new ones, because a key names one row."""
    there = tables(seed)
    for role, columns in there.items():
        columns["n"] = there[Role.EVALUATION]["n"] if role is Role.CHAMPION else columns["n"]
    written = {
        role: {column: np.repeat(values, c["n"]) for column, values in c.items()}
        for role, c in there.items()
    }
    for columns in written.values():
        columns["id"] = np.arange(len(columns["id"]))
    weighted = measured(name, rule, there, weight="n")
    repeated = measured(name, rule, written)
    same(weighted, repeated)


@pytest.mark.parametrize(("name", "rule"), CASES)
@LAWS
@given(SEEDS)
def test_names_of_groups_and_categories_change_no_number(name: str, rule: Table, seed: int) -> None:
    """The new names sort in another order."""
    names = {"F": "z", "M": "k", "X": "a"}
    kinds = {"a": "w", "b": "v", "c": "u"}
    renamed = tables(seed)
    for columns in renamed.values():
        columns["sex"] = np.array([names[value] for value in columns["sex"]])
        columns["c"] = np.array([kinds[value] for value in columns["c"]])
    other = dict(rule)
    if "population" in rule:
        shares = rule["population"]["sex"]
        other["population"] = {"sex": {names[value]: share for value, share in shares.items()}}
    one, two = measured(name, rule, tables(seed)), measured(name, other, renamed)
    assert len(one) == len(two)
    for cell, twin in zip(*(sorted(map(numbers, c.values())) for c in (one, two)), strict=True):
        assert cell == pytest.approx(twin, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize(("name", "rule"), CASES)
@LAWS
@given(SEEDS)
def test_a_value_lies_in_its_range_and_between_its_bounds(
    name: str, rule: Table, seed: int
) -> None:
    judged_by = build(name, rule).judged()
    for where, cell in measured(name, rule, tables(seed)).items():
        value, *ends, rows = numbers(cell)
        assert value <= judged_by.high, where
        assert 0 < rows <= cell.total, where
        assert value >= judged_by.low or ends, where
        if ends:
            assert ends[0] <= value <= ends[1], where


ASKED = [
    *CASES,
    ("fairness.impact_ratio", {"of": "score"}),
    ("fairness.proxy", {"columns": ["c", "x"]}),
    ("performance.champion", {"metric": "log_loss"}),
    ("performance.sample", {"statistic": "half_width", "metric": "roc_auc"}),
    ("performance.sample", {"statistic": "half_width", "metric": "brier"}),
    ("data.overlap", {"by": "time"}),
    ("data.duplicates", {"by": "key"}),
    ("data.ranges", {"allowed": {"c": {"matches": "[abc]"}}}),
    ("data.ranges", {"allowed": {"x": {"one_of": [1, 2]}, "y": {"one_of": ["yes"]}}}),
    ("drift.columns", {"columns": ["c"], "numeric": "none"}),
    ("drift.prediction", {"method": "positive_rate", "of": "prediction"}),
]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The members of frames that are asked from now on."""
    found: set[str] = set()

    inside = threading.local()

    def spied(member: str) -> Callable[..., object]:
        answer = getattr(ArrowFrame, member)

        def ask(frame: ArrowFrame, *given: Any, **named: Any) -> object:
            """Note what is asked from outside; one member may answer from another."""
            outer = getattr(inside, "member", "")
            if member != "count":
                found.update([] if outer else [member])
            elif any(key.matches is not None or key.contains is not None for key in given):
                found.add(VALUES)
            inside.member = member
            try:
                return answer(frame, *given, **named)
            finally:
                inside.member = outer

        return ask

    for member in (*NAMED, "count"):
        monkeypatch.setattr(ArrowFrame, member, spied(member))
    return found


@pytest.mark.parametrize(("name", "rule"), ASKED)
def test_a_check_asks_of_frames_what_it_says_that_it_needs(
    name: str, rule: Table, asked: set[str]
) -> None:
    """So what an engine cannot answer is known before data are read."""
    needs = set(build(name, rule).judged().needs)
    measured(name, rule, tables(1))
    assert asked <= needs, "a member that is not named"
    text = name == "drift.label" or rule.get("effect") == "flips"  # is counted, and numbers are not
    assert text or needs - {IN_MEMORY, BRACKETS} == asked, "a member that is never asked"


@pytest.mark.parametrize("task", [TaskKind.REGRESSION, TaskKind.RANKING])
def test_metrics_of_amounts_and_rankings_ask_what_they_say(task: TaskKind, asked: set[str]) -> None:
    rng = np.random.default_rng(1)
    least = int(task is TaskKind.REGRESSION)  # no share of a label of 0
    rows = {
        "y": rng.integers(least, 9, 400),
        "e": rng.normal(5, 1, 400),
        "q": rng.integers(0, 40, 400),
    }
    spec = {"label": "y", "prediction": "e", "score": "e", "query": "q", "task": task}
    for metric in BUILDERS[task]:
        asked.clear()
        k = {"k": 5} if metric.endswith("_at_k") else {}
        check = build("performance.score", {"metric": metric, **k})
        judged(check, data(rows, Role.EVALUATION, **spec))
        assert set(check.judged().needs) - {BRACKETS} == asked, metric


@pytest.mark.parametrize(("name", "rule"), [c for c in CASES if "fairness." in str(c.id)])
def test_fairness_is_measured_on_current_data_as_on_evaluation_data(name: str, rule: Table) -> None:
    """`on:` changes which rows are asked, and nothing else."""
    rows = table(1, Role.EVALUATION)
    found = [
        judged(build(name, rule), _data(rows, role, SPEC), on=role)
        for role in (Role.EVALUATION, Role.CURRENT)
    ]
    same(*found)
