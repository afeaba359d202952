"""Bracket of a median, and of its bounds, which are values at some ranks.

In ascending cells each rank lies in a known one, so that rows at the ends of their cells give the
least and the greatest value there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from aims_gate.stats import medians
from aims_gate.stats.brackets.cells import Celled, Floats, cells_of
from aims_gate.stats.intervals import Bounds
from aims_gate.stats.tables import OrderedErrors

_AROUND = 4.0
"""Roots of the rows to either side of the middle: bounds wrong in 1e-15 of samples lie within."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MedianBracket:
    """Rows at the least and at the greatest values of their cells."""

    least: OrderedErrors
    greatest: OrderedErrors
    cells: int

    @classmethod
    def of(cls, sample: Celled) -> MedianBracket:
        """Bracket of the median of finite values in cells."""
        least, greatest = (
            OrderedErrors(values=ends, counts=sample.counts)
            for ends in (sample.least, sample.greatest)
        )
        return cls(least=least, greatest=greatest, cells=cells_of(sample))

    @property
    def value(self) -> Bounds:
        """The least and the greatest median."""
        return medians.median(self.least), medians.median(self.greatest)

    def ends(self, alpha: float) -> tuple[Bounds, Bounds]:
        """Bounds of `medians.bounds` at level *alpha*, where both are low and both are high."""
        return medians.bounds(self.least, alpha), medians.bounds(self.greatest, alpha)


def open_cells(sample: Celled) -> tuple[Floats]:
    """Cells of several values about the middle, where the median and its bounds are; by rows."""
    reached = np.cumsum(sample.counts)
    middle, around = reached[-1] / 2, _AROUND * math.sqrt(reached[-1]) + 1
    near = (reached >= middle - around) & (reached - sample.counts <= middle + around)
    return (np.where(near & (sample.least < sample.greatest), sample.counts, 0.0),)
