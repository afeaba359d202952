from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aims_gate.checks.performance.sample import Sample
from aims_gate.errors import DataError, PolicyError
from aims_gate.facts import NoValue, Statistic
from aims_gate.plan import plan
from aims_gate.policy.model import Policy, Rule, TaskKind, Threshold
from aims_gate.sources.subject import Data
from aims_gate.stats.intervals import proportion_bounds
from aims_gate.verdict import Outcome
from tests.checks.subjects import data, decided, inputs


def labels(counts: dict[Any, int], **spec: Any) -> Data:
    """Labels, right in nine cases of ten."""
    y = np.repeat(list(counts), list(counts.values()))
    p = np.where(np.arange(len(y)) % 10 == 0, next(iter(counts)), y)
    return data({"y": y, "p": p, "n": [2] * len(y)}, **{"label": "y", "prediction": "p", **spec})


def only(found: Data, **parameters: Any) -> Statistic:
    (cell,) = [s for s in Sample(**parameters).measure(inputs(found)) if s.judged]
    return cell


def outcome(found: Data, require: Threshold | None = None, **parameters: Any) -> Outcome:
    rule = {"check": "performance.sample", "parameters": parameters, "require": require}
    return decided(rule, found).outcome


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"statistic": "half_width"}, "half_width needs a metric"),
        ({"metric": "accuracy"}, "rows reads no metric"),
        ({"statistic": "half_width", "metric": "f_beta"}, "metric"),
        ({"statistic": "columns"}, "statistic"),
    ],
)
def test_a_rule_that_measures_nothing_is_a_policy_error(
    parameters: dict[str, Any], why: str
) -> None:
    rule = Rule(id="PERF-03", check="performance.sample", parameters=parameters)
    with pytest.raises(PolicyError, match=why):
        plan(Policy(id="p", version="1.0.0", rules=(rule,))).sound()


@pytest.mark.parametrize(("rows", "expected"), [(199, Outcome.FAIL), (200, Outcome.PASS)])
def test_rows_are_held_against_two_hundred(rows: int, expected: Outcome) -> None:
    assert outcome(labels({"a": rows - 60, "b": 60})) is expected


@pytest.mark.parametrize(("rows", "expected"), [(29, Outcome.FAIL), (30, Outcome.PASS)])
def test_the_rarer_class_is_held_against_thirty(rows: int, expected: Outcome) -> None:
    assert outcome(labels({1: rows, 0: 400}), statistic="positives") is expected
    assert outcome(labels({0: rows, 1: 400}), statistic="positives") is expected
    several = labels({"a": 300, "b": rows, "c": 90})
    assert outcome(several, statistic="positives") is expected


def test_a_class_that_is_not_there_has_no_rows() -> None:
    found = labels({1: 400}, positive=1)
    assert only(found, statistic="positives").value == 0
    assert outcome(found, statistic="positives") is Outcome.FAIL


def test_labels_that_are_amounts_have_no_rarer_class() -> None:
    amounts = data({"y": np.linspace(0.5, 9, 300)}, label="y", task=TaskKind.REGRESSION)
    with pytest.raises(DataError, match="are no classes"):
        only(amounts, statistic="positives")
    assert only(amounts).value == 300


def test_null_labels_are_refused_and_dropped_ones_do_not_count() -> None:
    holes = {"y": [1, 0, None, 1] * 60}
    with pytest.raises(DataError, match="null"):
        only(data(holes, label="y"))
    assert only(data(holes, label="y", max_null_labels=0.25)).value == 180


def test_a_weighted_row_counts_as_often_as_its_weight() -> None:
    assert only(labels({"a": 100, "b": 20}, weight="n")).value == 240
    assert only(labels({"a": 100, "b": 20}, weight="n"), statistic="positives").value == 40


def test_the_half_width_is_that_of_the_two_sided_interval_at_95_percent() -> None:
    found = labels({0: 200, 1: 200})
    cell = only(found, statistic="half_width", metric="accuracy")
    low, high = proportion_bounds(380, 400, 1.959963984540054)
    assert cell.value == pytest.approx((high - low) / 2, abs=1e-9)
    assert "accuracy 0.95" in cell.reason
    assert cell.name == "accuracy_half_width"
    assert outcome(found, statistic="half_width", metric="accuracy") is Outcome.PASS
    few = labels({0: 30, 1: 30})
    assert outcome(few, statistic="half_width", metric="accuracy") is Outcome.FAIL


@pytest.mark.parametrize(
    ("metric", "counts", "lack", "why"),
    [
        ("roc_auc", {1: 19, 0: 300}, NoValue.INSUFFICIENT, "19 rows"),
        ("roc_auc", {1: 300}, NoValue.UNDEFINED, "only one class"),
    ],
)
def test_a_metric_without_an_interval_is_never_narrow_enough(
    metric: str, counts: dict[Any, int], lack: NoValue, why: str
) -> None:
    y = np.repeat(list(counts), list(counts.values()))
    found = data({"y": y, "s": np.linspace(0, 1, len(y))}, label="y", score="s", positive=1)
    cell = only(found, statistic="half_width", metric=metric)
    assert (cell.lack, cell.value) == (lack, None)
    assert why in cell.reason
    loose = Threshold(at_most=0.5)
    assert outcome(found, loose, statistic="half_width", metric=metric) is not Outcome.PASS


def test_a_class_that_is_answered_and_never_labelled_has_no_rows() -> None:
    """By a prediction or a column of scores: of three classes two may be frequent."""
    columns: dict[str, Any] = {"y": ["a", "b"] * 100, "p": ["a", "b"] * 99 + ["a", "c"]}
    columns |= dict.fromkeys(("s_a", "s_b", "s_c"), [1 / 3] * 200)
    spec: dict[str, Any] = {"label": "y", "task": TaskKind.MULTICLASS}
    answers: dict[str, Any]
    for answers in ({"prediction": "p"}, {"score": {n: f"s_{n}" for n in "abc"}}):
        assert only(data(columns, **spec, **answers), statistic="positives").value == 0
    two: dict[str, Any] = {"score": {n: f"s_{n}" for n in "ab"}, "prediction": "q"}
    columns["q"] = columns["y"]
    assert only(data(columns, **spec, **two), statistic="positives").value == 100
