"""Samples in cells, and what follows from one alone: rows up to a value, and its moments."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from aims_gate.stats.intervals import Bounds

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

ROUNDING = 1e-12
"""Share, and distance, by which brackets are wider than their formulas, which round."""


class Celled(Protocol):
    """Cells of a numeric sample, disjoint and in ascending order, and rows in none of them."""

    @property
    def least(self) -> Floats:
        """Shape (cells,): the least value in each; finite."""
        ...

    @property
    def greatest(self) -> Floats:
        """Shape (cells,): the greatest value in each; finite."""
        ...

    @property
    def counts(self) -> Counts:
        """Shape (cells,), each at least 1."""
        ...

    @property
    def nulls(self) -> int:
        """Rows without a value."""
        ...

    @property
    def below(self) -> int:
        """Rows of negative infinity."""
        ...

    @property
    def above(self) -> int:
        """Rows of positive infinity."""
        ...


class Proven(Protocol):
    """Bounds of a statistic of all rows, and of what its interval follows from."""

    @property
    def value(self) -> Bounds:
        """The least and the greatest value."""
        ...

    @property
    def cells(self) -> int:
        """Cells that rows were counted in."""
        ...

    def ends(self, alpha: float) -> tuple[Bounds, Bounds]:
        """Bounds of the interval at level *alpha*, where both are low and where both are high."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MergedCells:
    """Cells of several samples in ascending order, those that overlap as one."""

    least: Floats
    greatest: Floats
    places: tuple[Counts, ...]
    """Of each sample's cells: which of these they are in."""

    @classmethod
    def of(cls, *samples: Celled) -> MergedCells:
        """Join the cells of *samples*."""
        least, greatest = (
            np.concatenate([getattr(one, end) for one in samples]) for end in ("least", "greatest")
        )
        order = np.argsort(least, kind="stable")
        low, reach = least[order], np.maximum.accumulate(greatest[order])
        new = np.append(True, low[1:] > reach[:-1])[: len(low)]
        last = np.append(new[1:], True)[: len(low)]
        places = np.empty(len(low), dtype=np.int64)
        places[order] = np.cumsum(new) - 1
        own = np.split(places, np.cumsum([len(one.counts) for one in samples])[:-1])
        return cls(least=low[new], greatest=reach[last], places=tuple(own))

    def counts(self, *samples: Celled) -> list[Counts]:
        """Rows of each sample, whose cells these are, in each of these."""
        found = []
        for one, own in zip(samples, self.places, strict=True):
            counts = np.zeros(len(self.least), dtype=np.int64)
            np.add.at(counts, own, one.counts)
            found.append(counts)
        return found

    def rows(self, at: Floats, *samples: Celled) -> list[tuple[Floats, Counts]]:
        """Values and counts of each sample with the rows of each cell *at* one value.

        Rows of two samples in it are then in no order; infinite rows stay where they are.
        """
        values = np.concatenate([[-np.inf], at, [np.inf]])
        found = []
        for one, counts in zip(samples, self.counts(*samples), strict=True):
            ends = np.array([one.below, *counts, one.above], dtype=np.int64)
            found.append((values[ends > 0], ends[ends > 0]))
        return found


def midpoints(*samples: Celled) -> list[tuple[Floats, Counts]]:
    """Values and counts of samples with each row at the middle of its cell: estimates, no bounds.

    Cells that overlap are one.
    """
    cells = MergedCells.of(*samples)
    middle = cells.least / 2 + cells.greatest / 2
    return cells.rows(np.where(cells.least == cells.greatest, cells.least, middle), *samples)


def valued(sample: Celled) -> int:
    """Rows that have a value."""
    return int(sample.counts.sum()) + sample.below + sample.above


def cells_of(*samples: Celled) -> int:
    """Cells of samples together; the resolution of what follows from them."""
    return max(1, sum(len(sample.counts) for sample in samples))


def rows_up_to(sample: Celled, points: Floats) -> tuple[Counts, Counts]:
    """Count the rows up to each of *points*: those that surely are, and those that may be."""
    summed = sample.below + np.append(0, np.cumsum(sample.counts))
    surely = summed[np.searchsorted(sample.greatest, points, side="right")]
    maybe = summed[np.searchsorted(sample.least, points, side="right")]
    return surely, maybe


def ends_of(*samples: Celled) -> Floats:
    """All ends of the cells of samples, ascending; between two of them nothing changes."""
    return np.unique(np.concatenate([end for one in samples for end in (one.least, one.greatest)]))


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralMoments:
    """Bounds of the mean, standard deviation, skewness and kurtosis of a sample, divisor n."""

    mean: Bounds
    spread: Bounds
    skewness: Bounds
    kurtosis: Bounds
    """Of the fourth standardised moment, at least 1 where there is any spread."""


def moments(least: Floats, greatest: Floats, counts: Counts) -> CentralMoments:
    """Bounds of the moments of values within *least* and *greatest*, in any order; finite.

    The standard deviation is a seminorm: it differs from that of the midpoints by at most the root
    mean square of half the widths.
    """
    shares = counts / counts.sum()
    middle, half = least + (greatest / 2 - least / 2), greatest / 2 - least / 2
    centre = math.fsum(shares * middle)
    around, reach = (
        math.sqrt(math.fsum(shares * np.square(part))) for part in (middle - centre, half)
    )
    mean = math.fsum(shares * least), math.fsum(shares * greatest)
    slack = ROUNDING * (around + float(np.abs(middle).max(initial=0.0)))
    spread = max(around - reach - slack, 0.0), around + reach + slack
    low, high = least - mean[1], greatest - mean[0]
    third = [math.fsum(shares * np.power(part, 3)) for part in (low, high)]
    far = np.maximum(np.abs(low), np.abs(high))
    near = np.where((low < 0) & (high > 0), 0.0, np.minimum(np.abs(low), np.abs(high)))
    fourth = [math.fsum(shares * np.power(part, 4)) for part in (near, far)]
    cubes = [one**3 for one in spread]
    return CentralMoments(
        mean=mean,
        spread=spread,
        skewness=(_over(third[0], cubes, least=True), _over(third[1], cubes, least=False)),
        kurtosis=(
            max(_over(fourth[0], [one**4 for one in spread], least=True), 1.0),
            max(_over(fourth[1], [one**4 for one in spread], least=False), 1.0),
        ),
    )


def _over(value: float, bounds: list[float], *, least: bool) -> float:
    """The least, or the greatest, of a value over a denominator between two bounds, 0 or more."""
    low, high = bounds
    by = high if (value > 0) == least else low
    if not by:
        return math.copysign(math.inf, value) if value else 0.0
    return value / by


def widened(bounds: Bounds, least: float = -math.inf, most: float = math.inf) -> Bounds:
    """Bounds with room for rounding, kept within a range; all of it where they are undefined."""
    low, high = bounds
    if math.isnan(low) or math.isnan(high):
        return least, most
    low, high = (
        low - ROUNDING * (1 + abs(low)) if math.isfinite(low) else low,
        high + ROUNDING * (1 + abs(high)) if math.isfinite(high) else high,
    )
    return min(max(low, least), most), max(min(high, most), least)
