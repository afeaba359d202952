"""DeLong placements: the rank of rows among those of the other class, under two scores."""

from __future__ import annotations

import numpy as np

from aims_gate.errors import DataError
from aims_gate.stats.rows.losses import Moments, moments_of
from aims_gate.stats.tables import Counts, Floats


def placement_moments(
    labels: Floats, first: Floats, second: Floats, weights: Counts | None, *, where: str
) -> tuple[Moments, Moments]:
    """Moments by class of the difference of DeLong placements, *first* less *second*.

    One sort of each class and score.

    Args:
        labels: Shape (rows,): 1 for the positive class, 0 for others, NaN for null.
        first: Shape (rows,): scores.
        second: Shape (rows,): scores.
        weights: Shape (rows,), or None where every row counts once.
        where: What the data are called in errors.

    Returns:
        Of the positives, and of the negatives; both means are the difference of the areas.

    Raises:
        DataError: A class has no rows, a label is null, or a score is not finite.
    """
    if not all(np.isfinite(column).all() for column in (labels, first, second)):
        hint = "leave out rows without them"
        raise DataError("a label is null or a score not finite", where=where, hint=hint)
    positive = labels == 1
    sides = []
    for side in (positive, ~positive):
        own = None if weights is None else weights[side]
        others = None if weights is None else weights[~side]
        below = [_share_below(scores[side], scores[~side], others) for scores in (first, second)]
        moved = below[0] - below[1]
        # a negative is placed well where positives are above it
        sides.append(moments_of(moved if side is positive else -moved, own))
    return sides[0], sides[1]


def _share_below(rows: Floats, others: Floats, weights: Counts | None) -> Floats:
    """Placement: the share of *others* with a lower score, ties one half, shape (rows,)."""
    if not len(others):
        return np.zeros(len(rows))
    order = np.argsort(others, kind="stable")
    ordered = others[order]
    counts = np.ones(len(others)) if weights is None else weights[order].astype(np.float64)
    until = np.concatenate(([0.0], np.cumsum(counts)))
    # looked up in their order: in any other one, each look-up would wait for memory
    asked = np.argsort(rows, kind="stable")
    sorted_rows = rows[asked]
    shares = np.empty(len(rows))
    low = until[np.searchsorted(ordered, sorted_rows, side="left")]
    high = until[np.searchsorted(ordered, sorted_rows, side="right")]
    shares[asked] = (low + high) / (2 * until[-1])
    return shares
