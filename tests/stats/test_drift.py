from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp, wasserstein_distance

from aims_gate.stats.bins import Floats
from aims_gate.stats.drift import (
    ks,
    ks_noise,
    ks_p_value,
    wasserstein,
    wasserstein_error,
    wasserstein_law,
    wasserstein_noise,
)
from tests.stats.samples import Sample
from tests.support.laws import law

LAWS = law(60)


finite = st.one_of(st.integers(-9, 9).map(float), st.floats(-1e3, 1e3))


@LAWS
@given(st.lists(finite, min_size=2, max_size=60), st.lists(finite, min_size=1, max_size=60))
def test_wasserstein_is_scipys_over_the_references_spread(
    reference: list[float], current: list[float]
) -> None:
    spread = max(float(np.std(reference)), 0.001)
    expected = wasserstein_distance(reference, current) / spread
    found = wasserstein(Sample.of(reference), Sample.of(current))
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@LAWS
@given(st.lists(finite, min_size=2, max_size=60), st.floats(0.5, 50))
def test_wasserstein_of_a_shift_is_the_shift_in_standard_deviations(
    reference: list[float], shift: float
) -> None:
    rows = np.asarray(reference)
    expected = shift / max(float(rows.std()), 0.001)
    found = wasserstein(Sample.of(rows), Sample.of(rows + shift))
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("rows", [[], [math.inf, 1.0], [-math.inf]])
def test_wasserstein_without_values_or_with_infinite_ones_is_no_number(rows: list[float]) -> None:
    good = Sample.of([1.0, 2.0, 4.0])
    assert math.isnan(wasserstein(Sample.of(rows), good))
    assert math.isnan(wasserstein(good, Sample.of(rows)))
    assert math.isnan(wasserstein_noise(Sample.of(rows), good, 0.05))


def test_a_spread_that_overflows_does_not_call_every_distance_zero() -> None:
    vast, plain = Sample.of([1e308, -1e308, 1e308]), Sample.of([1.0, 2.0, 4.0])
    assert math.isnan(wasserstein(vast, plain))
    assert wasserstein(plain, vast) > 1e300


def test_two_constant_columns_have_no_distance_and_no_noise() -> None:
    one = Sample.of([3.0] * 200)
    assert wasserstein(one, one) == 0
    assert wasserstein_noise(one, one, 0.05) == 0


@pytest.mark.parametrize("unit", [1e3, 1e100, 3e153])
def test_the_law_of_noise_does_not_know_the_unit_of_the_values(unit: float) -> None:
    """Squares of values of 1e153 overflow where they are summed, and those of 1e-200 vanish."""
    random = np.random.default_rng(5)
    sides = [random.uniform(-1, 1, rows) for rows in (300, 200)]
    plain, other = (
        wasserstein_law(*(Sample.of(side * scale) for side in sides)) for scale in (1.0, unit)
    )
    assert (other.shape, other.scale) == pytest.approx((plain.shape, plain.scale))
    small = wasserstein_law(*(Sample.of(side * 1e-200) for side in sides))
    assert small.shape == pytest.approx(plain.shape)


@pytest.mark.parametrize("law", ["normal", "lognormal", "poisson"])
@pytest.mark.parametrize(("n", "m"), [(200, 300), (4_000, 150)])
def test_noise_alone_passes_the_wasserstein_allowance_about_as_often_as_it_says(
    law: str, n: int, m: int
) -> None:
    """Target 5 %; measured 1.7 to 6.8."""
    rng = np.random.default_rng(17)

    def draw(size: int) -> Floats:
        if law == "normal":
            return rng.normal(size=size)
        if law == "lognormal":
            return rng.lognormal(size=size)
        return np.asarray(rng.poisson(3, size=size), dtype=np.float64)

    past, trials = 0, 400
    for _ in range(trials):
        before, after = Sample.of(draw(n)), Sample.of(draw(m))
        past += wasserstein(before, after) > wasserstein_noise(before, after, 0.05)
    assert 0.005 <= past / trials <= 0.085


