from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from aims_gate.checks.row_statistics import placements
from aims_gate.frames.arrow import ArrowFrame
from aims_gate.frames.opening import open_rows
from aims_gate.stats.intervals import Rate, mover_difference
from aims_gate.stats.jackknife import limits, of_values
from aims_gate.stats.paired import (
    Discordant,
    Placements,
    delong_difference,
    mean_difference,
    minus,
    mover,
    short_of_mean,
    tango,
    unseen,
)
from aims_gate.stats.rows.losses import root_values
from aims_gate.stats.tables import Jackknife, Losses
from tests.support.laws import law

LAWS = law(60)
Z = 1.6448536269514722


@st.composite
def discordant(draw: st.DrawFn) -> Discordant:
    rows = draw(st.integers(1, 3_000))
    first = draw(st.integers(0, rows))
    return Discordant(first=first, second=draw(st.integers(0, rows - first)), rows=rows)


def restricted_score(pairs: Discordant, d: float) -> float:
    """Tango's statistic from its definition: the likelihood maximised numerically under D = d."""
    b, c, n = pairs.first, pairs.second, pairs.rows

    def likelihood(q: float) -> float:
        cells = ((b, q + d), (c, q), (n - b - c, 1 - 2 * q - d))
        return -sum(count * math.log(max(share, 1e-300)) for count, share in cells if count)

    low, high = max(0.0, -d), (1 - d) / 2
    q = minimize_scalar(likelihood, bounds=(low, high), options={"xatol": 1e-13}).x
    return (b - c - n * d) / math.sqrt(n * (2 * q + d - d * d))


@LAWS
@given(discordant())
def test_at_tangos_bounds_the_score_of_the_maximised_likelihood_is_z(pairs: Discordant) -> None:
    low, high = tango(pairs, Z)
    assert -1 <= low <= pairs.difference <= high <= 1
    for bound, z in ((low, Z), (high, -Z)):
        if abs(bound) < 1 - 1e-6:
            assert restricted_score(pairs, bound) == pytest.approx(z, rel=2e-3)


@LAWS
@given(discordant())
def test_exchanging_the_models_mirrors_the_bounds(pairs: Discordant) -> None:
    low, high = tango(pairs, Z)
    swapped = Discordant(first=pairs.second, second=pairs.first, rows=pairs.rows)
    assert tango(swapped, Z) == pytest.approx((-high, -low), abs=1e-12)


@LAWS
@given(discordant())
def test_more_rows_at_the_same_shares_prove_more(pairs: Discordant) -> None:
    low, high = tango(pairs, Z)
    many = Discordant(first=9 * pairs.first, second=9 * pairs.second, rows=9 * pairs.rows)
    closer = tango(many, Z)
    assert low - 1e-12 <= closer[0]
    assert closer[1] <= high + 1e-12


def test_two_models_that_never_differ_are_still_not_proven_equal() -> None:
    """z^2 / (n + z^2), Wilson's bound of a share that was never seen; a share's own is guarded."""
    low, high = tango(Discordant(first=0, second=0, rows=100), Z)
    assert high == pytest.approx(Z * Z / (100 + Z * Z))
    assert unseen(100, 0.05) >= high
    assert low == pytest.approx(-high)


def moments(values: npt.NDArray[np.float64]) -> Losses:
    centred = values - values.mean()
    spread = float((centred**2).mean())
    skew = float((centred**3).mean()) / spread**1.5 if spread else 0.0
    variance = float(values.var(ddof=1))
    return Losses(rows=len(values), mean=float(values.mean()), variance=variance, skewness=skew)


