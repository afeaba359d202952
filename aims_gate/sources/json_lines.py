"""JSON lines to Arrow: one object a line, every line an object.

A key that a line leaves out is null there. Types are those of whole columns: whole numbers,
numbers, truth values, text, and times where every value is ISO 8601. Empty lines are no rows.
"""

from __future__ import annotations

import codecs

import pyarrow as pa
from pyarrow import json as arrow_json

from aims_gate.errors import DataError

_BLOCK = 1 << 24
"""Bytes parsed at a time; no row may be longer."""
_HINT = "one object a line, the values of each key of one type, such as pandas' to_json(lines=True)"


def read_json_lines(content: bytes, *, where: str) -> pa.Table:
    """Read the bytes of a JSON lines file.

    Raises:
        DataError: The bytes are not UTF-8, a line is no object or is cut, an object has a key
            twice, or the values of a key have two types.
    """
    content = content.removeprefix(codecs.BOM_UTF8)
    lines = [line for line in content.splitlines() if line.strip()]
    wrong = next((n for n, line in enumerate(lines, 1) if not _is_object(line)), 0)
    if wrong or not lines:
        what = f"row {wrong:,} is not one object on one line" if wrong else "there is no row"
        raise DataError(what, where=where, hint=_HINT)
    try:
        content.decode()
        table = arrow_json.read_json(
            pa.BufferReader(content), read_options=arrow_json.ReadOptions(block_size=_BLOCK)
        )
    except (pa.ArrowException, ValueError, KeyError) as error:
        # Arrow's message may hold a value, and this one goes into evidence
        raise DataError("it cannot be parsed as JSON lines", where=where, hint=_HINT) from error
    if table.num_rows != len(lines):
        what = f"{len(lines):,} lines hold {table.num_rows:,} objects"
        raise DataError(what, where=where, hint=_HINT)
    return table


def _is_object(line: bytes) -> bool:
    bare = line.strip()
    return bare.startswith(b"{") and bare.endswith(b"}")
