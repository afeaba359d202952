"""Parquet, column by column: what is not asked for is never unpacked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from aims_gate.errors import DataError
from aims_gate.frames.columns import settle
from aims_gate.frames.convert import to_table
from aims_gate.frames.lazy import LazyTable
from aims_gate.sources.verified import VerifiedFile

_ROWS = 1 << 16
"""Rows of a piece of a column."""
_BUFFER = 1 << 20
"""Packed bytes of a column that are read at a time."""


def lazy_table(file: VerifiedFile, *, where: str, max_bytes: int) -> LazyTable:
    """Give a table whose columns are read, and held against what was hashed, when asked for.

    Text comes whole, as the codes of its dictionary, all else piece by piece.

    DataError if the file is truncated or damaged, would be larger than *max_bytes* unpacked, or
    has two columns of one name.
    """
    opened = _fitting(_arrow(file), where, max_bytes)
    metadata, rows = opened.metadata, opened.metadata.num_rows
    schema = to_table(opened.schema_arrow.empty_table(), where=where).schema
    texts = [
        f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)
    ]

    def read(name: str) -> Iterator[pa.ChunkedArray]:
        codes = [name] if name in texts else None
        seen = 0
        with _sound(where):
            again = _opened(_arrow(file), metadata=metadata, read_dictionary=codes)
            for piece in _whole(again, name) if codes else _pieces(again, name):
                seen += len(piece)
                if seen > rows:
                    raise _damaged(where)
                yield settle(_valid(piece))
        if seen < rows:
            raise _damaged(where)

    return LazyTable(schema=schema, read=read, num_rows=rows)


def read_parquet(content: bytes, *, where: str, max_bytes: int) -> pa.Table:
    """Read the bytes of a Parquet file whole; DataError as for `lazy_table`."""
    file = _fitting(pa.BufferReader(content), where, max_bytes)
    with _sound(where):
        table = file.read()
        for column in table.columns:
            _valid(column)
        return table


def _whole(file: parquet.ParquetFile, name: str) -> Iterator[pa.ChunkedArray]:
    yield file.read([name], use_threads=False).column(name)


def _pieces(file: parquet.ParquetFile, name: str) -> Iterator[pa.ChunkedArray]:
    for batch in file.iter_batches(_ROWS, columns=[name], use_threads=False):
        yield pa.chunked_array([batch.column(name)])


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
    """Open a file unless it says that it is too large unpacked."""
    with _sound(where):
        file = _opened(source)
        metadata = file.metadata
        sizes = [metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups)]
    if sum(sizes) > max_bytes:
        raise DataError(f"unpacked it has more than {max_bytes:,} bytes", where=where)
    return file


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
