"""Arguments and answers of frame queries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from aims_gate.stats.counting import total
from aims_gate.stats.rows import Codes

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Scalar = str | int | float | bool
"""A value of a cell: text (categories, dates as ISO 8601), whole number, number or truth value."""

_WIDEST = 2.0**1022
"""Twice as far no width is finite."""
MISSING = "(missing)"
"""The label of null in a column that is used as a group."""


class ColumnKind(StrEnum):
    """What a column holds."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"
    TIME = "time"
    OTHER = "other"
    """Lists, structs, bytes: nothing that a check can use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What a column holds, and how it is stored."""

    kind: ColumnKind
    type: str
    """The exact type that it was stored with, for people and schema checks."""
    bits: int
    """Float precision in bits; 64 if it holds no floats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A column to count by: as it is, cut into bins, or by a pattern.

    With edges `(0, 25, 45)` a number x falls into `[0,25)`, `[25,45)` or `[45,inf)`, and below the
    first edge into `(-inf,0)`. Null and NaN are the group `(missing)`.
    """

    column: str
    edges: tuple[float, ...] = ()
    matches: str | None = None
    """An RE2 pattern: text is counted by whether it matches from end to end. Never with edges."""
    contains: str | None = None
    """An RE2 pattern: text is counted by its values, those in which nothing matches as null. Whole
    numbers are read as their digits, and other numbers have no text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Counts of rows by the values of some columns: one row of *values* per non-empty cell.

    A null is None. Cells are in a fixed order that does not depend on the order of the rows.
    """

    keys: tuple[Key, ...]
    values: tuple[tuple[Scalar | None, ...], ...]
    counts: Counts
    """Shape (cells,): rows, or the sum of the frame's weights."""

    @property
    def rows(self) -> int:
        """All rows."""
        return int(self.counts.sum())

    def by_value(self) -> dict[Scalar | None, int]:
        """Counts by value; ValueError unless they were counted by one column."""
        counts = zip(self.values, self.counts, strict=True)
        return {value: int(count) for (value,), count in counts}


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A numeric column: its distinct finite-or-infinite values in ascending order, with counts.

    NaN and null are counted in *nulls* and are not among the values.
    """

    values: Floats
    """Shape (distinct,), strictly ascending."""
    counts: Counts
    """Shape (distinct,), each at least 1."""
    nulls: int

    @property
    def rows(self) -> int:
        """All rows, nulls included."""
        return total(self.counts) + self.nulls


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Equal-width bins of a histogram: its range, cut into cells; values beyond are in the ends.

    Raises:
        ValueError: The range is empty or not finite, or there are no cells.
    """

    low: float
    high: float
    cells: int
    within: tuple[int, tuple[int, ...]] | None = None
    """Of how many cells a coarser grid of this range is, and the codes of those whose rows alone
    are counted; None counts all rows."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.high - self.low) and self.low < self.high and self.cells > 0):
            raise ValueError(f"no grid: {self.cells} cells from {self.low:g} to {self.high:g}")

    @classmethod
    def over(cls, least: float, greatest: float, cells: int) -> Grid:
        """A grid of finite values from *least* to *greatest*; one where they are equal."""
        low, high = (max(-_WIDEST, min(end, _WIDEST)) for end in (least, greatest))
        return cls(low=low, high=high if low < high else math.nextafter(low, math.inf), cells=cells)

    def finer(self, codes: tuple[int, ...], pieces: int) -> Grid:
        """The cells of *codes* alone, each cut into *pieces*."""
        return replace(self, cells=self.cells * pieces, within=(self.cells, codes))

    @property
    def coarser(self) -> Grid | None:
        """The grid whose cells *within* names."""
        return None if self.within is None else replace(self, cells=self.within[0], within=None)

    def codes(self, values: Floats) -> Counts:
        """Cell of each finite value, from 0: the same on every engine whose floats are IEEE 754.

        Each step keeps the order of values as floats, so that cells are disjoint and in order
        however it rounds.
        """
        with np.errstate(over="ignore"):  # what is far beyond the range is in an end cell
            steps = (values - self.low) / (self.high - self.low) * self.cells
        return np.clip(np.floor(steps), 0, self.cells - 1).astype(np.int64)


WHOLE = Grid(low=0.0, high=1.0, cells=1)
"""One cell, which says the least and the greatest finite value of a column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """A numeric column in the cells of a grid: what each holds, without the values between.

    In ascending order and disjoint; a cell whose least value is its greatest holds one value. Null
    and NaN are counted in *nulls*, infinite values *below* and *above*.
    """

    least: Floats
    """Shape (cells that hold a row,): the least finite value in each."""
    greatest: Floats
    """Shape (cells that hold a row,)."""
    counts: Counts
    """Shape (cells that hold a row,): rows, or the sum of the frame's weights."""
    nulls: int
    below: int = 0
    """Rows of negative infinity."""
    above: int = 0
    """Rows of positive infinity."""

    @property
    def rows(self) -> int:
        """All rows, nulls included."""
        return total(self.counts) + self.nulls + self.below + self.above


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coded:
    """A column as codes of its distinct values."""

    codes: Codes
    """Shape (rows,): index into *values*, -1 for null; of a type that can count them all."""
    values: Sequence[Scalar]
    """Ascending and distinct."""

    def equals(self, wanted: Scalar) -> Floats:
        """Indicator of *wanted*, shape (rows,): 1 where equal, 0 where not, NaN where null."""
        hits = [float(value == wanted) for value in self.values]
        return np.array([*hits, np.nan])[self.codes]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gathered:
    """The rows of some columns, each once or as often as it is stored, in one order for all."""

    numbers: tuple[Floats, ...]
    """Each of shape (rows,), NaN where null."""
    codes: tuple[Coded, ...]
    weights: Counts | None
    """Shape (rows,): how many rows each stands for, at least 1; None where each is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From when to when a column of times is; None where it holds no time."""

    oldest: datetime | None
    newest: datetime | None
    nulls: int
    gap_days: float
    """The longest time between a row and the next, in days; 0 for fewer than two times."""
    gap_after: datetime | None
    """When that time without rows begins."""
    until: int = 0
    """Rows that are not after the moment that was asked for; 0 where none was."""