def ranks(seed: int, rows: tuple[int, int] = (60, 140)) -> tuple[ArrowFrame, Placements, float]:
    """Two scores with ties, as a frame, as placements over all pairs, and DeLong's error."""
    rng = np.random.default_rng(seed)
    truth = np.repeat([1, 0], rows)
    one = np.round(rng.normal(truth, 1), 1)
    other = np.round(0.6 * one + rng.normal(0, 0.8, len(truth)), 1)
    wins = []
    for score in (one, other):
        positives, negatives = score[: rows[0]], score[rows[0] :]
        ties = 0.5 * (positives[:, None] == negatives)
        wins.append((positives[:, None] > negatives) + ties)
    moved = wins[0] - wins[1]
    found = Placements(positives=moments(moved.mean(axis=1)), negatives=moments(moved.mean(axis=0)))
    # the covariance matrix of two areas, by components, as DeLong et al. write it
    ten = np.cov(wins[0].mean(axis=1), wins[1].mean(axis=1)) / rows[0]
    one_ = np.cov(wins[0].mean(axis=0), wins[1].mean(axis=0)) / rows[1]
    contrast = np.array([1.0, -1.0])
    error = math.sqrt(float(contrast @ (ten + one_) @ contrast))
    frame = open_rows({"y": truth, "one": one, "other": other})
    return frame, found, error


def test_two_models_that_never_differ_are_not_known_without_error() -> None:
    """Half a row on each side: 1 / n for none that differ, and Wald's error for many."""
    assert Discordant(first=0, second=0, rows=400).error == pytest.approx(1 / 400)
    many = Discordant(first=90_000, second=60_000, rows=1_000_000)
    wald = math.sqrt(0.15 - 0.03**2) / 1_000
    assert many.error == pytest.approx(wald, rel=1e-5)


@LAWS
@given(st.integers(0, 2**32 - 1))
def test_the_error_is_delongs_for_a_contrast_of_two_areas(seed: int) -> None:
    frame, found, error = ranks(seed)
    assert found.error == pytest.approx(error, rel=1e-9)
    sides = placements(frame, label="y", positive=1, first="one", second="other")
    for side, expected in zip(sides, (found.positives, found.negatives), strict=True):
        assert side.rows == expected.rows
        assert side.mean == pytest.approx(expected.mean, abs=1e-12)
        assert side.variance == pytest.approx(expected.variance, rel=1e-9)


def test_few_errors_widen_the_bounds_by_a_quarter_of_a_row() -> None:
    _, found, _ = ranks(1)
    plain = delong_difference(found, 0.05, area=0.8)
    wider = delong_difference(found, 0.05, area=0.95)
    assert plain[0] - wider[0] == pytest.approx(1 / 240) == pytest.approx(wider[1] - plain[1])


def test_two_rankings_that_never_differ_are_still_not_proven_equal() -> None:
    still = Losses(rows=300, mean=0.0, variance=0.0, skewness=0.0)
    few = Losses(rows=200, mean=0.0, variance=0.0, skewness=0.0)
    low, high = delong_difference(Placements(positives=few, negatives=still), 0.05, area=0.8)
    assert high == pytest.approx(unseen(200, 0.05) + unseen(300, 0.05)) == pytest.approx(-low)


def adds(values: npt.NDArray[np.float64]) -> Jackknife:
    return of_values(values, np.ones(len(values), dtype=np.int64))


def test_a_mean_of_differences_has_bounds_even_where_no_row_differs() -> None:
    still = Jackknife(rows=400, centre=0.0, variance=0.0, skewness=0.0, kurtosis=0.0)
    low, high = mean_difference(still, 0.05, value=0.0, loss=0.2)
    assert high == pytest.approx(0.2 * unseen(400, 0.05)) == pytest.approx(-low)
    assert short_of_mean(still, loss=0.2) == ""
    assert "are 0 for both" in short_of_mean(still, loss=0.0)
    assert "equal" in short_of_mean(replace(still, centre=0.1), loss=0.2)
    assert "29 rows" in short_of_mean(replace(still, rows=29), loss=0.2)


