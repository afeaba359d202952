"""Unpacked size of Arrow IPC messages, from their metadata, before anything is unpacked.

Each compressed buffer begins with its length, which Arrow sets aside before it looks at the rest;
and the footer of a file may name one batch many times. The metadata are flatbuffers (Arrow's
`Message.fbs` and `File.fbs`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pyarrow as pa

_FILE = b"ARROW1"
_DICTIONARY, _RECORDS = 2, 3
_MARK = b"\xff\xff\xff\xff"


def unpacked_bytes(content: bytes) -> int:
    """Unpacked bytes of all buffers of a file or stream; each value counts at least one.

    Raises:
        ValueError, struct.error, IndexError: The metadata are damaged.
    """
    messages = _of_file(content) if content.startswith(_FILE) else _of_stream(content)
    return sum(_size(metadata, body) for metadata, body in messages)


def _of_stream(content: bytes) -> Iterator[tuple[memoryview, memoryview]]:
    reader = pa.ipc.MessageReader.open_stream(pa.BufferReader(content))
    for message in reader:
        yield memoryview(message.metadata), memoryview(message.body or b"")


def _of_file(content: bytes) -> Iterator[tuple[memoryview, memoryview]]:
    whole = memoryview(content)
    (length,) = struct.unpack_from("<i", whole, len(whole) - 10)
    footer = whole[len(whole) - 10 - length : len(whole) - 10]
    root = _FlatTable.root(footer)
    for field in (2, 3):
        for offset, metadata, body in root.structs(field, "<qi4xq"):
            start = offset + (8 if whole[offset : offset + 4] == _MARK else 4)
            end = offset + metadata
            yield whole[start:end], whole[end : end + body]


def _size(metadata: memoryview, body: memoryview) -> int:
    message = _FlatTable.root(metadata)
    kind = message.number(1, "<B")
    if kind not in {_DICTIONARY, _RECORDS}:
        return 0
    batch = message.table(2)
    if kind == _DICTIONARY:
        batch = batch.table(1)
    buffers = batch.structs(2, "<qq")
    packed = batch.has(3)
    lengths = [_length(body[at : at + size], size, packed=packed) for at, size in buffers]
    rows = [length for length, _nulls in batch.structs(1, "<qq")]
    if min([*lengths, *rows], default=0) < 0:
        raise ValueError("a length below zero")
    return max(sum(lengths), sum(rows))


def _length(buffer: memoryview, size: int, *, packed: bool) -> int:
    if not packed or not size:
        return size
    (stated,) = struct.unpack_from("<q", buffer)
    return size if stated == -1 else int(stated)


class _FlatTable:
    """A table of a flatbuffer."""

    def __init__(self, buffer: memoryview, place: int) -> None:
        self._buffer = buffer
        self._place = place
        self._fields = place - self._at("<i", place)
        self._size = self._at("<H", self._fields)

    @classmethod
    def root(cls, buffer: memoryview) -> _FlatTable:
        (place,) = struct.unpack_from("<I", buffer)
        return cls(buffer, place)

    def has(self, field: int) -> bool:
        return self._field(field) > 0

    def number(self, field: int, form: str) -> int:
        place = self._field(field)
        return self._at(form, place) if place else 0

    def table(self, field: int) -> _FlatTable:
        place = self._field(field)
        if not place:
            raise ValueError("a table is missing")
        return _FlatTable(self._buffer, place + self._at("<I", place))

    def structs(self, field: int, form: str) -> list[tuple[int, ...]]:
        place = self._field(field)
        if not place:
            return []
        start = place + self._at("<I", place)
        count = self._at("<I", start)
        size = struct.calcsize(form)
        return list(struct.iter_unpack(form, self._buffer[start + 4 : start + 4 + count * size]))

    def _field(self, number: int) -> int:
        at = 4 + 2 * number
        if at >= self._size:
            return 0
        offset = self._at("<H", self._fields + at)
        return self._place + offset if offset else 0

    def _at(self, form: str, place: int) -> int:
        if place < 0:
            raise ValueError("a place before the beginning")
        (value,) = struct.unpack_from(form, self._buffer, place)
        return int(value)
