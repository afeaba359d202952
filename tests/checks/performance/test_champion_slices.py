"""Candidate and champion in every slice of the rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aims_gate.checks.performance.champion import Champion
from aims_gate.checks.performance.score import Plain
from aims_gate.facts import NoValue
from aims_gate.policy.model import DecideOn
from aims_gate.verdict import Outcome
from tests.checks.performance.champions import (
    arrays,
    binary,
    only,
    ruled,
)
from tests.checks.performance.oracle import expected
from tests.checks.subjects import data, inputs, judged


def test_every_slice_is_compared_and_shares_alpha() -> None:
    ours, theirs = binary(rows=4_000)
    check = Champion(metric="accuracy", by=("g", ("g", "age")), bins={"age": (40.0,)})
    cells = judged(check, ours, theirs)
    assert len(cells) == 1 + 3 + 6
    assert {"", "g=a", "g=b & age=[40,inf)"} < cells.keys()
    a = arrays(ours, theirs)
    part = (a["g"] == "b") & (a["age"] >= 40)
    value = (a["y"] == a["p"])[part].mean() - (a["y"] == a["q"])[part].mean()
    assert cells["g=b & age=[40,inf)"].value == pytest.approx(value)
    assert cells["g=b & age=[40,inf)"].rows == part.sum()
    alone = only(Champion(metric="accuracy"), ours, theirs)
    assert alone.interval is not None
    shared = cells[""].interval
    assert shared is not None
    assert shared.low < alone.interval.low
    assert shared.level == pytest.approx(1 - 2 * 0.05 / 10)


@pytest.mark.parametrize("metric", ["roc_auc", "brier", "recall", "f1"])
def test_every_metric_has_slices(metric: Plain) -> None:
    ours, theirs = binary(rows=1_500)
    cells = [
        s for s in Champion(metric=metric, by=("g",)).measure(inputs(ours, theirs)) if s.judged
    ]
    a = arrays(ours, theirs)
    part = a["g"] == "b"
    values = [
        expected(metric, a["y"][part], a[p][part], a[s][part]) for p, s in (("p", "s"), ("q", "t"))
    ]
    (cell,) = [s for s in cells if s.slice == "g=b"]
    assert cell.value == pytest.approx(values[0] - values[1], abs=1e-10)


def test_a_small_slice_is_named_and_not_judged_and_many_of_them_refuse() -> None:
    ours, theirs = binary(rows=300)
    check = Champion(metric="accuracy", by=("g",), min_cell=60)
    statistics = tuple(check.measure(inputs(ours, theirs)))
    small = [s for s in statistics if s.name == "small_slice"]
    assert [s.slice for s in small] == ["g=c"]
    (lack,) = [s for s in statistics if s.judged and s.lack]
    assert lack.lack is NoValue.INSUFFICIENT
    assert "max_uncovered" in lack.reason
    kept = replace(check, max_uncovered=0.5)
    assert all(s.lack is None for s in kept.measure(inputs(ours, theirs)) if s.judged)


def test_a_slice_without_a_positive_keeps_its_accuracy_and_has_no_recall() -> None:
    ours, theirs = binary(rows=600)
    columns = ours.frame.table.to_pydict()  # type: ignore[attr-defined]
    columns["g"] = [
        "x" if y == 0 and p == 0 else "rest"
        for y, p in zip(columns["y"], columns["p"], strict=True)
    ]
    ours = replace(data(columns), spec=ours.spec)
    assert judged(Champion(metric="accuracy", by=("g",)), ours, theirs)["g=x"].value is not None
    cells = tuple(Champion(metric="recall", by=("g",)).measure(inputs(ours, theirs)))
    assert [s.slice for s in cells if s.name == "small_slice"] == ["g=x"]


def test_a_slice_without_an_interval_is_insufficient_where_the_value_decides_too() -> None:
    """F1 of some twenty rows has a value; of so few, its difference has no bounds."""
    ours, theirs = binary(rows=200)
    parameters = {"metric": "f1", "by": ["g"], "min_cell": 10}
    result = ruled(parameters, ours, theirs, decide_on=DecideOn.ESTIMATE)
    assert result.outcome is Outcome.INSUFFICIENT
    (short,) = [s for s in result.statistics if s.lack is NoValue.INSUFFICIENT]
    assert short.slice == "g=c"
    assert "an interval needs 30" in short.reason


def test_a_column_of_slices_that_is_not_there_or_cuts_into_rows_is_refused() -> None:
    ours, theirs = binary(rows=600)
    assert ruled({"metric": "accuracy", "by": ["gg"]}, ours, theirs).outcome is Outcome.MISSING
    result = ruled({"metric": "accuracy", "by": ["s"]}, ours, theirs)
    assert result.outcome is Outcome.ERROR
    assert "more than 250" in result.reason
