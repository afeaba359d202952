"""How much of a metric's value over all rows is that of a part of them.

With g the value of a part and o that of the whole, c = cov(g, o) / var(g): o is c g and a
remainder that is independent of g, to first order. Of sums c is the part's share of the rows; of
other metrics it follows from how each row moves both values: the infinitesimal jackknife (Jaeckel
1972), and for areas the placements of DeLong, DeLong and Clarke-Pearson (1988).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from aims_gate.stats.tables import Confusion, Ranked

Floats = npt.NDArray[np.float64]
_CELLS = ("tp", "fn", "fp", "tn")


def of_counts(value: Callable[[Confusion], float], part: Confusion, whole: Confusion) -> float:
    """Regression slope c of a metric of a confusion table; 0 if no row moves the part's value.

    One more row in a cell tells how much the cell's rows move the value.
    """
    counts = np.array([getattr(part, cell) for cell in _CELLS], dtype=np.float64)
    mine, all_rows = _influence(value, part), _influence(value, whole)
    mine = mine - float(counts @ mine) / part.rows
    own = float(counts @ mine**2)
    if not own > 0:
        return 0.0
    return part.rows / whole.rows * float(counts @ (mine * all_rows)) / own


def of_areas(part: Ranked, whole: Ranked) -> float:
    """Regression slope c of the ROC area, by DeLong's placements; 0 if no row moves the part's."""
    places = np.searchsorted(whole.scores, part.scores)
    own = shared = 0.0
    for counts, mine, all_rows, size in (
        (part.positives, _below(part), _below(whole)[places], whole.positives.sum()),
        (part.negatives, _above(part), _above(whole)[places], whole.negatives.sum()),
    ):
        rows = float(counts.sum())
        centred = mine - float(counts @ mine) / rows
        own += float(counts @ centred**2) / rows**2
        shared += float(counts @ (centred * all_rows)) / (rows * float(size))
    return shared / own if own > 0 else 0.0


def _influence(value: Callable[[Confusion], float], table: Confusion) -> Floats:
    base, rows = value(table), table.rows
    more = (replace(table, **{cell: getattr(table, cell) + 1}) for cell in _CELLS)
    return np.array([(value(one) - base) * (rows + 1) for one in more])


def _below(table: Ranked) -> Floats:
    """Placements of positives: the share of negatives below each score, ties one half."""
    total = int(table.negatives.sum())
    found: Floats = (np.cumsum(table.negatives) - table.negatives / 2) / total
    return found


def _above(table: Ranked) -> Floats:
    """Placements of negatives: the share of positives above each score, ties one half."""
    total = int(table.positives.sum())
    found: Floats = (total - np.cumsum(table.positives) + table.positives / 2) / total
    return found
