from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kurtosis, skew, t

from aims_gate.stats.jackknife import limits, of_values, too_few
from aims_gate.stats.means import hall_bounds
from aims_gate.stats.tables import Jackknife, Losses
from tests.support.laws import law


@law(80)
@given(st.lists(st.tuples(st.floats(-9, 9), st.integers(0, 4)), min_size=3, max_size=30))
def test_values_with_counts_are_that_many_rows(cells: list[tuple[float, int]]) -> None:
    values, counts = np.array([v for v, _ in cells]), np.array([n for _, n in cells])
    rows = np.repeat(values, counts)
    if len(rows) < 2 or rows.std() < 1e-3:
        return
    found = of_values(values, counts)
    assert found.rows == len(rows)
    assert found.centre == pytest.approx(rows.mean(), abs=1e-9)
    assert found.variance == pytest.approx(rows.var(ddof=1))
    assert found.skewness == pytest.approx(skew(rows), abs=1e-6)
    assert found.kurtosis == pytest.approx(kurtosis(rows, fisher=False))


def test_a_value_that_is_not_finite_counts_only_where_a_row_has_it() -> None:
    values = np.array([1.0, 2.0, math.inf])
    assert math.isnan(of_values(values, np.array([20, 20, 1])).variance)
    assert of_values(values, np.array([20, 20, 0])).centre == 1.5


@law(80)
@given(st.integers(30, 10_000), st.floats(1, 25), st.floats(1e-4, 0.4))
def test_without_skewness_limits_are_students_with_the_degrees_of_the_kurtosis(
    rows: int, kurtosis: float, alpha: float
) -> None:
    found = Jackknife(rows=rows, centre=2.0, variance=9.0, skewness=0.0, kurtosis=kurtosis)
    freedom = min(2 * rows / max(kurtosis - 1, 1e-9), rows - 1)
    expected = t(freedom, 2.0, 3 / math.sqrt(rows)).interval(1 - 2 * alpha)
    assert limits(found, alpha) == pytest.approx(expected, rel=1e-9)


@law(80)
@given(st.integers(30, 5_000), st.floats(0, 6), st.floats(0, 30), st.floats(1e-3, 0.2))
def test_on_the_side_of_a_tail_the_limit_is_halls_and_reaches_further(
    rows: int, skewness: float, more: float, alpha: float
) -> None:
    """Hall (1992): g(x) = x + k x^2 / 3 + k^2 x^3 / 27 + k / 6 is -t; then up to 1 + 2 k as far."""
    kurtosis = skewness**2 + 1 + more  # Pearson's least, and more
    found = Jackknife(rows=rows, centre=2.0, variance=9.0, skewness=skewness, kurtosis=kurtosis)
    low, high = limits(found, alpha)
    error = 3 / math.sqrt(rows)
    k = skewness * math.sqrt(rows - 1) / (rows - 2)
    student = float(t.ppf(1 - alpha, min(2 * rows / max(kurtosis - 1, 1e-9), rows - 1)))
    x = -(high - 2.0) / error / (1 + 2 * k * min(max(kurtosis / 4 - 1, 0), 1))
    if high > 2.0 + student * error * (1 + 1e-9):
        assert x + k * x * x / 3 + k * k * x**3 / 27 + k / 6 == pytest.approx(-student, rel=1e-6)
    assert low == pytest.approx(2.0 - student * error), "the other side stays Student's"
    mirrored = limits(replace(found, centre=-2.0, skewness=-skewness), alpha)
    assert mirrored == pytest.approx((-high, -low))
    closer = limits(found, min(2 * alpha, 0.3))
    assert low <= closer[0] <= 2.0 <= closer[1] <= high


def test_what_many_rows_show_of_a_tail_is_enough() -> None:
    """With the rows, what is added to Hall's bound goes, and t's degrees of freedom grow."""
    for rows, most in ((1_000, 1.3), (1_000_000, 1.01)):
        found = Jackknife(rows=rows, centre=0.0, variance=1.0, skewness=3.0, kurtosis=14.0)
        losses = Losses(rows=rows, mean=0.0, variance=1.0, skewness=3.0)
        assert 1 <= limits(found, 0.025)[1] / hall_bounds(losses, 1.959964)[1] < most


def test_values_that_are_all_alike_have_no_limits() -> None:
    found = of_values(np.array([1.0]), np.array([50]))
    assert "all alike" in too_few(found)


@pytest.mark.parametrize("value", [0.1, 1 / 3])
def test_values_that_are_alike_have_no_limits_however_their_mean_is_rounded(value: float) -> None:
    for rows in range(30, 60):
        found = of_values(np.full(5, value), np.array([rows, 1, 2, 3, 4]))
        assert "they are all alike" in too_few(found)


@pytest.mark.parametrize("scale", [1e-120, 1e120])
def test_a_row_that_dominates_does_so_at_any_scale(scale: float) -> None:
    """The fourth powers of such distances are no floats."""
    found = of_values(np.r_[np.arange(99) / 100, 30.0] * scale, np.ones(100, dtype=np.int64))
    assert "dominates" in too_few(found)
