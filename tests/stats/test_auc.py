from __future__ import annotations

import math
import time

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from aims_gate.stats.auc import area, bounds, delong, hanley_mcneil_low, hanley_mcneil_variance
from aims_gate.stats.tables import Ranked
from tests.support.laws import law

LAWS = law(60)
Floats = npt.NDArray[np.float64]


def ranked(positives: Floats, negatives: Floats) -> Ranked:
    return Ranked.merge(
        np.unique(positives, return_counts=True), np.unique(negatives, return_counts=True)
    )


def pairwise_delong(positives: Floats, negatives: Floats) -> tuple[float, float, float]:
    """DeLong by its definition, over all pairs: area, variance of positives, of negatives."""
    wins = (positives[:, None] > negatives) + 0.5 * (positives[:, None] == negatives)
    return (
        float(wins.mean()),
        float(wins.mean(axis=1).var(ddof=1)) / len(positives),
        float(wins.mean(axis=0).var(ddof=1)) / len(negatives),
    )


@st.composite
def samples(draw: st.DrawFn, least: int = 2) -> tuple[Floats, Floats]:
    """Two classes of unequal sizes whose scores have ties and both signs."""
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    digits = draw(st.integers(0, 3))
    sizes = draw(st.tuples(st.integers(least, 80), st.integers(least, 60)))
    shift = draw(st.floats(-2, 2))
    positives, negatives = random.normal(shift, 1.3, sizes[0]), random.normal(0, 1, sizes[1])
    return np.round(positives, digits) + 0.0, np.round(negatives, digits) + 0.0


def test_one_class_has_no_area() -> None:
    nobody, somebody = np.zeros(0), np.array([0.2, 0.7])
    assert math.isnan(area(ranked(nobody, somebody)))
    assert math.isnan(area(ranked(somebody, nobody)))
    assert math.isnan(area(ranked(nobody, nobody)))


@LAWS
@given(samples())
def test_area_agrees_with_scikit_learn(sample: tuple[Floats, Floats]) -> None:
    positives, negatives = sample
    labels = np.r_[np.ones(len(positives)), np.zeros(len(negatives))]
    expected = roc_auc_score(labels, np.r_[positives, negatives])
    assert area(ranked(positives, negatives)) == pytest.approx(expected, abs=1e-12)


@LAWS
@given(samples())
def test_variance_agrees_with_delong_over_all_pairs(sample: tuple[Floats, Floats]) -> None:
    result = delong(ranked(*sample))
    found = (result.area, result.positive_variance, result.negative_variance)
    assert found == pytest.approx(pairwise_delong(*sample), abs=1e-12)


def test_area_and_standard_error_of_the_published_rating_data() -> None:
    """Hanley and McNeil (1982), 109 CT images: area 0.893, standard error 0.032."""
    normal, abnormal = np.array([33, 6, 6, 11, 2]), np.array([3, 2, 2, 11, 33])
    table = Ranked(scores=np.arange(1.0, 6.0), positives=abnormal, negatives=normal)
    assert area(table) == pytest.approx(0.893, abs=5e-4)
    assert math.sqrt(hanley_mcneil_variance(area(table), 51, 58)) == pytest.approx(0.032, abs=5e-4)


@LAWS
@given(samples(least=20))
def test_a_monotone_transform_of_the_scores_changes_nothing(
    sample: tuple[Floats, Floats],
) -> None:
    plain, bent = ranked(*sample), ranked(*(np.exp(side / 2) - 7 for side in sample))
    assert area(plain) == area(bent)
    assert bounds(plain, 0.05) == bounds(bent, 0.05)


@LAWS
@given(samples(least=20))
def test_exchanging_the_classes_mirrors_area_and_bounds(sample: tuple[Floats, Floats]) -> None:
    positives, negatives = sample
    low, high = bounds(ranked(positives, negatives), 0.05)
    mirrored = ranked(negatives, positives)
    assert area(mirrored) == pytest.approx(1 - area(ranked(positives, negatives)), abs=1e-12)
    assert bounds(mirrored, 0.05) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@LAWS
@given(samples(least=20), st.floats(0.0005, 0.2))
def test_bounds_enclose_the_area_and_widen_with_confidence(
    sample: tuple[Floats, Floats], alpha: float
) -> None:
    table = ranked(*sample)
    low, high = bounds(table, alpha)
    wider = bounds(table, alpha / 3)
    assert 0 <= wider[0] <= low <= area(table) <= high <= wider[1] <= 1


def test_many_rows_of_few_errors_follow_delong_with_t() -> None:
    """Far from 0 and 1 the bound is expit(logit A -+ t se / (A (1 - A))), computed here anew."""
    from scipy.stats import kurtosis, t

    random = np.random.default_rng(3)
    positives, negatives = random.normal(1, 1, 300), random.normal(0, 1, 170)
    value, first, second = pairwise_delong(positives, negatives)
    below = [(positive > negatives).mean() for positive in positives]
    above = [(positives > negative).mean() for negative in negatives]
    one = min(2 * 300 / (kurtosis(below, fisher=False) - 1), 299)
    two = min(2 * 170 / (kurtosis(above, fisher=False) - 1), 169)
    degrees = (first + second) ** 2 / (first**2 / one + second**2 / two)
    step = t.ppf(0.95, degrees) * math.sqrt(first + second) / (value * (1 - value))
    centre = math.log(value / (1 - value))
    expected = [1 / (1 + math.exp(-(centre + sign * step))) for sign in (-1, 1)]
    assert bounds(ranked(positives, negatives), 0.05) == pytest.approx(expected, rel=1e-9)


