from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from aims_gate.stats.intervals import Rate, mover_difference, mover_ratio, wilson

Z = 1.959963984540054
LAWS = settings(deadline=None, max_examples=150)


@st.composite
def trials(draw: st.DrawFn) -> tuple[int, int]:
    rows = draw(st.integers(1, 100_000))
    return draw(st.integers(0, rows)), rows


@pytest.mark.parametrize(("successes", "rows"), [(0, 0), (3, 2), (-1, 5), (math.nan, 5)])
def test_a_proportion_of_nothing_is_refused(successes: float, rows: float) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        wilson(successes, rows, Z)


@LAWS
@given(trials())
def test_wilson_agrees_with_statsmodels(counts: tuple[int, int]) -> None:
    successes, rows = counts
    expected = proportion_confint(successes, rows, alpha=0.05, method="wilson")
    assert wilson(successes, rows, Z) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@LAWS
@given(st.integers(1, 10_000), st.floats(0.01, 6))
def test_wilson_is_exact_at_none_and_at_all(rows: int, z: float) -> None:
    assert wilson(0, rows, z)[0] == 0.0
    assert wilson(rows, rows, z)[1] == 1.0
    assert wilson(0, rows, z)[1] == pytest.approx(z * z / (rows + z * z))


@LAWS
@given(st.floats(1, 1e6), st.floats(0, 1), st.floats(0, 6))
def test_wilson_bounds_solve_the_score_equation_for_counts_that_are_not_whole(
    rows: float, share: float, z: float
) -> None:
    successes = rows * share
    low, high = wilson(successes, rows, z)
    p = successes / rows
    assert 0 <= low <= p <= high <= 1
    for bound in (low, high):
        assert (p - bound) ** 2 == pytest.approx(z * z * bound * (1 - bound) / rows, abs=1e-9)


@LAWS
@given(trials(), trials())
def test_mover_difference_is_newcombes_interval(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    expected = confint_proportions_2indep(*first, *second, method="newcomb", alpha=0.05)
    found = mover_difference(Rate.of(*first, Z), Rate.of(*second, Z))
    assert found == pytest.approx(expected, abs=1e-9)


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
