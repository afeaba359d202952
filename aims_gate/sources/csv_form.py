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
from functools import reduce

import numpy as np
import numpy.typing as npt

from aims_gate.errors import DataError

_STEP = 1 << 18
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
_Flags = npt.NDArray[np.bool_]


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
    """Columns that have a field in which a zero comes before another digit, after a sign or not, or
    that begins with 0x."""
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
    """What was found so far; each question is put to all bytes of a block at once.

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
        """Give the result; DataError if a quote was never closed."""
        if self._inside:
            what = "a quote is opened and never closed"
            raise self._broken(what, self._content.rindex(b'"'))
        places = {what: frozenset(np.flatnonzero(f).tolist()) for what, f in self._found.items()}
        all_quoted = self._has_quotes and self._begun == self._ends
        return Form(names=names, all_quoted=all_quoted, wrapped=self._wrapped, **places)

    def block(self, start: int) -> None:
        """Look at some bytes more; DataError for what RFC 4180 does not allow."""
        text = self._around(start)
        here, after = text[1:-3], text[2:-2]
        breaks = here == _LF
        ends = breaks | (here == _COMMA)
        outside = None
        if self._has_quotes:
            outside = ~self._between_quotes(text, start)
            self._wrapped += int(np.count_nonzero(breaks & ~outside))
            ends &= outside
        empty = after == _LF  # what comes after a line break
        if self._has_returns:
            empty |= (after == _CR) & (text[3:-1] == _LF)
            self._refuse_bare((here == _CR) & (after != _LF), outside, start)
        if self._columns > 1:
            ends &= ~(breaks & empty)
        begins = np.empty_like(ends)
        begins[0], begins[1:] = self._ended, ends[:-1]
        self._ended = bool(ends[-1])
        self._fields(text[1:], begins, ends)
        self._ends += int(np.count_nonzero(ends))

    def _around(self, start: int) -> _Bytes:
        """Give a block from one byte before it to three after; beyond the file there are zeros."""
        known = self._view[max(start - 1, 0) : start + _STEP + 3]
        text = np.zeros(min(_STEP, len(self._view) - start) + 4, dtype=np.uint8)
        text[0] = _LF
        text[start == 0 :][: len(known)] = known
        return text

    def _between_quotes(self, text: _Bytes, start: int) -> _Flags:
        """Tell which bytes are between quotes, and hold every quote against its place."""
        before, here, after = text[:-4], text[1:-3], text[2:-2]
        quotes = here == _QUOTE
        inside = _odd(quotes) ^ self._inside
        opening, closing = quotes & inside, quotes & ~inside
        half = before == _QUOTE  # of a doubled quote
        early = opening & ~(half | (before == _COMMA) | (before == _LF))
        late = closing & (after != _COMMA) & (after != _LF) & (after != _CR) & (after != _QUOTE)
        wrong = early | late
        if wrong.any():
            raise self._misplaced(start + int(wrong.argmax()), late=bool(late[wrong.argmax()]))
        self._begun += int(np.count_nonzero(opening & ~half))
        self._inside = bool(inside[-1])
        return inside

    def _misplaced(self, place: int, *, late: bool) -> DataError:
        if not late:
            what = "a quote stands inside a field that does not begin with one"
            return self._broken(what, place)
        line = _line(self._content, self._content.rindex(b'"', 0, place))
        what = f"text follows the quote that closes a field, which was opened on line {line:,}"
        return self._broken(what, place)

    def _refuse_bare(self, bare: _Flags, outside: _Flags | None, start: int) -> None:
        if outside is not None:
            bare &= outside
        if bare.any():
            line = _line(self._content, start + int(bare.argmax()))
            raise DataError(
                f"line {line:,} holds a carriage return without a line feed",
                where=self._where,
                hint="lines end in a line feed, or in both; quote fields that hold line breaks",
            )

    def _fields(self, text: _Bytes, begins: _Flags, ends: _Flags) -> None:
        """Look at how the fields begin that begin in a block."""
        one, two, three = text[:-2], text[1:-1], text[2:]
        letter = reduce(np.logical_or, (one == first for first in self._firsts))
        padded = (one == _ZERO) & (_digit(two) | (two | 32 == _X))
        padded |= ((one == _MINUS) | (one == _PLUS)) & (two == _ZERO) & _digit(three)
        quoted = None
        if self._has_quotes:
            quote = one == _QUOTE
            quoted = begins & quote[:-1]
            empty = quoted & quote[1:] & (three[:-1] != _QUOTE)
            self._note("blank", empty, ends)
            self._note("quoted", quoted & ~empty, ends)
            begins = begins & ~quoted
        for what, found in (("lettered", letter), ("padded", padded)):
            hits = begins & found[:-1]
            self._note(what, hits if quoted is None else hits | (quoted & found[1:]), ends)

    def _note(self, what: str, hits: _Flags, ends: _Flags) -> None:
        """Mark the columns of the fields that begin where there are *hits*, but for the header."""
        if not self._found[what].all() and hits.any():
            fields = np.searchsorted(np.flatnonzero(ends), np.flatnonzero(hits)) + self._ends
            self._found[what][fields[fields >= self._columns] % self._columns] = True

    def _broken(self, what: str, place: int) -> DataError:
        line = _line(self._content, place)
        if b"\\" in self._content[max(place - 2, 0) : place]:
            hint = 'a backslash escapes nothing: write quotes twice, in Spark by option("escape")'
        else:
            hint = "quote fields that hold quotes, and write those twice (RFC 4180)"
        return DataError(f"line {line:,}: {what}", where=self._where, hint=hint)


def _digit(part: _Bytes) -> _Flags:
    found: _Flags = part - np.uint8(_ZERO) < 10
    return found


def _odd(flags: _Flags) -> _Flags:
    """Tell where the flags up to a place, itself included, are odd in number: 64 at a time."""
    bits = np.packbits(flags, bitorder="little")
    words = np.concatenate((bits, np.zeros(-len(bits) % 8, np.uint8))).view("<u8")
    for shift in (1, 2, 4, 8, 16, 32):
        words = words ^ (words << np.uint64(shift))
    odd = (words >> np.uint64(63)).astype(np.bool_)
    words[np.logical_xor.accumulate(odd) ^ odd] ^= ~np.uint64(0)
    bits = words.astype("<u8", copy=False).view(np.uint8)
    return np.unpackbits(bits, count=len(flags), bitorder="little").view(np.bool_)


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
