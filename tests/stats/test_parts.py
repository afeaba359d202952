from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aims_gate.stats import confusion, scores
from aims_gate.stats.intervals import Rate, mover_to_whole
from aims_gate.stats.parts import of_areas, of_counts
from aims_gate.stats.tables import Confusion, Ranked, ScoreTable

Rows = np.typing.NDArray[Any]


def table(metric: str, y: Rows, s: Rows) -> ScoreTable:
    if metric == "roc_auc":
        sides = [np.unique(s[y == kind], return_counts=True) for kind in (True, False)]
        positives, negatives = [(v, c.astype(np.int64)) for v, c in sides]
        return Ranked.merge(positives, negatives)
    p = s > 0.5
    cells = (y & p), (y & ~p), (~y & p), (~y & ~p)
    tp, fn, fp, tn = (int(cell.sum()) for cell in cells)
    return Confusion(tp=tp, fn=fn, fp=fp, tn=tn)


def slope(metric: str, part: ScoreTable, whole: ScoreTable) -> float:
    if isinstance(part, Ranked):
        assert isinstance(whole, Ranked)
        return of_areas(part, whole)
    assert isinstance(part, Confusion)
    assert isinstance(whole, Confusion)
    return of_counts(lambda one: scores.value(metric, one), part, whole)


def draw(rng: np.random.Generator, rows: int) -> tuple[Rows, Rows, Rows]:
    """Nine tenths of the rows are of a group that is scored worse, and has other labels."""
    group = rng.random(rows) < 0.9
    y = rng.random(rows) < np.where(group, 0.35, 0.65)
    s = 0.3 + 0.4 * y + rng.normal(size=rows) * np.where(group, 0.4, 0.25) - 0.1 * group
    return group, y, np.round(s, 3)


def test_of_a_proportion_it_is_the_share_of_the_rows() -> None:
    part, whole = Confusion(tp=31, fp=12, fn=7, tn=58), Confusion(tp=90, fp=30, fn=25, tn=200)
    accuracy = slope("accuracy", part, whole)
    assert accuracy == pytest.approx(part.rows / whole.rows)
    recall = of_counts(lambda one: confusion.ratio(confusion.recall(one)), part, whole)
    # one more row moves a share of few rows by a little less than it would in the limit
    assert recall == pytest.approx(part.positives / whole.positives, rel=0.05)


def test_a_part_that_is_all_rows_is_the_whole() -> None:
    group, y, s = draw(np.random.default_rng(1), 900)
    for metric in ("f1", "mcc", "balanced_accuracy", "roc_auc"):
        mine = table(metric, y[group], s[group])
        assert slope(metric, mine, mine) == pytest.approx(1.0, abs=0.01)


def test_a_part_without_an_error_says_nothing_of_the_whole() -> None:
    perfect = Confusion(tp=40, fp=0, fn=0, tn=60)
    whole = Confusion(tp=90, fp=30, fn=25, tn=200)
    assert slope("accuracy", perfect, whole) == 0
    best = Ranked(
        scores=np.array([0.1, 0.9]), positives=np.array([0, 30]), negatives=np.array([30, 0])
    )
    assert of_areas(best, best) == 0


@pytest.mark.parametrize("metric", ["f1", "balanced_accuracy", "roc_auc"])
def test_the_interval_covers_where_nine_tenths_are_shared_and_groups_differ(metric: str) -> None:
    """With the share of the rows in its place the same interval covers in 70 to 80 %."""
    rng = np.random.default_rng(4)
    group, y, s = draw(rng, 400_000)
    true = scores.value(metric, table(metric, y[group], s[group]))
    true -= scores.value(metric, table(metric, y, s))
    covered = 0
    for _ in range(300):
        group, y, s = draw(rng, 700)
        part, whole = table(metric, y[group], s[group]), table(metric, y, s)
        rates = []
        for one in (part, whole):
            bounds = scores.interval(metric, one, alpha=0.025)
            assert bounds is not None
            rates.append(Rate(value=scores.value(metric, one), low=bounds.low, high=bounds.high))
        low, high = mover_to_whole(rates[0], rates[1], slope(metric, part, whole))
        covered += low <= true <= high
    assert 0.92 <= covered / 300 <= 0.985
