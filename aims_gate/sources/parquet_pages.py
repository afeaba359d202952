"""Parquet page headers: the unpacked size of each page, before anything is unpacked.

Arrow sets aside what a page's header states, and the footer's sums are a claim of their own. A
header is a Thrift struct in its compact protocol (parquet-format, `PageHeader`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_WINDOWS = (1 << 9, 1 << 14, 1 << 24)
"""Bytes that a header may have, tried one after the other; Arrow reads no longer ones."""
_MAX_DEPTH = 8
_DICTIONARY = 2
_DETAILS = (5, 7, 8)
"""Fields of a header that say more, by the kind of page; where the encoding stands differs."""
_ENCODING = {5: 2, 7: 2, 8: 4}
_DELTA_BYTE_ARRAY = 7

Read = Callable[[int, int], bytes | memoryview]
"""Reads so many bytes from an offset on, fewer at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a header says of its page."""

    unpacked: int
    """Bytes."""
    is_dictionary: bool
    shares: bool
    """Whether values may repeat the beginnings of others."""


def pages(read: Read, chunks: Iterable[tuple[int, int]]) -> Iterator[Page]:
    """Page headers of column chunks, each given as (offset, size); ValueError if damaged."""
    for start, size in chunks:
        yield from _of_chunk(read, start, start + size)


def _of_chunk(read: Read, start: int, end: int) -> Iterator[Page]:
    while start < end:
        header, length = _header(read, start, end)
        packed, unpacked = header.get(3), header.get(2)
        if (
            not isinstance(packed, int)
            or not isinstance(unpacked, int)
            or min(packed, unpacked) < 0
        ):
            raise ValueError("a page without its size")
        place = next((field for field in _DETAILS if field in header), 0)
        encoding = header[place].get(_ENCODING[place]) if place else None
        yield Page(
            unpacked=unpacked,
            is_dictionary=header.get(1) == _DICTIONARY,
            shares=encoding == _DELTA_BYTE_ARRAY,
        )
        start += length + packed


def _header(read: Read, start: int, end: int) -> tuple[dict[int, Any], int]:
    for window in _WINDOWS:
        thrift = _Thrift(read(start, min(window, end - start)))
        try:
            return thrift.struct(0), thrift.place
        except IndexError:
            if window >= end - start:
                break
    raise ValueError("a page's header does not end")


class _Thrift:
    """Reads a struct; IndexError where its bytes end."""

    def __init__(self, content: bytes | memoryview) -> None:
        self._content = content
        self.place = 0

    def struct(self, depth: int) -> dict[int, Any]:
        """Whole numbers and structs by field number; other values are skipped."""
        if depth > _MAX_DEPTH:
            raise ValueError("a header nested too deep")
        found: dict[int, Any] = {}
        field = 0
        while kind := self._byte():
            field = field + (kind >> 4) if kind >> 4 else self._number()
            found[field] = self._value(kind & 15, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        if kind in {1, 2}:
            return kind == 1
        if kind == 3:
            return self._byte()
        if kind in {4, 5, 6}:
            return self._number()
        if kind == 7:
            return self._pass(8)
        if kind == 8:
            return self._pass(self._varint())
        if kind == 12:
            return self.struct(depth + 1)
        raise ValueError("a header holds what none has")

    def _byte(self) -> int:
        self.place += 1
        return self._content[self.place - 1]

    def _pass(self, size: int) -> None:
        self.place += size
        if self.place > len(self._content):
            raise IndexError

    def _varint(self) -> int:
        number = shift = 0
        while True:
            byte = self._byte()
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number
            if shift > 63:
                raise ValueError("a number without end")

    def _number(self) -> int:
        number = self._varint()
        return number >> 1 ^ -(number & 1)
