"""The `table-v1` digest: of rows in no order, so that an engine takes it where its table is.

Each row is written as text, hashed, and put into a bucket by the first digits of its hash; a bucket
is hashed from its rows' hashes in order. So it says which rows there are and how often, and only
buckets come back. A sum of hashes would be cheaper, and can be forged. docs/digests.md describes it
so that it can be written again from that page alone; vectors: tests/vectors/table_v1.json.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from aims_gate.errors import DataError
from aims_gate.frames.column_values import stored, undictionary

MAGIC = b"aims-gate table-v1\n"
NULL = "~"
"""What is written for a null, or NaN."""
PREFIX = 3
"""Hexadecimal digits of a row's hash that say its bucket: 4,096 buckets."""
FRACTION = 52
"""Bits of a float's whole-number fraction, less one."""
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_Written = Iterable[str]


def table_v1(table: pa.Table) -> str:
    """`table-v1` digest of an Arrow table, as 64 hexadecimal digits.

    It changes with any value, null, name or type, and with how often a row occurs; it does not
    change with the order of rows or columns, the width of numbers, or the unit of times; -0.0 is
    0.0. DataError for a column of a type that has no encoding.
    """
    tags, columns = {}, []
    for name in sorted(table.column_names, key=str.encode):
        column = undictionary(stored(table.column(name)), stored)
        tags[name] = tag_of(column.type, name)
        columns.append(_written(column))
    buckets: dict[str, list[str]] = defaultdict(list)
    for row in zip(*columns, strict=True) if columns else [()] * table.num_rows:
        found = hashlib.sha256(";".join(row).encode()).hexdigest()
        buckets[found[:PREFIX]].append(found)
    digests = {
        prefix: hashlib.sha256("".join(sorted(found)).encode()).hexdigest()
        for prefix, found in buckets.items()
    }
    return of_buckets(tags, table.num_rows, digests)


def of_buckets(tags: Mapping[str, str], rows: int, buckets: Mapping[str, str]) -> str:
    """Digest of a table from the digests of its buckets.

    Args:
        tags: What each column holds.
        rows: How many there are.
        buckets: By prefix, for those that hold rows, the hash of its rows' hashes in order.
    """
    digest = hashlib.sha256(MAGIC + _size(rows) + _size(len(tags)))
    for name in sorted(tags, key=str.encode):
        digest.update(_text(name) + _text(tags[name]))
    for prefix in sorted(buckets):
        digest.update((prefix + buckets[prefix]).encode())
    return digest.hexdigest()


def tag_of(kind: pa.DataType | None, name: str) -> str:
    """What a column holds; DataError for a type that has no `table-v1` encoding."""
    if kind is not None:
        if pa.types.is_decimal(kind):
            return f"decimal:{kind.scale}" if kind.scale else "int"
        if pa.types.is_timestamp(kind):
            return "timestamp:utc" if kind.tz else "timestamp"
        for is_kind, tag in _TAGS:
            if is_kind(kind):
                return tag
    told = "that no check can use" if kind is None else str(kind)
    raise DataError(
        f"a column of type {told} has no table-v1 encoding",
        where=f"column {name!r}",
        hint="give a view without it",
    )


def _written(column: pa.ChunkedArray) -> _Written:
    kind = column.type
    if pa.types.is_floating(kind):
        values = column.cast(pa.float64()).to_numpy()
        return map(_float, *(part.tolist() for part in np.frexp(values)))
    if pa.types.is_timestamp(kind):
        per_second = _PER_SECOND[kind.unit]
        return _each(column.cast(pa.int64()), lambda value: _instant(value * 10**9 // per_second))
    if pa.types.is_date(kind):
        return _each(column, lambda day: str((day - date(1970, 1, 1)).days))
    if pa.types.is_decimal(kind):
        return _each(
            column, lambda value: format(value.quantize(Decimal(1).scaleb(-kind.scale)), "f")
        )
    if pa.types.is_boolean(kind):
        return _each(column, lambda value: str(int(value)))
    return _each(column, str if pa.types.is_integer(kind) else _counted)


def _each(column: pa.ChunkedArray, write: Callable[[Any], str]) -> _Written:
    return [NULL if value is None else write(value) for value in column.to_pylist()]


def _float(fraction: float, exponent: int) -> str:
    """`m` and `e` of m * 2^e, with 2^52 <= |m| < 2^53; names for 0 and the infinities."""
    if not np.isfinite(fraction) or not fraction:
        return NULL if fraction != fraction else _NAMED[fraction]  # noqa: PLR0124
    return f"{int(fraction * 2.0 ** (FRACTION + 1))}e{exponent - FRACTION - 1}"


def _instant(nanoseconds: int) -> str:
    whole, rest = divmod(nanoseconds, 1000)
    return f"{whole}.{rest}" if rest else str(whole)


def _counted(text: str) -> str:
    return f"{len(text.encode())}:{text}"


def _text(text: str) -> bytes:
    encoded = text.encode()
    return _size(len(encoded)) + encoded


def _size(size: int) -> bytes:
    return size.to_bytes(8, "little")


_NAMED = {0.0: "0", float("inf"): "inf", float("-inf"): "-inf"}
_TAGS: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_boolean, "bool"),
    (pa.types.is_integer, "int"),
    (pa.types.is_floating, "float"),
    (pa.types.is_date, "date"),
    (pa.types.is_string, "text"),
    (pa.types.is_large_string, "text"),
)
