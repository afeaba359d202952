"""Verified file: hashed once, and every later partial read is authenticated against that hash.

While the whole file is hashed, each block of 64 KiB gets a Poly1305 tag (RFC 8439, 2.5), and a
later read holds the blocks it touches against theirs. So no byte is ever used that the digest did
not cover, whoever writes to the file meanwhile, and without a copy of it in memory or on disk. The
key is random, and it and the tags never leave this process: other bytes have the same tag with a
probability below 2^-90 (Bernstein 2005), and a tag costs a quarter of a SHA-256.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import stat
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.poly1305 import Poly1305

from aims_gate.errors import DataError, SourceError
from aims_gate.sources.budget import VARIABLE

_BLOCK = 1 << 16
_CHUNK = 1 << 22
"""Bytes read at a time while hashing; a multiple of the block."""


class VerifiedFile:
    """A regular file, open until nobody holds this any more."""

    def __init__(self, path: Path, *, where: str, max_bytes: int) -> None:
        """Open *path* and hash it.

        Raises:
            SourceError: It is not there, is no regular file or cannot be read.
            DataError: It is too large, or changes while it is hashed.
        """
        self._where = where
        self._descriptor = open_regular(path, where=where)
        weakref.finalize(self, os.close, self._descriptor)
        self.size = os.fstat(self._descriptor).st_size
        if self.size > max_bytes:
            what = f"the file has more than {max_bytes:,} bytes"
            hint = f"a folder of Parquet this large is asked through DuckDB; or set {VARIABLE}"
            raise DataError(what, where=where, hint=hint)
        self._key = secrets.token_bytes(32)
        self.sha256, self._tags = self._hash()

    def read(self, start: int, size: int) -> memoryview:
        """Read *size* bytes from *start* on, fewer at the end; DataError if any have changed."""
        stop = min(start + size, self.size)
        if start >= stop:
            return memoryview(b"")
        first = start // _BLOCK
        offset = first * _BLOCK
        end = min(-(-stop // _BLOCK) * _BLOCK, self.size)
        # not zeroed first: every byte is read into it, or the read is refused
        content = np.empty(end - offset, dtype=np.uint8).data
        self._fill(content, offset)
        if self._tagged(content) != self._tags[first : first + -(-len(content) // _BLOCK)]:
            raise self._changed()
        return content[start - offset : stop - offset].toreadonly()

    def stream(self) -> Stream:
        """File object with its own position over the same bytes."""
        return Stream(self)

    def _hash(self) -> tuple[str, list[bytes]]:
        whole, tags = hashlib.sha256(), []
        most = min(_CHUNK, self.size)
        buffers = memoryview(bytearray(most)), memoryview(bytearray(most))
        with ThreadPoolExecutor(1) as other:
            hashed = other.submit(whole.update, b"")
            for number, start in enumerate(range(0, self.size, _CHUNK)):
                content = buffers[number % 2][: self.size - start]
                self._fill(content, start)
                tags += self._tagged(content)
                hashed.result()
                # while this chunk is hashed the next one is read into the other buffer
                hashed = other.submit(whole.update, content)
            hashed.result()
        return whole.hexdigest(), tags

    def _tagged(self, content: memoryview) -> list[bytes]:
        return [
            Poly1305.generate_tag(self._key, content[start : start + _BLOCK])
            for start in range(0, len(content), _BLOCK)
        ]

    def _fill(self, content: memoryview, start: int) -> None:
        """Read as many bytes as *content* holds, from *start* on."""
        filled = 0
        try:
            while filled < len(content):  # one call gives 2 GiB at most
                more = os.preadv(self._descriptor, [content[filled:]], start + filled)
                if not more:
                    raise self._changed()
                filled += more
        except OSError as error:
            reason = error.strerror or error
            raise SourceError(f"cannot read the file: {reason}", where=self._where) from error

    def _changed(self) -> DataError:
        hint = "find out what writes to it, and run again"
        return DataError("the file changed while it was read", where=self._where, hint=hint)


class Stream(io.RawIOBase):
    """A verified file as Arrow reads it; what is raised in a read comes out of Arrow as it is."""

    def __init__(self, file: VerifiedFile) -> None:
        super().__init__()
        self._file = file
        self._place = 0

    def readable(self) -> bool:
        """True: the stream is readable."""
        return True

    def seekable(self) -> bool:
        """True: the stream is seekable."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the position; returns it."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._file.size}[whence]
        self._place = start + offset
        return self._place

    def tell(self) -> int:
        """Current position."""
        return self._place

    def read(self, size: int = -1) -> memoryview:
        """Read *size* bytes from the current position, or all that are left."""
        wanted = self._file.size - self._place if size < 0 else size
        content = self._file.read(self._place, wanted)
        self._place += len(content)
        return content


def open_regular(path: Path, *, where: str) -> int:
    """Open a regular file; returns its descriptor, SourceError if that fails."""
    try:
        # not blocking: a pipe in the file's place must not hang the gate
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"cannot read the file: {reason}", where=where) from error
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        raise SourceError(f"it is {kind}", where=where, hint="give one file")
    return descriptor
