"""Small aggregates that charts are drawn from, under the rules of disclosure control.

A step of a curve holds at least 30 rows. A bin of a histogram that holds fewer is suppressed, and
where it is the only one the next smallest as well (secondary suppression), since the rows of all
bins are known. Numbers have four decimals.
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
    """Shares of two samples by bin; the smallest bins past POINTS are pooled as `others`."""
    names, counts = list(table.names), np.stack([table.reference, table.current])
    if len(names) > POINTS:
        keep = np.sort(np.argsort(-counts.sum(axis=0), kind="stable")[: POINTS - 1])
        others = counts.sum(axis=1) - counts[:, keep].sum(axis=1)
        names = [*(names[place] for place in keep), "others"]
        counts = np.concatenate([counts[:, keep], others[:, None]], axis=1)
    if not names or not counts.sum(axis=1).all():
        return ()
    x, y = map(_shares, counts)
    return (Curve(kind=CurveKind.HISTOGRAM, names=tuple(names), x=x, y=y),)


def _shares(counts: Counts) -> tuple[float | None, ...]:
    """Share of each bin, None where it is suppressed."""
    hidden = (counts > 0) & (counts < LEAST)
    if hidden.sum() == 1:
        rest = np.flatnonzero((counts > 0) & ~hidden)
        hidden[rest[np.argsort(counts[rest], kind="stable")[:1]]] = True
    shares = _rounded(counts / counts.sum())
    return tuple(
        None if gone else share for share, gone in zip(shares, hidden.tolist(), strict=True)
    )


def _rounded(values: npt.NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) for value in np.round(values, 4))
