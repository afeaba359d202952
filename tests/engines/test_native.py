from __future__ import annotations

import math

import numpy as np
import pytest

import aims_gate
from aims_gate.engines import (
    CountedRows,
    DriftOfBins,
    DriftOfNumbers,
    Engines,
    LibraryValue,
    MetricValue,
    RateComparison,
    Trials,
)
from aims_gate.engines.native import ENGINE
from aims_gate.errors import CheckError
from aims_gate.frames import Distribution
from aims_gate.stats import bins
from aims_gate.stats.disparity import Measure
from aims_gate.stats.tables import Confusion

RATIO, GAP = Measure.RATIO, Measure.GAP
NONE = Trials(group="none", rows=40, successes=0)
EMPTY = Trials(group="empty", rows=0, successes=0)
SOME = Trials(group="some", rows=60, successes=30)


def ordered(*values: float) -> Distribution:
    return Distribution(
        values=np.array(values), counts=np.full(len(values), 50, dtype=np.int64), nulls=0
    )


def of_pair(measure: Measure, low: Trials, high: Trials) -> float:
    (answer,) = ENGINE.ask(RateComparison(measure=measure, pairs=[(low, high)]))
    assert (answer.by, answer.problem) == (ENGINE.label, "")
    return answer.value


def distance(method: str, before: Distribution, after: Distribution) -> float:
    (answer,) = ENGINE.ask(DriftOfNumbers(method=method, reference=before, current=after))
    return answer.value


def precision(table: Confusion) -> float:
    (answer,) = ENGINE.ask(MetricValue(metric="precision", table=table, sample=no_sample))
    return answer.value


def no_sample() -> CountedRows:
    raise AssertionError("moments are enough")


def test_the_native_engine_is_in_the_table_and_names_its_version() -> None:
    assert Engines()["native"] is ENGINE
    assert ENGINE.label == f"native {aims_gate.__version__}"


def test_a_ratio_over_nothing_is_no_number() -> None:
    assert math.isnan(of_pair(RATIO, SOME, NONE))
    assert math.isnan(of_pair(RATIO, NONE, NONE))
    assert math.isnan(of_pair(RATIO, EMPTY, SOME))


def test_a_gap_to_an_empty_group_is_no_number() -> None:
    assert math.isnan(of_pair(GAP, EMPTY, SOME))
    assert math.isnan(of_pair(GAP, SOME, EMPTY))


def test_no_success_against_some_is_the_worst_ratio() -> None:
    assert of_pair(RATIO, NONE, SOME) == 0
    assert of_pair(GAP, NONE, SOME) == 0.5


def test_the_ratio_of_equal_rates_is_exactly_one() -> None:
    """1/3 of 90 and of 210: a quotient of two rounded rates could miss 1 by a bit."""
    low = Trials(group="a", rows=90, successes=30)
    assert of_pair(RATIO, low, Trials(group="b", rows=210, successes=70)) == 1.0


def test_a_method_that_is_not_there_is_an_error_not_a_zero() -> None:
    with pytest.raises(CheckError, match="no drift method 'psi' for numbers"):
        distance("psi", ordered(1.0, 2.0), ordered(1.0, 2.0))
    table = bins.categorical({"a": 9}, {"a": 9})
    with pytest.raises(CheckError, match="no drift method 'wasserstein' for bins"):
        ENGINE.ask(DriftOfBins(method="wasserstein", table=table))


def test_wasserstein_of_two_steps_is_known() -> None:
    """Reference 0 and 2 (sd 1), current 1 and 3: everything moves by one sd."""
    assert distance("wasserstein", ordered(0, 2), ordered(1, 3)) == 1.0


def test_a_performance_metric_comes_from_the_scores_and_is_nan_where_it_is_undefined() -> None:
    assert precision(Confusion(tp=30, fp=10, fn=5, tn=55)) == 0.75
    assert math.isnan(precision(Confusion(tp=0, fp=0, fn=5, tn=55)))


def test_the_native_engine_does_not_answer_for_a_library() -> None:
    with pytest.raises(CheckError, match="cannot answer for fairlearn"):
        ENGINE.ask(LibraryValue(library="fairlearn", name="demographic_parity_ratio", arguments={}))
