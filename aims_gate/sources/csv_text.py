"""CSV bytes to Arrow, refusing what other readers repair in silence.

What is read: UTF-8 (a byte order mark is accepted), fields separated by commas, quoted as RFC 4180
says, and one header line of distinct names. Types are inferred from whole columns: whole numbers,
`true`/`false`, dates and times as ISO 8601, numbers, otherwise text. A file in which a type matters
(`007` becomes 7, whole numbers of 20 digits become floats) belongs into Parquet.

Null is a field without quotes that is empty or one of `NA NaN nan null NULL`, as pandas and R write
it. Between quotes the same letters are text, and so are `None`, `N/A`, `-` and `?` everywhere. An
empty line is no row, except in a file of one column, where it is a null.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from typing import Any

import pyarrow as pa
from pyarrow import csv as arrow_csv

from aims_gate.errors import DataError

NULLS = ("", "NA", "NaN", "nan", "null", "NULL")
"""Fields without quotes that are null."""
_BLOCK = 1 << 24
"""Bytes parsed at a time; no row may be longer."""
_STEP = 1 << 20
_SHOWN = 3
_WIDE = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def read_csv(content: bytes, *, where: str) -> pa.Table:
    """Read a CSV file's bytes; a header without rows is a table without rows.

    Raises:
        DataError: The bytes are not UTF-8 text, the header is missing or names a column twice or
            not at all, rows differ in their number of fields, or a quote is never closed.
    """
    _refuse_encoding(content, where)
    content = content.removeprefix(codecs.BOM_UTF8)
    names = _header(content, where)
    if content.count(b'"') % 2:
        raise DataError(
            "a quote is opened and never closed",
            where=where,
            hint="write a quote inside a quoted field twice, and quote fields that hold one",
        )
    if not content.endswith((b"\n", b"\r")):
        content += b"\n"
    ragged: list[Any] = []
    table = _parse(content, ragged, where=where, threads=True, single=len(names) == 1)
    if ragged:
        ragged.clear()  # rows have numbers on one thread only
        _parse(content, ragged, where=where, threads=False, single=len(names) == 1)
        raise _ragged(ragged, content, where)
    return table


def _parse(
    content: bytes, ragged: list[Any], *, where: str, threads: bool, single: bool
) -> pa.Table:
    def note(row: Any) -> str:
        ragged.append(row)
        return "skip"

    try:
        return arrow_csv.read_csv(
            pa.BufferReader(content),
            read_options=arrow_csv.ReadOptions(use_threads=threads, block_size=_BLOCK),
            parse_options=arrow_csv.ParseOptions(
                newlines_in_values=b'"' in content,
                ignore_empty_lines=not single,
                invalid_row_handler=note,
            ),
            convert_options=arrow_csv.ConvertOptions(
                null_values=list(NULLS),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["true", "True", "TRUE"],
                false_values=["false", "False", "FALSE"],
            ),
        )
    except (pa.ArrowException, ValueError, KeyError) as error:
        # Arrow's message may hold a row, and this one goes into evidence
        raise DataError(
            "it cannot be parsed as CSV",
            where=where,
            hint=f"is a row longer than {_BLOCK:,} bytes, or a quote out of place?",
        ) from error


def _ragged(rows: list[Any], content: bytes, where: str) -> DataError:
    """Name the first ragged rows; line breaks in fields and empty lines make rows no lines."""
    uneven = any(mark in content for mark in (b'"', b"\n\n", b"\n\r\n", b"\r\r"))
    unit = "row" if uneven else "line"
    shown = [f"{unit} {row.number} has {row.actual_columns}" for row in rows[:_SHOWN]]
    more = f" and {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else ""
    return DataError(
        f"{rows[0].expected_columns} fields are expected, but {', '.join(shown)}{more}",
        where=where,
        hint="quote fields that hold commas; the header is row 1",
    )


def _header(content: bytes, where: str) -> list[str]:
    text = io.StringIO(content[:_STEP].decode(errors="ignore"), newline="")
    try:
        names = next(csv.reader(text), [])
    except csv.Error as error:
        raise DataError(f"the header cannot be read: {error}", where=where) from error
    if not names:
        raise DataError("the first line is empty; it must name the columns", where=where)
    if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        raise DataError("the fields are not separated by commas", where=where, hint="use commas")
    if not all(names):
        raise DataError(
            f"column {names.index('') + 1} has no name",
            where=where,
            hint="an index that pandas wrote is left out with to_csv(index=False)",
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"two columns are called {twice[0]!r}", where=where, hint="rename one")
    return names


def _refuse_encoding(content: bytes, where: str) -> None:
    for mark, name in _WIDE.items():
        if content.startswith(mark):
            raise _encoding(f"byte 0 begins a {name} byte order mark", where)
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(content), _STEP):
        part = content[start : start + _STEP]
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(part, final=start + _STEP >= len(content))
        except UnicodeDecodeError as error:
            raise _encoding(f"byte {start - pending + error.start:,} is not UTF-8", where) from None
    if (zero := content.find(b"\0")) >= 0:
        raise _encoding(f"byte {zero:,} is zero", where)


def _encoding(what: str, where: str) -> DataError:
    return DataError(
        f"{what}; UTF-8 text is expected", where=where, hint="save the file as UTF-8, or as Parquet"
    )
