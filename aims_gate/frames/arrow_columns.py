"""Columns of an Arrow table, read once and kept: what a frame answers questions from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from aims_gate.errors import DataError, MissingColumnError
from aims_gate.frames import Coded, Column, ColumnKind, Counts, Floats, Key
from aims_gate.frames.cache import AnswerCache
from aims_gate.frames.coding import binned, coded
from aims_gate.frames.column_values import Mask, kind_of, missing, numbers, plain, whole_numbers
from aims_gate.frames.lazy import LazyTable
from aims_gate.frames.patterns import containing, matched
from aims_gate.frames.widths import float_bits

_NUMERIC = (ColumnKind.NUMBER, ColumnKind.BOOLEAN)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArrowColumns:
    """An Arrow table or a `LazyTable`, with the weights of its rows."""

    table: pa.Table | LazyTable = field(repr=False)  # rows stay out of messages
    weights: Counts | None = field(default=None, repr=False)
    """Shape (rows of the table,), each at least 1; None where every row counts once."""
    name: str = "data"
    cache: AnswerCache = field(default_factory=AnswerCache, repr=False)
    """Answers that were given before."""

    @property
    def rows(self) -> int:
        """Rows, or the sum of the weights."""
        return self.table.num_rows if self.weights is None else int(self.weights.sum())

    @property
    def columns(self) -> Mapping[str, Column]:
        """Columns in their order, and what each holds, with the Arrow type that it is stored as."""
        return self.cache.get(
            "columns", lambda: {f.name: _column(f.type) for f in self.table.schema}
        )

    def nulls(self, column: str) -> int:
        """Count null (and, in numbers, NaN)."""
        return self.cache.get(("nulls", column), lambda: self._total(missing(self._column(column))))

    def _column(self, name: str) -> pa.ChunkedArray:
        if name not in self.table.column_names:
            raise MissingColumnError.from_columns(name, self.table.column_names, where=self.name)
        return plain(self.table.column(name))

    def _pieces(self, name: str) -> Iterator[pa.ChunkedArray]:
        """Column chunks, as `_column` returns them; read piece by piece from a lazy table."""
        if isinstance(self.table, LazyTable) and name in self.table.column_names:
            return map(plain, self.table.pieces(name))
        return iter([self._column(name)])

    def _refuse_other_kinds(self, name: str) -> None:
        if name not in self.table.column_names:
            raise MissingColumnError.from_columns(name, self.table.column_names, where=self.name)
        if self.columns[name].kind not in _NUMERIC:
            raise DataError(
                f"column {name!r} is {self.columns[name].type}, and numbers are needed",
                where=self.name,
            )

    def _is_empty(self, name: str) -> bool:
        """Tell whether a column that is no column of numbers has no value at all."""
        there = self.columns.get(name)
        other = there is not None and there.kind not in _NUMERIC
        return other and self.nulls(name) == self.rows

    def _numbers(self, name: str) -> Floats:
        self._refuse_other_kinds(name)
        return numbers(self._column(name))

    def _coded(self, key: Key) -> Coded:
        if key.contains is not None:
            return coded(containing(self._texts(key.column), key.contains))
        return self.cache.get(("coded", key), lambda: self._code(key))

    def _code(self, key: Key) -> Coded:
        column = self._column(key.column)
        if key.matches is not None:
            if kind_of(column.type) is not ColumnKind.TEXT:
                stored = self.columns[key.column].type
                what = f"column {key.column!r} is {stored}, and a pattern needs text"
                raise DataError(what, where=self.name)
            return matched(column, key.matches)
        try:
            return binned(column, key.edges) if key.edges else coded(column)
        except DataError as error:
            where = f"{self.name}, column {key.column!r}"
            raise DataError(error.what, where=where, hint=error.hint) from error

    def _texts(self, name: str) -> pa.ChunkedArray:
        """A column of text, or whole numbers in digits; DataError for other kinds."""
        column = self._column(name)
        kind = kind_of(column.type)
        if kind is ColumnKind.NUMBER:
            return whole_numbers(column)
        if kind is not ColumnKind.TEXT:
            what = f"column {name!r} is {self.columns[name].type}, which is no text"
            raise DataError(what, where=self.name)
        return column

    def _total(self, rows: Mask) -> int:
        if self.weights is None:
            return int(np.count_nonzero(rows))
        return int(self.weights[rows].sum())


def _column(kind: pa.DataType) -> Column:
    return Column(kind=kind_of(kind), type=str(kind), bits=float_bits(kind))