@pytest.mark.parametrize("kind", ["exponential", "lognormal"])
def test_few_current_rows_of_a_wider_spread_are_covered_by_the_error_of_their_own(
    kind: str,
) -> None:
    """2,000 reference rows against 200 of 1.5 times the scale, for 5 % on each side.

    What varies around the pooled distribution alone, which most rows make narrow, is wrong in more.
    """
    rng = np.random.default_rng(11)
    draw = getattr(rng, kind)
    truth = wasserstein(Sample.of(draw(size=400_000)), Sample.of(1.5 * draw(size=400_000)))
    wrong = np.zeros(2)
    for _ in range(300):
        pair = Sample.of(draw(size=2_000)), Sample.of(1.5 * draw(size=200))
        apart = abs(wasserstein(*pair) - truth)
        noise, error = wasserstein_noise(*pair, 0.05), wasserstein_error(*pair, 0.05)
        assert error > noise
        wrong += apart > noise, apart > error
    assert wrong[1] <= 0.09 * 300 < wrong[0]


def test_the_error_of_a_distance_has_that_of_its_unit_and_is_no_number_where_it_is_none() -> None:
    """Two far values in each thousand: the unit is known to a third, and so is the distance."""
    few = Sample.of(np.append(np.linspace(-1, 1, 998), [-60.0, 60.0]))
    moved = Sample.of(few.values + 50.0)
    kurtosis = float(np.mean(few.values**4) / np.mean(few.values**2) ** 2)
    unit = 1.6448536 * math.sqrt((kurtosis - 1) / 4_000)
    least = unit * wasserstein(few, moved)
    assert least < wasserstein_error(few, moved, 0.05) < least + wasserstein_noise(few, moved, 1e-9)
    assert math.isnan(wasserstein_error(few, Sample.of([math.inf]), 0.05))
    constant = Sample.of([3.0] * 50)
    assert wasserstein_error(constant, constant, 0.05) == 0
    huge = Sample.of(1e150 * np.linspace(-1, 1, 100))
    assert math.isfinite(wasserstein_error(huge, huge, 0.05))


@LAWS
@given(st.lists(finite, min_size=2, max_size=60), st.lists(finite, min_size=2, max_size=60))
def test_ks_is_scipys_and_symmetric(reference: list[float], current: list[float]) -> None:
    before, after = Sample.of(reference), Sample.of(current)
    expected = ks_2samp(reference, current, method="asymp").statistic
    assert ks(before, after) == pytest.approx(expected, abs=1e-12)
    assert ks(after, before) == ks(before, after)


def test_ks_takes_infinite_values_for_the_greatest_and_needs_values() -> None:
    assert ks(Sample.of([1.0, 2.0]), Sample.of([math.inf, math.inf])) == 1
    assert ks(Sample.of([1.0, math.inf]), Sample.of([1.0, math.inf])) == 0
    assert math.isnan(ks(Sample.of([]), Sample.of([1.0])))


@pytest.mark.parametrize(("n", "m"), [(10_000, 10_000), (3_000, 20_000)])
def test_the_p_value_of_ks_is_scipys_for_many_rows(n: int, m: int) -> None:
    rng = np.random.default_rng(29)
    before, after = rng.normal(size=n), rng.normal(0.02, size=m)
    expected = ks_2samp(before, after)
    assert ks_p_value(expected.statistic, n, m) == pytest.approx(expected.pvalue, abs=0.006)


def test_noise_alone_passes_the_ks_allowance_at_most_as_often_as_it_says() -> None:
    """Of continuous values about as often, of tied ones hardly ever."""
    rng = np.random.default_rng(31)
    past = {"normal": 0, "poisson": 0}
    for _ in range(600):
        for kind in past:
            draw = rng.normal if kind == "normal" else lambda size: rng.poisson(1.0, size=size)
            found = ks(Sample.of(draw(size=300)), Sample.of(draw(size=500)))
            past[kind] += found > ks_noise(300, 500, 0.05)
    assert 0.02 <= past["normal"] / 600 <= 0.065
    assert past["poisson"] <= past["normal"]


def test_a_p_value_says_what_the_allowance_says() -> None:
    rng = np.random.default_rng(37)
    before, after = Sample.of(rng.normal(size=400)), Sample.of(rng.normal(size=300))
    law = wasserstein_law(before, after)
    for alpha in (0.05, 0.001):
        assert law.p_value(law.quantile(alpha)) == pytest.approx(alpha)
        assert ks_p_value(ks_noise(400, 300, alpha), 400, 300) == pytest.approx(alpha, rel=1e-3)
    assert wasserstein_law(Sample.of([1.0]), Sample.of([1.0])).p_value(0.0) == 1
