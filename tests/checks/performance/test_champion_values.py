"""Differences of metrics agree with scikit-learn on the joined rows, slice by slice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from aims_gate.checks.performance.champion import Champion
from aims_gate.checks.performance.paired_intervals import METHODS
from aims_gate.checks.performance.score import Plain
from aims_gate.engines import Answer
from aims_gate.facts import NoValue
from aims_gate.stats.jackknife import limits, of_values
from tests.checks.performance.champions import (
    BINARY_ROLES,
    LAWS,
    arrays,
    binary,
    champion,
    numbers,
    only,
)
from tests.checks.performance.oracle import expected
from tests.checks.subjects import data, inputs

BINARY = ("accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "mcc",
          "roc_auc", "brier", "log_loss")  # fmt: skip


@pytest.mark.parametrize("metric", BINARY)
@LAWS
@given(st.integers(0, 2**32 - 1))
def test_the_difference_is_scikit_learns_of_the_joined_rows(metric: Plain, seed: int) -> None:
    ours, theirs = binary(seed, rows=500)
    a = arrays(ours, theirs)
    value = expected(metric, a["y"], a["p"], a["s"]) - expected(metric, a["y"], a["q"], a["t"])
    cells = [s for s in Champion(metric=metric).measure(inputs(ours, theirs)) if s.judged]
    assert cells[0].value == pytest.approx(value, abs=1e-10)
    interval = cells[0].interval
    assert interval is not None
    assert interval.low <= value + 1e-10
    assert value - 1e-10 <= interval.high
    assert interval.level == pytest.approx(0.9)
    assert interval.method == METHODS[metric]


@pytest.mark.parametrize("metric", BINARY)
def test_exchanging_candidate_and_champion_flips_every_sign(metric: Plain) -> None:
    ours, theirs = binary(9, rows=900)
    a = arrays(ours, theirs)
    names = {"y": "y", "p": "q", "s": "t", "id": "id"}
    other = data({ours: a[was] for ours, was in names.items()}, **BINARY_ROLES)
    back = champion({"id": a["id"], "q": a["p"], "t": a["s"]})
    one = only(Champion(metric=metric), ours, theirs)
    two = only(Champion(metric=metric), other, back)
    assert one.value is not None
    assert two.value == pytest.approx(-one.value, abs=1e-12)
    assert one.interval is not None
    assert two.interval is not None
    # Hall's cubic and Tango's bisection stop some digits earlier than sums do
    assert two.interval.low == pytest.approx(-one.interval.high, abs=1e-8)
    assert two.interval.high == pytest.approx(-one.interval.low, abs=1e-8)


def test_f_beta_is_compared_with_its_beta() -> None:
    ours, theirs = binary(3, rows=2_000)
    a = arrays(ours, theirs)
    for beta in (0.5, 2.0):
        value = sk.fbeta_score(a["y"], a["p"], beta=beta) - sk.fbeta_score(
            a["y"], a["q"], beta=beta
        )
        cell = only(Champion(metric="f_beta", beta=beta), ours, theirs)
        assert cell.value == pytest.approx(value, abs=1e-10)
        assert cell.interval is not None
        assert cell.interval.low < value < cell.interval.high
    one = only(Champion(metric="f_beta", beta=1.0), ours, theirs)
    plain = only(Champion(metric="f1"), ours, theirs)
    assert one.interval is not None
    assert plain.interval is not None
    assert (one.interval.low, one.interval.high) == (plain.interval.low, plain.interval.high)


@pytest.mark.parametrize("metric", ["mae", "mse", "rmse", "r2"])
def test_regression_metrics_are_compared_too(metric: Plain) -> None:
    ours, theirs = numbers()
    a = arrays(ours, theirs)
    functions = {
        "mae": sk.mean_absolute_error,
        "mse": sk.mean_squared_error,
        "rmse": sk.root_mean_squared_error,
        "r2": sk.r2_score,
    }
    value = functions[metric](a["y"], a["p"]) - functions[metric](a["y"], a["q"])
    cell = only(Champion(metric=metric), ours, theirs)
    assert cell.value == pytest.approx(value, abs=1e-10)
    assert (cell.interval is not None) is (metric in METHODS)


def test_on_many_rows_the_interval_of_a_difference_of_rmse_is_that_of_the_delta_method() -> None:
    ours, theirs = numbers(rows=4_000)
    a = arrays(ours, theirs)
    squared = [(a["y"] - a[side]) ** 2 for side in "pq"]
    roots = [np.sqrt(losses.mean()) for losses in squared]
    moved = squared[0] / (2 * roots[0]) - squared[1] / (2 * roots[1])
    step = 1.6449 * moved.std(ddof=1) / np.sqrt(len(moved))
    interval = only(Champion(metric="rmse"), ours, theirs).interval
    assert interval is not None
    assert (interval.high - interval.low) / 2 == pytest.approx(step, rel=0.02)
    assert (interval.high + interval.low) / 2 == pytest.approx(roots[0] - roots[1], abs=step / 5)


def test_on_few_rows_it_is_told_by_leaving_out_each() -> None:
    rows = 40
    ours, theirs = numbers(rows=rows)
    a = arrays(ours, theirs)
    squared = [(a["y"] - a[side]) ** 2 for side in "pq"]

    def difference(kept: Any) -> float:
        one, other = (float(np.sqrt(losses[kept].mean())) for losses in squared)
        return one - other

    every = np.arange(rows)
    values = [rows * difference(every) - (rows - 1) * difference(every != row) for row in every]
    added = of_values(np.array(values), np.ones(rows, dtype=np.int64))
    low, high = limits(added, 0.05)
    cell = only(Champion(metric="rmse"), ours, theirs)
    assert cell.interval is not None
    assert (cell.interval.low, cell.interval.high) == pytest.approx((low, high), rel=1e-9)


@pytest.mark.parametrize("metric", ["mae", "mse", "rmse"])
@pytest.mark.parametrize("rows", [3, 29])
def test_few_rows_have_a_difference_of_losses_and_no_interval(metric: Plain, rows: int) -> None:
    ours, theirs = numbers(rows=rows)
    cells = [s for s in Champion(metric=metric).measure(inputs(ours, theirs)) if s.judged]
    assert [cell.interval for cell in cells] == [None, None]
    assert f"{rows:,} rows, and a mean's interval needs 30" in cells[1].reason


def test_a_model_that_is_never_wrong_has_no_interval_of_rmse() -> None:
    ours, theirs = numbers()
    a = arrays(ours, theirs)
    perfect = champion({"id": a["id"], "q": a["y"]}, score=None)
    cells = [s for s in Champion(metric="rmse").measure(inputs(ours, perfect)) if s.judged]
    assert [cell.lack for cell in cells] == [None, NoValue.INSUFFICIENT]
    assert cells[0].interval is None
    assert "never wrong" in cells[1].reason


@pytest.mark.parametrize("metric", ["accuracy", "recall", "roc_auc", "brier", "f1", "mcc"])
def test_weighted_rows_are_repeated_rows(metric: Plain) -> None:
    """Keys are then those of the table's rows; the count of each is the evaluation's own."""
    ours, theirs = binary(5, rows=400)
    there = np.array(ours.frame.table.column("n").to_pylist()) > 0  # type: ignore[attr-defined]
    columns = {k: np.array(v)[there] for k, v in ours.frame.table.to_pydict().items()}  # type: ignore[attr-defined]
    a = theirs.frame.table.to_pydict()  # type: ignore[attr-defined]
    kept = np.isin(a["id"], columns["id"])
    answers = {k: np.array(v)[kept] for k, v in a.items()}
    counted = data(columns, weight="n", **BINARY_ROLES)
    weighted = only(Champion(metric=metric), counted, champion(answers))
    place = {key: row for row, key in enumerate(answers["id"].tolist())}
    order = [place[key] for key in columns["id"].tolist()]
    both = {**columns, **{k: v[order] for k, v in answers.items() if k != "id"}}
    rows = {k: np.repeat(v, columns["n"]) for k, v in both.items()}
    rows["id"] = np.arange(len(rows["y"]))
    repeated = only(Champion(metric=metric), data(rows, **BINARY_ROLES), champion(rows))
    assert weighted.value == pytest.approx(repeated.value, abs=1e-12)
    assert weighted.rows == repeated.rows
    assert weighted.interval is not None
    assert repeated.interval is not None
    assert weighted.interval.low == pytest.approx(repeated.interval.low, abs=1e-10)
    assert weighted.interval.high == pytest.approx(repeated.interval.high, abs=1e-10)


def test_rows_that_are_null_on_either_side_count_for_neither() -> None:
    ours, theirs = binary(2, rows=1_000)
    a = arrays(ours, theirs)
    p, q = a["p"].astype(object), a["q"].astype(object)
    p[:3], q[2:7] = None, None
    spec: dict[str, Any] = {
        "label": "y",
        "prediction": "p",
        "positive": 1,
        "key": "id",
        "max_null_labels": 0.01,
    }
    holed = data({"id": a["id"], "y": a["y"], "p": p}, **spec)
    cell = only(Champion(metric="accuracy"), holed, champion({"id": a["id"], "q": q}, score=None))
    kept = slice(7, None)
    value = (a["y"] == a["p"])[kept].mean() - (a["y"] == a["q"])[kept].mean()
    assert cell.value == pytest.approx(value)
    assert cell.rows == 993


def test_a_reference_engine_that_fails_or_disagrees_leaves_no_value() -> None:
    class Broken:
        def ask(self, _question: object) -> tuple[Answer, ...]:
            return (Answer.none("both", "they disagree"),)

    ours, theirs = binary(rows=200)
    made = replace(inputs(ours, theirs), engine=Broken())  # type: ignore[arg-type]  # what is asked
    (cell,) = [s for s in Champion(metric="accuracy").measure(made) if s.judged]
    assert (cell.lack, cell.reason) == (NoValue.UNDEFINED, "they disagree")
