"""Histograms of an empirical distribution: its values counted in the cells of a grid.

A table in memory answers from the sorted column: sorting takes as long as counting the cells
(14 ms of 1,000,000 floats, 160 ms of 10,000,000), and half as long as finding the least and
greatest value of each with it. So only engines that hold tables elsewhere are asked for cells.
"""

from __future__ import annotations

import numpy as np

from aims_gate.frames import Distribution, Grid, Histogram


def histogram_of(found: Distribution, grid: Grid) -> Histogram:
    """Histogram of a distribution; its cells are runs of the ascending values."""
    first = int(np.searchsorted(found.values, -np.inf, side="right"))
    stop = int(np.searchsorted(found.values, np.inf, side="left"))
    values, counts = found.values[first:stop], found.counts[first:stop]
    coarser = grid.coarser
    if coarser is not None and grid.within is not None:
        inside = np.isin(coarser.codes(values), grid.within[1])
        values, counts = values[inside], counts[inside]
    codes = grid.codes(values)
    begins = np.flatnonzero(np.append(True, codes[1:] != codes[:-1])) if len(codes) else codes
    ends = np.append(begins[1:], len(codes)) - 1 if len(codes) else codes
    return Histogram(
        least=values[begins],
        greatest=values[ends],
        counts=np.add.reduceat(counts, begins) if len(codes) else codes,
        nulls=0 if grid.within else found.nulls,
        below=0 if grid.within else int(found.counts[:first].sum()),
        above=0 if grid.within else int(found.counts[stop:].sum()),
    )
