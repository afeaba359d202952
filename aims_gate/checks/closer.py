"""Counting closer: cells that keep a bracket open are counted in smaller ones, and no others.

Samples are counted in the cells of one grid. Each round asks for a few cells again, cut so
finely that the answer has a bounded size; where these hold few rows, each value gets a cell. So a
bracket that rests on few cells ends in the exact value, and no value elsewhere is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from aims_gate.bracket import Bounds, Bracket
from aims_gate.checks.contract import Resolution
from aims_gate.errors import DataError
from aims_gate.facts import Interval, Statistic
from aims_gate.frames import Counts, Floats, Grid, Histogram
from aims_gate.stats.brackets.cells import Proven

FINEST = 1 << 52
"""Cells of the finest grid: floats at different places of its range have a cell each."""
_MOST_CODES = 1 << 12
"""Cells that one question names."""

Ask = Callable[[Grid], Sequence[Histogram]]
"""Histograms of all samples on a grid."""
Weigh = Callable[..., Sequence[Floats]]
"""How far each cell of each sample, all handed in, keeps a bracket open; 0 does not."""


def counted(
    ask: Ask, weigh: Weigh, ends: tuple[float, float], rounds: int, by: Resolution
) -> tuple[Histogram, ...]:
    """Histograms of samples in cells that are small where it matters.

    Args:
        ask: Counts all on a grid.
        weigh: Says which cells matter.
        ends: The least and the greatest finite value of all.
        rounds: How often cells are counted again; fewer if nothing is open, or too much is.
        by: How many cells there are at first, and how many a round asks for.

    Raises:
        DataError: The rows of a cell are not those that were counted before.
    """
    grid = Grid.over(*ends, by.cells)
    samples = [_Sample.on(grid, one) for one in ask(grid)]
    for _ in range(rounds):
        weights = weigh(*(one.found for one in samples))
        finer = _finer(grid, samples, weights, by.room)
        if finer is None:
            break
        samples = [one.closer(finer, again) for one, again in zip(samples, ask(finer), strict=True)]
    return tuple(one.found for one in samples)


def in_bracket(
    found: Statistic, proven: Proven, alpha: float, alone: float | None = None
) -> Statistic:
    """The statistic in its bracket, with intervals that hold wherever in it the value lies.

    As it is where the bracket leaves nothing open.

    Args:
        found: The statistic of rows at the middle of their cells.
        proven: What all rows can give.
        alpha: Of the interval.
        alone: Of the interval of the cell by itself, if it has one.
    """
    low, high = proven.value
    ends = None if found.interval is None else proven.ends(alpha)
    own = None if found.alone is None or alone is None else proven.ends(alone)
    bracket = Bracket(low=low, high=high, cells=proven.cells, interval=ends, alone=own)
    if bracket.is_settled:
        return found
    return replace(
        found,
        value=min(max(found.value or 0.0, low), high),
        interval=_around(found.interval, ends),
        alone=_around(found.alone, own),
        bracket=bracket,
    )


def _around(interval: Interval | None, ends: tuple[Bounds, Bounds] | None) -> Interval | None:
    if interval is None or ends is None:
        return interval
    return replace(interval, low=ends[0][0], high=ends[1][1])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sample:
    """A histogram, and of how many cells the grid is that each of its cells belongs to."""

    found: Histogram
    grids: Counts
    """Shape (cells,)."""

    @classmethod
    def on(cls, grid: Grid, found: Histogram) -> _Sample:
        return cls(found=found, grids=np.full(len(found.counts), grid.cells, dtype=np.int64))

    def closer(self, grid: Grid, again: Histogram) -> _Sample:
        """The sample with what a finer grid counted in place of the cells that it cuts."""
        cells, codes = grid.within or (0, ())
        coarse = replace(grid, cells=cells, within=None)
        gone = (self.grids == cells) & np.isin(coarse.codes(self.found.least), codes)
        if int(self.found.counts[gone].sum()) != int(again.counts.sum()):
            raise DataError("rows changed while they were counted", hint="judge a snapshot")
        least, greatest, counts, grids = (
            np.concatenate([kept[~gone], new])
            for kept, new in (
                (self.found.least, again.least),
                (self.found.greatest, again.greatest),
                (self.found.counts, again.counts),
                (self.grids, np.full(len(again.counts), grid.cells, dtype=np.int64)),
            )
        )
        order = np.argsort(least, kind="stable")
        found = replace(
            self.found, least=least[order], greatest=greatest[order], counts=counts[order]
        )
        return _Sample(found=found, grids=grids[order])


def _finer(
    grid: Grid, samples: Sequence[_Sample], weights: Sequence[Floats], room: int
) -> Grid | None:
    """A grid of the cells that matter most; None if none does, or too many do to be named.

    Cells of one depth are named at a time.
    """
    weight = np.nan_to_num(np.concatenate(list(weights)), nan=0.0)
    open_ = weight > 0
    if not open_.any():
        return None
    weight, depths, least, rows = (
        part[open_]
        for part in (
            np.minimum(weight / weight.max(), 1.0),
            np.concatenate([one.grids for one in samples]),
            np.concatenate([one.found.least for one in samples]),
            np.concatenate([one.found.counts for one in samples]),
        )
    )
    depth = max(np.unique(depths).tolist(), key=lambda one: float(weight[depths == one].sum()))
    there = depths == depth
    coarser = replace(grid, cells=depth)
    codes, place = np.unique(coarser.codes(least[there]), return_inverse=True)
    weighed = np.bincount(place, weight[there])
    best = np.argsort(-weighed, kind="stable")[:_MOST_CODES]
    if 2 * weighed[best].sum() < weighed.sum():
        return None
    few = np.bincount(place, rows[there])[best].sum() <= room
    pieces = FINEST // depth if few else 1 << int(math.log2(max(room // len(best), 1)))
    pieces = min(pieces, FINEST // depth)
    return coarser.finer(tuple(np.sort(codes[best]).tolist()), pieces) if pieces > 1 else None
