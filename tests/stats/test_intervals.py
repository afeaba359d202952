from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri
from scipy.stats import binom
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from aims_gate.stats.intervals import (
    GUARD,
    Rate,
    mover_difference,
    mover_ratio,
    proportion_bounds,
)
from tests.support.laws import law
from tests.support.proportions import guarded

Floats = npt.NDArray[np.float64]
Z = 1.959963984540054
LAWS = law(80)


@st.composite
def trials(draw: st.DrawFn) -> tuple[int, int]:
    rows = draw(st.integers(1, 100_000))
    return draw(st.integers(0, rows)), rows


@pytest.mark.parametrize(("successes", "rows"), [(0, 0), (3, 2), (-1, 5), (math.nan, 5)])
def test_a_proportion_of_nothing_is_refused(successes: float, rows: float) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        proportion_bounds(successes, rows, Z)


@LAWS
@given(trials(), st.sampled_from([0.1, 0.05, 0.0083, 0.0014]))
def test_a_proportion_has_wilsons_interval_unless_the_exact_one_is_wider(
    counts: tuple[int, int], alpha: float
) -> None:
    found = proportion_bounds(*counts, -float(ndtri(alpha / 2)))
    assert found == pytest.approx(guarded(*counts, alpha), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("successes", [2_000, 5_000, 8_000])
def test_away_from_the_ends_it_is_wilsons_to_the_last_digits(successes: int) -> None:
    expected = proportion_confint(successes, 10_000, alpha=0.05, method="wilson")
    assert proportion_bounds(successes, 10_000, Z) == pytest.approx(expected, rel=1e-12)


def coverage(rows: int, z: float) -> tuple[Floats, Floats, Floats]:
    """Give the exact chances that the truth lies below, inside and above, shape (rates,) each.

    The rates are those on both sides of each bound, where every minimum is.
    """
    low, high = np.array([proportion_bounds(x, rows, z) for x in range(rows + 1)]).T
    ends = np.concatenate([low, high])
    rates = np.unique(np.clip(np.concatenate([ends * (1 - 1e-9), ends * (1 + 1e-9)]), 1e-9, 1))
    rates = rates[rates < 1 - 1e-9]
    below = binom.sf(np.searchsorted(low, rates, side="right") - 1, rows, rates)
    above = binom.cdf(np.searchsorted(high, rates) - 1, rows, rates)
    return below, 1 - below - above, above


@pytest.mark.parametrize("rows", [30, 31, 57, 100, 1_000])
def test_every_interval_at_95_percent_covers_94_and_a_half_whatever_the_rate(rows: int) -> None:
    """Exact, from the binomial law: no rate between 0 and 1 is covered less often."""
    assert coverage(rows, Z)[1].min() >= 0.945


@pytest.mark.parametrize("z", [1.6448536, Z, 2.64, 3.2])
@pytest.mark.parametrize("rows", [1, 7, 30, 400])
def test_no_bound_is_wrong_more_than_1_1_times_as_often_as_it_aims_for(rows: int, z: float) -> None:
    below, _, above = coverage(rows, z)
    aim = float(ndtr(-z))
    assert below.max() <= GUARD * aim * (1 + 1e-6)
    assert above.max() <= GUARD * aim * (1 + 1e-6)


def test_on_average_over_all_rates_it_is_as_wide_as_it_says() -> None:
    """A guard that always bit would be Clopper and Pearson's, 97.3 % at 30 rows."""
    for rows, most in ((30, 0.971), (100, 0.962), (1_000, 0.953)):
        low, high = np.array([proportion_bounds(x, rows, Z) for x in range(rows + 1)]).T
        rates = (np.arange(2_000) + 0.5) / 2_000
        below = binom.sf(np.searchsorted(low, rates, side="right") - 1, rows, rates)
        above = binom.cdf(np.searchsorted(high, rates) - 1, rows, rates)
        assert 0.95 <= float(np.mean(1 - below - above)) <= most


@LAWS
@given(st.integers(1, 10_000), st.floats(0.01, 6))
def test_none_and_all_leave_an_end_open(rows: int, z: float) -> None:
    assert proportion_bounds(0, rows, z)[0] == 0.0
    assert proportion_bounds(rows, rows, z)[1] == 1.0
    least = 1 - (GUARD * float(ndtr(-z))) ** (1 / rows)
    expected = max(z * z / (rows + z * z), least)
    assert proportion_bounds(0, rows, z)[1] == pytest.approx(expected)


@LAWS
@given(st.floats(1, 1e6), st.floats(0, 1), st.floats(0, 6))
def test_bounds_are_no_nearer_than_the_score_equation_for_counts_that_are_not_whole(
    rows: float, share: float, z: float
) -> None:
    successes = rows * share
    low, high = proportion_bounds(successes, rows, z)
    p = successes / rows
    assert 0 <= low <= p <= high <= 1
    for bound in (low, high):
        assert (p - bound) ** 2 >= z * z * bound * (1 - bound) / rows - 1e-9


@LAWS
@given(st.floats(1, 1e5), st.floats(0, 1), st.floats(0, 1), st.floats(0, 6), st.floats(0, 1))
def test_bounds_rise_with_the_successes_and_widen_with_the_quantile(
    rows: float, share: float, more: float, z: float, further: float
) -> None:
    fewer = rows * share
    low, high = proportion_bounds(fewer, rows, z)
    risen = proportion_bounds(min(fewer + more * (rows - fewer), rows), rows, z)
    assert risen[0] >= low - 1e-12
    assert risen[1] >= high - 1e-12
    wider = proportion_bounds(fewer, rows, z + further)
    assert wider[0] <= low + 1e-12
    assert wider[1] >= high - 1e-12


@LAWS
@given(trials(), st.floats(0.5, 6), st.floats(1, 100))
def test_failures_mirror_successes_and_more_rows_at_one_share_never_widen(
    counts: tuple[int, int], z: float, factor: float
) -> None:
    successes, rows = counts
    low, high = proportion_bounds(successes, rows, z)
    mirrored = proportion_bounds(rows - successes, rows, z)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=1e-12)
    grown = proportion_bounds(min(successes * factor, rows * factor), rows * factor, z)
    assert grown[0] >= low - 1e-12
    assert grown[1] <= high + 1e-12


