"""The `rows-v1` digest: a typed encoding of a table's values, whatever way they are stored.

docs/digests.md describes it so that it can be written again from that page alone; the vectors are
in tests/vectors/rows_v1.json.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aims_gate.errors import DataError
from aims_gate.frames.column_values import stored, undictionary

_MAGIC = b"aims-gate rows-v1\n"
_ROWS = 1 << 20
"""Rows encoded at a time; the digest does not depend on it."""
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_INT64_MAX = 2**63 - 1

_Encode = Callable[[Any, npt.NDArray[np.bool_]], npt.NDArray[Any]]
"""A slice of a column, and where it is null, to fixed-width values that are 0 where null."""


def rows_v1(table: pa.Table) -> str:
    """`rows-v1` digest of a table with distinct column names, as 64 hexadecimal digits.

    It changes with any value, null, name, type or the order of rows; it does not change with the
    order of columns, chunking, dictionary encoding, the width of numbers, or the unit and the zone
    name of times. DataError for a column of a type that has no encoding.
    """
    digest = hashlib.sha256(_MAGIC + _size(table.num_rows) + _size(table.num_columns))
    for name in sorted(table.column_names, key=str.encode):
        try:
            column = _column(table.column(name))
        except DataError as error:
            raise DataError(error.what, where=f"column {name!r}", hint=error.hint) from error
        digest.update(_text(name) + column)
    return digest.hexdigest()


def _column(column: pa.ChunkedArray) -> bytes:
    """Hash one column: its tag, its nulls, and its values."""
    column = undictionary(stored(column), stored)
    kind, types = column.type, pa.types
    if types.is_null(kind):
        return _fixed("null", column, lambda _part, null: null[:0])
    if types.is_struct(kind):
        return _struct(column)
    if types.is_nested(kind):
        return _list(column)
    if any(is_bytes(kind) for is_bytes in _BYTES):
        return _bytes(column)
    tag, encode = _encoding(column)
    return _fixed(tag, column, encode)


def _fixed(tag: str, column: pa.ChunkedArray, encode: _Encode) -> bytes:
    nulls, values = hashlib.sha256(), hashlib.sha256()
    for part in _parts(column):
        null = _null(part)
        nulls.update(null.tobytes())
        values.update(encode(part, null).tobytes())
    return _node(tag, nulls.digest(), values.digest())


def _bytes(column: pa.ChunkedArray) -> bytes:
    types, kind = pa.types, column.type
    tag = "text" if types.is_string(kind) or types.is_large_string(kind) else "bytes"
    nulls, lengths, data = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
    for part in _parts(column):
        nulls.update(_null(part).tobytes())
        lengths.update(_whole(pc.binary_length(part)).tobytes())
        # what lies under a null is not a value, so it has to go
        data.update(_joined(part.drop_null().cast(pa.large_binary())))
    return _node(tag, nulls.digest(), lengths.digest(), data.digest())


def _list(column: pa.ChunkedArray) -> bytes:
    nulls, lengths, items = hashlib.sha256(), hashlib.sha256(), []
    if pa.types.is_map(column.type):
        pair = pa.struct([column.type.key_field, column.type.item_field])
        column = column.cast(pa.list_(pair))
    if pa.types.is_union(column.type):
        raise DataError(f"the type {column.type} has no rows-v1 encoding", hint="drop the column")
    for part in _parts(column):
        nulls.update(_null(part).tobytes())
        lengths.update(_whole(pc.list_value_length(part)).tobytes())
        items.append(part.drop_null().flatten())
    inner = _column(pa.chunked_array(items, type=column.type.value_type))
    return _node("list", nulls.digest(), lengths.digest(), inner)


def _struct(column: pa.ChunkedArray) -> bytes:
    nulls = hashlib.sha256()
    for part in _parts(column):
        nulls.update(_null(part).tobytes())
    # flatten() makes the fields of a null struct null
    fields = zip(column.type, column.flatten(), strict=True)
    inner = [_text(field.name) + _column(values) for field, values in fields]
    return _node("struct", nulls.digest(), _size(len(inner)), *inner)


def _encoding(column: pa.ChunkedArray) -> tuple[str, _Encode]:
    """Choose the tag and the encoding of a type of fixed width."""
    types, kind = pa.types, column.type
    if types.is_integer(kind):
        large = types.is_uint64(kind) and (pc.max(column).as_py() or 0) > _INT64_MAX
        return ("uint" if large else "int"), _integer
    if types.is_decimal(kind):
        return f"decimal:{kind.scale}", _decimal
    if types.is_timestamp(kind) and kind.tz:
        return "timestamp:utc", _instant
    for is_kind, tag, encode in _FIXED:
        if is_kind(kind):
            return tag, encode
    raise DataError(f"the type {kind} has no rows-v1 encoding", hint="drop or convert the column")


def _boolean(part: pa.Array, _null: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    return _whole(part.cast(pa.uint8())).astype("u1")


def _integer(part: pa.Array, _null: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    return _whole(part)


def _float(part: pa.Array, null: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = part.cast(pa.float64()).to_numpy(zero_copy_only=False).astype("<f8")
    values[null] = 0
    return values


def _decimal(part: pa.Array, null: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    wide = part.cast(pa.decimal256(76, part.type.scale))
    raw = np.frombuffer(wide.buffers()[1], dtype=np.uint8).reshape(-1, 32)
    raw = raw[wide.offset : wide.offset + len(wide)].copy()
    raw[null] = 0
    return raw


def _time_of_day(part: pa.Array, _null: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    return _whole(part) * (10**9 // _PER_SECOND[part.type.unit])


def _instant(part: pa.Array, _null: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    per_second = _PER_SECOND[part.type.unit]
    seconds, rest = np.divmod(_whole(part), per_second)
    return np.stack([seconds, rest * (10**9 // per_second)], axis=1)


def _whole(part: pa.Array) -> npt.NDArray[np.int64]:
    """Integers, and what is stored as such, as int64; 0 where null."""
    kind = part.type
    if pa.types.is_uint64(kind):
        bits: npt.NDArray[np.uint64] = part.fill_null(0).to_numpy()
        return bits.astype("<u8").view("<i8")
    if kind.bit_width == 32 and not pa.types.is_integer(kind):
        part = part.cast(pa.int32())  # dates and short times have no way to int64
    whole: npt.NDArray[np.int64] = part.cast(pa.int64()).fill_null(0).to_numpy()
    return whole.astype("<i8", copy=False)


def _parts(column: pa.ChunkedArray) -> Iterator[pa.Array]:
    for chunk in column.chunks:
        for start in range(0, len(chunk), _ROWS):
            yield chunk.slice(start, _ROWS)


def _null(part: pa.Array) -> npt.NDArray[np.bool_]:
    """Say where a slice is null, NaN included."""
    if pa.types.is_floating(part.type):
        values: npt.NDArray[np.float64] = part.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return np.isnan(values)
    null: npt.NDArray[np.bool_] = part.is_null().to_numpy(zero_copy_only=False)
    return null


def _joined(part: pa.Array) -> memoryview:
    """Concatenated bytes of a large_binary array without nulls."""
    _, offsets, data = part.buffers()
    if data is None or not len(part):
        return memoryview(b"")
    places = np.frombuffer(offsets, dtype="<i8")[part.offset : part.offset + len(part) + 1]
    return memoryview(data)[int(places[0]) : int(places[-1])]


def _node(tag: str, *digests: bytes) -> bytes:
    return hashlib.sha256(_text(tag) + b"".join(digests)).digest()


def _text(text: str) -> bytes:
    encoded = text.encode()
    return _size(len(encoded)) + encoded


def _size(size: int) -> bytes:
    return size.to_bytes(8, "little")


_BYTES = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
)
_FIXED: tuple[tuple[Callable[[pa.DataType], bool], str, _Encode], ...] = (
    (pa.types.is_boolean, "bool", _boolean),
    (pa.types.is_floating, "float", _float),
    (pa.types.is_date, "date", _integer),
    (pa.types.is_time, "time", _time_of_day),
    (pa.types.is_timestamp, "timestamp", _instant),
    (pa.types.is_duration, "duration", _instant),
)
