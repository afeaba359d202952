"""Small aggregates that charts are drawn from, under the rules of disclosure control.

A step of a curve holds at least 30 rows. Bins of a histogram that hold fewer are pooled, together
with the next smallest until the pool has 30 in each sample or none: a bin that were only hidden
would follow from the sum of all, or from the distance, which has twelve digits. Numbers have four.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aims_gate.facts import POINTS, Curve, CurveKind
from aims_gate.stats.bins import Binned
from aims_gate.stats.calibration import Reliability
from aims_gate.stats.tables import Counts, Ranked

LEAST = 30
"""Rows of a step or a bin below which nothing is told of it."""


def ranking(table: Ranked, *, of: str = "") -> tuple[Curve, ...]:
    """ROC curve and precision-recall curve of a binary ranking, from the highest score down.

    Args:
        table: Scores of positives and of negatives; equal scores share a step.
        of: Which of two models it is.

    Returns:
        Both curves; nothing where a class is missing, or the rows make no two steps.
    """
    hits, misses = np.cumsum(table.positives[::-1]), np.cumsum(table.negatives[::-1])
    if not len(hits) or not hits[-1] or not misses[-1]:
        return ()
    marks = _steps(hits + misses)
    if not len(marks):
        return ()
    tp, fp = hits[marks], misses[marks]
    recall = _rounded(tp / hits[-1])
    roc = Curve(
        kind=CurveKind.ROC,
        of=of,
        x=(0.0, *_rounded(fp / misses[-1]), 1.0),
        y=(0.0, *recall, 1.0),
    )
    prevalence = hits[-1:] / (hits[-1:] + misses[-1:])
    precision = CurveKind.PRECISION_RECALL
    last = _rounded(prevalence)
    curve = Curve(kind=precision, of=of, x=(*recall, 1.0), y=(*_rounded(tp / (tp + fp)), *last))
    return roc, curve


def _steps(ends: Counts) -> npt.NDArray[np.int64]:
    """Places at which a curve has points, at least LEAST rows apart and as far from both ends."""
    rows = int(ends[-1])
    step = max(LEAST, -(-rows // (POINTS - 2)))
    marks: list[int] = []
    reached = 0
    while (place := int(np.searchsorted(ends, reached + step))) < len(ends):
        reached = int(ends[place])
        if rows - reached < LEAST:
            break
        marks.append(place)
    return np.array(marks, dtype=np.int64)


def reliability_diagram(found: Reliability, *, least: int = LEAST) -> tuple[Curve, ...]:
    """Reliability diagram of at most POINTS bins; those below *least* rows are left out."""
    kept = found.rows >= max(least, LEAST)
    if not kept.any() or kept.sum() > POINTS:
        return ()
    rates = _rounded(found.positives[kept] / found.rows[kept])
    return (Curve(kind=CurveKind.CALIBRATION, x=_rounded(found.scores[kept]), y=rates),)


def histogram(table: Binned) -> tuple[Curve, ...]:
    """Shares of two samples by bin, the small bins pooled; nothing where all are."""
    counts = np.stack([table.reference, table.current])
    small = ((counts > 0) & (counts < LEAST)).any(axis=0)
    # largest first, and the small ones last, which are pooled from the end
    order = [int(place) for place in np.lexsort((-counts.sum(axis=0), small))]
    most = POINTS if len(order) <= POINTS and not small.any() else POINTS - 1
    kept = min(len(order) - int(small.sum()), most)
    while kept and _few(counts[:, order[kept:]].sum(axis=1)):
        kept -= 1
    shown = sorted(order[:kept])
    if not shown or not counts.sum(axis=1).all():
        return ()
    names, pooled = [table.names[place] for place in shown], order[kept:]
    columns = [counts[:, place] for place in shown]
    if pooled:
        names = [*names, f"{len(pooled)} other bins"]
        columns = [*columns, counts[:, pooled].sum(axis=1)]
    x, y = (_rounded(side / side.sum()) for side in np.stack(columns, axis=1))
    return (Curve(kind=CurveKind.HISTOGRAM, names=tuple(names), x=x, y=y),)


def _few(counts: Counts) -> bool:
    return bool(((counts > 0) & (counts < LEAST)).any())


def _rounded(values: npt.NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) for value in np.round(values, 4))
