"""What a CSV file must look like before it is parsed: RFC 4180, in UTF-8, under one header line.

Other readers repair what breaks these rules, and rows vanish. Every byte is looked at, some
megabytes at a time and without a loop over rows, and the first offence is told with its line.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aims_gate.errors import DataError

_STEP = 1 << 20
_HEADER = 1 << 20
"""Bytes of a header at most."""
_QUOTE, _COMMA, _LF, _CR, _ZERO, _PLUS, _MINUS = b'",\n\r0+-'
_WIDE = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_OTHERS = {";": "semicolons", "\t": "tabs", "|": "pipes"}
_EXCEL = re.compile(r"sep=.?", re.IGNORECASE)

_WHAT = ("quoted", "blank", "padded", "lettered")

_Bytes = npt.NDArray[np.uint8]
_Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What the bytes of a sound file say beyond its cells; columns are told by their places."""

    names: list[str]
    """The header."""
    quoted: frozenset[int]
    """Columns that have a field between quotes that is not empty."""
    blank: frozenset[int]
    """Columns that have an empty field between quotes."""
    padded: frozenset[int]
    """Columns that have a field in which a zero comes before another digit, after a sign or not."""
    lettered: frozenset[int]
    """Columns that have a field that begins like one of the words that may be null."""
    all_quoted: bool
    """Whether every field stands between quotes, so that these tell no column from another."""
    wrapped: int
    """Line breaks between quotes, which end no row."""


def form_of(content: bytes, words: Iterable[str], *, where: str) -> Form:
    """Look at every byte of a file that ends in a line break and has no byte order mark.

    *words* are those that may be null.

    Raises:
        DataError: It is not UTF-8 text, the header is missing or unfit, a quote is not where RFC
            4180 has it, or a carriage return stands alone.
    """
    refuse_encoding(content, where)
    names = _header(content, where)
    firsts = {word.encode()[0] for word in words}
    scan = _Scan(content, len(names), firsts, where)
    for start in range(0, len(content), _STEP):
        scan.block(start)
    return scan.form(names)


