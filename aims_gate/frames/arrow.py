"""Frames on Arrow, in memory or read by the column: one sort per distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol, overload, runtime_checkable

import numpy as np
import pyarrow as pa

from aims_gate.errors import DataError
from aims_gate.frames import (
    Cells,
    Distribution,
    Floats,
    Frame,
    Grid,
    Histogram,
    Key,
    RowLoss,
    Scalar,
    Span,
)
from aims_gate.frames.cache import AnswerCache, size_of
from aims_gate.frames.coding import by_code, decoded, grouped, tabulate
from aims_gate.frames.column_values import at_width, missing
from aims_gate.frames.digest import rows_v1
from aims_gate.frames.histograms import histogram_of
from aims_gate.frames.identity import compared, different, known
from aims_gate.frames.lazy import LazyTable
from aims_gate.frames.ordered import by_sorting, by_sorting_weighted, ordered
from aims_gate.frames.row_questions import Answers
from aims_gate.frames.times import instants, not_after, span_of
from aims_gate.stats.rows import Codes


@runtime_checkable
class HeldElsewhere(Protocol):
    """A frame whose rows are in an engine, which gives different ones within a budget."""

    def different(self, columns: Sequence[str]) -> ArrowFrame:
        """The different rows of some columns, with how many there are of each."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArrowFrame(Answers):
    """A `Frame` over an Arrow table or a `LazyTable`; make one with `opening.open_frame`.

    Rows of weight 0 do not exist for any question but the digest, which covers the table as given.
    """

    given: pa.Table | LazyTable = field(repr=False)
    """The table as it was passed, rows of weight 0 included."""

    def unweighted(self) -> ArrowFrame:
        """The frame unweighted: every row counts once; rows of weight 0 stay left out."""
        return self if self.weights is None else replace(self, weights=None, cache=AnswerCache())

    def count(self, *keys: Key) -> Cells:
        """Count rows by the values of *keys*: cells in ascending order of values, null last.

        Without keys there is one cell of all rows, or none if there are no rows.

        Raises:
            MissingColumnError: A column is not there.
            DataError: A column holds lists, structs or bytes; or edges do not fit a column.
        """
        if any(key.contains is not None for key in keys):  # of many values, and asked for once
            return self._count(keys)
        return self.cache.get(("count", keys), lambda: self._count(keys))

    def _count(self, keys: tuple[Key, ...]) -> Cells:
        columns = [self._coded(key) for key in keys]
        codes, counts = tabulate(columns, self.weights, self.table.num_rows)
        values = [decoded(*column) for column in zip(columns, codes, strict=True)]
        cells = tuple(zip(*values, strict=True)) if values else ((),) * len(counts)
        return Cells(keys=keys, values=cells, counts=counts)

    @overload
    def distribution(self, of: str | RowLoss) -> Distribution: ...

    @overload
    def distribution(self, of: str | RowLoss, by: str) -> Mapping[Scalar, Distribution]: ...

    def distribution(
        self, of: str | RowLoss, by: str | None = None
    ) -> Distribution | Mapping[Scalar, Distribution]:
        """Empirical distribution of numbers, booleans or a loss; DataError for other kinds."""
        if by is not None:
            return self.cache.get(
                ("split", of, by),
                lambda: self._split(of, by),
                lambda parts: sum(map(size_of, parts.values())),
            )
        if isinstance(of, RowLoss):
            return self._sorted(self._values(of))
        key = "distribution", of
        if self.cache.keeps_sorted:
            return self.cache.get(key, lambda: self._distribution(of))
        known: Distribution | None = self.cache.kept(key)
        return self._distribution(of) if known is None else known

    def _distribution(self, column: str) -> Distribution:
        if self._is_empty(column):
            none = np.zeros(0, dtype=np.float64), np.zeros(0, dtype=np.int64)
            return Distribution(values=none[0], counts=none[1], nulls=self.rows)
        self._refuse_other_kinds(column)
        if self.weights is None:
            found = ordered(self._pieces(column), self.table.num_rows)
        else:
            found = self._sorted(self._numbers(column))
        self.cache.get(("nulls", column), lambda: found.nulls)
        return found

    def _sorted(self, values: Floats) -> Distribution:
        """Sort the values of all rows, in place where each counts once."""
        if self.weights is None:
            return by_sorting(values)
        return by_sorting_weighted(values, self.weights)

    def _split(self, of: str | RowLoss, by: str) -> Mapping[Scalar, Distribution]:
        groups = self._coded(Key(column=by))
        weights = () if self.weights is None else (self.weights,)
        parts = by_code(groups, self._values(of), *weights)
        found: dict[Scalar, Distribution] = {}
        for value, part in zip(groups.values, parts, strict=True):
            if len(part[0]):
                found[value] = by_sorting_weighted(*part) if weights else by_sorting(*part)
        return found

    def keep_sorted(self, *, keep: bool) -> None:
        """Cache sorted columns from now on, or no longer.

        Columns that are kept stay; their parts by group go, which the coming rule needs no more.
        """
        self.cache.keeps_sorted = keep
        if not keep:
            self.cache.drop("split")

    @overload
    def histogram(self, of: str | RowLoss, grid: Grid) -> Histogram: ...

    @overload
    def histogram(self, of: str, grid: Grid, by: str) -> Mapping[Scalar, Histogram]: ...

    def histogram(
        self, of: str | RowLoss, grid: Grid, by: str | None = None
    ) -> Histogram | Mapping[Scalar, Histogram]:
        """Histogram of a number, boolean or loss, or of a column by each value of *by*."""
        if by is None:
            return histogram_of(self.distribution(of), grid)
        parts = self.distribution(of, by)
        return {value: histogram_of(part, grid) for value, part in parts.items()}

    def parts(
        self, *keys: Key, columns: Sequence[str]
    ) -> Sequence[tuple[tuple[Scalar | None, ...], ArrowFrame]]:
        """Partition of the rows by the cells of `count(*keys)`, in its order; *columns* only."""
        coded = [self._coded(key) for key in keys]
        kept = pa.table({column: self._column(column) for column in columns})
        some, groups = grouped(coded, self.table.num_rows)
        cells = zip(*(decoded(column, column.codes[some]) for column in coded), strict=True)
        return [(cell, self._part(kept, rows)) for cell, rows in zip(cells, groups, strict=True)]

    def _part(self, table: pa.Table, rows: Codes) -> ArrowFrame:
        kept = table.take(pa.array(rows))
        weights = None if self.weights is None else self.weights[rows]
        return ArrowFrame(table=kept, weights=weights, given=kept, name=self.name)

    def repeats(self, columns: Sequence[str], of: Frame | None = None) -> int:
        """Count the rows that repeat one *of* another frame, or else an earlier one."""
        if of is None:
            return self.rows - different(compared(columns, (self.table, self.name)))
        if isinstance(of, HeldElsewhere):
            of = of.different(columns)
        if not isinstance(of, ArrowFrame):
            raise DataError("rows are compared with those of a frame in memory", where=self.name)
        parts = compared(columns, (self.table, self.name), (of.table, of.name))
        return self._total(known(parts, self.table.num_rows))

    def span(self, column: str, *, until: datetime | None = None) -> Span:
        """Say from when to when dates or times are; DataError for other kinds."""
        times = instants(self._column(column), column, where=self.name)
        span = span_of(times, nulls=self.nulls(column), where=self.name)
        return span if until is None else replace(span, until=self._total(not_after(times, until)))

    def digest(self) -> str:
        """`rows-v1` digest: 64 hexadecimal digits, independent of chunking and storage."""
        return rows_v1(self.given)

    def without_nulls(self, columns: Sequence[str]) -> ArrowFrame:
        """The frame without rows that are null in any of *columns*."""
        if not any(self.nulls(column) for column in columns):
            return self
        key = "without nulls", tuple(columns)
        return self.cache.get(key, lambda: self._without_nulls(columns), _size)

    def _without_nulls(self, columns: Sequence[str]) -> ArrowFrame:
        drop = np.zeros(self.table.num_rows, dtype=np.bool_)
        for column in columns:
            drop |= missing(self._column(column))
        kept = self.table.filter(pa.array(~drop))
        weights = None if self.weights is None else self.weights[~drop]
        return ArrowFrame(table=kept, weights=weights, given=kept, name=self.name)

    def at_one_width(self, columns: Sequence[str]) -> ArrowFrame:
        """The frame with numeric *columns* cast to the lowest precision among them."""
        bits = min(self.columns[name].bits for name in columns)
        wide = tuple(name for name in columns if self.columns[name].bits > bits)
        key = "at one width", wide, bits
        taken = self.table.num_rows * len(wide) * bits // 8
        if not wide:
            return self
        return self.cache.get(key, lambda: self._narrowed(wide, bits), lambda _made: taken)

    def _narrowed(self, columns: Sequence[str], bits: int) -> ArrowFrame:
        table = self.table
        for name in columns:
            place, values = table.column_names.index(name), at_width(self._column(name), bits)
            table = table.set_column(place, name, values)
        return replace(self, table=table, cache=AnswerCache())

    def with_column(self, name: str, values: pa.Array | pa.ChunkedArray) -> ArrowFrame:
        """The frame with one more, derived column, which the digest does not cover.

        *values* has one value per row of `table`. DataError if a column has this name already.
        """
        if name in self.table.column_names:
            raise DataError(f"there is a column {name!r} already", where=self.name)
        table = self.table.append_column(name, values)
        return ArrowFrame(table=table, weights=self.weights, given=self.given, name=self.name)


def _size(frame: ArrowFrame) -> int:
    # rows were dropped, so a table that is read by the column knows which are kept
    kept: Any = frame.table.kept if isinstance(frame.table, LazyTable) else frame.table
    return int(kept.nbytes)
