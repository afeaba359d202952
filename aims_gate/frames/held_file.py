"""A file that an engine in this process holds open: whether its bytes are still the same.

Then the engine's answers are of the same rows, and no digest of rows need be taken again. The bytes
are read through the engine's own descriptor. That is the very file that it answers from, whatever
has its name by now; and to open and close it once more would end the engine's lock (POSIX).
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_OPEN = Path("/dev/fd")
"""Where a process finds its descriptors; not on every system."""
_LOGS = (".wal", ".wal.checkpoint", ".wal.recovery")
"""How DuckDB names the logs of a file."""
_PIECE = 1 << 20

Stamps = dict[Path, tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFile:
    """A database file that is open, as it was when it was opened."""

    path: Path
    stamps: Stamps
    """Of the file and the logs beside it, from before it was opened."""
    sha256: bytes

    @classmethod
    def of(cls, path: Path, stamps: Stamps) -> HeldFile | None:
        """The file at *path*, which an engine opened after *stamps* were taken of it.

        None where that cannot be told: it is another file now, or the system lists no descriptors.
        """
        digest = _sha256_of_open(stamps[path])
        return cls(path=path, stamps=stamps, sha256=digest) if digest is not None else None

    def is_unchanged(self) -> bool:
        """Whether neither bytes nor stamps changed, of the open file, nor what has its name now.

        Bytes that were changed and put back have another stamp.
        """
        try:
            same = database_stamps(self.path) == self.stamps
        except OSError:
            return False
        return same and _sha256_of_open(self.stamps[self.path]) == self.sha256


def database_stamps(path: Path) -> Stamps:
    """Stamps of a database file, and of those write-ahead logs of it that are there."""
    logs = (path.with_name(path.name + ending) for ending in _LOGS)
    return stamps_of([path, *(log for log in logs if log.exists())])


def stamps_of(paths: Iterable[Path]) -> Stamps:
    """Which file each path names, how large it is, and when it was last written or changed."""
    return {path: _stamp(path.stat()) for path in paths}


def _stamp(found: os.stat_result) -> tuple[int, ...]:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(0, "it is no regular file")  # a pipe would keep whoever opens it for ever
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _sha256_of_open(stamp: tuple[int, ...]) -> bytes | None:
    """SHA-256 of the file with this stamp that this process has open; None if it has none."""
    for descriptor in [int(entry.name) for entry in _OPEN.glob("*")]:
        with suppress(OSError):  # one that was closed meanwhile, as that of the list itself
            if _stamp(os.fstat(descriptor)) == stamp:
                return _sha256(descriptor)
    return None


def _sha256(descriptor: int) -> bytes:
    digest, start = hashlib.sha256(), 0
    while piece := os.pread(descriptor, _PIECE, start):
        digest.update(piece)
        start += len(piece)
    return digest.digest()
