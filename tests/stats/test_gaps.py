from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from aims_gate.stats.gaps import gap_bounds, largest_ks, moments, pooled_deviation, standardised
from aims_gate.stats.intervals import Rate, mover_difference, mover_to_whole, proportion_bounds
from aims_gate.stats.tables import Losses

Values = np.typing.NDArray[np.float64]


def of(rows: Values) -> Losses:
    values, counts = np.unique(rows, return_counts=True)
    return moments(values, counts.astype(np.int64))


def test_moments_are_scipys() -> None:
    rows = np.random.default_rng(1).gamma(2, size=300).round(1)
    found = of(rows)
    assert found.rows == 300
    assert found.mean == pytest.approx(rows.mean())
    assert found.variance == pytest.approx(rows.var(ddof=1))
    assert found.skewness == pytest.approx(stats.skew(rows))
    assert math.isnan(of(np.array([2.0])).variance)


def test_groups_of_one_row_or_one_value_have_no_deviation() -> None:
    assert math.isnan(pooled_deviation([of(np.array([2.0])), of(np.array([5.0]))]))
    assert pooled_deviation([of(np.full(9, 2.0)), of(np.full(4, 3.0))]) == 0


def test_the_bounds_of_a_gap_cover_it() -> None:
    """Two skewed groups of unequal size and spread, at 95 %, in both units."""
    rng = np.random.default_rng(3)
    inside = in_deviations = 0
    true, deviation = 0.3 * math.sqrt(2), math.sqrt((59 * 2 + 199 * 8) / 258)
    for _ in range(600):
        worse = of(rng.gamma(2, size=60))
        better = of((rng.gamma(2, size=200) - 2) * 2 + 2 + true)
        bounds = gap_bounds(worse, better, 1.96)
        inside += bounds[0] <= true <= bounds[1]
        pooled = pooled_deviation([worse, better])
        low, high = standardised(better.mean - worse.mean, bounds, pooled, 258, 1.96)
        in_deviations += low <= true / deviation <= high
    assert 0.93 <= inside / 600 <= 0.975
    assert 0.93 <= in_deviations / 600 <= 0.98


def test_the_largest_distance_needs_two_samples_and_is_one_for_disjoint_ones() -> None:
    low = (np.array([1.0, 2.0]), np.array([3, 1], dtype=np.int64))
    high = (np.array([7.0]), np.array([9], dtype=np.int64))
    assert largest_ks([low]) == 0
    assert largest_ks([low, low]) == 0
    assert largest_ks([low, high]) == 1


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_part_against_its_whole_covers_whatever_its_share(share: float) -> None:
    """True difference 0.1 (1 - share) of two proportions; taken as independent it is wider."""
    rng = np.random.default_rng(8)
    rows, covered = 800, 0
    part = round(share * rows)
    true = 0.1 * (1 - part / rows)
    for _ in range(500):
        mine, others = int(rng.binomial(part, 0.8)), int(rng.binomial(rows - part, 0.7))
        one, all_rows = Rate.of(mine, part, 1.96), Rate.of(mine + others, rows, 1.96)
        low, high = mover_to_whole(one, all_rows, part / rows)
        covered += low <= true <= high
        apart = mover_to_whole(one, all_rows, 0.0)
        assert apart[0] <= low <= high <= apart[1]
        assert apart == pytest.approx(mover_difference(one, all_rows))
    assert 0.925 <= covered / 500 <= 0.98


def test_all_rows_against_themselves_differ_by_nothing() -> None:
    low, high = proportion_bounds(30, 90, 1.96)
    one = Rate(value=1 / 3, low=low, high=high)
    assert mover_to_whole(one, one, 1.0) == pytest.approx((0.0, 0.0), abs=1e-7)
