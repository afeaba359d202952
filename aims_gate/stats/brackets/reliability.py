"""Bracket of the expected calibration error: bins are counted exactly, their mean scores in bounds.

Where no cell has the edge of a bin within, the rows and positives of each bin are known, and so is
the error of its rate. Its mean score lies within its cells: the calibration error is least if each
mean lies as near to the bin's rate as it can, and greatest if it lies as far.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from aims_gate.stats import calibration
from aims_gate.stats.brackets.cells import (
    Celled,
    Counts,
    Floats,
    MergedCells,
    cells_of,
    midpoints,
    widened,
)
from aims_gate.stats.calibration import Reliability
from aims_gate.stats.intervals import Bounds
from aims_gate.stats.paired import quantile
from aims_gate.stats.tables import Ranked


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationBracket:
    """Bins whose mean scores are as near to their rates as they can be, and as far."""

    near: Reliability
    far: Reliability
    cells: int

    @property
    def value(self) -> Bounds:
        """Bounds of the calibration error, in [0, 1]."""
        return widened((calibration.value(self.near), calibration.value(self.far)), 0.0, 1.0)

    @property
    def plain(self) -> Bounds:
        """Bounds of the plain sum, what noise adds included."""
        return widened((calibration.plain(self.near), calibration.plain(self.far)), 0.0, 1.0)

    def ends(self, alpha: float) -> tuple[Bounds, Bounds]:
        """Bounds of `calibration.bounds` at level *alpha*, where both are low and both are high.

        Errors of rates are the same at both ends, so that bounds grow with the plain sum.
        """
        z = quantile(alpha)
        pairs = zip(calibration.bounds(self.near, z), calibration.bounds(self.far, z), strict=True)
        (low, least), (high, most) = (widened(pair, 0.0, 1.0) for pair in pairs)
        return (low, high), (least, most)


def bracket(positives: Celled, negatives: Celled, bins: int) -> CalibrationBracket | None:
    """Bracket of an error over *bins* of equal mass; None where a cell has an edge within."""
    if any(one.any() for one in open_cells(positives, negatives, bins)):
        return None
    found = calibration.reliability(Ranked.merge(*midpoints(positives, negatives)), bins)
    least, most = _mean_scores(positives, negatives, found.rows)
    rates = found.positives / found.rows
    far = np.where(rates - least > most - rates, least, most)
    return CalibrationBracket(
        near=replace(found, scores=np.clip(rates, least, most)),
        far=replace(found, scores=far),
        cells=cells_of(positives, negatives),
    )


def open_cells(positives: Celled, negatives: Celled, bins: int) -> tuple[Floats, Floats]:
    """Cells of several scores in which a bin may end, by their rows.

    It ends at one of two neighbours in rank, or between them.
    """
    cells = MergedCells.of(positives, negatives)
    hits, misses = cells.counts(positives, negatives)
    ends = np.cumsum(hits + misses)
    below, _ = calibration.ranks_below(int(ends[-1]), bins)
    neighbours = np.concatenate([below[1:-1], below[1:-1] + 1])
    cut = np.zeros(len(ends), dtype=np.bool_)
    cut[np.searchsorted(ends, neighbours, side="right")] = True
    cut &= cells.least < cells.greatest
    first, other = (
        np.where(cut[own], one.counts, 0.0)
        for own, one in zip(cells.places, (positives, negatives), strict=True)
    )
    return first, other


def _mean_scores(positives: Celled, negatives: Celled, rows: Counts) -> tuple[Floats, Floats]:
    """The least and the greatest mean score of each bin of so many *rows*, in ascending order."""
    cells = MergedCells.of(positives, negatives)
    hits, misses = cells.counts(positives, negatives)
    before = np.cumsum(hits + misses) - (hits + misses)
    bins = np.searchsorted(np.cumsum(rows), before, side="right")
    least, most = (
        sum(
            np.bincount(bins[own], one.counts * getattr(one, end), len(rows))
            for own, one in zip(cells.places, (positives, negatives), strict=True)
        )
        / rows
        for end in ("least", "greatest")
    )
    return least, most
