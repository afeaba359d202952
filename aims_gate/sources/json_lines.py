"""JSON Lines reader: bytes to Arrow; one object per line.

A key that a line leaves out is null there. Types are those of whole columns: whole numbers,
numbers, truth values, text, and times where every value is ISO 8601. Empty lines are no rows.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json as arrow_json

from aims_gate.errors import DataError
from aims_gate.frames import ColumnKind
from aims_gate.sources.csv_form import refuse_encoding
from aims_gate.sources.reading import Reading

_BLOCK = 1 << 24
"""Bytes parsed at a time; no row may be longer."""
_EXACT = 2**53
_NO_JSON = re.compile(rb"[:,\[]\s*-?(NaN|Infinity|nan|inf)\s*[,}\]]")
_CHANGED = re.compile(r"Column\(/([^)]*)\) changed from (\w+) to (\w+)")
_HINT = "one object a line, the values of each key of one type, such as pandas' to_json(lines=True)"


def read_json_lines(content: bytes, *, where: str, reading: Reading | None = None) -> pa.Table:
    """Read the bytes of a JSON lines file; text that *reading* groups by or matches stays text.

    Raises:
        DataError: The bytes are not UTF-8, a line is no object or is cut, an object has a key
            twice, or the values of a key have two types.
    """
    content = content.removeprefix(codecs.BOM_UTF8)
    refuse_encoding(content, where)
    lines = [line for line in content.splitlines() if line.strip()]
    wrong = next((n for n, line in enumerate(lines, 1) if not _is_object(line)), 0)
    if wrong or not lines:
        what = f"row {wrong:,} is not one object on one line" if wrong else "there is no row"
        raise DataError(what, where=where, hint=_HINT)
    try:
        table = _parsed(content)
        if texts := _spelled(table.schema, reading or Reading()):
            spelled = _parsed(content, dict.fromkeys(texts, pa.string()))
            table = spelled.select(table.column_names)
    except (pa.ArrowException, ValueError, KeyError) as error:
        # Arrow's message may hold a value, and this one goes into evidence
        raise _unparsed(lines, str(error), where) from error
    if table.num_rows != len(lines):
        what = f"{len(lines):,} lines hold {table.num_rows:,} objects"
        raise DataError(what, where=where, hint=_HINT)
    _refuse_rounded(table, content, where)
    return table


def _parsed(content: bytes, types: Mapping[str, pa.DataType] | None = None) -> pa.Table:
    return arrow_json.read_json(
        pa.BufferReader(content),
        read_options=arrow_json.ReadOptions(block_size=_BLOCK),
        parse_options=arrow_json.ParseOptions(explicit_schema=pa.schema(types) if types else None),
    )


def _spelled(schema: pa.Schema, reading: Reading) -> list[str]:
    """Name the columns whose text Arrow parsed as times although the policy reads their text."""
    named = {name for name, kind in reading.types.items() if kind is ColumnKind.TEXT}
    named |= reading.texts | reading.codes
    return [f.name for f in schema if f.name in named and pa.types.is_timestamp(f.type)]


def _refuse_rounded(table: pa.Table, content: bytes, where: str) -> None:
    """Refuse whole numbers that were read as floats: ids of 20 digits would be one."""
    for field in table.schema:
        if not pa.types.is_floating(field.type):
            continue
        ends = pc.min_max(table[field.name]).as_py().values()
        if max((abs(end) for end in ends if end is not None), default=0) < _EXACT:
            continue
        name = re.escape(json.dumps(field.name, ensure_ascii=False).encode())
        if re.search(name + rb"\s*:\s*-?[0-9]{16,}\s*[,}]", content):
            what = f"{field.name!r} holds whole numbers that no number here can hold exactly"
            raise DataError(what, where=where, hint="write them as text, in quotes")


def _unparsed(lines: Sequence[bytes], said: str, where: str) -> DataError:
    """Say what is no JSON, or which key has two types; of Arrow's words only names are taken."""
    row = next((n for n, line in enumerate(lines, 1) if _NO_JSON.search(line)), 0)
    if row:
        what = f"row {row:,} holds NaN or Infinity, which JSON does not have"
        return DataError(what, where=where, hint="write null, as pandas' to_json does")
    changed = _CHANGED.search(said)
    if changed:
        name, before, after = changed.groups()
        what = f"the values of {name!r} are of two types, {before} and {after}"
        return DataError(what, where=where, hint="write them as one, such as all as text")
    told = next(filter(None, map(_fault, range(1, len(lines) + 1), lines)), "")
    return DataError(told or "it cannot be parsed as JSON lines", where=where, hint=_HINT)


def _fault(row: int, line: bytes) -> str:
    """Say what is wrong with a single row: it is no JSON, or has a key twice."""
    try:
        pairs = json.loads(line, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return f"row {row:,} is no JSON"
    twice = next((key for key, many in Counter(key for key, _ in pairs).items() if many > 1), None)
    return "" if twice is None else f"row {row:,} has the key {twice!r} twice"


def _is_object(line: bytes) -> bool:
    bare = line.strip()
    return bare.startswith(b"{") and bare.endswith(b"}")
