from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kurtosis, t

from aims_gate.stats.jackknife import limits, of_values, too_few
from aims_gate.stats.tables import Jackknife
from tests.laws import law


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
    assert found.kurtosis == pytest.approx(kurtosis(rows, fisher=False))


def test_a_value_that_is_not_finite_counts_only_where_a_row_has_it() -> None:
    values = np.array([1.0, 2.0, math.inf])
    assert math.isnan(of_values(values, np.array([20, 20, 1])).variance)
    assert of_values(values, np.array([20, 20, 0])).centre == 1.5


@law(80)
@given(st.integers(30, 10_000), st.floats(1, 25), st.floats(1e-4, 0.4))
def test_limits_are_students_with_the_degrees_of_the_kurtosis(
    rows: int, kurtosis: float, alpha: float
) -> None:
    found = Jackknife(rows=rows, centre=2.0, variance=9.0, kurtosis=kurtosis)
    freedom = min(2 * rows / max(kurtosis - 1, 1e-9), rows - 1)
    expected = t(freedom, 2.0, 3 / math.sqrt(rows)).interval(1 - 2 * alpha)
    assert limits(found, alpha) == pytest.approx(expected, rel=1e-9)


def test_values_that_are_all_alike_have_no_limits() -> None:
    found = of_values(np.array([1.0]), np.array([50]))
    assert "all alike" in too_few(found)
