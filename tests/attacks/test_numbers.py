"""Numbers that arithmetic rounds or loses, which must not look like a proof or like no drift."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aims_gate.verdict import Outcome
from tests.attacks.deciding import Columns, Gate, normal, only

REGRESSION = "data: {evaluation: {label: y, prediction: yhat, key: id, task: regression}%s}\n"
SCORE = (
    REGRESSION % ""
    + "rules: [{id: P-1, check: performance.score, with: {metric: METRIC}, "
    + "require: {at_most: 1}, decide_on: proven_pass}]\n"
)
CHAMPION = (
    REGRESSION % ", champion: {prediction: yhat, key: id}"
    + "rules: [{id: P-2, check: performance.champion, with: {metric: METRIC}, "
    + "require: {REQUIRE}, decide_on: DECIDE}]\n"
)
SHARE = "rules: [{id: M-1, check: drift.share, with: {numeric: wasserstein, categorical: none}}]\n"


def answers(label: Any, prediction: Any) -> Columns:
    rows = len(label)
    return {"y": label, "yhat": prediction, "id": np.arange(rows)}


@pytest.mark.parametrize("rows", [49, 100])
@pytest.mark.parametrize("metric", ["mae", "mse", "rmse"])
@pytest.mark.parametrize("off", [0.1, 0.3, 0.7])
def test_losses_that_are_equal_prove_nothing_however_their_mean_is_rounded(
    gate: Gate, metric: str, off: float, rows: int
) -> None:
    """The mean of 100 times 0.7 is not 0.7, which is no variation to tell a bound from."""
    zeros = np.zeros(rows)
    result = only(
        gate(SCORE.replace("METRIC", metric), evaluation=answers(zeros, np.full(rows, off)))
    )
    assert result.outcome is Outcome.INSUFFICIENT
    assert "are equal" in result.reason


@pytest.mark.parametrize("metric", ["mae", "mse", "rmse"])
def test_differences_that_are_equal_prove_nothing_either(gate: Gate, metric: str) -> None:
    policy = CHAMPION.replace("METRIC", metric).replace("REQUIRE", "at_most: 1")
    sides = {
        role: answers(np.zeros(100), np.full(100, off))
        for role, off in (("evaluation", 0.7), ("champion", 1.4))
    }
    result = only(gate(policy.replace("DECIDE", "proven_pass"), **sides))
    assert result.outcome is Outcome.INSUFFICIENT
    assert "are equal" in result.reason


@pytest.mark.parametrize("metric", ["mae", "mse", "mape", "rmse"])
def test_two_models_that_are_never_wrong_are_not_proven_equal(gate: Gate, metric: str) -> None:
    """Of no loss at all nothing tells how large it could be; the interval was from 0 to 0."""
    labels = np.arange(1.0, 101.0)
    same = answers(labels, labels)
    policy = CHAMPION.replace("METRIC", metric).replace("REQUIRE", "at_most: 0.01")
    result = only(gate(policy.replace("DECIDE", "proven_pass"), evaluation=same, champion=same))
    assert result.outcome is Outcome.INSUFFICIENT
    assert "are 0 for both" in result.reason or "never wrong" in result.reason


@pytest.mark.parametrize("metric", ["mae", "mse", "rmse"])
def test_predictions_whose_last_digit_differs_are_those_of_the_same_model(
    gate: Gate, metric: str
) -> None:
    """Which is proven no better by rounding; the interval was 1e-17 wide."""
    columns = normal(4, 400, 2)
    labels, predictions = columns["x0"], columns["x1"]
    rounded = np.nextafter(predictions, np.tile([-9.0, 9.0], 200))
    policy = CHAMPION.replace("METRIC", metric).replace("REQUIRE", "at_most: 0.1")
    policy = policy.replace("DECIDE", "proven_pass")
    intervals = []
    for champion in (predictions, rounded):
        sides = {"evaluation": predictions, "champion": champion}
        result = only(gate(policy, **{role: answers(labels, p) for role, p in sides.items()}))
        (interval,) = (cell.interval for cell in result.statistics if cell.judged)
        assert interval is not None
        intervals.append((interval.low, interval.high))
    assert intervals[1] == pytest.approx(intervals[0], rel=1e-9)


def test_a_constant_error_is_no_variation_however_the_labels_round_it(gate: Gate) -> None:
    """All is explained up to rounding, and the interval was from 1 to 1."""
    labels = normal(3, 400)["x0"]
    policy = SCORE.replace("METRIC", "explained_variance").replace("at_most: 1", "at_least: 0.5")
    result = only(gate(policy, evaluation=answers(labels, labels + 0.7)))
    assert result.outcome is Outcome.INSUFFICIENT
    assert "they are all alike" in result.reason


@pytest.mark.parametrize("rows", [100, 996])
@pytest.mark.parametrize("metric", ["r2", "explained_variance"])
def test_rows_that_all_add_as_much_to_what_is_explained_prove_nothing_however_it_is_rounded(
    gate: Gate, metric: str, rows: int
) -> None:
    """Labels of -1 and 1 and errors of one size: the interval was 1e-15 wide."""
    labels = np.tile([-1.0, -1.0, 1.0, 1.0], rows // 4)
    errors = np.tile([-0.3, 0.3], rows // 2)
    policy = SCORE.replace("METRIC", metric).replace("at_most: 1", "at_least: 0.5")
    result = only(gate(policy, evaluation=answers(labels, labels - errors)))
    assert result.outcome is Outcome.INSUFFICIENT
    assert "they are all alike" in result.reason


@pytest.mark.parametrize("metric", ["r2", "explained_variance"])
@pytest.mark.parametrize("label", [3.3e-7, 1e308])
def test_a_label_that_never_varies_leaves_nothing_to_explain_however_it_is_rounded(
    gate: Gate, metric: str, label: float
) -> None:
    """The variance of 49 times 3.3e-7 was 1e-46, and of 1e308 infinite: R2 was 1 for both."""
    labels = np.full(49, label)
    policy = CHAMPION.replace("METRIC", metric).replace("REQUIRE", "at_least: -0.01")
    policy = policy.replace("DECIDE", "estimate")
    same = answers(labels, labels)
    result = only(gate(policy, evaluation=same, champion=same))
    assert result.outcome is Outcome.ERROR
    assert "the labels do not vary" in result.reason


def test_errors_that_are_rounded_to_none_are_no_perfect_model(gate: Gate) -> None:
    """Half of 3e-162 squared is 0, and the candidate was taken for as good as its champion."""
    labels = np.tile([-3e-162, 3e-162], 200)
    policy = CHAMPION.replace("METRIC", "r2").replace("REQUIRE", "at_least: -0.01")
    sides = {"evaluation": answers(labels, labels / 2), "champion": answers(labels, labels)}
    result = only(gate(policy.replace("DECIDE", "estimate"), **sides))
    assert result.outcome is Outcome.ERROR


@pytest.mark.parametrize("unit", [1e153, 1e-200])
def test_drift_in_a_very_large_or_small_unit_is_judged_like_any_other(
    gate: Gate, unit: float
) -> None:
    """A NaN for the law of noise is past no line, and so was one of the columns at rest."""
    before, after = normal(1, 300, columns=3), normal(2, 300, columns=3)
    spread = np.clip(before["x0"], -3, 3)
    before["x0"] = spread * unit
    after["x0"] = (np.clip(after["x0"], -3, 3) + 50) * unit
    result = only(gate(SHARE, reference=before, current=after))
    # a standard deviation below 0.001 counts as 0.001, so in the small unit nothing has moved
    assert result.outcome is (Outcome.FAIL if unit > 1 else Outcome.PASS)
    assert "1 of 3 columns: x0" in result.reason or unit < 1


def test_one_value_that_is_far_out_of_scale_does_not_end_the_run(gate: Gate) -> None:
    """The rows that it would take, a square of 1e170, were no float, and no rule was decided."""
    after = normal(2, 300, columns=3)
    after["x0"][0] = 1e170
    before = normal(1, 300, columns=3)
    (share, *_columns) = only(gate(SHARE, reference=before, current=after)).statistics
    assert share.interval is not None
    assert share.value == 0
    assert share.interval.high > 0.3, "it may have moved"
    single = SHARE.replace("share", "columns")
    result = only(gate(single, reference=before, current=after))
    assert result.outcome is Outcome.INSUFFICIENT
    assert "no number of current rows could settle it" in result.reason
