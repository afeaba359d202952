"""Values of rankings, one for each query: one sort, then sums over tied rows and over queries."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from aims_gate.errors import DataError
from aims_gate.stats.rows import Codes
from aims_gate.stats.rows.losses import Moments, moments_of
from aims_gate.stats.samples import WRITTEN_ROWS
from aims_gate.stats.tables import Counts, Floats, Ranking


@dataclass(frozen=True, slots=True, kw_only=True)
class Rankings:
    """A ranking metric over queries."""

    values: Moments
    """Of the queries' values; *rows* counts queries, and without one the mean is NaN."""
    rows: int
    """Rows of these queries."""
    left_out: int
    """Queries whose rows are all worth the same: any order of them is as good as another."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ties:
    """Runs of rows of one query that share a score, best first, queries in ascending order."""

    query: Codes
    """Shape (ties,): the query of each, counted from 0."""
    start: Codes
    """Shape (ties,): the places before it in its query."""
    size: Codes
    """Shape (ties,): its rows."""
    gain: Floats
    """Shape (ties,): the sum of its rows' labels, or of 1 for each relevant one."""
    total: Floats
    """Shape (queries,): the same sum over a query."""
    best: Floats
    """Shape (queries,): the discounted gain of the best order."""
    discounts: Floats
    """Shape (rows + 1,): the sum of the discounts of the first so many places."""
    k: int
    """Cut-off k of the ranking."""

    def sums(self, terms: Floats) -> Floats:
        """Add up *terms* of ties by query."""
        return _sums(self.query, terms, len(self.total))


def rankings(
    ranking: Ranking,
    *,
    query: Codes,
    label: Floats,
    score: Floats,
    weights: Counts | None,
    k: int | None,
    against: Floats | None = None,
) -> Rankings:
    """Ranking metric: moments over queries; see `checks.row_statistics.ranked_queries`.

    Args:
        ranking: Which metric.
        query: Shape (rows,): codes of queries, 0 or more.
        label: Shape (rows,): relevance.
        score: Shape (rows,): higher ranks first.
        weights: Shape (rows,): how many tied rows each stands for; None for one.
        k: Cut-off of the ranking, at least 1; None for all places.
        against: Shape (rows,): other scores, whose value is taken off that of each query.

    Raises:
        DataError: *k* is missing, a query is null, a label is negative, or a label or score is not
            finite, or *weights* sum to more than `WRITTEN_ROWS`.
    """
    if k is None and ranking in {Ranking.PRECISION, Ranking.RECALL}:
        raise DataError(f"{ranking} of a ranking needs to know how many places are looked at")
    scores = [score] if against is None else [score, against]
    for one in scores:
        _refuse(query, label, one)
    if weights is not None:
        _refuse_many(int(weights.sum()))
        query, label, *scores = (np.repeat(column, weights) for column in (query, label, *scores))
    gain = label if ranking is Ranking.NDCG else (label > 0).astype(np.float64)
    most = len(query) if k is None else k
    values, *others = (_values(ranking, query, gain, one, most) for one in scores)
    for other in others:
        values = replace(values, each=values.each - other.each)
    return Rankings(values=_moments(values.each), rows=values.rows, left_out=values.left_out)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Valued:
    """The value of each query that says something, in ascending order of queries."""

    each: Floats
    rows: int
    left_out: int


def _values(ranking: Ranking, query: Codes, gain: Floats, score: Floats, k: int) -> _Valued:
    """Rank the rows of each query by falling score; which queries count, no score decides."""
    order = np.lexsort((-score, query))
    query, gain, score = query[order], gain[order], score[order]
    first = _first(query)
    told = _differ(gain, first)
    kept = np.repeat(told, np.diff(first, append=len(query)))
    ties = _ties(query[kept], gain[kept], score[kept], k)
    return _Valued(
        each=_VALUES[ranking](ties),
        rows=int(kept.sum()),
        left_out=int(len(told) - told.sum()),
    )


def _refuse_many(rows: int) -> None:
    if rows > WRITTEN_ROWS:
        raise DataError(
            f"the weights stand for {rows:,} rows, and {WRITTEN_ROWS:,} can be ranked",
            hint="give fewer rows, or smaller weights",
        )


