"""What writers store beside the values themselves: text as plain bytes, and the index of pandas."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa

from aims_gate.frames.columns import undictionary
from aims_gate.frames.lazy import LazyTable

_UNNAMED = re.compile(r"__index_level_[0-9]+__")
"""What pandas calls an index that nobody named."""


def legible(table: pa.Table | LazyTable) -> tuple[pa.Table | LazyTable, tuple[str, ...]]:
    """Leave out the index that pandas kept, and give bytes that are UTF-8 as text.

    A named index stays: it is a column that somebody meant, such as a key or a time.

    Returns:
        The table, and a note on each column that is not as it was stored.
    """
    index = [name for name in _index_of(table.schema) if name in table.column_names]
    texts = [field.name for field in table.schema if _is_bytes(field.type)]
    texts = [name for name in texts if name not in index and _is_text(table, name)]
    if not index and not texts:
        return table, ()
    if isinstance(table, LazyTable):
        table = _lazily(table, index, frozenset(texts))
    else:
        table = table.drop_columns(index)
        for name in texts:
            place = table.column_names.index(name)
            table = table.set_column(place, name, _text(table[name]))
    notes = [f"{name} is left out: the index of pandas" for name in index]
    return table, (*notes, *(f"{name} is text: its bytes are UTF-8" for name in texts))


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
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


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
    return undictionary(column).cast(pa.large_string())
