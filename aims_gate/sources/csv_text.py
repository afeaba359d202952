"""CSV reader: bytes to Arrow, refusing what other readers repair silently.

What is read: UTF-8 (a byte order mark is accepted), fields separated by commas, quoted as RFC 4180
says, and one header line of distinct names. Types are those of whole columns, where reading one
loses nothing that its text tells apart: whole numbers, `true`/`false`, dates and times as ISO 8601,
numbers, otherwise text. Quotes, leading zeros and whole numbers past 2^53 make text, and the policy
has the last word (docs/data.md).

Null is an empty field without quotes, and in a column of numbers, truth values or times one of
`NA NaN nan null NULL`. In a column of text these are words, unless its text stands in quotes, or
the policy says otherwise. An empty line is no row, except in a file of one column, where it is a
null.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from aims_gate.errors import DataError
from aims_gate.frames import ColumnKind
from aims_gate.frames.column_values import kind_of
from aims_gate.sources.csv_cells import (
    NULLS,
    every,
    is_text,
    null_notes,
    refuse_commas,
    refuse_header,
    strangers,
)
from aims_gate.sources.csv_form import Form, form_of
from aims_gate.sources.reading import Reading

_BLOCK = 1 << 24
"""Bytes parsed at a time; no row may be longer."""
_EXACT = 2**53
_SHOWN = 3
_TYPED = (ColumnKind.NUMBER, ColumnKind.BOOLEAN)
_WHOLE = r"^(0|-?[1-9][0-9]*)$"
_POINT = r"^-?(0|[1-9][0-9]*)\.(0|[0-9]*[1-9])$"
_SPELLINGS = ("^(true|false)$", "^(True|False)$", "^(TRUE|FALSE)$")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadText:
    """A table and what a reader should know about how it was read; no note holds a cell."""

    table: pa.Table
    notes: tuple[str, ...] = ()


def read_csv(content: bytes, *, where: str, reading: Reading | None = None) -> ReadText:
    """Read a CSV file's bytes; a header without rows is a table without rows.

    Raises:
        DataError: The bytes are no CSV as RFC 4180 has it, in UTF-8 and under a header of distinct
            names; rows differ in their number of fields; or a column is not what the policy says.
    """
    content = content.removeprefix(codecs.BOM_UTF8)
    if not content.endswith(b"\n"):
        content += b"\n"
    reading = reading or Reading()
    form = form_of(content, (*NULLS, *(reading.nulls or ())), where=where)
    return _File(content=content, form=form, reading=reading, where=where).read()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _File:
    """A sound file, and what its columns are to be."""

    content: bytes
    form: Form
    reading: Reading
    where: str

    def read(self) -> ReadText:
        """Infer types, then look at the text of the columns for which they may be wrong."""
        table = self._inferred()
        doubtful = [n for n in table.column_names if self._is_doubtful(n, table[n])]
        texts = self._texts(doubtful, [])
        nulled = self._texts([n for n in doubtful if self._may_be_null(n)], self._words)
        notes: list[str] = []
        for name in doubtful:
            text = nulled[name] if name in nulled else texts[name]
            column = self._settled(name, table[name], self._emptied(name, text, notes), notes)
            if name in self._among(self.form.lettered):
                notes += null_notes(name, texts[name], column, self._words)
            table = table.set_column(table.column_names.index(name), name, column)
        free = [n for n in table.column_names if n not in self._named and is_text(table[n])]
        refuse_commas(table.select(free), self.where)
        refuse_header(table, self.where)
        notes += strangers(table.select([n for n in free if not self._is_quoted(n)]))
        if self.form.all_quoted and self.form.blank:
            notes.append("every field is in quotes, and an empty one was read as null")
        if self.form.wrapped:
            notes.append(f"{self.form.wrapped:,} line breaks stand between quotes and end no row")
        return ReadText(table=table, notes=tuple(notes))

    @property
    def _words(self) -> Sequence[str]:
        return NULLS if self.reading.nulls is None else self.reading.nulls

    @property
    def _named(self) -> frozenset[str]:
        """Columns of which the policy says what they are."""
        reading = self.reading
        return reading.texts | reading.codes | reading.types.keys()

    def _among(self, places: frozenset[int]) -> set[str]:
        return {self.form.names[place] for place in places}

    def _may_be_null(self, name: str) -> bool:
        """Tell whether a word without quotes can be a null in a column of text."""
        return self.reading.nulls is not None or self._is_quoted(name)

    def _is_quoted(self, name: str) -> bool:
        return not self.form.all_quoted and name in self._among(self.form.quoted)

    def _is_doubtful(self, name: str, column: pa.ChunkedArray) -> bool:
        """Tell whether the type that Arrow inferred may lose something."""
        kind, form, reading = kind_of(column.type), self.form, self.reading
        if name in reading.texts or name in reading.types:
            return True
        if column.null_count and name in self._among(form.lettered | form.blank):
            return True
        if kind not in _TYPED:
            return kind is not ColumnKind.TEXT and name in reading.codes
        if name in self._among(form.padded) or self._is_quoted(name) or name in reading.codes:
            return True
        return kind is ColumnKind.NUMBER and _largest(column) >= _EXACT

    def _emptied(self, name: str, text: pa.ChunkedArray, notes: list[str]) -> pa.ChunkedArray:
        """Read `""` as null where all text is in quotes and no null is written otherwise.

        So pandas writes nulls beside quoted text; R and Arrow leave the quotes out.
        """
        quoted = self._is_quoted(name) and name in self._among(self.form.blank)
        if not quoted or text.null_count or self.reading.nulls is not None:
            return text
        empty = pc.equal(text, "")
        told = f"{name}: {pc.sum(empty).as_py():,} of {len(text):,} cells read as null"
        notes.append(f"{told}: nothing in quotes")
        return pc.if_else(empty, pa.scalar(None, text.type), text)

    def _settled(
        self, name: str, typed: pa.ChunkedArray, text: pa.ChunkedArray, notes: list[str]
    ) -> pa.ChunkedArray:
        """Choose between a column's inferred type and its text."""
        stated = self.reading.types.get(name)
        if stated is not None:
            return self._stated(name, stated, typed, text)
        if name in self.reading.texts or kind_of(typed.type) is ColumnKind.TEXT:
            return text
        why = self._lossy(name, typed, text)
        if not why:
            return typed
        if name not in self.reading.codes:
            notes.append(f"{name} is text: {why}")
        return text

    def _lossy(self, name: str, typed: pa.ChunkedArray, text: pa.ChunkedArray) -> str:
        """Say why a column of numbers or truth values has to stay text; nothing if it need not."""
        codes = name in self.reading.codes
        if kind_of(typed.type) not in _TYPED:
            return "it writes one value in several ways" if codes and _merges(typed, text) else ""
        if self._is_quoted(name):
            return "its values are in quotes"
        if kind_of(typed.type) is ColumnKind.BOOLEAN:
            alike = any(every(text, spelling) for spelling in _SPELLINGS)
            return "it spells truth values in several ways" if codes and not alike else ""
        if name in self._among(self.form.padded):
            return "it has leading zeros"
        if _largest(typed) >= _EXACT and every(text, r"^[+-]?[0-9]+$"):
            return "it has whole numbers of 2^53 or more"
        if codes and not any(every(text, p) for p in (_WHOLE, _POINT)):
            return "it writes numbers in several ways"
        return ""

    def _stated(
        self, name: str, stated: ColumnKind, typed: pa.ChunkedArray, text: pa.ChunkedArray
    ) -> pa.ChunkedArray:
        if stated is ColumnKind.TEXT:
            return text
        if kind_of(typed.type) is stated or pa.types.is_null(typed.type):
            return typed
        raise DataError(
            f"column {name!r} holds something else than {_PLURAL[stated]}, which its type is by "
            "the policy",
            where=self.where,
            hint="correct the values, or the word under types:; decimals have a point",
        )

    def _inferred(self) -> pa.Table:
        ragged: list[Any] = []
        nulls = ["", *self._words]
        table = self._parse(nulls, quoted=True, ragged=ragged)
        if table.column_names != self.form.names:
            what = "the header can be read in two ways, as with a second byte order mark"
            raise DataError(what, where=self.where, hint="write it again, as UTF-8 without a mark")
        if ragged:
            ragged.clear()  # rows have numbers on one thread only
            self._parse(nulls, quoted=True, ragged=ragged, threads=False)
            raise _ragged(ragged, self.content, self.where)
        return table

    def _texts(self, columns: Sequence[str], words: Sequence[str]) -> Mapping[str, pa.ChunkedArray]:
        """Columns as text; empty fields and *words* without quotes are null."""
        if not columns:
            return {}
        table = self._parse(["", *words], quoted=self.form.all_quoted, columns=columns)
        return {name: table[name] for name in columns}

    def _parse(
        self,
        nulls: Sequence[str],
        *,
        quoted: bool,
        columns: Sequence[str] = (),
        ragged: list[Any] | None = None,
        threads: bool = True,
    ) -> pa.Table:
        """Parse all columns, or *columns* as text."""

        def note(row: Any) -> str:
            if ragged is not None:
                ragged.append(row)
            return "skip"

        try:
            return arrow_csv.read_csv(
                pa.BufferReader(self.content),
                read_options=arrow_csv.ReadOptions(use_threads=threads, block_size=_BLOCK),
                parse_options=arrow_csv.ParseOptions(
                    newlines_in_values=bool(self.form.wrapped),
                    ignore_empty_lines=len(self.form.names) > 1,
                    invalid_row_handler=note,
                ),
                convert_options=arrow_csv.ConvertOptions(
                    null_values=list(nulls),
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=quoted,
                    true_values=["true", "True", "TRUE"],
                    false_values=["false", "False", "FALSE"],
                    include_columns=list(columns),
                    column_types=dict.fromkeys(columns, pa.string()),
                ),
            )
        except (pa.ArrowException, ValueError, KeyError) as error:
            # Arrow's message may hold a row, and this one goes into evidence
            raise DataError(
                "it cannot be parsed as CSV",
                where=self.where,
                hint=f"is a row longer than {_BLOCK:,} bytes?",
            ) from error


