"""Byte view without a copy (zero-copy): a memory-mapped file, or a part of one."""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """The bytes from *start* up to *stop* of what a file or an unpacked member holds."""

    data: bytes | mmap.mmap
    start: int
    stop: int

    @classmethod
    def of(cls, data: bytes) -> View:
        """View all of *data*."""
        return cls(data, 0, len(data))

    def __len__(self) -> int:
        return self.stop - self.start

    def read(self, at: int, size: int) -> bytes:
        """Read at most *size* bytes from *at* on; fewer where the view ends."""
        begin = self.start + at
        return self.data[begin : min(begin + size, self.stop)] if begin < self.stop else b""

    def part(self, at: int, size: int) -> View:
        """View *size* bytes from *at* on, as far as they are there."""
        begin = min(self.start + at, self.stop)
        return View(self.data, begin, min(begin + size, self.stop))

    def find(self, wanted: bytes, at: int = 0) -> int:
        """Offset of *wanted* at or after *at*, or -1."""
        found = self.data.find(wanted, self.start + at, self.stop)
        return found - self.start if found >= 0 else -1

    def rfind(self, wanted: bytes, at: int = 0) -> int:
        """Last offset of *wanted* at or after *at*, or -1."""
        found = self.data.rfind(wanted, max(self.start + at, self.start), self.stop)
        return found - self.start if found >= 0 else -1

    def has(self, pattern: re.Pattern[bytes]) -> bool:
        """Tell whether *pattern* stands anywhere in it."""
        return pattern.search(self.data, self.start, self.stop) is not None