class _Scan:
    """What was found so far: every second quote closes a field, or is half of a doubled one."""

    def __init__(self, content: bytes, columns: int, firsts: Iterable[int], where: str) -> None:
        self._content, self._columns, self._where = content, columns, where
        self._view = np.frombuffer(content, dtype=np.uint8)
        self._has_quotes = b'"' in content
        self._has_blanks = columns > 1 and (b"\n\n" in content or b"\n\r\n" in content)
        self._has_bare = content.count(b"\r") != content.count(b"\r\n")
        self._lettered = np.zeros(256, dtype=np.bool_)
        self._lettered[list(firsts)] = True
        self._inside = False
        self._opened = 0
        self._ends, self._begun, self._wrapped = 0, 0, 0
        self._found = {what: np.zeros(columns, dtype=np.bool_) for what in _WHAT}

    def form(self, names: list[str]) -> Form:
        """Give the result; DataError if a quote was never closed."""
        if self._inside:
            what = "a quote is opened and never closed"
            raise self._broken(what, self._opened)
        places = {what: frozenset(np.flatnonzero(f).tolist()) for what, f in self._found.items()}
        all_quoted = self._has_quotes and self._begun == self._ends
        return Form(names=names, all_quoted=all_quoted, wrapped=self._wrapped, **places)

    def block(self, start: int) -> None:
        """Look at some bytes more; DataError for what RFC 4180 does not allow."""
        part = self._view[start : start + _STEP]
        marked = (part == _COMMA) | (part == _LF)
        if self._has_quotes:
            marked |= part == _QUOTE
        if self._has_bare:
            marked |= part == _CR
        places = np.flatnonzero(marked) + start
        kinds = self._view[places]
        if self._has_quotes:
            places, kinds = self._unquoted(places, kinds)
        if self._has_bare:
            self._refuse_bare(places[kinds == _CR])
            places = places[kinds != _CR]
        if self._has_blanks:
            places = places[~self._before_blank_lines(places)]
        self._fields(places[places < len(self._view) - 1] + 1)
        self._ends += len(places)

    def _unquoted(self, places: _Places, kinds: _Bytes) -> tuple[_Places, _Bytes]:
        """Give the marks that are not between quotes, and hold every quote against its place."""
        quotes = kinds == _QUOTE
        inside = np.logical_xor.accumulate(quotes) ^ self._inside
        opening, closing = places[quotes & inside], places[quotes & ~inside]
        outside = ~quotes & ~inside
        self._wrapped += int(np.count_nonzero((kinds == _LF) & inside))
        before = self._view[opening - 1]
        wrong = opening[(before != _COMMA) & (before != _LF) & (before != _QUOTE) & (opening > 0)]
        after = self._view[closing + 1]
        text = closing[(after != _COMMA) & (after != _LF) & (after != _CR) & (after != _QUOTE)]
        if wrong.size and not (text.size and text[0] < wrong[0]):
            what = "a quote stands inside a field that does not begin with one"
            raise self._broken(what, int(wrong[0]))
        if text.size:
            begun = max(opening[opening < text[0]], default=self._opened)
            line = _line(self._content, int(begun))
            what = f"text follows the quote that closes a field, which was opened on line {line:,}"
            raise self._broken(what, int(text[0]))
        if opening.size:
            self._opened = int(opening[-1])
        if quotes.any():
            self._inside = bool(inside[-1])
            # a quote after a quote is the other half of a doubled one
            self._begun += int(np.count_nonzero((before != _QUOTE) | (opening == 0)))
        return places[outside], kinds[outside]

    def _refuse_bare(self, returns: _Places) -> None:
        bare = returns[self._view[returns + 1] != _LF]
        if bare.size:
            line = _line(self._content, int(bare[0]))
            raise DataError(
                f"line {line:,} holds a carriage return without a line feed",
                where=self._where,
                hint="lines end in a line feed, or in both; quote fields that hold line breaks",
            )

    def _before_blank_lines(self, places: _Places) -> npt.NDArray[np.bool_]:
        one, two = self._at(places + 1), self._at(places + 2)
        blank: npt.NDArray[np.bool_] = (one == _LF) | ((one == _CR) & (two == _LF))
        blank &= (self._view[places] == _LF) & (places < len(self._view) - 1)
        return blank

    def _fields(self, starts: _Places) -> None:
        """Look at how fields begin that begin at *starts*, in their order."""
        skipped = max(self._columns - 1 - self._ends, 0)  # the header
        starts = starts[skipped:]
        first = self._ends + 1 + skipped
        lead = self._at(starts)
        if self._has_quotes:
            quoted = lead == _QUOTE
            empty = quoted & (self._at(starts + 1) == _QUOTE) & (self._at(starts + 2) != _QUOTE)
            self._note("blank", empty, first)
            self._note("quoted", quoted & ~empty, first)
            starts = starts + quoted
            lead = self._at(starts)
        self._note("lettered", self._lettered[lead], first)
        second = self._at(starts + 1)
        padded = (lead == _ZERO) & (second - np.uint8(_ZERO) < 10)
        signed = np.flatnonzero((second == _ZERO) & ((lead == _MINUS) | (lead == _PLUS)))
        third = self._at(starts[signed] + 2)
        padded[signed] = third - np.uint8(_ZERO) < 10
        self._note("padded", padded, first)

    def _at(self, places: _Places) -> _Bytes:
        """Give the bytes at *places*; past the end it is the line break that ends the file."""
        return self._view[np.minimum(places, len(self._view) - 1)]

    def _note(self, what: str, hits: npt.NDArray[np.bool_], first: int) -> None:
        self._found[what][(np.flatnonzero(hits) + first) % self._columns] = True

    def _broken(self, what: str, place: int) -> DataError:
        line = _line(self._content, place)
        if b"\\" in self._content[max(place - 2, 0) : place]:
            hint = 'a backslash escapes nothing: write quotes twice, in Spark by option("escape")'
        else:
            hint = "quote fields that hold quotes, and write those twice (RFC 4180)"
        return DataError(f"line {line:,}: {what}", where=self._where, hint=hint)


def _line(content: bytes, place: int) -> int:
    return content.count(b"\n", 0, place) + 1


def _header(content: bytes, where: str) -> list[str]:
    text = io.StringIO(content[:_HEADER].decode(errors="ignore"), newline="")
    try:
        names = next(csv.reader(text), [])
    except csv.Error as error:
        raise DataError(f"the header cannot be read: {error}", where=where) from error
    if not names:
        raise DataError("the first line is empty; it must name the columns", where=where)
    if _EXCEL.fullmatch(names[0]) and len(names) <= 2 and not any(names[1:]):
        raise DataError(
            "line 1 is a `sep=` line, which only Excel reads; it must name the columns",
            where=where,
            hint="remove it, and separate the fields by commas",
        )
    other = next((mark for mark in _OTHERS if mark in names[0]), "")
    if other and (len(names) == 1 or other in names[-1]):
        raise DataError(
            f"the fields are separated by {_OTHERS[other]}, not by commas",
            where=where,
            hint="write commas, and decimal points: to_csv(path, index=False) does",
        )
    if not all(names):
        last = names.index("") == len(names) - 1
        hint = "the line ends in a comma, which begins one more field: remove it from every line"
        if not last or len(names) == 1:
            hint = "an index that pandas wrote is left out with to_csv(index=False)"
        raise DataError(f"column {names.index('') + 1} has no name", where=where, hint=hint)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"two columns are called {twice[0]!r}", where=where, hint="rename one")
    return names


def refuse_encoding(content: bytes, where: str) -> None:
    """Refuse what is no UTF-8 text, with the place of the first such byte."""
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
