"""Data frames as aggregate queries only, so that no check loops over rows.

The same check then runs on Arrow in memory, on files larger than memory and on Spark. Adding an
implementation is one file here; `tests/conformance/test_frame.py` holds every one to this contract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, overload

from aims_gate.frames.expressions import ClassLoss, RowLoss
from aims_gate.frames.values import (
    MISSING,
    WHOLE,
    Cells,
    Coded,
    Column,
    ColumnKind,
    Counts,
    Distribution,
    Floats,
    Gathered,
    Grid,
    Histogram,
    Key,
    Scalar,
    Span,
)
from aims_gate.stats.rows.losses import Moments
from aims_gate.stats.tables import Loss, Ranking

__all__ = [
    "MISSING",
    "WHOLE",
    "Cells",
    "ClassLoss",
    "Coded",
    "Column",
    "ColumnKind",
    "Counts",
    "Distribution",
    "Floats",
    "Frame",
    "Gathered",
    "Grid",
    "Histogram",
    "Key",
    "Loss",
    "Moments",
    "Ranking",
    "RowLoss",
    "Scalar",
    "Span",
]


class Frame(Protocol):
    """A table that answers aggregate questions; every count is weighted if the frame is."""

    @property
    def rows(self) -> int:
        """Rows, or the sum of the weights."""
        ...

    @property
    def columns(self) -> Mapping[str, Column]:
        """Columns in their order, and what each holds."""
        ...

    def unweighted(self) -> Frame:
        """The frame unweighted: every row counts once."""
        ...

    def nulls(self, column: str) -> int:
        """Count null (and, in numbers, NaN)."""
        ...

    def count(self, *keys: Key) -> Cells:
        """Count rows by the values of *keys*."""
        ...

    @overload
    def distribution(self, of: str | RowLoss) -> Distribution: ...

    @overload
    def distribution(self, of: str | RowLoss, by: str) -> Mapping[Scalar, Distribution]: ...

    def distribution(
        self, of: str | RowLoss, by: str | None = None
    ) -> Distribution | Mapping[Scalar, Distribution]:
        """Empirical distribution of numbers, booleans or a loss: distinct values with counts.

        With *by*, one for each value of that column; rows in which it is null are left out.

        DataError for a column of another kind, unless every value of it is null and there is no
        *by*; and if a row's loss is not finite.
        """
        ...

    @overload
    def histogram(self, of: str | RowLoss, grid: Grid) -> Histogram: ...

    @overload
    def histogram(self, of: str, grid: Grid, by: str) -> Mapping[Scalar, Histogram]: ...

    def histogram(
        self, of: str | RowLoss, grid: Grid, by: str | None = None
    ) -> Histogram | Mapping[Scalar, Histogram]:
        """Histogram of a number, boolean or loss; DataError as `distribution`.

        With *by*, one for each value of that column; rows where it is null are left out.
        """
        ...

    def moments(self, of: RowLoss | ClassLoss) -> Moments:
        """Moments of a per-row loss.

        DataError if there are no rows, or a row's loss is not finite: also if a probability is
        outside [0, 1]; and of several classes, if a label is not among them, or the probabilities
        of a row do not sum to 1 within 0.01.
        """
        ...

    def gather(self, *, numbers: Sequence[str] = (), codes: Sequence[Key] = ()) -> Gathered:
        """Gather the rows of some columns into small arrays, for statistics of `stats.rows`.

        A frame that does not hold its rows returns different ones with their counts, and none but
        a DataError where they are more than may be asked of it.
        """
        ...

    def repeats(self, columns: Sequence[str], of: Frame | None = None) -> int:
        """Count the rows that repeat one *of* another frame, or else an earlier one of their own.

        Compared are *columns*, which both have: null equals null, a whole number the same float,
        and of floats of two widths the narrower one counts. DataError for no columns, for lists,
        structs and bytes, and where a column holds another kind in the other frame.
        """
        ...

    def span(self, column: str, *, until: datetime | None = None) -> Span:
        """Say from when to when dates or times are, and how many rows are not after *until*.

        A time without a zone is taken as UTC, and a date as its first second. DataError for other
        kinds.
        """
        ...

    def digest(self) -> str:
        """`rows-v1` digest: 64 hexadecimal digits, independent of chunking and storage."""
        ...

    def parts(
        self, *keys: Key, columns: Sequence[str]
    ) -> Sequence[tuple[tuple[Scalar | None, ...], Frame]]:
        """Partition of the rows by the cells of `count(*keys)`, in its order; *columns* only."""
        ...

    def at_one_width(self, columns: Sequence[str]) -> Frame:
        """The frame with numeric *columns* cast to the lowest precision among them."""
        ...

    def without_nulls(self, columns: Sequence[str]) -> Frame:
        """The frame without rows that are null in any of *columns*."""
        ...
