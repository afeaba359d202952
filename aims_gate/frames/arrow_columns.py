"""Columns of an Arrow table, read once and kept: what a frame answers questions from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from aims_gate.errors import DataError, MissingColumnError
from aims_gate.frames import ColumnKind, Counts, Floats, Key, Scalar
from aims_gate.frames.cache import AnswerCache
from aims_gate.frames.coding import Coded, binned, coded
from aims_gate.frames.column_values import Mask, kind_of, missing, numbers, plain
from aims_gate.frames.lazy import LazyTable
from aims_gate.frames.widths import float_bits


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
    def kinds(self) -> Mapping[str, ColumnKind]:
        """Columns in their order, and what each holds."""
        return self.cache.get(
            "kinds", lambda: {field.name: kind_of(field.type) for field in self.table.schema}
        )

    @property
    def types(self) -> Mapping[str, str]:
        """Columns and the Arrow type each is stored with."""
        return {field.name: str(field.type) for field in self.table.schema}

    def float_bits(self, column: str) -> int:
        """Float precision of a column in bits; 64 if it holds no floats."""
        return float_bits(self.table.schema.field(column).type)

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
        if self.kinds[name] not in {ColumnKind.NUMBER, ColumnKind.BOOLEAN}:
            raise DataError(
                f"column {name!r} is {self.types[name]}, and numbers are needed", where=self.name
            )

    def _is_empty(self, name: str) -> bool:
        """Tell whether a column that is no column of numbers has no value at all."""
        kind = self.kinds.get(name, ColumnKind.NUMBER)
        numeric = kind in {ColumnKind.NUMBER, ColumnKind.BOOLEAN}
        return not numeric and self.nulls(name) == self.rows

    def _numbers(self, name: str) -> Floats:
        self._refuse_other_kinds(name)
        return numbers(self._column(name))

    def _coded(self, key: Key) -> Coded:
        return self.cache.get(("coded", key), lambda: self._code(key))

    def _code(self, key: Key) -> Coded:
        column = self._column(key.column)
        try:
            return binned(column, key.edges) if key.edges else coded(column)
        except DataError as error:
            where = f"{self.name}, column {key.column!r}"
            raise DataError(error.what, where=where, hint=error.hint) from error

    def _equals(self, name: str, wanted: Scalar) -> Floats:
        """Indicator of *wanted* in a column: 1 where equal, 0 where not, NaN where null."""
        column = self._coded(Key(column=name))
        hits = [float(value == wanted) for value in column.values]
        return np.array([*hits, np.nan])[column.codes]

    def _total(self, rows: Mask) -> int:
        if self.weights is None:
            return int(np.count_nonzero(rows))
        return int(self.weights[rows].sum())
