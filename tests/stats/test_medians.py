from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from aims_gate.stats import medians
from aims_gate.stats.tables import OrderedErrors
from tests.support.laws import law


def ordered(losses: list[float] | np.typing.NDArray[np.float64]) -> OrderedErrors:
    values, counts = np.unique(np.asarray(losses, dtype=np.float64), return_counts=True)
    return OrderedErrors(values=values, counts=counts.astype(np.int64))


@law(60)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.sampled_from([0.05, 0.005, 0.4]))
def test_median_and_bounds_are_those_of_the_rows_written_out(rows: list[int], alpha: float) -> None:
    """Value and bounds against NumPy and SciPy's binomial law, ties included."""
    table = ordered([float(row) for row in rows])
    assert medians.median(table) == float(np.median(rows))
    place = max(1, int(binom.ppf(alpha, len(rows), 0.5)))
    while place > 1 and binom.cdf(place - 1, len(rows), 0.5) > alpha:
        place -= 1
    while binom.cdf(place, len(rows), 0.5) <= alpha:
        place += 1
    inside = sorted(rows)
    assert medians.bounds(table, alpha) == (inside[place - 1], inside[-place])


def test_no_row_has_no_median() -> None:
    assert math.isnan(medians.median(ordered([])))


@pytest.mark.parametrize("rows", [30, 101])
def test_each_bound_is_wrong_no_more_often_than_it_may_be(rows: int) -> None:
    """Lognormal losses, whose median is 1; the exact rate is a binomial tail just below 5 %."""
    random = np.random.default_rng(rows)
    wrong = np.zeros(2)
    for _ in range(600):
        low, high = medians.bounds(ordered(random.lognormal(size=rows)), 0.05)
        wrong += [low > 1, high < 1]
    assert (wrong / 600 <= 0.07).all()
    assert (wrong / 600 >= 0.015).all()


def test_an_even_number_of_rows_has_the_mean_of_the_two_in_the_middle() -> None:
    assert medians.median(ordered([1.0, 2.0, 4.0, 9.0])) == 3.0
    assert medians.too_few(ordered(np.arange(29.0)))
    assert not medians.too_few(ordered(np.arange(30.0)))
