"""Metrics of a multi-class confusion table.

Recalls are proportions of disjoint sets of rows (by label), precisions too (by prediction), so
their means have MOVER bounds. A mean of F1 scores has no closed form: its rows overlap.

scikit-learn counts a 0/0 precision or recall as 0 and warns, and leaves classes without a label
out of balanced accuracy; here the mean over all classes is NaN, because an undefined rate is
neither good nor bad.
"""

from __future__ import annotations

import math

from aims_gate.stats.confusion import Share, mean_bounds, ratio
from aims_gate.stats.intervals import Bounds
from aims_gate.stats.tables import Classes


def accuracy(table: Classes) -> Share:
    """Give the rows predicted right, of all rows."""
    return sum(_hits(table)), table.rows


def recalls(table: Classes) -> list[Share]:
    """Give per class the rows predicted as it, of the rows labelled so."""
    return list(zip(_hits(table), table.counts.sum(axis=1).tolist(), strict=True))


def precisions(table: Classes) -> list[Share]:
    """Give per class the rows labelled so, of the rows predicted as it."""
    return list(zip(_hits(table), table.counts.sum(axis=0).tolist(), strict=True))


def macro_recall(table: Classes) -> float:
    """Give the plain mean of recalls in [0, 1]; NaN if a class has no label."""
    return _mean(recalls(table))


def macro_precision(table: Classes) -> float:
    """Give the plain mean of precisions in [0, 1]; NaN if a class is never predicted."""
    return _mean(precisions(table))


def macro_recall_bounds(table: Classes, z: float) -> Bounds:
    """Give the bounds of the mean of recalls."""
    return mean_bounds(recalls(table), z)


def macro_precision_bounds(table: Classes, z: float) -> Bounds:
    """Give the bounds of the mean of precisions."""
    return mean_bounds(precisions(table), z)


def macro_f1(table: Classes) -> float:
    """Give the plain mean of F1 scores, each 2 tp / (2 tp + fp + fn), in [0, 1]."""
    scores = _f1(table)
    return math.fsum(scores) / len(scores) if scores else math.nan


def weighted_f1(table: Classes) -> float:
    """Give the mean of F1 scores weighted by the rows labelled as each class, in [0, 1]."""
    labelled = [trials for _, trials in recalls(table)]
    if not sum(labelled):
        return math.nan
    pairs = zip(_f1(table), labelled, strict=True)
    return math.fsum(score * rows for score, rows in pairs) / sum(labelled)


def unlabelled(table: Classes) -> tuple[str, ...]:
    """Name the classes that are predicted and have no label."""
    return _empty(table, recalls(table))


def unpredicted(table: Classes) -> tuple[str, ...]:
    """Name the classes that are never predicted."""
    return _empty(table, precisions(table))


def _hits(table: Classes) -> list[int]:
    hits: list[int] = table.counts.diagonal().tolist()
    return hits


def _mean(shares: list[Share]) -> float:
    # NaN wins over every number, so no undefined class is averaged away
    return math.fsum(map(ratio, shares)) / len(shares) if shares else math.nan


def _f1(table: Classes) -> list[float]:
    pairs = zip(recalls(table), precisions(table), strict=True)
    return [ratio((2 * hits, labelled + predicted)) for (hits, labelled), (_, predicted) in pairs]


def _empty(table: Classes, shares: list[Share]) -> tuple[str, ...]:
    pairs = zip(table.labels, shares, strict=True)
    return tuple(str(label) for label, (_, trials) in pairs if not trials)
