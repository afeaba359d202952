from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri
from sklearn.metrics import average_precision_score

from aims_gate.stats import precision_recall
from aims_gate.stats.intervals import proportion_bounds
from tests.stats.samples import ranked
from tests.support.laws import law

Rows = np.typing.NDArray[np.float64]


def drawn(seed: int, rows: int, shift: float = 1.5, share: float = 0.4) -> tuple[Rows, Rows]:
    random = np.random.default_rng(seed)
    truth = (random.random(rows) < share).astype(np.float64)
    return truth, random.normal(shift * truth, 1)


@law(60)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=2, max_size=40).filter(
        lambda rows: any(truth for truth, _ in rows)
    )
)
def test_it_is_scikit_learns_ties_included(rows: list[tuple[int, int]]) -> None:
    truth, scores = np.array(rows, dtype=np.float64).T
    value = precision_recall.average_precision(ranked(truth, scores))
    assert value == pytest.approx(average_precision_score(truth, scores), abs=1e-12)


def test_without_a_positive_there_is_none() -> None:
    assert math.isnan(precision_recall.average_precision(ranked(np.zeros(5), np.arange(5.0))))


def test_the_influence_of_a_row_is_what_leaving_it_out_changes() -> None:
    """The jackknife's standard error, from 300 values without one row, is the same within 5 %."""
    truth, scores = drawn(1, 300)
    value = precision_recall.influences(ranked(truth, scores))
    kept = ~np.eye(300, dtype=bool)
    without = [precision_recall.average_precision(ranked(truth[k], scores[k])) for k in kept]
    jackknife = math.sqrt(299 / 300 * np.square(np.array(without) - np.mean(without)).sum())
    assert math.sqrt(value.variance) == pytest.approx(jackknife, rel=0.05)


def test_the_bias_is_what_the_value_exceeds_the_truth_by_on_average() -> None:
    """Scores that know nothing: the truth is the share of positives."""
    found = [precision_recall.influences(ranked(*drawn(s, 100, 0.0, 0.3))) for s in range(400)]
    excess = float(np.mean([f.value - 0.3 for f in found]))
    assert float(np.mean([f.bias for f in found])) == pytest.approx(excess, abs=0.008)
    assert excess > 0.02


@pytest.mark.parametrize(("rows", "shift", "share"), [(100, 1.0, 0.3), (1_000, 1.0, 0.05)])
def test_each_bound_is_wrong_about_as_often_as_it_may_be(
    rows: int, shift: float, share: float
) -> None:
    truth = precision_recall.average_precision(ranked(*drawn(0, 400_000, shift, share)))
    wrong = np.zeros(2)
    for seed in range(500):
        low, high = precision_recall.bounds(ranked(*drawn(seed + 1, rows, shift, share)), 0.05)
        wrong += [low > truth, high < truth]
    assert (wrong / 500 <= 0.08).all()
    assert wrong.sum() / 1000 >= 0.02


def test_a_perfect_ranking_is_as_certain_as_its_positives_are_many() -> None:
    truth = np.repeat([0.0, 1.0], [70, 40])
    low, high = precision_recall.bounds(ranked(truth, truth), 0.05)
    assert low == pytest.approx(proportion_bounds(40, 40, -float(ndtri(0.05)))[0])
    assert high == 1.0


def test_few_rows_and_rows_that_dominate_have_no_bounds() -> None:
    few = ranked(*drawn(3, 60, share=0.2))
    assert "rarer class" in precision_recall.too_few(few)
    scores = np.concatenate([np.linspace(0.6, 0.9, 60), np.full(58, 0.1), [0.95, 1.0]])
    top = ranked(np.repeat([1.0, 0.0], 60), scores)
    assert "a few rows dominate the ranking" in precision_recall.too_few(top)
    assert not precision_recall.too_few(ranked(*drawn(3, 400)))
