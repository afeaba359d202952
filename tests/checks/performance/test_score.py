"""What performance.score refuses, and what it says beside its value."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from aims_gate.checks.contract import NoDataError
from aims_gate.checks.metrics import BUILDERS
from aims_gate.checks.performance.score import Metric, Score
from aims_gate.engines import Answer
from aims_gate.errors import PolicyError
from aims_gate.facts import NoValue
from aims_gate.plan import plan
from aims_gate.policy.model import DecideOn, Policy, Role, Rule, TaskKind, Threshold
from aims_gate.stats.formulas import FORMULAS
from aims_gate.verdict import Outcome
from tests.checks.performance.scored import (
    METRICS,
    binary,
    cells,
    expected,
    only,
)
from tests.checks.subjects import context, data, decided, inputs

# refusals first


def test_without_data_there_is_nothing_to_measure() -> None:
    with pytest.raises(NoDataError, match="no evaluation data"):
        cells("accuracy")


def test_an_unknown_metric_is_a_policy_error_before_anything_is_read() -> None:
    rule = Rule(id="PERF-01", check="performance.score", parameters={"metric": "auc"})
    with pytest.raises(PolicyError, match=r"'metric' has no value 'auc'; did you mean 'roc_auc'"):
        plan(Policy(id="p", version="1.0.0", rules=(rule,))).sound()


@pytest.mark.parametrize(
    ("parameters", "require", "why"),
    [
        ({}, Threshold(at_least=0.7), "needs the parameter 'metric'"),
        ({"metric": "roc_auc"}, None, "no conventional limit"),
        ({"metric": "roc_auc"}, Threshold(at_least=1.2), "lies in"),
        ({"metric": "roc_auc"}, Threshold(at_least=0.0), "met by every value"),
        ({"metric": "log_loss"}, Threshold(at_least=0.3), "wrong way round"),
        ({"metric": "roc_auc", "average": "macro"}, Threshold(at_least=0.7), "no parameter"),
        ({"metric": "f_beta"}, Threshold(at_least=0.7), "f_beta needs beta"),
        ({"metric": "f_beta", "beta": 0.0}, Threshold(at_least=0.7), "beta 0 is outside"),
        ({"metric": "f1", "beta": 2.0}, Threshold(at_least=0.7), "f1 has no beta"),
        ({"metric": "precision_at_k"}, Threshold(at_least=0.7), "precision_at_k needs k"),
        ({"metric": "ndcg", "k": 0}, Threshold(at_least=0.7), "k 0 is outside"),
        ({"metric": "map", "k": 5}, Threshold(at_least=0.7), "map has no k"),
        ({"metric": "ndcg", "max_uncovered": 1.0}, Threshold(at_least=0.7), "outside"),
        ({"metric": "macro_f1", "classes": "all"}, Threshold(at_least=0.7), "not a metric of sin"),
        ({"metric": "recall", "classes": []}, Threshold(at_least=0.7), "names no class"),
        ({"metric": "recall", "classes": ["a", "a"]}, Threshold(at_least=0.7), "or one twice"),
        ({"metric": "recall", "min_cell": 0}, Threshold(at_least=0.7), "min_cell 0 is outside"),
    ],
)
def test_a_rule_that_cannot_refuse_is_a_policy_error(
    parameters: dict[str, Any], require: Threshold | None, why: str
) -> None:
    rule = Rule(id="PERF-01", check="performance.score", parameters=parameters, require=require)
    with pytest.raises(PolicyError, match=why):
        plan(Policy(id="p", version="1.0.0", rules=(rule,))).sound()


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("positive", [1, None])
def test_one_class_has_no_area_under_the_curve(value: int, positive: int | None) -> None:
    columns = {"y": [value] * 60, "s": np.linspace(0, 1, 60)}
    found = data(columns, label="y", score="s", positive=positive, task=TaskKind.BINARY)
    cell = only("roc_auc", found)
    assert cell.lack is NoValue.UNDEFINED
    assert cell.reason == "only one class in the labels"


def test_a_model_that_never_says_yes_has_no_precision() -> None:
    """scikit-learn says 0 and warns; here the outcome is ERROR, whatever the limit."""
    columns = {"y": [1] * 40 + [0] * 60, "p": [0] * 100}
    found = data(columns, label="y", prediction="p", positive=1)
    cell = only("precision", found)
    assert (cell.lack, cell.reason) == (NoValue.UNDEFINED, "no row is predicted positive")
    rule = {
        "check": "performance.score",
        "parameters": {"metric": "precision"},
        "require": Threshold(at_least=0.01),
    }
    assert decided(rule, found).outcome is Outcome.ERROR


TOO_FEW: list[tuple[Metric, dict[str, Any], dict[str, Any], str]] = [
    (
        "roc_auc",
        {"y": [1] * 19 + [0] * 500, "s": [0.9] * 18 + [0.3] + [0.1] * 499 + [0.95]},
        {"score": "s", "positive": 1},
        "19 rows",
    ),
    ("mcc", {"y": [1] * 40 + [0] * 60, "p": [1] * 40 + [0] * 60}, {"prediction": "p"}, "no row"),
    (
        "brier",
        {"y": [1] * 400 + [0] * 600, "s": [1.0] * 399 + [0.0] * 601},
        {"score": "s"},
        "dominate",
    ),
    ("mae", {"y": np.arange(100) + 0.5, "p": np.arange(100)}, {"prediction": "p"}, "equal"),
    (
        "median_error",
        {"y": np.arange(29) + 0.5, "p": np.arange(29)},
        {"prediction": "p"},
        "29 rows, and a median's interval needs 30",
    ),
    (
        "average_precision",
        {"y": [1] * 60 + [0] * 60, "s": [*np.linspace(0.6, 0.9, 60), *[0.1] * 58, 0.95, 1.0]},
        {"score": "s", "positive": 1},
        "a few rows dominate the ranking",
    ),
    (
        "macro_f1",
        {"y": ["a"] * 90 + ["b"] * 70 + ["c"] * 19, "p": (["a"] * 80 + ["b"] * 90 + ["c"] * 9)},
        {"prediction": "p"},
        "an interval needs 20 rows of each class: 'c' has 19",
    ),
    (
        "mrr",
        {"q": np.repeat(np.arange(29), 3), "y": [1, 0, 0] * 29, "s": np.tile([9, 1, 2], 29)},
        {"score": "s", "query": "q", "task": TaskKind.RANKING},
        "29 queries, and a mean's interval needs 30",
    ),
    (
        "map",
        {
            "q": np.repeat(np.arange(90), 3),
            "y": [1, 0, 0] * 80 + [0] * 30,
            "s": np.tile([9, 1, 2], 90),
        },
        {"score": "s", "query": "q", "task": TaskKind.RANKING},
        "10 of 90 queries have rows of one relevance only",
    ),
]


@pytest.mark.parametrize(("metric", "columns", "spec", "why"), TOO_FEW)
@pytest.mark.parametrize("decide_on", [DecideOn.ESTIMATE, DecideOn.PROVEN_PASS])
def test_too_little_data_have_a_value_and_are_insufficient_however_good_it_is(
    metric: Metric, columns: dict[str, Any], spec: dict[str, Any], why: str, decide_on: DecideOn
) -> None:
    found = data(columns, label="y", **spec)
    value, lack = cells(metric, found)
    assert value.value is not None
    assert value.interval is None
    assert lack.lack is NoValue.INSUFFICIENT
    assert why in lack.reason
    upward = Score(metric=metric).judged().higher_is_better
    rule = {
        "check": "performance.score",
        "parameters": {"metric": metric},
        "require": Threshold(at_least=0.6) if upward else Threshold(at_most=0.9),
        "decide_on": decide_on,
    }
    assert decided(rule, found).outcome is Outcome.INSUFFICIENT


@pytest.mark.parametrize(
    ("columns", "spec", "outcome"),
    [
        ({"y": [1, 0, 1, 0], "s": [0.5, math.nan, 0.9, 0.1]}, {"score": "s"}, Outcome.ERROR),
        ({"y": [1, 0, 1, None], "s": [0.5, 0.2, 0.9, 0.1]}, {"score": "s"}, Outcome.ERROR),
        ({"y": [1, 0, 1, 0], "s": [0.5, 0.2, 0.9, 0.1]}, {"score": "gone"}, Outcome.MISSING),
        ({"y": [1, 0, 1, 0], "s": ["a", "b", "c", "d"]}, {"score": "s"}, Outcome.ERROR),
        ({"y": np.zeros(0), "s": np.zeros(0)}, {"score": "s"}, Outcome.MISSING),
    ],
)
def test_unusable_data_never_pass(
    columns: dict[str, Any], spec: dict[str, Any], outcome: Outcome
) -> None:
    rule = {
        "check": "performance.score",
        "parameters": {"metric": "roc_auc"},
        "require": Threshold(at_least=0.01),
    }
    assert decided(rule, data(columns, label="y", positive=1, **spec)).outcome is outcome


def test_the_metrics_of_the_policy_are_those_that_have_a_formula_and_a_task() -> None:
    assert len(METRICS) == len(set(METRICS))
    assert set(METRICS) == {formula.metric for formula in FORMULAS}
    assert set(METRICS) == {metric for fitting in BUILDERS.values() for metric in fitting}
    assert all(metric in Score.about.definition for metric in METRICS)


def test_constant_scores_are_chance_and_perfect_scores_are_one() -> None:
    labels = [1] * 40 + [0] * 70
    constant = data({"y": labels, "s": [0.3] * 110}, label="y", score="s", positive=1)
    assert only("roc_auc", constant).value == 0.5
    perfect = data({"y": labels, "s": np.array(labels) * 0.9}, label="y", score="s", positive=1)
    cell = only("roc_auc", perfect)
    assert cell.value == 1.0
    assert cell.interval is not None
    assert cell.interval.low < 0.99


def test_the_rules_alpha_sets_the_level() -> None:
    for alpha in (0.05, 0.01):
        interval = only("roc_auc", binary(5), alpha=alpha).interval
        assert interval is not None
        assert interval.level == pytest.approx(1 - 2 * alpha)


def test_another_role_can_be_measured() -> None:
    current = binary(5, role=Role.CURRENT)
    evaluation = binary(6)
    on_current = only("roc_auc", current, evaluation, on=Role.CURRENT)
    assert on_current.value == pytest.approx(expected("roc_auc", current))
    assert only("roc_auc", current, evaluation).value == pytest.approx(
        expected("roc_auc", evaluation)
    )


def test_the_counts_behind_a_value_are_context() -> None:
    found = data(
        {"y": [1, 1, 1, 0, 0, 0, 0], "p": [1, 1, 0, 1, 0, 0, 0], "s": [0.1] * 7},
        label="y",
        prediction="p",
        score="s",
        positive=1,
    )
    counted = {
        "rows": 7,
        "positives": 3,
        "true_positives": 2,
        "false_positives": 1,
        "false_negatives": 1,
        "true_negatives": 3,
    }
    for name, count in counted.items():
        assert context(Score(metric="recall"), name, found)[""].value == count
    assert context(Score(metric="roc_auc"), "negatives", found)[""].value == 4
    assert only("recall", found).rows == 3


def test_dropped_rows_are_told() -> None:
    columns = {"y": [1, 0, None, 1] * 30, "p": [1, 0, 1, 0] * 30}
    found = data(columns, label="y", prediction="p", positive=1, max_null_labels=0.25)
    assert context(Score(metric="accuracy"), "dropped_rows", found)[""].value == 30
    cell = only("accuracy", found)
    assert (cell.rows, cell.total) == (90, 120)


def test_the_class_found_least_often_is_named_unless_it_is_tiny() -> None:
    y = ["cat"] * 100 + ["dog"] * 50 + ["fox"] * 29
    p = ["cat"] * 90 + ["dog"] * 10 + ["dog"] * 30 + ["cat"] * 20 + ["fox"] * 1 + ["cat"] * 28
    found = data({"y": y, "p": p}, label="y", prediction="p")
    worst = context(Score(metric="macro_f1"), "least_recall", found)
    assert list(worst) == ["dog"]
    assert worst["dog"].value == pytest.approx(0.6)
    assert worst["dog"].rows == 50


@pytest.mark.parametrize(
    ("limit", "outcome"),
    [(0.86, Outcome.FAIL), (0.85, Outcome.INSUFFICIENT), (0.80, Outcome.PASS)],
)
def test_a_floor_is_passed_only_with_proof(limit: float, outcome: Outcome) -> None:
    """Accuracy 0.85 of 400 rows: its bound 0.818 meets 0.80 and not 0.85, which the value meets."""
    columns = {"y": [1, 0], "p": [1, 1], "n": [340, 60]}
    found = data(columns, label="y", prediction="p", positive=1, weight="n")
    rule = {
        "check": "performance.score",
        "parameters": {"metric": "accuracy"},
        "require": Threshold(at_least=limit),
        "decide_on": DecideOn.PROVEN_PASS,
    }
    assert decided(rule, found).outcome is outcome


class Optimist:
    """An engine that calls everything perfect."""

    label = "optimist 1"

    def ask(self, _question: object) -> tuple[Answer, ...]:
        return (Answer(value=1.0, by=self.label),)


def test_an_engine_cannot_give_a_value_to_what_is_undefined() -> None:
    """No row is labelled positive: our precondition comes before the engine."""
    nobody = data({"y": [0] * 40, "p": [0, 1] * 20}, label="y", prediction="p")
    for found, lack, value in ((nobody, NoValue.UNDEFINED, None), (binary(1), None, 1.0)):
        optimistic = replace(
            inputs(found),
            engine=Optimist(),  # type: ignore[arg-type]  # no other method is needed here
        )
        (cell,) = [s for s in Score(metric="recall").measure(optimistic) if s.judged]
        assert (cell.lack, cell.value) == (lack, value)
