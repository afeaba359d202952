"""A table whose columns are read when they are used, and not kept.

It has the few methods of a `pyarrow.Table` that frames and sources use, so that a file of any size
is a frame like every other, with one column in memory at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from aims_gate.frames.column_values import Mask

Read = Callable[[str], Iterator[pa.ChunkedArray]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LazyTable:
    """Columns behind a function that reads one of them, piece by piece.

    *read* may return a text column dictionary-encoded: its codes save work.
    """

    schema: pa.Schema
    """Names in their order, each once, with types, and what the file says of itself."""
    read: Read = field(repr=False)
    """Reads a column of the file in pieces of one type, all its rows; DataError if that fails."""
    num_rows: int
    kept: Mask | None = field(default=None, repr=False)
    """Shape (rows of the file,): the rows that are left; None where all are."""
    added: Mapping[str, pa.ChunkedArray] = field(default_factory=dict, repr=False)
    """Columns that are not in the file, in memory, of *num_rows* values each."""

    @property
    def column_names(self) -> list[str]:
        """Names in their order."""
        return list(self.schema.names)

    @property
    def num_columns(self) -> int:
        """How many columns there are."""
        return len(self.schema)

    def column(self, name: str) -> pa.ChunkedArray:
        """Read a column; DataError if that fails, KeyError if there is none."""
        pieces = list(self.pieces(name))
        kind = pieces[0].type if pieces else self.schema.field(name).type
        return pa.chunked_array([chunk for piece in pieces for chunk in piece.chunks], type=kind)

    def pieces(self, name: str) -> Iterator[pa.ChunkedArray]:
        """Read a column piece by piece, so that it is never whole in memory; as for `column`."""
        if name in self.added:
            yield self.added[name]
            return
        if name not in self.schema.names:
            raise KeyError(name)
        start = 0
        for piece in self.read(name):
            if self.kept is None:
                yield piece
            else:
                yield piece.filter(pa.array(self.kept[start : start + len(piece)]))
            start += len(piece)

    def filter(self, mask: pa.Array | pa.ChunkedArray) -> LazyTable:
        """The table with only the rows where *mask* is true."""
        chosen: Mask = np.asarray(mask, dtype=np.bool_)
        kept = chosen
        if self.kept is not None:
            kept = self.kept.copy()
            kept[self.kept] = chosen
        return replace(
            self,
            num_rows=int(np.count_nonzero(chosen)),
            kept=kept,
            added={name: column.filter(pa.array(chosen)) for name, column in self.added.items()},
        )

    def append_column(self, name: str | pa.Field, values: pa.Array | pa.ChunkedArray) -> LazyTable:
        """The table with one more column, of *num_rows* values."""
        new = pa.field(name, values.type) if isinstance(name, str) else name
        column = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])
        return replace(self, schema=self.schema.append(new), added={**self.added, new.name: column})

    def set_column(self, place: int, name: str, values: pa.ChunkedArray) -> LazyTable:
        """The table with one column replaced by *num_rows* other values."""
        schema = self.schema.set(place, pa.field(name, values.type))
        return replace(self, schema=schema, added={**self.added, name: values})

    def to_table(self) -> pa.Table:
        """Read every column."""
        columns = {name: self.column(name) for name in self.column_names}
        return pa.table(columns).replace_schema_metadata(self.schema.metadata)
