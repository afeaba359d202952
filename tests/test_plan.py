"""Policy -> tasks: everything that can be wrong with a rule is said before data are read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aims_gate.errors import PolicyError
from aims_gate.plan import plan, unserved
from aims_gate.policy import packs
from aims_gate.policy.model import (
    AppliesTo,
    Baseline,
    DataSpec,
    DecideOn,
    JoinSpec,
    OnInsufficient,
    Place,
    Policy,
    Role,
    Rule,
    Severity,
    Threshold,
)
from aims_gate.policy.resolve import resolve
from aims_gate.policy.scope import applies, in_force, on_insufficient, stage_of


def policy(*rules: Rule, **fields: Any) -> Policy:
    return Policy(id="p", version="1", uri="policy.yaml", rules=rules, **fields)


def rule(check: str = "fairness.impact_ratio", id: str = "BIAS-02", **fields: Any) -> Rule:  # noqa: A002  # the policy's own word
    place = Place(file="policy.yaml", line=41)
    places = {"with.metric": Place(file="policy.yaml", line=44)}
    return Rule(id=id, check=check, place=place, places=places, **fields)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (rule("fairness.impact_ration"), "unknown check 'fairness.impact_ration'; did you mean"),
        (rule(parameters={"min_cel": 30}), "has no parameter 'min_cel'; did you mean 'min_cell'"),
        (rule(parameters={"min_cell": "30"}), "parameter 'min_cell' should be a valid integer"),
        (rule(parameters={"min_cell": True}), "parameter 'min_cell' should be a valid integer"),
        (
            rule("performance.score", require=Threshold(at_least=0.8)),
            "needs the parameter 'metric'",
        ),
        (
            rule(
                "performance.score",
                parameters={"metric": "rocauc"},
                require=Threshold(at_least=0.8),
            ),
            "policy.yaml:44: BIAS-02: parameter 'metric' has no value 'rocauc'; did you mean 'roc",
        ),
        (
            rule("performance.score", parameters={"metric": "auc-pr"}),
            "parameter 'metric' should be 'accuracy', ",
        ),
        (rule(parameters={"by": "sex"}), "parameter 'by' should be a list"),
        (rule("performance.score", parameters={"metric": "mcc"}), "no conventional limit for mcc"),
        (rule(require=Threshold(at_most=0.8)), "at_most is the wrong way round"),
        (rule(require=Threshold(at_least=float("nan"))), "at_least is not a finite number"),
        (rule(require=Threshold(at_least=0.0)), "at_least: 0 is met by every value"),
        (rule("fairness.parity", require=Threshold(at_most=1.0)), "1 is met by every value"),
        (rule("fairness.parity", require=Threshold(at_most=1.5)), "can never be reached"),
        (
            rule(
                "performance.score",
                parameters={"metric": "log_loss"},
                require=Threshold(at_least=0.5),
            ),
            "a lower log_loss is better; use at_most",
        ),
        (rule("data.schema", decide_on=DecideOn.PROVEN_PASS), "has no interval"),
        (rule(engine="fairlern"), "unknown engine 'fairlern'"),
        (rule(serious=0.9), "a serious effect (0.9) must lie past the limit 0.8"),
        (
            rule(
                "performance.score",
                parameters={"metric": "mcc"},
                require=Threshold(at_least=0.5),
                serious=0.1,
            ),
            "power is not defined for mcc",
        ),
        (rule("integrity.model", on=Role.EVALUATION), "integrity.model reads no data"),
        (rule("drift.columns", on=Role.REFERENCE), "against themselves"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(bad: Rule, message: str) -> None:
    """Exit 2, with the place and what to do next."""
    with pytest.raises(PolicyError) as caught:
        plan(policy(bad)).sound()
    assert message in str(caught.value)
    assert str(caught.value).startswith("policy.yaml:4")


def test_every_problem_is_said_at_once() -> None:
    """Two rules with three problems give three lines."""
    bad = rule(parameters={"min_cel": 1, "by": 3})
    made = plan(policy(bad, rule("nothing.here", id="X-1")))
    assert [p.what.split(":")[0] for p in made.problems] == ["BIAS-02", "BIAS-02", "X-1"]
    assert made.tasks == ()


def test_limits_lines_and_serious_effects_follow_the_convention() -> None:
    """The line is half way to neutral and the serious effect twice as far, unless stated."""
    (ratio,) = plan(policy(rule())).sound()
    (bar,) = ratio.bars
    assert (bar.limit, bar.line, bar.serious, ratio.decide_on) == pytest.approx(
        (0.80, 0.90, 0.60, DecideOn.PROVEN_BREACH)
    )
    stated = rule("drift.columns", require=Threshold(at_most=0.25, warn_above=0.10), serious=0.4)
    (bar,) = plan(policy(stated)).sound()[0].bars
    assert (bar.limit, bar.line, bar.serious, bar.warn) == (0.25, 0.10, 0.4, 0.10)


def test_performance_has_no_neutral_so_its_line_is_its_limit() -> None:
    """A floor is a floor."""
    made = rule(
        "performance.score", parameters={"metric": "roc_auc"}, require=Threshold(at_least=0.8)
    )
    (bar,) = plan(policy(made)).sound()[0].bars
    assert (bar.line, bar.serious) == (0.8, None)


def test_alpha_is_shared_by_the_blocking_statistical_rules_on_request() -> None:
    """alpha_scope: policy divides by rules that block and have an interval, not by the others."""
    rules = [
        rule(id="A-1"),
        rule("fairness.parity", id="A-2"),
        rule("data.schema", id="A-3"),
        rule(id="A-4", severity=Severity.WARN),
    ]
    made = plan(policy(*rules, alpha_scope="policy")).sound()
    assert {task.alpha for task in made} == {0.025}
    assert {task.alpha for task in plan(policy(*rules)).sound()} == {0.05}


def test_the_stricter_age_of_rule_and_data_holds() -> None:
    """A rule's max_age_days tightens what the data role says, for every role it reads."""
    data = {Role.EVALUATION: DataSpec(max_age_days=31, min_rows=500)}
    rules = rule(max_age_days=7), rule(id="B-1"), rule(id="B-2", max_age_days=60)
    made = plan(policy(*rules, data=data)).sound()
    assert [dict(task.max_age_days) for task in made] == [
        {Role.EVALUATION: 7},
        {Role.EVALUATION: 31},
        {Role.EVALUATION: 31},
    ]
    assert made[0].min_rows == {Role.EVALUATION: 500}


