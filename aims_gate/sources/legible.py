"""Normalise writers' conventions: text stored as bytes or UUIDs, and the index of pandas."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aims_gate.frames.column_values import undictionary
from aims_gate.frames.lazy import LazyTable

_UUID = "arrow.uuid"
_TEXTS = (_UUID, "arrow.json")
"""Extensions of Arrow that are text to people, as DuckDB writes them."""
_UNNAMED = re.compile(r"__index_level_[0-9]+__")
"""What pandas calls an index that nobody named."""


def legible(table: pa.Table | LazyTable) -> tuple[pa.Table | LazyTable, tuple[str, ...]]:
    """Drop the index that pandas stored, and convert UTF-8 bytes to text.

    A named index stays: it is a column that somebody meant, such as a key or a time.

    Returns:
        The table, and a note on each column that is not as it was stored.
    """
    index = [name for name in _index_of(table.schema) if name in table.column_names]
    texts = [field.name for field in table.schema if _is_bytes(field.type)]
    texts = [name for name in texts if name not in index and _is_text(table, name)]
    if not index and not texts:
        return table, ()
    bare = {name for name in texts if not _extension(table.schema.field(name).type)}
    if isinstance(table, LazyTable):
        table = _lazily(table, index, frozenset(texts))
    else:
        table = table.drop_columns(index)
        for name in texts:
            place = table.column_names.index(name)
            table = table.set_column(place, name, _text(table[name]))
    notes = [f"{name} is left out: the index of pandas" for name in index]
    told = [name for name in texts if name in bare]
    return table, (*notes, *(f"{name} is text: its bytes are UTF-8" for name in told))


def _lazily(table: LazyTable, index: list[str], texts: frozenset[str]) -> LazyTable:
    def read(name: str) -> Iterator[pa.ChunkedArray]:
        return map(_text, table.read(name)) if name in texts else table.read(name)

    fields = [
        field.with_type(pa.large_string()) if field.name in texts else field
        for field in table.schema
        if field.name not in index
    ]
    return replace(table, schema=pa.schema(fields, metadata=table.schema.metadata), read=read)


def _index_of(schema: pa.Schema) -> list[str]:
    """Name the unnamed index columns that pandas' own metadata list; a file may claim anything."""
    try:
        stated: Any = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
        listed = stated.get("index_columns", [])
        return [name for name in listed if isinstance(name, str) and _UNNAMED.fullmatch(name)]
    except (ValueError, AttributeError, TypeError, RecursionError):
        return []


def _is_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    return bool(binary or _extension(kind) in _TEXTS)


def _extension(kind: pa.DataType) -> str:
    return kind.extension_name if isinstance(kind, pa.BaseExtensionType) else ""


def _is_text(table: pa.Table | LazyTable, name: str) -> bool:
    """Tell whether all bytes are UTF-8, stopping at the first that are not."""
    pieces = table.pieces(name) if isinstance(table, LazyTable) else iter([table[name]])
    try:
        for piece in pieces:
            _text(piece)
    except pa.ArrowInvalid:
        return False
    return True


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    extension = _extension(column.type)
    if not extension:
        return undictionary(column).cast(pa.large_string())
    chunks = [chunk.storage for chunk in column.chunks]
    if extension == _UUID:
        chunks = [_spelt(chunk) for chunk in chunks]
    return pa.chunked_array([chunk.cast(pa.large_string()) for chunk in chunks], pa.large_string())


def _spelt(uuids: pa.FixedSizeBinaryArray) -> pa.Array:
    """Write the 16 bytes of each UUID as RFC 9562 has it, 8-4-4-4-12 in lower case."""
    there = uuids.drop_null()
    digits = b"".join(there.to_pylist()).hex()
    size = len(there)
    letters = np.frombuffer(digits.encode(), dtype="S1").reshape(size, 32)
    dash = np.full((size, 1), b"-", dtype="S1")
    parts = np.split(letters, (8, 12, 16, 20), axis=1)
    spelt = np.hstack([parts[0], *(piece for part in parts[1:] for piece in (dash, part))])
    texts = pa.array(
        np.ascontiguousarray(spelt).view("S36").ravel().astype("U36"), pa.large_string()
    )
    places = pc.cumulative_sum(pc.is_valid(uuids).cast(pa.int64()))
    return texts.take(pc.if_else(pc.is_valid(uuids), pc.subtract(places, 1), None))