_PLURAL = {
    ColumnKind.NUMBER: "numbers",
    ColumnKind.BOOLEAN: "truth values",
    ColumnKind.TIME: "dates and times",
}


def _largest(column: pa.ChunkedArray) -> float:
    """Largest absolute value in a column; 0 if it has none."""
    found = pc.min_max(column).as_py()
    return max((abs(end) for end in found.values() if end is not None), default=0)


def _merges(typed: pa.ChunkedArray, text: pa.ChunkedArray) -> bool:
    """Tell whether times have more spellings than values, or there are only words for null."""
    if pa.types.is_null(typed.type):
        return bool(text.null_count < len(text))
    known = text.filter(pc.is_valid(typed))
    return bool(len(known.unique()) > len(typed.drop_null().unique()))


def _ragged(rows: list[Any], content: bytes, where: str) -> DataError:
    """Name the first ragged rows; line breaks in fields and empty lines make rows no lines."""
    uneven = any(mark in content for mark in (b'"', b"\n\n", b"\n\r\n"))
    unit = "row" if uneven else "line"
    shown = [f"{unit} {row.number} has {row.actual_columns}" for row in rows[:_SHOWN]]
    more = f" and {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else ""
    expected = rows[0].expected_columns
    ends = all(r.actual_columns == expected + 1 and r.text.endswith(",") for r in rows)
    hint = "quote fields that hold commas; the header is row 1"
    return DataError(
        f"{expected} fields are expected, but {', '.join(shown)}{more}",
        where=where,
        hint="these rows end in a comma, which begins one more field: remove it" if ends else hint,
    )
