"""The `table-v1` digest: of rows in no order, so that an engine takes it where its table is.

Each row is written as bytes, hashed, and put into a bucket by the first digits of its hash; a
bucket is hashed from its rows' hashes in order. So it says which rows there are and how often, and
only buckets come back. A sum of hashes would be cheaper, and can be forged. docs/digests.md
describes it so that it can be written again from that page alone; vectors:
tests/vectors/table_v1.json.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import pyarrow as pa

from aims_gate.errors import DataError

MAGIC = b"aims-gate table-v1\n"
PREFIX = 3
"""Hexadecimal digits of a row's hash that say its bucket: 4,096 buckets."""


def of_buckets(tags: Mapping[str, str], rows: int, buckets: Mapping[str, str]) -> str:
    """Digest of a table from the digests of its buckets, as 64 hexadecimal digits.

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
    """What a column holds; DataError for a type that has no `table-v1` encoding.

    Whole numbers of a type that 64 bits with a sign do not hold are decimals of scale 0: engines
    without unsigned numbers have no other type for them.
    """
    if kind is not None:
        if pa.types.is_decimal(kind):
            return f"decimal:{kind.scale}"
        if pa.types.is_timestamp(kind):
            return "timestamp:utc" if kind.tz else "timestamp"
        for is_kind, tag in _TAGS:
            if is_kind(kind):
                return tag
    told = "a type that no check can use" if kind is None else f"type {kind}"
    raise DataError(
        f"a column of {told} has no table-v1 encoding",
        where=f"column {name!r}",
        hint="give a view without it, or with its values as text",
    )


def _text(text: str) -> bytes:
    encoded = text.encode()
    return _size(len(encoded)) + encoded


def _size(size: int) -> bytes:
    return size.to_bytes(8, "little")


_TAGS: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_boolean, "bool"),
    (pa.types.is_uint64, "decimal:0"),
    (pa.types.is_integer, "int"),
    (pa.types.is_floating, "float"),
    (pa.types.is_date, "date"),
    (pa.types.is_string, "text"),
    (pa.types.is_large_string, "text"),
)