def test_a_row_that_decides_the_difference_alone_leaves_no_bounds() -> None:
    values = np.r_[np.zeros(99), 1.0]
    assert "one of the rows dominates the difference" in short_of_mean(adds(values), loss=1.0)
    assert "108 rows" in short_of_mean(adds(values), loss=1.0), "the rows needed are named"
    assert not short_of_mean(adds(np.r_[np.zeros(98), 1.0, -1.0]), loss=1.0)
    nothing = replace(adds(values), variance=math.nan, kurtosis=math.nan)
    assert short_of_mean(nothing, loss=1.0)


@LAWS
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1.5]))
def test_a_mean_of_differences_has_the_bounds_of_what_each_row_adds(seed: int, skew: float) -> None:
    """And encloses the difference, where what rows add is freed of bias and lies beside it."""
    values = np.random.default_rng(seed).exponential(1.0, 40) ** (1 + skew) - 1
    found = adds(values)
    mean = float(values.mean())
    low, high = mean_difference(found, 0.05, value=mean, loss=1.0)
    assert (low, high) == pytest.approx(limits(found, 0.05))
    assert low <= mean <= high
    back = mean_difference(adds(-values), 0.05, value=-mean, loss=1.0)
    assert back == pytest.approx((-high, -low), rel=1e-9)
    for beside in (low - 1, high + 1):
        wide = mean_difference(found, 0.05, value=beside, loss=1.0)
        assert wide == (min(low, beside), max(high, beside))


Sides = npt.NDArray[np.float64]
"""The errors of two models on 30 rows, shape (2, 30)."""


def alike(random: np.random.Generator) -> Sides:
    """Four fifths of their variance shared, all of it lognormal with a sign: RMSE e."""
    rows = random.lognormal(size=(3, 30)) * random.choice([-1.0, 1.0], size=(3, 30))
    errors: Sides = math.sqrt(0.8) * rows[0] + math.sqrt(0.2) * rows[1:]
    return errors


def harder(random: np.random.Generator) -> Sides:
    """Rows that are hard for both, in lognormal measure: MAE exp(0.545)."""
    errors: Sides = random.lognormal(size=30) * random.lognormal(0, 0.3, size=(2, 30))
    return errors


@pytest.mark.parametrize(
    ("draw", "root", "loss"), [(alike, True, math.e), (harder, False, math.exp(0.545))]
)
def test_differences_of_long_tailed_losses_are_covered_from_thirty_rows_on(
    draw: Callable[[np.random.Generator], Sides], root: bool, loss: float
) -> None:
    """In 1,500 samples of a model and one with 1.3 times its errors; once in 91 to 92 %."""
    random = np.random.default_rng(30)
    inside = given_ = 0
    for _ in range(1500):
        errors = np.abs(draw(random)) * np.array([[1.0], [1.3]])
        losses = np.square(errors) if root else errors
        added = [root_values(side, None) if root else side for side in losses]
        found = adds(added[0] - added[1])
        values = [math.sqrt(mean) if root else mean for mean in losses.mean(axis=1).tolist()]
        if short_of_mean(found, loss=values[0]):
            continue
        low, high = mean_difference(found, 0.025, value=values[0] - values[1], loss=values[0])
        given_ += 1
        inside += low <= -0.3 * loss <= high
    assert given_ > 1400
    assert 0.93 <= inside / given_ <= 0.98


@law()
@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_a_difference_is_exact_to_twelve_digits_and_mirrored(first: float, second: float) -> None:
    found = minus(first, second)
    assert found == pytest.approx(first - second, abs=1e-11 * max(abs(first), abs(second), 1e-300))
    assert minus(second, first) == -found


def test_a_difference_that_is_the_margin_is_on_it() -> None:
    assert 0.77 - 0.78 < -0.01
    assert minus(0.77, 0.78) == -0.01
    assert math.copysign(1, minus(0.5, 0.5)) == 1
    assert math.isnan(minus(math.nan, 0.5))


def test_mover_of_two_proportions_is_newcombes() -> None:
    one, other = Rate.of(33, 200, Z), Rate.of(61, 240, Z)
    found = mover(one.value, (one.low, one.high), other.value, (other.low, other.high))
    assert found == pytest.approx(mover_difference(one, other))
