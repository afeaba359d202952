"""Parquet reader, column by column: unused columns are never unpacked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from aims_gate.errors import DataError
from aims_gate.frames import ColumnKind
from aims_gate.frames.column_values import kind_of, settle, undictionary
from aims_gate.frames.convert import not_read, to_table
from aims_gate.frames.lazy import LazyTable
from aims_gate.sources.budget import hold, spelled_out, too_large, width
from aims_gate.sources.hashed_file import VerifiedFile
from aims_gate.sources.parquet_pages import Page, Read, pages

_ROWS = 1 << 16
"""Rows of a piece of a column."""
_BUFFER = 1 << 20
"""Packed bytes of a column that are read at a time."""
_UNPACKS = {"UNCOMPRESSED": 1, "SNAPPY": 22, "LZ4": 256, "GZIP": 1033}
"""How many bytes a byte can become, by the codec's format; others have no bound of use."""


def lazy_table(file: VerifiedFile, *, where: str, max_bytes: int) -> LazyTable:
    """Lazy Parquet table: columns are read, and verified against the hash, when needed.

    Numbers, truth values and times come piece by piece; all else whole, and text as the codes of
    its dictionary, because each piece would bring the dictionary again.

    DataError if the file is truncated or damaged, would be larger than *max_bytes* unpacked, or
    has two columns of one name.
    """
    return _lazy(partial(_arrow, file), file.read, where=where, max_bytes=max_bytes)


def _lazy(open_again: Callable[[], Any], look: Read, *, where: str, max_bytes: int) -> LazyTable:
    opened = _fitting(open_again(), where, max_bytes)
    metadata, rows = opened.metadata, opened.metadata.num_rows
    schema = to_table(opened.schema_arrow.empty_table(), where=where).schema
    places, leaves = _places(opened), _leaves(opened)

    def read(name: str) -> Iterator[pa.ChunkedArray]:
        kind = schema.field(name).type
        seen = size = 0
        with _sound(where):
            chunks = list(_chunks(metadata, leaves.get(name, [])))
            text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
            coded = text and not any("DELTA" in word for one in chunks for word in one.encodings)
            doubtful = chunks if not (coded or _is_flat(kind)) else _far_unpacked(chunks, max_bytes)
            stored = list(_held(pages(look, map(_span, doubtful)), max_bytes, where))
            again = _opened(
                open_again(), metadata=metadata, read_dictionary=[name] if coded else None
            )
            if _is_flat(kind):
                step = _ROWS
            else:
                step = _step(stored, rows, max_bytes, coded=coded or pa.types.is_dictionary(kind))
            for piece in _pieces(again, name, step) if step else _whole(again, name):
                seen += len(piece)
                if seen > rows:
                    raise _damaged(where)
                size += spelled_out(_valid(piece))
                if size > max_bytes:
                    raise too_large(max_bytes, where)
                yield settle(piece)
            if seen < rows:
                raise _damaged(where)
            _hold_counts(again, [places[name]] if name in places else [])

    return LazyTable(schema=schema, read=read, num_rows=rows)


def read_parquet(content: bytes, *, where: str, max_bytes: int) -> pa.Table:
    """Read the bytes of a Parquet file whole; DataError as for `lazy_table`."""
    whole = memoryview(content)
    table = _lazy(
        partial(pa.BufferReader, content),
        lambda start, size: whole[start : start + size],
        where=where,
        max_bytes=max_bytes,
    )
    columns: dict[str, pa.ChunkedArray] = {}
    for field in table.schema:
        column = table.column(field.name)
        columns[field.name] = column if column.type == field.type else undictionary(column)
        hold(list(columns.values()), max_bytes, where)
    return pa.table(columns, schema=table.schema)


def _is_flat(kind: pa.DataType) -> bool:
    """Tell whether each value is stored plain, in a few bytes."""
    flat = kind_of(kind) in {ColumnKind.NUMBER, ColumnKind.BOOLEAN, ColumnKind.TIME}
    return flat and not pa.types.is_dictionary(kind)


def _whole(file: parquet.ParquetFile, name: str) -> Iterator[pa.ChunkedArray]:
    yield file.read([name], use_threads=False).column(name)