def test_a_policy_has_expired_at_its_very_end() -> None:
    end = datetime(2030, 1, 1, tzinfo=UTC)
    bounded = policy(rule(), expires=end)
    assert [p.what for p in plan(bounded, now=end).problems] == ["the policy expired on 2030-01-01"]
    assert not plan(bounded, now=end - timedelta(seconds=1)).problems


def test_a_champion_may_be_older_than_the_data_it_is_compared_on() -> None:
    """A rule's max_age_days is about the data; data.champion may state one of its own."""
    compared = replace(
        rule(max_age_days=7),
        check="performance.champion",
        parameters={"metric": "accuracy"},
        require=Threshold(at_least=-0.01),
    )
    (made,) = plan(policy(compared)).sound()
    assert dict(made.max_age_days) == {Role.EVALUATION: 7}
    (made,) = plan(policy(compared, data={Role.CHAMPION: DataSpec(max_age_days=90)})).sound()
    assert dict(made.max_age_days) == {Role.CHAMPION: 90, Role.EVALUATION: 7}


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (None, True),
        (AppliesTo(models=("credit-*",)), True),
        (AppliesTo(models=("Credit-*",)), False),
        (AppliesTo(stages=("production",)), True),
        (AppliesTo(models=("credit-*",), stages=("dev",)), False),
        (AppliesTo(models=("fraud",), stages=("production",)), False),
    ],
)
def test_applies_to_needs_model_and_stage(scope: AppliesTo | None, expected: bool) -> None:
    """Patterns are case-sensitive globs; both parts must hold."""
    assert applies(scope, model="credit-risk", stage="production") is expected


def test_a_model_without_a_registered_name_is_exempt_from_no_rule_and_in_no_policy() -> None:
    """The name would be its author's."""
    scope = AppliesTo(models=("credit-*",), stages=("production",))
    scoped = rule(applies_to=scope)
    assert in_force(scoped, model="", stage="production")
    assert not in_force(scoped, model="", stage="dev")
    assert not in_force(scoped, model="fraud", stage="production")
    assert not applies(scope, model="", stage="production")
    assert applies(AppliesTo(models=("*",)), model="", stage="production")


def test_the_last_stage_is_the_default_and_the_strictest() -> None:
    """Without --stage the strictest decides; too little data blocks there and warns before."""
    p = policy(rule())
    assert stage_of(p, None) == "production"
    assert on_insufficient(p.rules[0], p, "production") is OnInsufficient.BLOCK
    assert on_insufficient(p.rules[0], p, "dev") is OnInsufficient.WARN
    strict = policy(rule(), on_insufficient=OnInsufficient.BLOCK)
    assert on_insufficient(strict.rules[0], strict, "dev") is OnInsufficient.BLOCK


def test_an_unknown_stage_is_refused() -> None:
    """A misspelt stage never becomes a lenient one."""
    with pytest.raises(PolicyError, match="unknown stage 'prodution'; did you mean 'production'"):
        stage_of(policy(rule()), "prodution")