def test_perfect_ranking_is_not_certain() -> None:
    """No error among 25 and 40 rows still leaves room below 1."""
    table = ranked(np.arange(100.0, 125.0), np.arange(40.0))
    low, high = bounds(table, 0.05)
    assert area(table) == high == 1.0
    assert 0.85 < low < 0.97
    assert low == hanley_mcneil_low(delong(table), 0.05)


def test_the_score_bound_solves_its_equation() -> None:
    result = delong(ranked(np.arange(100.0, 125.0), np.arange(40.0)))
    a = hanley_mcneil_low(result, 0.05)
    q, most = a * (1 - a) ** 2 / (2 - a), a * a * (1 - a) / (1 + a)
    assert q < most
    variance = (a * (1 - a) + 24 * q + 39 * most) / (25 * 40)
    assert 1 - a == pytest.approx(1.6448536 * math.sqrt(variance), rel=1e-6)


def test_few_errors_take_the_wider_of_both_bounds() -> None:
    """30 positives at an area near 0.94 leave two errors: DeLong's own bound is too high there."""
    random = np.random.default_rng(8)
    table = ranked(random.normal(2.2, 1, 30), random.normal(0, 1, 170))
    result = delong(table)
    assert 1 < 30 * (1 - result.area) < 10
    low, high = bounds(table, 0.05)
    assert low == hanley_mcneil_low(result, 0.05)
    assert result.area - low > 1.2 * 1.645 * math.sqrt(result.variance)
    assert high > result.area


def test_constant_scores_are_chance_and_not_certain() -> None:
    table = ranked(np.full(50, 0.3), np.full(900, 0.3))
    low, high = bounds(table, 0.05)
    assert area(table) == 0.5
    assert low < 0.45
    assert high > 0.55


@pytest.mark.parametrize(
    ("positives", "negatives", "shift"),
    [(20, 80, 0.9), (30, 170, 2.3), (50, 950, 1.8), (100, 60, 1.2), (20, 20, 3.0)],
)
def test_each_bound_is_wrong_in_about_five_percent(
    positives: int, negatives: int, shift: float
) -> None:
    """One-sided error at most 7 % on 1,500 draws of normal scores of unequal spread."""
    random = np.random.default_rng(positives * negatives)
    spread = 1.4
    truth = 0.5 * math.erfc(-shift / math.hypot(spread, 1) / math.sqrt(2))
    low_wrong = high_wrong = 0
    for _ in range(1500):
        sample = random.normal(shift, spread, positives), random.normal(0, 1, negatives)
        low, high = bounds(ranked(*sample), 0.05)
        low_wrong += truth < low
        high_wrong += truth > high
    assert low_wrong / 1500 <= 0.07
    assert high_wrong / 1500 <= 0.07


def test_a_million_distinct_scores_take_less_than_a_second() -> None:
    random = np.random.default_rng(0)
    positives, negatives = random.normal(1, 1, 400_000), random.normal(0, 1, 600_000)
    sides = [(np.sort(side), np.ones(len(side), dtype=np.int64)) for side in (positives, negatives)]
    before = time.process_time()
    low, high = bounds(Ranked.merge(sides[0], sides[1]), 0.05)
    assert time.process_time() - before < 1
    assert low < 0.5 * math.erfc(-0.5) < high


@pytest.mark.parametrize("digits", [2, 12])
def test_a_table_of_many_pieces_is_that_of_all_scores_at_once(digits: int) -> None:
    """Rarer positives, and scores that are mostly tied or hardly ever."""
    random = np.random.default_rng(11)
    positives = np.round(random.normal(0.6, 1.2, 9_001), digits)
    negatives = np.round(random.normal(0, 1, 40_003), digits)
    table = ranked(positives, negatives)
    assert table.scores.tolist() == np.union1d(positives, negatives).tolist()
    assert (table.positives.sum(), table.negatives.sum()) == (9_001, 40_003)
    labels = np.r_[np.ones(len(positives)), np.zeros(len(negatives))]
    expected = roc_auc_score(labels, np.r_[positives, negatives])
    found = delong(table)
    assert found.area == area(table) == pytest.approx(expected, abs=1e-12)
    placed = [
        (np.searchsorted(other, own) + np.searchsorted(other, own, "right")) / 2 / len(other)
        for own, other in ((positives, np.sort(negatives)), (negatives, np.sort(positives)))
    ]
    variances = [float(np.var(share, ddof=1)) / len(share) for share in placed]
    assert [found.positive_variance, found.negative_variance] == pytest.approx(variances, rel=1e-9)
