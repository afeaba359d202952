"""The table-v1 digest as docs/digests.md says it, in plain Python that shares no line with ours."""

from __future__ import annotations

import hashlib
import math
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Context, Decimal
from typing import Any

import pyarrow as pa

Columns = Mapping[str, tuple[str, list[Any]]]
"""By name, the tag and the values; instants as nanoseconds, days as their number, or infinite."""


def table_v1(columns: Columns) -> str:
    """Digest of columns."""
    names = sorted(columns, key=str.encode)
    rows = list(zip(*(columns[name][1] for name in names), strict=True))
    buckets = defaultdict(list)
    for row in rows:
        fields = [
            list(_field(columns[name][0], value)) for name, value in zip(names, row, strict=True)
        ]
        head = b"".join(number for field in fields for number, _ in field)
        texts = b"".join(text for field in fields for _, text in field)
        digest = hashlib.sha256(head + texts).hexdigest()
        buckets[digest[:3]].append(digest)
    found = b"aims-gate table-v1\n" + struct.pack("<QQ", len(rows), len(names))
    for name in names:
        for part in (name, columns[name][0]):
            found += struct.pack("<Q", len(part.encode())) + part.encode()
    for prefix in sorted(buckets):
        joined = "".join(sorted(buckets[prefix]))
        found += (prefix + hashlib.sha256(joined.encode()).hexdigest()).encode()
    return hashlib.sha256(found).hexdigest()


def of_arrow(table: pa.Table) -> str:
    """Digest of an Arrow table."""
    columns = {name: _values(table.column(name)) for name in table.column_names}
    return table_v1(columns)


def _field(tag: str, value: Any) -> Iterator[tuple[bytes, bytes]]:
    """Numbers of a value in the row's head, and its text behind it."""
    if isinstance(value, float) and math.isinf(value) and tag != "float":
        yield _number((2**63 - 1) * (1 if value > 0 else -1)), b""
        if tag != "date":
            yield _number(None), b""
    elif tag.startswith("timestamp"):
        micros, rest = (None, None) if value is None else divmod(value, 1000)
        yield _number(micros), b""
        yield _number(rest or None), b""
    elif tag == "float":
        yield _float(value), b""
    elif tag == "text" or tag.startswith("decimal"):
        text = b"" if value is None else str(value).encode()
        yield _number(None if value is None else len(text)), text
    else:
        yield _number(value), b""


def _number(value: int | None) -> bytes:
    return b"\1" if value is None else b"\2" + struct.pack(">Q", value + 2**63)


def _float(value: float | None) -> bytes:
    if value is None or value != value:  # noqa: PLR0124
        return b"\1"
    if value == float("inf"):
        return b"\2" + b"\xff" * 7 + b"\xfe"
    if value == float("-inf"):
        return b"\2" + bytes(8)
    (bits,) = struct.unpack(">Q", struct.pack(">d", abs(value)))
    return b"\2" + struct.pack(">Q", 2**63 + bits if value >= 0 else 2**63 - 1 - bits)


def _values(column: pa.ChunkedArray) -> tuple[str, list[Any]]:
    kind, types = column.type, pa.types
    if types.is_timestamp(kind):
        unit = {"s": 10**9, "ms": 10**6, "us": 1000, "ns": 1}[kind.unit]
        whole = column.cast(pa.int64()).to_pylist()
        tag = "timestamp:utc" if kind.tz else "timestamp"
        return tag, [None if v is None else _ended(v, 64) * unit for v in whole]
    if types.is_date(kind):
        whole = column.cast(pa.int32()).to_pylist()
        return "date", [None if v is None else _ended(v, 32) for v in whole]
    values = column.to_pylist()
    if types.is_decimal(kind) or types.is_uint64(kind):
        scale = kind.scale if types.is_decimal(kind) else 0
        return f"decimal:{scale}", [*_fixed(values, scale)]
    if types.is_boolean(kind):
        return "bool", values
    if types.is_integer(kind):
        return "int", values
    return ("float" if types.is_floating(kind) else "text"), values


def _ended(value: int, bits: int) -> float:
    """A time as its number; the last ones of a type are DuckDB's infinite ones."""
    return value if abs(value) < 2 ** (bits - 1) - 1 else math.copysign(math.inf, value)


def _fixed(values: Iterable[Any], scale: int) -> Iterator[str | None]:
    for value in values:
        if value is None:
            yield None
        else:
            digits = Decimal(value).quantize(Decimal(1).scaleb(-scale), context=Context(prec=80))
            yield format(digits, "f")
