"""Brackets of distances between two histograms over quantiles of the reference: PSI and others.

A cut between bins lies in a cell of the reference, and is known up to that cell; so are the rows of
both samples on either side of it. Where cells leave open which cuts there are, there is no bracket
but the whole range: an atom may hide in a cell with a tenth of the rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from aims_gate.stats.binned_distance import (
    NO_SHARE,
    BinnedDistance,
    Divergence,
    distance_over,
)
from aims_gate.stats.bins import BINS, Binned, equal_shares
from aims_gate.stats.brackets.cells import Celled, Counts, Floats, valued, widened
from aims_gate.stats.intervals import Bounds

Mask = npt.NDArray[np.bool_]
_Side = Literal["left", "right"]
_BELOW: _Side = "left"
_UP_TO: _Side = "right"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BinBounds:
    """The least and the greatest count of each bin, of both samples, each bin surely there."""

    least: tuple[Counts, Counts]
    """Shape (bins,) each, of the reference and of the current sample."""
    most: tuple[Counts, Counts]
    sizes: tuple[int, int]

    @property
    def bins(self) -> int:
        """How many bins there are."""
        return len(self.least[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class BinnedBracket:
    """A distance at its low and at its high end, and how far a bin may add to an upper bound."""

    low: BinnedDistance
    high: BinnedDistance
    table: BinBounds

    @property
    def value(self) -> Bounds:
        """Bounds of the distance; it alone where the cells leave nothing open."""
        bounds = self.low.value, self.high.value
        return bounds if self.low is self.high else widened(bounds, 0.0, self.low.of.most)

    def ends(self, alpha: float) -> tuple[Bounds, Bounds]:
        """Bounds of the interval at level *alpha*, where both are low and where both are high."""
        low, high = self.low.bounds(alpha), self.high.bounds(alpha)
        if self.low is self.high:
            return low, high
        most = self.low.of.most
        bounds = [widened((one[0], one[1]), 0.0, most) for one in (low, high)]
        return (bounds[0][0], widened((low[1], low[1]), 0.0, most)[0]), (
            widened((high[0], high[0]), 0.0, most)[1],
            bounds[1][1],
        )


def bracket(
    of: Divergence, reference: Celled, current: Celled, *, design_effect: float = 1.0
) -> BinnedBracket | None:
    """Bracket of a distance over about ten quantile bins; None where cells do not tell the bins."""
    found = bin_bounds(reference, current)
    if found is None:
        return None
    if all(np.array_equal(*pair) for pair in zip(found.least, found.most, strict=True)):
        names = tuple(map(str, range(found.bins)))
        table = Binned(reference=found.least[0], current=found.least[1], names=names)
        exact = distance_over(of, table, design_effect=design_effect)
        return BinnedBracket(low=exact, high=exact, table=found)
    p, q = (_shares(of, found, side) for side in (0, 1))
    n, m = found.sizes
    low = BinnedDistance(
        raw=float(_least(of, p, q).sum()),
        df=found.bins - 1,
        size=n * m / (n + m) / design_effect,
        top_bin="",
        of=of,
        design_effect=design_effect,
    )
    high = replace(
        low,
        raw=float(_most(of, p, q).sum()),
        reach=lambda alpha: _reach(of, found, design_effect, alpha),
    )
    return BinnedBracket(low=low, high=high, table=found)


def bin_bounds(reference: Celled, current: Celled) -> BinBounds | None:
    """Bounds of the counts of `stats.bins.numeric`; None where cells do not tell the bins."""
    cells = _with_infinities(reference)
    rows = valued(reference) + reference.nulls
    atoms = np.flatnonzero(cells.counts * BINS >= rows)
    edges: list[tuple[Bounds, Bounds]] = []
    start = 0
    for atom in map(int, atoms):
        known = _run_edges(cells, (start, atom), current, rows)
        if known is None or cells.wide[atom]:
            return None
        value = float(cells.least[atom])
        edges += known
        for side in (_BELOW, _UP_TO):
            edges.append((_up_to(reference, value, side), _up_to(current, value, side)))
        start = atom + 1
    known = _run_edges(cells, (start, len(cells.counts)), current, rows)
    if known is None:
        return None
    sizes = valued(reference), valued(current)
    return _kept([*edges, *known], sizes, (reference.nulls, current.nulls))


def open_cells(reference: Celled, current: Celled) -> tuple[Floats, Floats]:
    """Cells in which a cut may lie, by their rows: of the reference, and where they meet it.

    While an atom may hide in a cell, it is not known where the others are cut.
    """
    cells = _with_infinities(reference)
    rows = valued(reference) + reference.nulls
    atoms = cells.counts * BINS >= rows
    cut = atoms & cells.wide
    if not cut.any():
        cut, start = atoms, 0
        for stop in (*np.flatnonzero(atoms).tolist(), len(atoms)):
            reached = np.cumsum(cells.counts[start:stop])
            if len(reached):
                shares = equal_shares(int(reached[-1]), rows)
                cut[start + np.searchsorted(reached, shares, side="left")] = True
            start = stop + 1
    first = np.searchsorted(current.greatest, cells.least[cut], side="left")
    last = np.searchsorted(current.least, cells.greatest[cut], side="right")
    meets = np.zeros(len(current.counts) + 1)
    np.add.at(meets, first, 1.0)
    np.add.at(meets, last, -1.0)
    meeting = (np.cumsum(meets)[:-1] > 0) & (current.least < current.greatest)
    finite = slice(bool(reference.below), len(cells.counts) - bool(reference.above))
    return (
        np.where(cut & cells.wide, cells.counts, 0.0)[finite],
        np.where(meeting, current.counts, 0.0),
    )


def _run_edges(
    cells: _Cells, run: tuple[int, int], current: Celled, rows: int
) -> list[tuple[Bounds, Bounds]] | None:
    """Rows up to each cut of a run of cells, as `stats.bins` cuts it; None if they are not known.

    Two cuts in one cell may be one, and the end of the run is none.
    """
    start, stop = run
    if start == stop:
        return []
    before, reached = int(cells.counts[:start].sum()), np.cumsum(cells.counts[start:stop])
    found: dict[int, tuple[Bounds, Bounds]] = {}
    for share in equal_shares(int(reached[-1]), rows):
        place = int(np.searchsorted(reached, share, side="left"))
        cell, most = start + place, before + int(reached[place])
        if cell in found or cell + 1 == stop:
            if cells.wide[cell]:
                return None
            continue
        low, _ = _up_to(current, float(cells.least[cell]), _UP_TO)
        _, high = _up_to(current, float(cells.greatest[cell]), _UP_TO)
        found[cell] = (
            (float(before + share if cells.wide[cell] else most), float(most)),
            (low, high),
        )
    return list(found.values())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Cells:
    """Cells with those of infinite values, which are values like others for bins."""

    least: Floats
    greatest: Floats
    counts: Counts

    @property
    def wide(self) -> Mask:
        """Shape (cells,): those that may hold more than one value."""
        return self.least < self.greatest


def _with_infinities(sample: Celled) -> _Cells:
    low, high = [-np.inf] * bool(sample.below), [np.inf] * bool(sample.above)
    counts = [[sample.below] * bool(sample.below), [sample.above] * bool(sample.above)]
    return _Cells(
        least=np.concatenate([low, sample.least, high]),
        greatest=np.concatenate([low, sample.greatest, high]),
        counts=np.concatenate([counts[0], sample.counts, counts[1]]).astype(np.int64),
    )


def _up_to(sample: Celled, value: float, side: _Side) -> Bounds:
    """Rows up to a value or below it: those that surely and that maybe are."""
    cells = _with_infinities(sample)
    summed = np.append(0, np.cumsum(cells.counts))
    surely, maybe = (
        summed[np.searchsorted(of, value, side=side)] for of in (cells.greatest, cells.least)
    )
    return float(surely), float(maybe)


def _kept(
    edges: list[tuple[Bounds, Bounds]], sizes: tuple[int, int], nulls: tuple[int, int]
) -> BinBounds | None:
    """Bins between edges, and that of nulls, without those that are surely empty in both."""
    least, most = [], []
    for side, (rows, missing) in enumerate(zip(sizes, nulls, strict=True)):
        low = np.array([0, *(edge[side][0] for edge in edges), rows], dtype=np.int64)
        high = np.array([0, *(edge[side][1] for edge in edges), rows], dtype=np.int64)
        least.append(np.append(np.maximum(low[1:] - high[:-1], 0), missing))
        most.append(np.append(high[1:] - low[:-1], missing))
    surely, maybe = least[0] + least[1] > 0, most[0] + most[1] > 0
    if np.any(surely != maybe):
        return None
    return BinBounds(
        least=(least[0][surely], least[1][surely]),
        most=(most[0][surely], most[1][surely]),
        sizes=(sizes[0] + nulls[0], sizes[1] + nulls[1]),
    )


def _shares(of: Divergence, table: BinBounds, side: int) -> tuple[Floats, Floats]:
    added = 0.5 if of.smooth else 0.0
    rows = table.sizes[side] + added * table.bins
    low, high = (
        np.maximum((counts[side] + added) / rows, of.least) for counts in (table.least, table.most)
    )
    return low, high


def _most(of: Divergence, p: tuple[Floats, Floats], q: tuple[Floats, Floats]) -> Floats:
    """Greatest summands: each grows as one share moves away from the other."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.fmax(of.terms(p[0], q[1]), of.terms(p[1], q[0]))


