"""Arguments and answers of frame queries."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from aims_gate.stats.counting import total

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
class Key:
    """A column to count by, as it is or cut into bins.

    With edges `(0, 25, 45)` a number x falls into `[0,25)`, `[25,45)` or `[45,inf)`, and below the
    first edge into `(-inf,0)`. Null and NaN are the group `(missing)`.
    """

    column: str
    edges: tuple[float, ...] = ()


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

    def __post_init__(self) -> None:
        if not (math.isfinite(self.high - self.low) and self.low < self.high and self.cells > 0):
            raise ValueError(f"no grid: {self.cells} cells from {self.low:g} to {self.high:g}")

    @classmethod
    def over(cls, least: float, greatest: float, cells: int) -> Grid:
        """A grid of finite values from *least* to *greatest*; one where they are equal."""
        low, high = max(least, -_WIDEST), min(greatest, _WIDEST)
        return cls(low=low, high=high if low < high else math.nextafter(low, math.inf), cells=cells)

    def codes(self, values: Floats) -> Counts:
        """Cell of each finite value, from 0: the same on every engine whose floats are IEEE 754.

        Each step keeps the order of values as floats, so that cells are disjoint and in order
        however it rounds.
        """
        with np.errstate(over="ignore"):  # what is far beyond the range is in an end cell
            steps = (values - self.low) / (self.high - self.low) * self.cells
        return np.clip(np.floor(steps), 0, self.cells - 1).astype(np.int64)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """The sums a mean and its interval follow from, over *rows* rows."""

    rows: int
    mean: float
    variance: float
    """Sample variance, divisor rows - 1; NaN for one row."""
    skewness: float
    """Third standardised sample moment, g1; 0 where the variance is 0."""
    kurtosis: float
    """Fourth standardised sample moment, at least 1; 0 where the variance is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rankings:
    """A ranking metric over queries."""

    values: Moments
    """Of the queries' values; *rows* counts queries, and without one the mean is NaN."""
    rows: int
    """Rows of these queries."""
    left_out: int
    """Queries whose rows are all worth the same: any order of them is as good as another."""


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