def _held(stored: Iterable[Page], most: int, where: str) -> Iterator[Page]:
    """Pass pages on until they would unpack to more than *most* bytes."""
    unpacked = 0
    for page in stored:
        unpacked += page.unpacked
        if unpacked > most:
            raise too_large(most, where)
        yield page


def _step(stored: Iterable[Page], rows: int, most: int, *, coded: bool) -> int:
    """Batch size: rows of a column that may be read at once; 0 for all of them.

    Where values share what a page holds, each of them could be as long as the page. A batch stands
    in memory several times, decoded and built, so it may take an eighth of *most*.
    """
    shared = [page.unpacked for page in stored if page.shares or (page.is_dictionary and not coded)]
    longest = max(shared, default=0)
    return max(most // (8 * longest), 1) if longest * rows > most else 0


def _chunks(metadata: Any, places: Iterable[int]) -> Iterator[Any]:
    """Footer metadata of a column's chunks, in each row group."""
    for number in range(metadata.num_row_groups):
        yield from map(metadata.row_group(number).column, places)


def _far_unpacked(chunks: Iterable[Any], most: int) -> Iterator[Any]:
    """Chunks that could unpack to more than *most* bytes, by their codec's maximum ratio."""
    for chunk in chunks:
        times = _UNPACKS.get(chunk.compression)
        if times is None or chunk.total_compressed_size * times > most:
            yield chunk


def _span(chunk: Any) -> tuple[int, int]:
    start, codes = chunk.data_page_offset, chunk.dictionary_page_offset
    first = min(start, codes) if chunk.has_dictionary_page and codes else start
    return first, chunk.total_compressed_size


def _pieces(file: parquet.ParquetFile, name: str, step: int) -> Iterator[pa.ChunkedArray]:
    for batch in file.iter_batches(min(step, _ROWS), columns=[name], use_threads=False):
        yield pa.chunked_array([batch.column(name)])
    groups = range(file.num_row_groups)
    empty = [number for number in groups if not file.metadata.row_group(number).num_rows]
    if empty:  # batches leave them out, whatever they hold
        yield file.read_row_groups(empty, [name], use_threads=False).column(name)


def _places(file: parquet.ParquetFile) -> dict[str, int]:
    """Index of each flat column among the stored leaf columns."""
    stored = [file.schema.column(place) for place in range(len(file.schema))]
    return {column.name: i for i, column in enumerate(stored) if column.name == column.path}


def _leaves(file: parquet.ParquetFile) -> dict[str, list[int]]:
    """Indices of the stored leaf columns of each column, nested or not."""
    names, found = set(file.schema_arrow.names), defaultdict[str, list[int]](list)
    for place in range(len(file.schema)):
        path = file.schema.column(place).path
        found[path if path in names else path.partition(".")[0]].append(place)
    return found


def _hold_counts(file: parquet.ParquetFile, places: Iterable[int]) -> None:
    """Refuse columns that are longer than their row groups say, of which Arrow reads no more.

    *places* are those of columns that were read: Arrow ends the process if it is given one
    that is not sound.
    """
    for number in range(file.num_row_groups):
        group = file.metadata.row_group(number)
        if group.num_rows and {group.column(i).num_values for i in places} - {group.num_rows}:
            raise pa.ArrowInvalid("a column that is not as long as its row group")


def _valid(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Pass a column on that is sound throughout; ArrowInvalid for any other.

    Arrow's reader does not check codes against their dictionary, and one past it would look null.
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
        row = sum(map(width, file.schema_arrow.types))
    if max(sum(sizes), sum(rows) * row) > max_bytes:
        raise too_large(max_bytes, where)
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
        pre_buffer=False,  # it would join the ranges of columns that are not read
        page_checksum_verification=True,
        coerce_int96_timestamp_unit="us",  # in ns the year 9999 would be another year
    )


@contextmanager
def _sound(where: str) -> Iterator[None]:
    """Turn what Arrow says of broken bytes into a DataError."""
    try:
        yield
    except pa.ArrowNotImplementedError as error:
        raise not_read(where) from error
    except (pa.ArrowException, OSError, ValueError, KeyError, MemoryError) as error:
        raise _damaged(where) from error


def _damaged(where: str) -> DataError:
    return DataError("the Parquet file is truncated or damaged", where=where, hint="write it again")