def _least(of: Divergence, p: tuple[Floats, Floats], q: tuple[Floats, Floats]) -> Floats:
    """Least summands: 0 where both shares may be equal."""
    with np.errstate(divide="ignore", invalid="ignore"):
        below, above = of.terms(p[1], q[0]), of.terms(p[0], q[1])
    return np.where(p[1] < q[0], below, np.where(p[0] > q[1], above, 0.0))


def _reach(of: Divergence, table: BinBounds, design_effect: float, alpha: float) -> float:
    """The most that `stats.binned_distance` may reach above the sum, whatever the counts are.

    The distance of a share from its own bound is not taken off, which is less than noise.
    """
    floor = max(of.least, NO_SHARE)
    shares = [_shares(of, table, side) for side in (0, 1)]
    least = _least(of, shares[0], shares[1])
    gained, squares = 0.0, 0.0
    for side in (0, 1):
        (low, high), (under, over) = shares[side], shares[1 - side]
        few, many = (counts[side] / design_effect for counts in (table.least, table.most))
        rows = table.sizes[side] / design_effect
        # a share that no row shows may be 0, and so may the other one
        under = np.where(table.least[1 - side] == 0, floor, np.maximum(under, floor))
        over = np.maximum(over, floor)
        vanishes = (few == 0) & (low < over)
        added = of.terms(np.full_like(low, floor), over) - least
        gained += float(np.maximum(added, 0.0)[vanishes].sum())
        down = np.clip(np.minimum(_lowest(few, rows, alpha), low), floor, 1.0)
        up = np.clip(np.maximum(_highest(many, rows, alpha), high), floor, 1.0)
        more = np.maximum(
            np.where(low < over, of.terms(down, over), 0.0),
            np.where(high > under, of.terms(up, under), 0.0),
        )
        squares += float(np.square(np.maximum(more - least, 0.0)).sum())
    return gained + math.sqrt(squares)


def _lowest(counts: Floats, rows: float, alpha: float) -> Floats:
    """Clopper-Pearson lower bounds of shares; 0 of none."""
    found = betaincinv(np.maximum(counts, 1e-9), rows - counts + 1, alpha)
    return np.where(counts > 0, found, 0.0)


def _highest(counts: Floats, rows: float, alpha: float) -> Floats:
    """Clopper-Pearson upper bounds of shares."""
    return np.asarray(betaincinv(counts + 1, np.maximum(rows - counts, 1e-9), 1 - alpha))