def _refuse(query: Codes, label: Floats, score: Floats) -> None:
    problems = {
        "queries are null": query < 0,
        "labels are not finite numbers of at least 0": ~(np.isfinite(label) & (label >= 0)),
        "scores are not finite": ~np.isfinite(score),
    }
    for what, bad in problems.items():
        if bad.any():
            raise DataError(f"{int(bad.sum()):,} {what}, so rows cannot be ranked")


def _first(*columns: Codes | Floats) -> Codes:
    """Start index of each run of equal rows."""
    rows = len(columns[0])
    new = np.zeros(rows, dtype=np.bool_)
    new[:1] = True
    for column in columns:
        new[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(new)


def _differ(gain: Floats, first: Codes) -> npt.NDArray[np.bool_]:
    """Say of each query whether its rows differ in what they are worth."""
    if not len(first):
        return np.zeros(0, dtype=np.bool_)
    differ: npt.NDArray[np.bool_] = np.minimum.reduceat(gain, first) < np.maximum.reduceat(
        gain, first
    )
    return differ


def _ties(query: Codes, gain: Floats, score: Floats, k: int) -> _Ties:
    """Group rows that are sorted by query and by falling score."""
    rows, first = len(query), _first(query)
    sizes = np.diff(first, append=rows)
    number = np.repeat(np.arange(len(first)), sizes)
    places = np.arange(rows) - np.repeat(first, sizes)
    starts = _first(query, score)
    best = gain[np.lexsort((-gain, query))]
    return _Ties(
        query=number[starts],
        start=places[starts],
        size=np.diff(starts, append=rows),
        gain=np.add.reduceat(gain, starts) if rows else np.zeros(0),
        total=_sums(number, gain, len(first)),
        best=_sums(number, best * _discounts(rows, k)[places], len(first)),
        discounts=np.append(0.0, np.cumsum(_discounts(rows, k))),
        k=k,
    )


def _sums(place: Codes, terms: Floats, size: int) -> Floats:
    """Add up *terms* by place, of which there are *size*."""
    return np.bincount(place, terms, size).astype(np.float64, copy=False)


def _discounts(places: int, k: int) -> Floats:
    """DCG discounts: 1 / log2(place + 1) for places 1, 2 …, and 0 after the first k."""
    discounts: Floats = 1 / np.log2(np.arange(places) + 2.0)
    discounts[k:] = 0.0
    return discounts


def _ndcg(ties: _Ties) -> Floats:
    """Tied rows share their places, as the mean over all their orders: scikit-learn's rule."""
    there = ties.discounts[ties.start + ties.size] - ties.discounts[ties.start]
    return ties.sums(ties.gain / ties.size * there) / ties.best


def _average_precision(ties: _Ties) -> Floats:
    """Tied rows all have the last of their places, as in scikit-learn."""
    seen = np.cumsum(ties.gain)
    before = np.cumsum(ties.total) - ties.total
    precision = (seen - before[ties.query]) / (ties.start + ties.size)
    return ties.sums(ties.gain * precision) / ties.total


def _reciprocal_rank(ties: _Ties) -> Floats:
    """Tied rows all have the last of their places, so that a constant score is no good one."""
    found = np.flatnonzero(ties.gain > 0)
    top = found[_first(ties.query[found])]
    return 1.0 / (ties.start[top] + ties.size[top])


def _hits(ties: _Ties) -> Floats:
    """Hits at k: relevant rows in the first k places, as the mean over all orders of ties."""
    within = np.clip(ties.k - ties.start, 0, ties.size)
    return ties.sums(ties.gain * within / ties.size)


def _precision(ties: _Ties) -> Floats:
    return _hits(ties) / ties.k


def _recall(ties: _Ties) -> Floats:
    return _hits(ties) / ties.total


_VALUES: Mapping[Ranking, Callable[[_Ties], Floats]] = {
    Ranking.NDCG: _ndcg,
    Ranking.AVERAGE_PRECISION: _average_precision,
    Ranking.RECIPROCAL_RANK: _reciprocal_rank,
    Ranking.PRECISION: _precision,
    Ranking.RECALL: _recall,
}


def _moments(values: Floats) -> Moments:
    if len(values):
        return moments_of(values, None)
    return Moments(rows=0, mean=math.nan, variance=math.nan, skewness=0.0, kurtosis=0.0)
