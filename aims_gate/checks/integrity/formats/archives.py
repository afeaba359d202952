"""Zip archives and compressed streams, unpacked within limits (zip bombs, polyglot files)."""

from __future__ import annotations

import bz2
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from aims_gate.checks.integrity.formats.view import View

MOST_UNPACKED = 64 << 20
"""Bytes of one member or stream."""
_MOST_LIST = 4 << 20
"""Bytes of an archive's list of members; some 60,000 of them."""
_MOST_MEMBERS = 256 << 20
"""Bytes of all packed members of one archive, unpacked."""
_PIECE = 1 << 14
_TAIL = 1 << 17
ZIP = b"PK\x03\x04"
_END = b"PK\x05\x06"
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,  # a compression that this Python does not know
    OSError,
    OverflowError,
    RuntimeError,  # encrypted
    ValueError,
)


class UnreadableError(Exception):
    """Why what is in an archive cannot be seen."""


def members(view: View) -> Iterator[tuple[str, View]]:
    """Members of a zip archive that begins at the first byte, each within size limits.

    Raises:
        UnreadableError: It is broken, encrypted or too large, or its members overlap.
    """
    try:
        yield from _members(view)
    except _BROKEN as error:
        raise UnreadableError(f"an archive that cannot be read ({type(error).__name__})") from error


def hides_archive(view: View) -> bool:
    """Detect a polyglot: a file that begins as something else and ends as a readable archive."""
    if view.rfind(_END, len(view) - _TAIL) < 0:
        return False
    with suppress(*_BROKEN), zipfile.ZipFile(_BoundedStream(view)) as archive:
        return bool(archive.infolist())
    return False


def unpacked(view: View) -> bytes | None:
    """Unpack a compressed stream, as far as it goes and is bounded; None if it is none."""
    for magic, opened in _STREAMS:
        if view.read(0, len(magic)) == magic:
            return _drained(view, opened()) or None
    return None


def _members(view: View) -> Iterator[tuple[str, View]]:
    with zipfile.ZipFile(_BoundedStream(view)) as archive:
        found = archive.infolist()
        if min((info.header_offset for info in found), default=0) or view.read(0, 4) != ZIP:
            raise UnreadableError("an archive behind other bytes")
        if sum(info.compress_size for info in found) > len(view):
            raise UnreadableError("an archive whose members overlap")
        packed = [info for info in found if info.compress_type != zipfile.ZIP_STORED]
        if sum(info.file_size for info in packed) > _MOST_MEMBERS:
            raise UnreadableError("an archive of more than 256 MiB")
        for info in found:
            if not info.is_dir():
                yield info.filename, _content(archive, info, view)


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, view: View) -> View:
    with archive.open(info) as member:  # compares the member's own header with the list's
        if info.compress_type == zipfile.ZIP_STORED:
            header = view.read(info.header_offset, 30)
            lengths = int.from_bytes(header[26:28], "little"), int.from_bytes(header[28:], "little")
            return view.part(info.header_offset + 30 + sum(lengths), info.compress_size)
        content = member.read(min(info.file_size, MOST_UNPACKED) + 1)
    if len(content) > MOST_UNPACKED or len(content) != info.file_size:
        raise UnreadableError("an archive with a member of more than 64 MiB")
    return View.of(content)


class _BoundedStream(io.RawIOBase):
    """A view as a file object that never reads more at once than a list of members may have."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._at = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = (0, self._at, len(self._view))[whence] + offset
        if self._at < 0:
            raise OSError("before the first byte")
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Read *size* bytes, or to the end; OSError if that is more than is ever right."""
        size = max(len(self._view) - self._at, 0) if size < 0 else size
        if size > _MOST_LIST:
            raise OSError("too much at once")
        taken = self._view.read(self._at, size)
        self._at += len(taken)
        return taken


def _drained(view: View, decompressor: Any) -> bytes:
    """Unpack piece by piece, so that what comes before a fault is seen, too."""
    out = io.BytesIO()
    with suppress(zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
        for piece in _pieces(view, decompressor):
            out.write(decompressor.decompress(piece, _PIECE))
            if decompressor.eof or out.tell() > MOST_UNPACKED:
                break
    return out.getvalue()


def _pieces(view: View, decompressor: Any) -> Iterator[bytes]:
    """Input of a decompressor, piece by piece: more of the stream once it has used the last."""
    for at in range(0, len(view), _PIECE):
        yield view.read(at, _PIECE)
        while (rest := getattr(decompressor, "unconsumed_tail", b"")) or not getattr(
            decompressor, "needs_input", True
        ):
            yield rest


def _lzma() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(memlimit=MOST_UNPACKED)


_STREAMS: tuple[tuple[bytes, Callable[[], Any]], ...] = (
    (b"\x1f\x8b", lambda: zlib.decompressobj(wbits=31)),
    (b"BZh", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\x00", _lzma),
    (b"\x5d\x00\x00", _lzma),
    (b"\x78", zlib.decompressobj),
)
