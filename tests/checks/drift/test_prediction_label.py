"""`drift.prediction` and `drift.label`: what a model answers, and what it should have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.checks.drift.prediction_label import Label, Prediction
from aims_gate.errors import DataError
from aims_gate.facts import NoValue
from aims_gate.policy.model import Role, TaskKind
from aims_gate.sources.subject import Data
from aims_gate.verdict import Outcome
from tests.checks.subjects import context, data, decided, inputs, judged
from tests.support.laws import law

SPEC: dict[str, Any] = {"label": "y", "prediction": "p", "score": "s", "positive": 1}
METHODS = ("psi", "js", "hellinger", "chi2", "ks", "wasserstein", "positive_rate")
CHECKS = ("drift.prediction", "drift.label")


def answered(role: Role, rows: int = 2_000, rate: float = 0.4, **spec: Any) -> Data:
    """Binary answers with scores that rise with the rate of yes."""
    rng = np.random.default_rng(len(role))
    score = np.clip(rng.beta(2, 3, rows) + rate - 0.4, 0, 1)
    columns = {
        "x": rng.normal(size=rows),
        "y": (rng.random(rows) < rate).astype(int),
        "p": (score > 0.45).astype(int),
        "s": score,
    }
    return data(columns, role, **{**SPEC, **spec})


def rule(check: str, method: str) -> dict[str, Any]:
    return {"check": check, "parameters": {"method": method}}


# --- what never passes ---------------------------------------------------------------------------


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("method", METHODS)
def test_data_without_such_a_role_are_missing(check: str, method: str) -> None:
    bare = [
        answered(role, label=None, prediction=None, score=None)
        for role in (Role.REFERENCE, Role.CURRENT)
    ]
    result = decided(rule(check, method), *bare)
    assert result.outcome is Outcome.MISSING
    assert "no column is named as" in result.reason
    assert decided(rule(check, method), bare[0]).outcome is Outcome.MISSING


@pytest.mark.parametrize("method", METHODS)
def test_a_column_that_vanished_or_changed_its_type_is_refused(method: str) -> None:
    before = answered(Role.REFERENCE)
    gone = data({"x": [1.0] * 2_000, "p": [1] * 2_000, "s": [0.5] * 2_000}, Role.CURRENT, **SPEC)
    assert decided(rule("drift.label", method), before, gone).outcome is Outcome.MISSING
    texts = data({"y": ["1", "0"] * 1_000}, Role.CURRENT, label="y", positive="1")
    assert decided(rule("drift.label", method), before, texts).outcome is Outcome.ERROR
    numbers = data({"y": ["1", "0"] * 1_000}, Role.CURRENT, label="y")
    assert decided(rule("drift.label", method), before, numbers).outcome is Outcome.ERROR


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("method", METHODS)
def test_few_rows_are_insufficient(check: str, method: str) -> None:
    both = answered(Role.REFERENCE), answered(Role.CURRENT, rows=20)
    assert decided(rule(check, method), *both).outcome is Outcome.INSUFFICIENT


@pytest.mark.parametrize("check", CHECKS)
def test_answers_under_another_name_are_not_taken_for_none(check: str) -> None:
    both = answered(Role.REFERENCE), answered(Role.CURRENT, prediction="x", score="x", label="x")
    result = decided({"check": check}, *both)
    assert result.outcome is Outcome.ERROR
    assert "in the reference and x in the current data" in result.reason


def test_null_answers_are_drift_by_a_distance_and_refused_by_a_rate() -> None:
    rows: list[Any] = [None] * 400 + [0, 1] * 800
    holes = data({"y": rows}, Role.CURRENT, label="y", positive=1)
    before = data({"y": [0, 1] * 1_000}, Role.REFERENCE, label="y", positive=1)
    assert decided(rule("drift.label", "psi"), before, holes).outcome is Outcome.FAIL
    assert decided(rule("drift.label", "positive_rate"), before, holes).outcome is Outcome.ERROR


def test_a_rate_of_nothing_has_no_change() -> None:
    never = data({"y": [0] * 1_990 + [1] * 10, "p": [0] * 2_000}, Role.REFERENCE, **SPEC)
    found = judged(Prediction(method="positive_rate"), never, answered(Role.CURRENT))
    assert found["prediction"].lack is NoValue.UNDEFINED
    assert "the reference has no positive" in found["prediction"].reason


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"positive": 0}, "the positive classes differ: 1 and 0"),
        ({"prediction": None, "threshold": 0.6}, "the thresholds of reference and current"),
    ],
)
def test_rates_of_two_different_things_are_not_compared(spec: dict[str, Any], told: str) -> None:
    bare: dict[str, Any] = {"prediction": None} if "threshold" in spec else {}
    before = answered(Role.REFERENCE, **bare)
    after = answered(Role.CURRENT, **spec)
    result = decided(rule("drift.prediction", "positive_rate"), before, after)
    assert result.outcome is Outcome.ERROR
    assert told in result.reason


def test_scores_of_several_classes_have_no_positive_rate() -> None:
    spec: dict[str, Any] = {"label": None, "prediction": None, "score": {"a": "s", "b": "x"}}
    both = [answered(role, **spec) for role in (Role.REFERENCE, Role.CURRENT)]
    result = decided(rule("drift.prediction", "positive_rate"), *both)
    assert result.outcome is Outcome.ERROR
    assert "scores of several classes" in result.reason
    assert set(judged(Prediction(), *both)) == {"s", "x"}


# --- decisions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("method", METHODS)
def test_steady_answers_are_left_alone_and_moved_ones_refused(check: str, method: str) -> None:
    before = answered(Role.REFERENCE, rows=4_000)
    assert decided(rule(check, method), before, answered(Role.CURRENT)).outcome is Outcome.PASS
    moved = answered(Role.CURRENT, rate=0.75)
    wanted = Outcome.FAIL
    assert decided(rule(check, method), before, moved).outcome is wanted


def test_both_the_score_and_the_prediction_are_judged_unless_one_is_chosen() -> None:
    both = answered(Role.REFERENCE), answered(Role.CURRENT)
    assert set(judged(Prediction(), *both)) == {"s", "p"}
    assert set(judged(Prediction(of="score"), *both)) == {"s"}
    assert set(judged(Prediction(of="prediction"), *both)) == {"p"}
    assert set(judged(Label(), *both)) == {"y"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (np.random.default_rng(1).normal(size=2_000), np.random.default_rng(2).normal(1, 1, 2_000)),
        (["a", "b", "c"] * 700, ["a", "b", "c", "c", "c"] * 420),
        ([True, False] * 1_000, [True, True, True, False] * 500),
        (["a", "b", "c"] * 700, ["a", "b", "d"] * 700),
    ],
    ids=["regression", "classes", "truth", "unseen class"],
)
def test_labels_of_every_task_have_a_distance(before: Any, after: Any) -> None:
    both = [
        data({"y": values}, role, label="y")
        for values, role in ((before, Role.REFERENCE), (after, Role.CURRENT))
    ]
    assert decided({"check": "drift.label"}, *both).outcome is Outcome.FAIL
    same = data({"y": before}, Role.CURRENT, label="y")
    assert decided({"check": "drift.label"}, both[0], same).outcome is Outcome.PASS


def test_the_rate_of_one_class_of_several_can_be_held() -> None:
    spec = {"label": "y", "positive": "c", "task": TaskKind.MULTICLASS}
    before = data({"y": ["a", "b", "c"] * 900}, Role.REFERENCE, **spec)
    after = data({"y": ["a", "b", "c", "c"] * 600}, Role.CURRENT, **spec)
    cell = judged(Label(method="positive_rate"), before, after)["label"]
    assert cell.value == pytest.approx(0.5)
    assert cell.reason == "the rate went from 0.333 to 0.5"


def test_without_predictions_scores_count_from_the_threshold_on() -> None:
    both = [
        answered(role, prediction=None, threshold=0.5) for role in (Role.REFERENCE, Role.CURRENT)
    ]
    rates = context(Prediction(method="positive_rate"), "positive_rate", *both)
    for part in both:
        frame: Any = part.frame
        wanted = np.mean(frame.table["s"].to_numpy() >= 0.5)
        assert rates[part.role].value == pytest.approx(wanted)


@law(40)
@given(st.integers(1, 399), st.integers(0, 600))
def test_the_change_is_relative_and_its_interval_holds_it(before: int, after: int) -> None:
    spec = {"label": "y", "positive": 1}
    one = data({"y": [1] * before + [0] * (400 - before)}, Role.REFERENCE, **spec)
    two = data({"y": [1] * after + [0] * (600 - after)}, Role.CURRENT, **spec)
    cell = judged(Label(method="positive_rate"), one, two)["label"]
    assert cell.value == pytest.approx(abs((after / 600) / (before / 400) - 1))
    assert cell.interval is not None
    assert cell.value is not None
    assert 0 <= cell.interval.low <= cell.value + 1e-12
    assert cell.value <= cell.interval.high + 1e-12


def test_a_fall_and_a_rise_by_a_fifth_are_alike() -> None:
    before = data({"y": [1] * 20_000 + [0] * 20_000}, Role.REFERENCE, label="y")
    cases = {31_000: Outcome.FAIL, 9_000: Outcome.FAIL, 20_400: Outcome.PASS}
    for positives, outcome in cases.items():
        after = data({"y": [1] * positives + [0] * (40_000 - positives)}, Role.CURRENT, label="y")
        assert decided(rule("drift.label", "positive_rate"), before, after).outcome is outcome


# --- error rates -------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [150, 1_200])
def test_a_serious_change_never_passes_more_often_than_alpha(rows: int) -> None:
    """Rate 0.3: 40 % up or down passes in 5 of 100 draws, as drawn 8; without a change most do."""
    rng = np.random.default_rng(7)
    for change, low, high in ((1.4, 0.0, 0.08), (0.6, 0.0, 0.08), (1.0, 0.0, 1.0)):
        passed = failed = 0
        for _ in range(150):
            p, q = rng.binomial(6_000, 0.3), rng.binomial(rows, 0.3 * change)
            before = data({"y": [1, 0], "n": [p, 6_000 - p]}, Role.REFERENCE, label="y", weight="n")
            after = data({"y": [1, 0], "n": [q, rows - q]}, Role.CURRENT, label="y", weight="n")
            outcome = decided(rule("drift.label", "positive_rate"), before, after).outcome
            passed += outcome is Outcome.PASS
            failed += outcome is Outcome.FAIL
        assert low <= passed / 150 <= high
        if change == 1.0:
            assert failed <= 8
            assert passed > 120 or rows < 1_000


def test_scores_that_are_not_finite_have_no_positive_rate() -> None:
    """An infinite score reaches every threshold, whatever went wrong with it."""
    before = answered(Role.REFERENCE, prediction=None, threshold=0.5)
    table = before.frame.table.to_pydict()  # type: ignore[attr-defined]  # an ArrowFrame
    column = str(before.spec.score)
    table[column][0] = float("inf")
    roles = {"label": "y", "score": column, "positive": before.spec.positive, "threshold": 0.5}
    after = data(table, Role.CURRENT, **roles)
    with pytest.raises(DataError, match="not finite"):
        list(Prediction(of="score", method="positive_rate").measure(inputs(before, after)))
