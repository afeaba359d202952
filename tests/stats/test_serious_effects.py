"""How often a serious effect is excluded by a pair's own bounds, counted out over all outcomes.

A rule passes only where every cell excludes it, so it passes at most as often as one serious pair.
"""

from __future__ import annotations

import itertools
import math
from functools import cache

import numpy as np
import pytest
from scipy.stats import binom

from aims_gate.frames import Distribution
from aims_gate.stats.bins import categorical
from aims_gate.stats.disparity import Group, Measure, contrasts, quantile
from aims_gate.stats.divergence import DIVERGENCES, of_table
from aims_gate.stats.drift import wasserstein, wasserstein_error
from aims_gate.stats.intervals import Rate, mover_difference, mover_ratio, root
from tests.support.laws import TIMES

Z = quantile(0.05, 1)
SERIOUS = {Measure.RATIO: 0.60, Measure.GAP: 0.20}
MOST = 0.06
DRAWS = 1_000 if TIMES == 1 else 20_000
RATES = np.array([0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.75, 0.85, 0.9, 0.935, 0.96, 0.98])
SIZES = (30, 45, 90) if TIMES == 1 else (30, 33, 39, 45, 66, 78, 90, 139, 144, 300, 500)
# the worst tables of a search over 15,586 of them, with a guard of 1.4, 1.15 and 1.1
WORST = [(100, 60), (50, 35), (78, 39), (139, 33), (33, 139), (144, 33)]


@cache
def rates(rows: int) -> tuple[Rate, ...]:
    return tuple(Rate.of(hits, rows, Z) for hits in range(rows + 1))


@cache
def excludes(worse: int, better: int, measure: Measure) -> np.ndarray:
    """Tell for each outcome whether the own bound of the pair excludes a serious effect."""

    def alone(first: Rate, second: Rate) -> bool:
        if measure is Measure.GAP:
            return mover_difference(second, first)[1] < SERIOUS[measure]
        both_zero = first.value <= 0 and second.value <= 0
        return not both_zero and mover_ratio(first, second)[0] > SERIOUS[measure]

    return np.array([[alone(p, q) for q in rates(better)] for p in rates(worse)])


def passed(worse: int, better: int, measure: Measure, rate: float) -> float:
    """Give the chance that a serious effect is excluded that is there."""
    behind = rate * SERIOUS[measure] if measure is Measure.RATIO else rate - SERIOUS[measure]
    first = binom.pmf(np.arange(worse + 1), worse, behind)
    second = binom.pmf(np.arange(better + 1), better, rate)
    return float(first @ excludes(worse, better, measure) @ second)


@pytest.mark.parametrize("measure", list(Measure))
@pytest.mark.parametrize(("worse", "better"), [*WORST, *itertools.product(SIZES, repeat=2)])
def test_a_serious_effect_is_excluded_in_6_percent_at_most(
    worse: int, better: int, measure: Measure
) -> None:
    for rate in RATES:
        if measure is Measure.RATIO or rate > SERIOUS[measure]:
            assert passed(worse, better, measure, rate) <= MOST, rate


@pytest.mark.parametrize("measure", list(Measure))
def test_the_bounds_that_are_counted_are_those_that_decide(measure: Measure) -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        first, second = (int(rows) for rows in rng.choice([30, 45, 90], 2))
        x, y = (int(rng.integers(0, rows + 1)) for rows in (first, second))
        worse = Group(name="a", rows=first, successes=x)
        better = Group(name="b", rows=second, successes=y)
        (found,) = contrasts(
            [(worse, better)],
            measure=measure,
            z=2.0,
            alone=Z,
            design_effect=1.0,
            value=lambda a, b: a.rate / b.rate if measure is Measure.RATIO else b.rate - a.rate,
        )
        low, high = found.alone
        ratio = measure is Measure.RATIO
        told = low > SERIOUS[measure] if ratio else high < SERIOUS[measure]
        assert told == excludes(first, second, measure)[x, y] or math.isnan(found.value)


@pytest.mark.parametrize("method", ["psi", "js", "hellinger", "chi2"])
@pytest.mark.parametrize(
    ("before", "after", "sizes"),
    [
        ((0.03, 0.97), 0.03, (300, 300)),
        ((0.03, 0.97), 0.03, (2_000, 2_000)),
        ((0.6, 0.39, 0.01), 0.01, (300, 300)),
        ((0.2,) * 5, 0.2, (100, 100)),
        ((0.7, 0.3, 0.0), 0.0, (300, 300)),
        ((0.5, 0.3, 0.1, 0.1, 0.0), 0.0, (200, 2_000)),
    ],
)
def test_a_serious_distance_is_excluded_in_6_percent_at_most(
    method: str, before: tuple[float, ...], after: float, sizes: tuple[int, int]
) -> None:
    """One value grows until the distance is serious; the noncentral law alone is wrong in 7 %."""
    of, p = DIVERGENCES[method], np.array(before)
    limit = 2 * 0.25 if method == "psi" else math.sqrt(2) * {"chi2": 0.25}.get(method, 0.18)

    def grown(x: float) -> np.ndarray:
        shares: np.ndarray = p * (1 - x) + x * (np.arange(len(p)) == before.index(after))
        return shares

    def distance(x: float) -> float:
        sides = (np.maximum(shares, max(of.least, 1e-12)) for shares in (p, grown(x)))
        return of.distance(float(of.terms(*sides).sum()))

    q = grown(root(lambda x: limit - distance(x), 0.0, 0.99))
    rng, few = np.random.default_rng(1), 0
    for _ in range(DRAWS):
        sides = [
            dict(enumerate(rng.multinomial(n, s).tolist()))
            for n, s in zip(sizes, (p, q), strict=True)
        ]
        few += of_table(method, categorical(*sides)).bounds(0.05)[1] < limit
    assert few / DRAWS <= MOST + 3 * math.sqrt(0.06 / DRAWS)


@pytest.mark.parametrize(("shape", "n", "m"), [(0.5, 200, 2_000), (1.0, 1_000, 1_000)])
def test_a_skewed_column_that_moved_seriously_is_excluded_in_6_percent_at_most(
    shape: float, n: int, m: int
) -> None:
    """Gamma laws moved by one standard deviation towards their tail: 7.7 % and 5.9 % once."""
    rng, few = np.random.default_rng(1), 0
    for _ in range(DRAWS):
        first, second = (np.sort(rng.gamma(shape, shape**-0.5, rows)) for rows in (n, m))
        before, after = (
            Distribution(values=values, counts=np.ones(len(values), dtype=np.int64), nulls=0)
            for values in (first, second + 1.0)
        )
        few += wasserstein(before, after) + wasserstein_error(before, after, 0.05) < 1.0
    assert few / DRAWS <= 0.05


def test_no_effect_is_decided_on_500_rows_of_two_groups() -> None:
    """Groups of 70 and 30 % with a base rate of 0.3: in nine draws of ten."""
    both = excludes(150, 350, Measure.RATIO) & excludes(350, 150, Measure.RATIO).T
    first, second = (binom.pmf(np.arange(n + 1), n, 0.3) for n in (150, 350))
    assert float(first @ both @ second) >= 0.90