@pytest.mark.parametrize(
    ("require", "value", "message"),
    [
        ("{at_least: 0.8}", "0.8", "meets the limit 0.8: there is no debt"),
        ("{at_least: 0.8}", "0.9", "meets the limit 0.8: there is no debt"),
        ("{at_least: 0.8}", "0", "is met by every value"),
        ("{at_least: 0.8}", "-1", "can never be reached or never be missed"),
        ("{between: [0.8, 0.95]}", "0.7", "a range has no baseline"),
    ],
)
def test_a_baseline_must_be_worse_than_the_limit_and_able_to_refuse(
    require: str, value: str, message: str
) -> None:
    text = (
        'apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: p, version: "1"}\nrules:\n'
        f"  - id: BIAS-02\n    check: fairness.impact_ratio\n    require: {require}\n"
        f"    decide_on: estimate\n    baseline:\n      value: {value}\n      owner: ann\n"
        "      expires: 2030-01-01\n"
    )
    policy, problems = resolve(text.encode(), uri="p.yaml")
    assert policy is not None
    assert problems == ()
    (told,) = map(str, plan(policy).problems)
    assert told.startswith("p.yaml:10: BIAS-02: ")
    assert message in told


@pytest.mark.parametrize(
    ("check", "value", "serious"),
    [
        ("fairness.impact_ratio", 0.7, 0.6),  # the rule's own
        ("fairness.impact_ratio", 0.55, 0.275),  # twice would be 0.1
        ("fairness.impact_ratio", 0.4, 0.2),  # twice would be -0.2, which no data show
        ("fairness.impact_ratio", 0.6, 0.3),  # the rule's own would be the limit itself
        ("fairness.parity", 0.2, 0.4),
        ("fairness.parity", 0.15, 0.2),
        ("fairness.parity", 0.3, 0.6),
        ("fairness.parity", 0.8, 0.9),
        ("drift.columns", 0.6, 1.2),  # a distance without an end
        ("integrity.model", 4, 8),
        ("data.missing", 0.2, None),  # no value says "no effect"
    ],
)
def test_what_a_baseline_must_be_able_to_show(
    check: str, value: float, serious: float | None
) -> None:
    """Power is asked for an effect that exists, so small data are INSUFFICIENT beside any debt."""
    debt = Baseline(value=value, owner="ann", expires=datetime(2030, 1, 1, tzinfo=UTC))
    rule = Rule(id="X-1", check=check, baseline=debt)
    (task,) = plan(Policy(id="p", version="1", rules=(rule,))).sound()
    (bar,) = task.debt
    assert (bar.limit, bar.serious) == pytest.approx((value, serious))


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("release", ("dev", "production")),
        ("Release_", ("production",)),
        ("sme", ("starter-production",)),
    ],
)
def test_a_policy_that_calls_itself_as_a_pack_is_refused(
    name: str, stages: tuple[str, ...]
) -> None:
    """Its evidence would have the pack's verified level; the pack's own bytes may have it."""
    pack = name.strip("_").lower()
    own = replace(policy(), id=name, stages=stages)
    said = [problem.what for problem in plan(own).problems]
    assert any("reads as the pack" in what for what in said), said
    digest = next(iter(packs.digests()["sme-starter" if pack == "sme" else pack]))
    assert not plan(replace(own, source_digest=digest)).problems
    assert not plan(replace(policy(), id=f"{name}-credit", stages=stages)).problems


def test_what_needs_rows_of_a_table_in_an_engine_is_said_before_any_is_read() -> None:
    """Rules that match rows, joins and the model's own answers; others are asked there."""
    spec = DataSpec(label="y", join=(JoinSpec(source="file:labels.csv", on="id"),))
    made = policy(
        rule(
            "performance.champion",
            "PERF-02",
            parameters={"metric": "accuracy"},
            require=Threshold(at_least=0.0),
        ),
        rule(),
        data={Role.EVALUATION: spec, Role.CHAMPION: DataSpec(table="main.old", connection="lake")},
    )
    tasks = plan(made).sound()
    said = [str(found) for found in unserved(tasks, made, {Role.EVALUATION: "table:lake/main.new"})]
    assert len(said) == 3
    assert "join of the evaluation data needs rows" in said[0]
    for role, told in zip(("champion", "evaluation"), sorted(said[1:]), strict=True):
        assert f"PERF-02: performance.champion matches rows one by one, and the {role} data" in told
    by_itself = replace(made, data={Role.EVALUATION: DataSpec(predictions="model")})
    (only,) = unserved([], by_itself, {Role.EVALUATION: "table:lake/main.new"})
    assert "predictions of the evaluation data" in str(only)
    assert not list(unserved(tasks, made, {Role.EVALUATION: "new.csv", Role.CHAMPION: "old.csv"}))