@st.composite
def many_of_both(draw: st.DrawFn) -> tuple[int, int]:
    """Trials with so many successes and failures that no guard widens Wilson's interval."""
    rows = draw(st.integers(10_000, 100_000))
    return draw(st.integers(rows // 5, rows - rows // 5)), rows


@LAWS
@given(many_of_both(), many_of_both())
def test_mover_difference_is_newcombes_interval_where_no_guard_widens_it(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    expected = confint_proportions_2indep(*first, *second, method="newcomb", alpha=0.05)
    found = mover_difference(Rate.of(*first, Z), Rate.of(*second, Z))
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5, 0.95])
@pytest.mark.parametrize("z", [Z, 3.2])
def test_groups_of_one_rate_are_told_apart_about_as_seldom_as_is_aimed_for(
    rate: float, z: float
) -> None:
    """Exact, 30 rows and 600: over Wilson alone 12 times as often at z = 3.2."""
    sizes = 30, 600
    rates = [[Rate.of(x, rows, z) for x in range(rows + 1)] for rows in sizes]
    laws = [binom.pmf(np.arange(rows + 1), rows, rate) for rows in sizes]
    above = below = 0.0
    for one, chance in zip(rates[0], laws[0], strict=True):
        for other, likely in zip(rates[1], laws[1], strict=True):
            if chance * likely > 1e-12:
                low, high = mover_difference(one, other)
                above += chance * likely * (low > 0)
                below += chance * likely * (high < 0)
    assert max(above, below) <= 1.25 * float(ndtr(-z))


@LAWS
@given(trials(), trials())
def test_a_ratio_bound_is_where_the_contrast_stops_being_proven(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    """The interval that is shown and the proof that is asked for never disagree."""
    i, j = Rate.of(*first, Z), Rate.of(*second, Z)
    if i.value == 0 and j.value == 0:
        return
    high = mover_ratio(i, j)[1]
    for line in (0.5, 0.8, 0.9, 1.0):
        slack = i.value - line * j.value + math.hypot(i.high - i.value, line * (j.value - j.low))
        if abs(slack) > 1e-9:
            assert (high < line) == (slack < 0)


@LAWS
@given(trials(), trials())
def test_a_ratio_read_the_other_way_has_the_reciprocal_interval(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    i, j = Rate.of(*first, Z), Rate.of(*second, Z)
    if i.value == 0 or j.value == 0:
        return
    low, high = mover_ratio(i, j)
    back_low, back_high = mover_ratio(j, i)
    assert low <= i.value / j.value * (1 + 1e-12) <= high * (1 + 1e-9)
    assert low * back_high == pytest.approx(1, rel=1e-6)
    assert high * back_low == pytest.approx(1, rel=1e-6)


def test_a_ratio_over_a_rate_that_may_be_zero_is_unbounded() -> None:
    low, high = mover_ratio(Rate.of(5, 100, Z), Rate.of(0, 50, Z))
    assert low > 0
    assert high == math.inf


def test_nothing_is_known_of_zero_over_zero() -> None:
    with pytest.raises(ValueError, match="two rates of zero"):
        mover_ratio(Rate.of(0, 100, Z), Rate.of(0, 50, Z))


def test_no_success_on_the_low_side_still_has_an_upper_bound() -> None:
    low, high = mover_ratio(Rate.of(0, 400, Z), Rate.of(90, 300, Z))
    assert low == 0.0
    assert 0 < high < 0.1
