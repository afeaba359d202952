from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t
from sklearn.metrics import explained_variance_score, r2_score

from aims_gate.stats import fits
from aims_gate.stats.jackknife import too_few
from aims_gate.stats.rows.unexplained import unexplained_of
from aims_gate.stats.tables import Fit, Jackknife, Losses, Residuals
from tests.support.laws import law

LAWS = law(80)
Floats = npt.NDArray[np.float64]
NOTHING = Jackknife(
    rows=40, centre=math.nan, variance=math.nan, skewness=math.nan, kurtosis=math.nan
)


def jackknife(labels: Floats, predictions: Floats, *, centred: bool = False) -> Jackknife:
    return unexplained_of(labels, predictions, None, centred=centred)


def moments(sample: Floats) -> Losses:
    return Losses(
        rows=len(sample), mean=sample.mean(), variance=float(sample.var(ddof=1)), skewness=0.0
    )


@LAWS
@given(st.integers(0, 2**32 - 1), st.integers(3, 200))
def test_shares_explained_agree_with_scikit_learn(seed: int, rows: int) -> None:
    random = np.random.default_rng(seed)
    y, p = random.normal(3, 2, rows), random.normal(2, 3, rows)
    fit = Fit(squared=moments((y - p) ** 2), variance=float(y.var()), unexplained=NOTHING)
    rest = Residuals(errors=moments(y - p), variance=float(y.var()), unexplained=NOTHING)
    assert fits.r2(fit) == pytest.approx(r2_score(y, p), rel=1e-9, abs=1e-9)
    expected = explained_variance_score(y, p)
    assert fits.explained_variance(rest) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_labels_that_do_not_vary_leave_nothing_to_explain() -> None:
    """Where scikit-learn says 1 for a perfect and 0 for any other prediction."""
    losses = moments(np.array([0.0, 0.0, 1.0]))
    assert math.isnan(fits.r2(Fit(squared=losses, variance=0.0, unexplained=NOTHING)))
    rest = Residuals(errors=losses, variance=0.0, unexplained=NOTHING)
    assert math.isnan(fits.explained_variance(rest))


@pytest.mark.parametrize("variance", [0.0, 1e-310, math.inf, math.nan])
def test_a_variance_that_is_no_usable_number_leaves_nothing_explained(variance: float) -> None:
    """Below 2e-308 an error may be rounded to none, and over an infinite one all errors are 0."""
    assert fits.undefined(variance)
    fit = Fit(squared=moments(np.zeros(3)), variance=variance, unexplained=NOTHING)
    assert math.isnan(fits.r2(fit))


def test_bounds_are_those_of_the_mean_pseudo_value_turned_back() -> None:
    found = Jackknife(rows=200, centre=-1.2, variance=3.0, skewness=0.0, kurtosis=6.0)
    low, high = fits.bounds(0.7, found, 0.025)
    interval = t(2 * 200 / 5, -1.2, math.sqrt(3.0 / 200)).interval(0.95)
    assert (1 - high, 1 - low) == pytest.approx(np.exp(interval), rel=1e-9)


@LAWS
@given(st.integers(0, 2**32 - 1), st.integers(95, 300), st.floats(-1, 3), st.booleans())
def test_a_share_lies_within_bounds_that_widen(
    seed: int, rows: int, noise: float, centred: bool
) -> None:
    random = np.random.default_rng(seed)
    y = random.normal(size=rows)
    p = y + 10**-noise * random.normal(size=rows)
    found = jackknife(y, p, centred=centred)
    value = (explained_variance_score if centred else r2_score)(y, p)
    if fits.too_few(found):
        return
    low, high = fits.bounds(value, found, 0.05)
    lower, higher = fits.bounds(value, found, 0.005)
    assert lower < low <= value <= high < higher < 1


def test_too_few_rows_and_rows_that_decide_alone_have_no_bounds() -> None:
    random = np.random.default_rng(2)
    y = random.normal(size=60)
    p = y + random.normal(size=60)
    assert not too_few(jackknife(y, p))
    assert "29 rows, and the interval" in too_few(jackknife(y[:29], p[:29]))
    assert "2 rows" in too_few(jackknife(y[:2], p[:2]))
    assert "one of the 60 rows dominates" in too_few(jackknife(y, np.r_[p[:-1], 1e6]))
    for perfect in (y, np.r_[y[:-1], 9.0]):
        assert "cannot be left out" in too_few(jackknife(y, perfect))
    assert too_few(jackknife(np.r_[np.ones(59), 2.0], p))
    assert "cannot be left out" in too_few(jackknife(y.round(), y.round() + 1, centred=True))


def test_what_is_explained_needs_a_hundred_rows_and_none_that_decides_alone() -> None:
    random = np.random.default_rng(3)
    y = random.normal(size=100)
    p = y + random.normal(size=100)
    assert not fits.too_few(jackknife(y, p))
    assert not too_few(jackknife(y[:99], p[:99]))
    assert "99 rows, and the interval needs 100" in fits.too_few(jackknife(y[:99], p[:99]))
    assert "one of the 100 rows dominates" in fits.too_few(jackknife(y, np.r_[p[:-1], 1e6]))


def test_a_share_that_is_lost_without_end_has_no_end_below() -> None:
    found = Jackknife(rows=30, centre=600.0, variance=1e6, skewness=0.0, kurtosis=3.0)
    assert fits.bounds(-1e260, found, 0.05)[0] == -math.inf


Draw = Callable[[np.random.Generator, int], tuple[Floats, Floats]]


def _linear(random: np.random.Generator, rows: int) -> tuple[Floats, Floats]:
    """Half of the variance is explained."""
    predicted: Floats = random.normal(size=rows)
    return predicted + random.normal(size=rows), predicted


def _heavy(random: np.random.Generator, rows: int) -> tuple[Floats, Floats]:
    """Errors of t(5) about predictions with a variance of 4."""
    predicted: Floats = 2 * random.normal(size=rows)
    return predicted + random.standard_t(5, rows), predicted


def _long(random: np.random.Generator, rows: int) -> tuple[Floats, Floats]:
    """Labels that are lognormal but for a tenth of their variance; t alone held 86 % of 300."""
    predicted: Floats = random.lognormal(size=rows)
    spread = math.sqrt((math.e - 1) * math.e / 9)
    return predicted + spread * random.normal(size=rows), predicted


@pytest.mark.parametrize(
    ("draw", "truth", "rows", "most"),
    [
        (_linear, 0.5, 30, 0.975),
        (_linear, 0.5, 200, 0.97),
        (_heavy, 4 / (4 + 5 / 3), 100, 0.975),
        (_long, 0.9, 300, 0.99),
    ],
)
def test_intervals_cover_the_share_as_often_as_they_say(
    draw: Draw, truth: float, rows: int, most: float
) -> None:
    """At least 93 % of 2,000 samples at 95 %, and no more than is said of them."""
    random = np.random.default_rng(rows)
    inside = given_ = 0
    for _ in range(2000):
        y, p = draw(random, rows)
        found = jackknife(y, p)
        if not too_few(found):
            given_ += 1
            low, high = fits.bounds(float(r2_score(y, p)), found, 0.025)
            inside += low <= truth <= high
    assert given_ > 1850
    assert 0.93 <= inside / given_ <= most
