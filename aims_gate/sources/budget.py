"""Memory limits of data files, enforced before unpacking (decompression bombs).

A file may always become `FREE` bytes, and more only in proportion to its size, which honest files
stay far below. `AIMS_GATE_MAX_DATA_BYTES` states another limit for all files, in place of both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aims_gate.errors import DataError, UsageError

VARIABLE = "AIMS_GATE_MAX_DATA_BYTES"
MAX_BYTES = 8 * 2**30
"""Most bytes of a data file, packed and unpacked."""
FREE = 2**28
TIMES = 200
"""How often its own size a file may take unpacked; tables with a column of noise reach 20."""
_MAX_DEPTH = 64
_MAX_BRACKETS = 1_000
"""Unpaired brackets of a row, which may stand in its text."""
_KEY = re.compile(rb'"([^"\\]*)"\s*:')
_STEP = 1 << 24
_VIEWS = (pa.string_view(), pa.binary_view())
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}\n\r"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a file may take in memory."""

    most: int = MAX_BYTES
    free: int = FREE

    @classmethod
    def of(cls, environ: Mapping[str, str], most: int = MAX_BYTES) -> Budget:
        """Limit from the environment, else *most* in proportion to the file's size.

        Raises:
            UsageError: It states no number of bytes.
        """
        stated = environ.get(VARIABLE, "").strip()
        if not stated:
            return cls(most=min(most, MAX_BYTES))
        if not stated.isdigit() or int(stated) < 1:
            raise UsageError(f"{VARIABLE} is not a number of bytes", where=f"{stated!a}")
        return cls(most=int(stated), free=int(stated))

    def of_file(self, size: int) -> int:
        """Most bytes that a file of *size* may take unpacked."""
        return min(self.most, max(self.free, TIMES * size))


def too_large(limit: int, where: str) -> DataError:
    """Say that data would take more than their limit, and what raises it."""
    what = f"unpacked it has more than {limit:,} bytes, the limit for a file of its size"
    hint = f"if it is right, set {VARIABLE} to the bytes that this machine may use for it"
    return DataError(what, where=where, hint=hint)


def hold(columns: list[pa.ChunkedArray], limit: int, where: str) -> None:
    """Refuse columns that would pass *limit* once nothing is shared between their values."""
    if sum(map(spelled_out, columns)) > limit:
        raise too_large(limit, where)


def spelled_out(column: pa.ChunkedArray) -> int:
    """Decoded size of a column in bytes: dictionary codes, runs and views expanded."""
    return max(int(column.nbytes), len(column), sum(map(_shared, column.chunks)))


def width(kind: pa.DataType) -> int:
    """Least bytes that a value takes unpacked."""
    return kind.byte_width if pa.types.is_primitive(kind) and not pa.types.is_boolean(kind) else 1


def _shared(chunk: pa.Array) -> int:
    """Bytes of a chunk's shared values (dictionary, runs, views) once expanded."""
    kind = chunk.type
    if pa.types.is_run_end_encoded(kind):
        longest = _longest(chunk.values) if _is_text(kind.value_type) else width(kind.value_type)
        return len(chunk) * longest
    if pa.types.is_dictionary(kind):
        if not _is_text(kind.value_type):
            return len(chunk) * width(kind.value_type)
        most = len(chunk) * _longest(chunk.dictionary)
        return most if most <= FREE else _sum(_lengths(chunk.dictionary).take(chunk.indices))
    return _sum(_lengths(chunk)) if kind in _VIEWS else 0


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_string(kind)
        or types.is_binary(kind)
        or types.is_large_string(kind)
        or types.is_large_binary(kind)
        or kind in _VIEWS
    )


def _lengths(values: pa.Array) -> pa.Array:
    if values.type not in _VIEWS:
        return pc.binary_length(values).cast(pa.int64())
    views = np.frombuffer(values.buffers()[1], dtype=np.int32)[::4]  # a length begins each view
    return pa.array(views[values.offset : values.offset + len(values)].astype(np.int64))


def _longest(values: pa.Array) -> int:
    return int(pc.max(_lengths(values)).as_py() or 0)


def _sum(lengths: pa.Array) -> int:
    return int(pc.sum(lengths).as_py() or 0)


def hold_text(content: bytes, limit: int, where: str, *, nested: bool) -> None:
    """Refuse text whose table would pass *limit*: values have 8 bytes, however few letters.

    In JSON (*nested*) every row has every key of the file, a line has 64 bytes while it is looked
    at, and no row is deeper than readers go.
    """
    if not nested and 8 * (len(content) + 1) <= limit:
        return  # were every byte a value
    rows = content.count(b"\n") + content.count(b"\r") + 1
    size = 8 * (rows + content.count(b","))
    if nested:
        size = max(64, 8 * content.count(b":")) * rows
        if size > limit:
            size = max(64, 8 * _keys(content, limit // (8 * rows) + 1)) * rows
    if size > limit:
        raise too_large(limit, where)
    if nested and _is_deep(content):
        raise DataError(f"a row is nested more than {_MAX_DEPTH} deep", where=where)


def _keys(content: bytes, most: int) -> int:
    """Count the distinct keys of JSON lines, no further than *most*."""
    found: set[bytes] = set()
    for start in range(0, len(content), _STEP):
        # a key that is cut here is counted once more, in two parts
        found.update(_KEY.findall(content[start : start + _STEP]))
        if len(found) > most:
            break
    return len(found)


def _is_deep(content: bytes) -> bool:
    brackets = content.translate(None, _NO_BRACKET)
    for _level in range(_MAX_DEPTH):
        less = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if len(less) == len(brackets):
            break
        brackets = less
    return max(map(len, brackets.splitlines()), default=0) > _MAX_BRACKETS
