"""Checks on parsed CSV cells: null words, decimal commas, a second header."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from aims_gate.errors import DataError
from aims_gate.frames import ColumnKind
from aims_gate.frames.column_values import kind_of

NULLS = ("NA", "NaN", "nan", "null", "NULL")
"""Words without quotes that are null where they can mean nothing else, as pandas and R write it."""
_NUMBER = r"^[+-]?[0-9.]+([eE][+-]?[0-9]+)?$"
_STRANGERS = (
    *("None", "<NA>", "NaT", "N/A", "n/a", "#N/A", "\\N", "?", "-", ".", "missing", "unknown"),
    *("#DIV/0!", "#NUM!", "#REF!", "#VALUE!"),
)
_COMMA = r"^\s*[+-]?[0-9][0-9. ]*,[0-9]+\s*$"


def is_text(column: pa.ChunkedArray) -> bool:
    """Tell whether a column was read as text."""
    return kind_of(column.type) is ColumnKind.TEXT


def every(text: pa.ChunkedArray, pattern: str) -> bool:
    """Tell whether each text matches, null words aside."""
    fits = pc.or_(pc.match_substring_regex(text, pattern), pc.is_in(text, pa.array(NULLS)))
    return bool(pc.all(fits, min_count=0).as_py())


def null_notes(
    name: str, text: pa.ChunkedArray, column: pa.ChunkedArray, words: Sequence[str]
) -> Iterator[str]:
    """Count the words that were read as null, or could have been."""
    for word in dict.fromkeys((*words, *NULLS)):
        told = pc.equal(text, word)
        many = pc.sum(told).as_py() or 0
        if not many:
            continue
        nulls = pc.sum(pc.and_(told, pc.is_null(column))).as_py()
        cells = f"{nulls or many:,} of {len(text):,} cells"
        if nulls:
            yield f"{name}: {cells} read as null from the word {word}"
        else:
            yield f"{name}: {cells} hold the word {word}, which is text here (nulls: makes it null)"


def refuse_commas(texts: pa.Table, where: str) -> None:
    """Refuse numbers with decimal commas, which would be categories to every rule."""
    for name in texts.column_names:
        column = texts[name]
        if column.null_count < len(column) and all(
            every(part, _COMMA) for part in (column.slice(0, 1000), column)
        ):
            raise DataError(
                f"column {name!r} holds numbers with commas in them",
                where=where,
                hint=f"write decimal points, or state types: {{{name}: text}} in the policy",
            )


def refuse_header(table: pa.Table, where: str) -> None:
    """Refuse a second header, as files have that were put after each other."""
    if table.num_columns < 2 or not all(map(is_text, table.columns)):
        return
    repeated = reduce(pc.and_, (pc.equal(table[n], n.strip()) for n in table.column_names))
    row = pc.index(repeated, True).as_py()
    if row >= 0:
        raise DataError(
            f"row {row + 1:,} after the header repeats it",
            where=where,
            hint="put files after each other with one header",
        )


def strangers(texts: pa.Table) -> Iterator[str]:
    """Name the words that make text of numbers, and are null to those who wrote them."""
    words = pa.array(_STRANGERS)
    for name in texts.column_names:
        column = texts[name]
        found = pc.is_in(column, words)
        if not pc.any(found).as_py():
            continue
        others = column.filter(pc.invert(found)).drop_null()
        if len(others) and every(others, _NUMBER):
            what = ", ".join(sorted(column.filter(found).unique().to_pylist()))
            yield f"{name} is text: it has {what} among numbers (nulls: makes a word null)"
