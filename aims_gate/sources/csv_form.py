"""CSV validation before parsing: RFC 4180, UTF-8, one header line.

Other readers repair what breaks these rules, and rows vanish. Every byte is looked at, some
at a time and without a loop over rows, and an offence is reported with its line.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

from aims_gate.errors import DataError
from aims_gate.sources.csv_bits import (
    WORD,
    Words,
    ahead,
    before,
    behind,
    count,
    last,
    middle,
    odd,
    packed,
    places,
)

_STEP = 1 << 18
"""Bytes of a block: a multiple of `WORD`."""
_HEADER = 1 << 20
"""Bytes in which a header has to end."""
_QUOTE, _COMMA, _LF, _CR, _ZERO, _PLUS, _MINUS, _X = b'",\n\r0+-x'
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Properties of a valid CSV file beyond its cells; columns are given by index."""

    names: list[str]
    """The header."""
    quoted: frozenset[int]
    """Columns that have a field between quotes that is not empty."""
    blank: frozenset[int]
    """Columns that have an empty field between quotes."""
    padded: frozenset[int]
    """Columns that have a field in which a zero comes before another digit, after a sign or not, or
    that begins with 0x."""
    lettered: frozenset[int]
    """Columns that have a field that begins like one of the words that may be null."""
    all_quoted: bool
    """Whether every field stands between quotes, so that these tell no column from another."""
    wrapped: int
    """Line breaks between quotes, which end no row."""


def form_of(content: bytes, words: Iterable[str], *, where: str) -> Form:
    """Scan every byte of a file that ends in a line break and has no byte order mark.

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
    """What was found so far; each test is done on all bytes of a block at once, 64 to a word.

    Every second quote closes a field, or is half of a doubled one.
    """

    def __init__(self, content: bytes, columns: int, firsts: Iterable[int], where: str) -> None:
        self._content, self._columns, self._where = content, columns, where
        self._view = np.frombuffer(content, dtype=np.uint8)
        self._has_quotes = b'"' in content
        self._has_returns = b"\r" in content
        self._firsts = frozenset(firsts)
        self._inside, self._ended = False, True
        self._ends, self._begun, self._wrapped = 0, 0, 0
        self._found = {what: np.zeros(columns, dtype=np.bool_) for what in _WHAT}

    def form(self, names: list[str]) -> Form:
        """The result of the scan; DataError if a quote was never closed."""
        if self._inside:
            what = "a quote is opened and never closed"
            raise self._broken(what, self._content.rindex(b'"'))
        found = {what: frozenset(np.flatnonzero(f).tolist()) for what, f in self._found.items()}
        all_quoted = self._has_quotes and self._begun == self._ends
        return Form(names=names, all_quoted=all_quoted, wrapped=self._wrapped, **found)

    def block(self, start: int) -> None:
        """Scan the next block; DataError for what RFC 4180 does not allow."""
        text = self._around(start)
        commas, breaks = packed(text == _COMMA), packed(text == _LF)
        returns = packed(text == _CR) if self._has_returns else None
        quotes = packed(text == _QUOTE) if self._has_quotes else None
        empty = ahead(breaks)  # what comes after a line break
        ends, inside = commas | breaks, None
        if quotes is not None:
            closed = ends if returns is None else ends | returns
            inside = self._between_quotes(quotes, ends, closed, start)
            self._wrapped += count(breaks & inside)
            ends &= ~inside
        if returns is not None:
            bare = returns & ~empty
            self._refuse_bare(bare if inside is None else bare & ~inside, start)
            empty |= ahead(returns) & ahead(breaks, 2)
        if self._columns > 1:
            ends &= ~(breaks & empty)
        ends = middle(ends)
        begins = behind(ends)
        begins[1] |= np.uint64(self._ended)
        self._ended = last(ends)
        self._fields(text, quotes, middle(begins), ends)
        self._ends += count(ends)

    def _around(self, start: int) -> _Bytes:
        """A block with one word of context before it and one after; zeros beyond the file."""
        size = min(_STEP, len(self._view) - start)
        text = np.zeros((-(-size // WORD) + 2) * WORD, dtype=np.uint8)
        known = self._view[max(start - WORD, 0) : start + size + WORD]
        begin = WORD - min(start, WORD)
        text[begin : begin + len(known)] = known
        if start == 0:
            text[WORD - 1] = _LF
        return text

    def _between_quotes(self, quotes: Words, ends: Words, closed: Words, start: int) -> Words:
        """Which bytes are between quotes; validates the position of every quote."""
        here = middle(quotes)
        inside = middle(~odd(here) if self._inside else odd(here))
        opening, closing, half = here & inside, here & ~inside, behind(quotes)
        early: Words = opening & ~(half | behind(ends))
        late: Words = closing & ~(ahead(closed) | ahead(quotes))
        wrong: Words = early | late
        if wrong.any():
            first = int(places(wrong)[0])
            raise self._misplaced(start + first - WORD, late=first in places(late))
        self._begun += count(opening & ~half)
        self._inside = last(inside)
        return inside

    def _misplaced(self, place: int, *, late: bool) -> DataError:
        if not late:
            what = "a quote stands inside a field that does not begin with one"
            return self._broken(what, place)
        line = _line(self._content, self._content.rindex(b'"', 0, place))
        what = f"text follows the quote that closes a field, which was opened on line {line:,}"
        return self._broken(what, place)

    def _refuse_bare(self, bare: Words, start: int) -> None:
        bare = middle(bare)
        if bare.any():
            line = _line(self._content, start + int(places(bare)[0]) - WORD)
            raise DataError(
                f"line {line:,} holds a carriage return without a line feed",
                where=self._where,
                hint="lines end in a line feed, or in both; quote fields that hold line breaks",
            )

    def _fields(self, text: _Bytes, quotes: Words | None, begins: Words, ends: Words) -> None:
        """Examine the first bytes of the fields that begin in a block."""
        letter = packed(reduce(np.logical_or, (text == first for first in self._firsts)))
        zero, digit = packed(text == _ZERO), packed(text - np.uint8(_ZERO) < 10)
        sign = packed((text == _MINUS) | (text == _PLUS))
        padded = zero & ahead(digit | packed(text | 32 == _X))
        padded |= sign & ahead(zero) & ahead(digit, 2)
        if quotes is None:
            self._note("lettered", begins & letter, ends)
            self._note("padded", begins & padded, ends)
            return
        quoted = begins & quotes
        empty = quoted & ahead(quotes) & ~ahead(quotes, 2)
        self._note("blank", empty, ends)
        self._note("quoted", quoted & ~empty, ends)
        begins = begins & ~quoted | behind(quoted)  # of text between quotes
        self._note("lettered", begins & letter, ends)
        self._note("padded", begins & padded, ends)

    def _note(self, what: str, hits: Words, ends: Words) -> None:
        """Mark the columns of the fields that begin where there are *hits*, but for the header."""
        if self._found[what].all() or not hits.any():
            return
        fields = before(ends, places(hits)) + self._ends
        self._found[what][fields[fields >= self._columns] % self._columns] = True

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
    if len(content) > _HEADER and not text.read(1):
        raise DataError(
            f"the header has {_HEADER:,} bytes or more, and fewer are read",
            where=where,
            hint="leave out the columns that no rule is about",
        )
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
