"""Parquet, column by column: what is not asked for is never unpacked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from aims_gate.errors import DataError
from aims_gate.frames import Kind
from aims_gate.frames.columns import kind_of, settle
from aims_gate.frames.convert import to_table
from aims_gate.frames.lazy import LazyTable
from aims_gate.sources.verified import VerifiedFile

_ROWS = 1 << 16
"""Rows of a piece of a column."""
_BUFFER = 1 << 20
"""Packed bytes of a column that are read at a time."""


def lazy_table(file: VerifiedFile, *, where: str, max_bytes: int) -> LazyTable:
    """Give a table whose columns are read, and held against what was hashed, when asked for.

    Numbers, truth values and times come piece by piece; all else whole, and text as the codes of
    its dictionary, because each piece would bring the dictionary again.

    DataError if the file is truncated or damaged, would be larger than *max_bytes* unpacked, or
    has two columns of one name.
    """
    opened = _fitting(_arrow(file), where, max_bytes)
    metadata, rows = opened.metadata, opened.metadata.num_rows
    schema = to_table(opened.schema_arrow.empty_table(), where=where).schema
    places = _places(opened)

    def read(name: str) -> Iterator[pa.ChunkedArray]:
        kind = schema.field(name).type
        text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        seen = 0
        with _sound(where):
            again = _opened(
                _arrow(file), metadata=metadata, read_dictionary=[name] if text else None
            )
            for piece in _pieces(again, name) if _is_flat(kind) else _whole(again, name):
                seen += len(piece)
                if seen > rows:
                    raise _damaged(where)
                yield settle(_valid(piece))
            if seen < rows:
                raise _damaged(where)
            _hold_counts(again, [places[name]] if name in places else [])

    return LazyTable(schema=schema, read=read, num_rows=rows)


def read_parquet(content: bytes, *, where: str, max_bytes: int) -> pa.Table:
    """Read the bytes of a Parquet file whole; DataError as for `lazy_table`."""
    file = _fitting(pa.BufferReader(content), where, max_bytes)
    with _sound(where):
        table = file.read()
        for column in table.columns:
            if len(_valid(column)) != file.metadata.num_rows:
                raise _damaged(where)
        _hold_counts(file, _places(file).values())
        return table


def _is_flat(kind: pa.DataType) -> bool:
    """Tell whether each value stands by itself, in a few bytes."""
    flat = kind_of(kind) in {Kind.NUMBER, Kind.BOOLEAN, Kind.TIME}
    return flat and not pa.types.is_dictionary(kind)


def _whole(file: parquet.ParquetFile, name: str) -> Iterator[pa.ChunkedArray]:
    yield file.read([name], use_threads=False).column(name)


def _pieces(file: parquet.ParquetFile, name: str) -> Iterator[pa.ChunkedArray]:
    for batch in file.iter_batches(_ROWS, columns=[name], use_threads=False):
        yield pa.chunked_array([batch.column(name)])
    groups = range(file.num_row_groups)
    empty = [number for number in groups if not file.metadata.row_group(number).num_rows]
    if empty:  # batches leave them out, whatever they hold
        yield file.read_row_groups(empty, [name], use_threads=False).column(name)


def _places(file: parquet.ParquetFile) -> dict[str, int]:
    """Give the place of each column that is not nested, among all that are stored."""
    stored = [file.schema.column(place) for place in range(len(file.schema))]
    return {column.name: i for i, column in enumerate(stored) if column.name == column.path}


def _hold_counts(file: parquet.ParquetFile, places: Iterable[int]) -> None:
    """Refuse columns that are longer than their row groups say, of which Arrow reads no more.

    *places* are those of columns that were read: Arrow ends the process if it is asked of one
    that is not sound.
    """
    for number in range(file.num_row_groups):
        group = file.metadata.row_group(number)
        if group.num_rows and {group.column(i).num_values for i in places} - {group.num_rows}:
            raise pa.ArrowInvalid("a column that is not as long as its row group")


def _valid(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Pass a column on that is sound throughout; ArrowInvalid for any other.

    Arrow's reader does not hold codes against their dictionary, and one past it would look null.
    """
    if not pa.types.is_dictionary(column.type):
        column.validate(full=True)
        return column
    for chunk in column.chunks:
        chunk.dictionary.validate(full=True)
        found = pc.min_max(chunk.indices).as_py()
        if found["max"] is not None and not 0 <= found["min"] <= found["max"] < len(
            chunk.dictionary
        ):
            raise pa.ArrowInvalid("a code outside of its dictionary")
    return column


def _fitting(source: object, where: str, max_bytes: int) -> parquet.ParquetFile:
    """Open a file unless its row groups do not make it up, or it says it is too large unpacked."""
    with _sound(where):
        file = _opened(source)
        groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
        rows, sizes = [g.num_rows for g in groups], [g.total_byte_size for g in groups]
        if min([*rows, *sizes], default=0) < 0 or sum(rows) != file.metadata.num_rows:
            raise _damaged(where)
        row = max(map(_width, file.schema_arrow.types), default=1)
    if max(sum(sizes), sum(rows) * row) > max_bytes:
        raise DataError(f"unpacked it has more than {max_bytes:,} bytes", where=where)
    return file


def _width(kind: pa.DataType) -> int:
    """Give the least bytes that a value takes unpacked."""
    return kind.byte_width if pa.types.is_primitive(kind) and not pa.types.is_boolean(kind) else 1


def _arrow(file: VerifiedFile) -> pa.PythonFile:
    return pa.PythonFile(file.stream(), mode="r")


def _opened(
    source: object, *, metadata: Any = None, read_dictionary: Sequence[str] | None = None
) -> parquet.ParquetFile:
    return parquet.ParquetFile(
        source,
        metadata=metadata,
        read_dictionary=read_dictionary,
        buffer_size=_BUFFER,
        pre_buffer=False,  # it would join the ranges of columns that nobody asked for
        page_checksum_verification=True,
    )


@contextmanager
def _sound(where: str) -> Iterator[None]:
    """Turn what Arrow says of broken bytes into a DataError."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, MemoryError) as error:
        raise _damaged(where) from error


def _damaged(where: str) -> DataError:
    return DataError("the Parquet file is truncated or damaged", where=where, hint="write it again")
