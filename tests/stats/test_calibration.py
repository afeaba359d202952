from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import foldnorm
from sklearn.calibration import calibration_curve

from aims_gate.errors import CheckError
from aims_gate.stats import calibration
from tests.stats.samples import ranked
from tests.support.laws import law

Rows = np.typing.NDArray[np.float64]
Z = 1.6448536269514722


def drawn(seed: int, rows: int, shift: float = 0.0) -> calibration.Reliability:
    """Scores around one half, each *shift* below its true rate."""
    random = np.random.default_rng(seed)
    scores = random.beta(2, 2, rows) * 0.8
    truth = (random.random(rows) < scores + shift).astype(np.float64)
    return calibration.reliability(ranked(truth, scores), 15)


def test_scores_that_are_no_probabilities_have_no_calibration() -> None:
    for scores in ([-0.1, 0.5], [0.5, 1.1]):
        with pytest.raises(CheckError, match="outside"):
            calibration.reliability(ranked(np.array([0.0, 1.0]), np.array(scores)), 2)
    with pytest.raises(CheckError, match="cannot be cut"):
        calibration.reliability(ranked(np.zeros(2), np.array([0.1, 0.2])), 1)


@pytest.mark.parametrize("estimate", [math.nan, math.inf, -0.1, 1.1])
def test_an_estimate_that_is_none_is_not_freed_to_0(estimate: float) -> None:
    """A library that gives no number, or no error, has not found the model calibrated."""
    assert math.isnan(calibration.freed(drawn(1, 2_000), estimate))


def test_fewer_rows_than_bins_can_bear_have_no_bounds() -> None:
    told = calibration.too_few(drawn(1, 224))
    assert told == "224 rows, and 15 bins need 225; fewer bins need fewer"
    assert not calibration.too_few(drawn(1, 225))


@law(60)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=2, max_size=60),
    st.sampled_from([2, 5, 15]),
    st.sampled_from([1, 20]),
)
def test_bins_are_those_of_scikit_learns_quantile_strategy(
    rows: list[tuple[int, float]], bins: int, digits: int
) -> None:
    truth, scores = np.array(rows, dtype=np.float64).T
    scores = np.round(scores, digits)
    if len(np.unique(truth)) < 2:
        return
    rates, means = calibration_curve(truth, scores, n_bins=bins, strategy="quantile")
    found = calibration.reliability(ranked(truth, scores), bins)
    assert found.positives / found.rows == pytest.approx(rates, abs=1e-12)
    assert found.scores == pytest.approx(means, abs=1e-12)
    assert found.total == len(rows)
    expected = float(found.weights @ np.abs(rates - means))
    assert calibration.plain(found) == pytest.approx(expected, abs=1e-12)


def test_the_mean_of_the_plain_error_is_the_folded_normal_one() -> None:
    """SciPy's folded normal law is the oracle of m; a fitted error reproduces the plain one."""
    found = drawn(3, 400, 0.1)
    value, errors = calibration.value(found), found.errors
    means = [foldnorm.mean(value / error, scale=error) for error in errors]
    assert float(found.weights @ np.array(means)) == pytest.approx(calibration.plain(found))


@law(40)
@given(st.integers(0, 10**6), st.integers(20, 3_000), st.floats(0, 0.2))
def test_the_value_lies_between_nothing_and_the_plain_error_and_within_its_bounds(
    seed: int, rows: int, shift: float
) -> None:
    found = drawn(seed, rows, shift)
    value = calibration.value(found)
    low, high = calibration.bounds(found, Z)
    lower, higher = calibration.bounds(found, 2.6)
    assert 0 <= lower <= low <= value <= high <= higher <= 1
    assert value <= calibration.plain(found) + 1e-12


@pytest.mark.parametrize("rows", [225, 1_000])
def test_a_calibrated_model_is_not_refused_and_the_plain_error_would_refuse_it(rows: int) -> None:
    refused, plain = 0, 0
    for seed in range(300):
        found = drawn(seed, rows)
        low, _ = calibration.bounds(found, Z)
        refused += calibration.value(found) > 0.05 and low > 0.025
        plain += calibration.plain(found) > 0.05
    assert refused / 300 <= 0.02
    assert rows > 500 or plain / 300 > 0.9


def test_an_error_is_found_without_bias_and_bounded() -> None:
    """Every score is 0.1 too low; 2,000 rows."""
    values, wrong = [], np.zeros(2)
    for seed in range(300):
        found = drawn(seed, 2_000, 0.1)
        low, high = calibration.bounds(found, Z)
        values.append(calibration.value(found))
        wrong += [low > 0.1, high < 0.1]
    assert np.mean(values) == pytest.approx(0.1, abs=0.003)
    assert (wrong / 300 <= 0.08).all()


def test_the_chance_of_a_design_is_how_often_calibrated_scores_exclude_a_serious_error() -> None:
    """Within what 300 draws can tell; every bound by itself, at 5 %."""
    for rows in (400, 700):
        told = calibration.design(drawn(1, rows), Z, rows).chance(1.0, serious=0.10)
        excluded = [calibration.bounds(drawn(seed, rows), Z)[1] < 0.10 for seed in range(300)]
        assert np.mean(excluded) == pytest.approx(told, abs=0.09)


def test_constant_scores_are_one_bin() -> None:
    found = calibration.reliability(ranked(np.repeat([1.0, 0.0], 40), np.full(80, 0.75)), 15)
    assert (found.rows.tolist(), found.asked) == ([80], 15)
    assert calibration.plain(found) == pytest.approx(0.25)
    assert not math.isnan(calibration.value(found))


@pytest.mark.parametrize(("rows", "found"), [(500, 0.35), (2_000, 0.98)])
def test_an_error_of_twice_the_limit_is_proven(rows: int, found: float) -> None:
    """Every score is 0.1 too low: past the limit 0.05, and the bound past the line 0.025."""
    proven = 0
    for seed in range(200):
        table = drawn(seed, rows, 0.1)
        proven += calibration.value(table) > 0.05 and calibration.bounds(table, Z)[0] > 0.025
    assert proven / 200 >= found


@pytest.mark.parametrize("off", [0.0, 0.02, 0.05])
def test_the_lower_bound_holds_where_all_the_error_is_in_one_bin(off: float) -> None:
    """There noise adds most to the plain error, and the bound is wrong as often as it says."""
    wrong = 0
    rng = np.random.default_rng(12)
    scores = np.sort(rng.random(600))
    rates = scores.copy()
    rates[240:280] += 15 * off
    for _ in range(400):
        table = calibration.reliability(ranked((rng.random(600) < rates).astype(float), scores), 15)
        wrong += calibration.bounds(table, Z)[0] > off + 0.001
    assert wrong / 400 <= 0.085, "three standard errors above an aim of 5 %"
