"""Cache of a frame's answers, so that no two rules sort one column twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from aims_gate.frames import Cells, Coded, Distribution
from aims_gate.stats.counting import is_once

T = TypeVar("T")

_SCALAR = 100
"""Bytes of a number or a short text."""
MOST_BYTES = 768 << 20
"""Bytes that the kept answers of one frame may take."""


def size_of(answer: object) -> int:
    """Say about how many bytes an answer takes."""
    if isinstance(answer, Distribution):
        return answer.values.nbytes + (0 if is_once(answer.counts) else answer.counts.nbytes)
    if isinstance(answer, Cells):
        return answer.counts.nbytes + _SCALAR * len(answer.values) * len(answer.keys)
    if isinstance(answer, Coded):
        return answer.codes.nbytes + _SCALAR * len(answer.values)
    return _SCALAR


class AnswerCache:
    """Cache without eviction: keeps answers while there is room.

    What no longer fits is computed again each time. Nothing that is kept is ever dropped to make
    room: rules ask for the same columns in the same order, and whatever drops the oldest answer
    then evicts each one just before it is needed.
    """

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.keeps_sorted = True
        """Whether there is room for whole columns in order."""
        self.held = 0
        """Bytes of what is kept."""
        self._most = most
        self._answers: dict[Hashable, tuple[Any, int]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int] = size_of) -> T:
        """Cached answer to *key*, else *make* it, and cache it if its *size* fits.

        Threads may ask at once; what *make* raises is not kept.
        """
        known: T | None = self.kept(key)
        if known is not None:
            return known
        made = make()
        bytes_ = size(made)
        with self._lock:
            if key not in self._answers and self.held + bytes_ <= self._most:
                self._answers[key] = made, bytes_
                self.held += bytes_
        return made

    def kept(self, key: Hashable) -> Any:
        """Cached answer to *key*, else None."""
        return self._answers.get(key, (None, 0))[0]

    def drop(self, kind: str) -> None:
        """Forget the answers to keys, tuples all, that begin with *kind*."""
        with self._lock:
            for key in [key for key in self._answers if isinstance(key, tuple) and key[0] == kind]:
                self.held -= self._answers.pop(key)[1]
