"""Scores and losses counted in cells, for tables that are elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from aims_gate.checks.closer import Weigh, counted
from aims_gate.checks.contract import Resolution
from aims_gate.frames import WHOLE, Floats, Frame, Grid, Histogram, RowLoss, Scalar
from aims_gate.stats.brackets.quantiles import open_cells

Sides = tuple[Histogram, Histogram]


def sides_in_cells(
    frame: Frame,
    column: str,
    by: tuple[str, Scalar | None],
    resolution: Resolution,
    weigh: Weigh,
) -> Sides | None:
    """Histograms of a column among positives and all others; None where every score is looked at.

    That is also where a side is missing, or a score that is no finite number is to be refused.

    Args:
        frame: The rows, of which each has a label.
        column: The scores.
        by: The column of labels, and the positive one.
        resolution: How closely to look.
        weigh: Says which cells matter.
    """
    label, positive = by
    if resolution.rounds is None:
        return None
    whole = frame.histogram(column, WHOLE)
    if not len(whole.least) or whole.nulls or whole.below or whole.above:
        return None

    def ask(grid: Grid) -> Sides:
        found = frame.histogram(column, grid, label)
        own, others = (
            [one for value, one in found.items() if (value == positive) is side]
            for side in (True, False)
        )
        return _together(grid, own), _together(grid, others)

    ends = float(whole.least[0]), float(whole.greatest[0])
    first, other = ask(Grid.over(*ends, resolution.cells))
    if min(first.rows, other.rows) < 2:
        return None
    first, other = counted(ask, weigh, ends, resolution.rounds, resolution)
    return first, other


def errors_in_cells(frame: Frame, of: RowLoss, resolution: Resolution) -> Histogram | None:
    """Histogram of a loss, closer about its median; None where every row's is looked at.

    That is also where a loss is no finite number, which is to be refused.
    """
    if resolution.rounds is None:
        return None
    whole = frame.histogram(of, WHOLE)
    if not len(whole.least) or whole.nulls or whole.below or whole.above:
        return None
    ends = float(whole.least[0]), float(whole.greatest[0])
    (found,) = counted(
        lambda grid: [frame.histogram(of, grid)], open_cells, ends, resolution.rounds, resolution
    )
    return found


def _together(grid: Grid, parts: Collection[Histogram]) -> Histogram:
    """One histogram of several on a grid; empty of none."""

    def joined(get: Callable[[Histogram], Floats]) -> Floats:
        return np.concatenate([np.zeros(0), *map(get, parts)])

    least, greatest, counts = (
        joined(get) for get in (lambda x: x.least, lambda x: x.greatest, lambda x: x.counts)
    )
    codes, place = np.unique(grid.codes(least), return_inverse=True)
    low, high = np.full(len(codes), np.inf), np.full(len(codes), -np.inf)
    np.minimum.at(low, place, least)
    np.maximum.at(high, place, greatest)
    # exact: a frame's counts sum to less than 2^53
    summed = np.bincount(place, counts, len(codes)).astype(np.int64)
    return Histogram(least=low, greatest=high, counts=summed, nulls=sum(one.nulls for one in parts))
