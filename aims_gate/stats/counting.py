"""Counts of values that all occur once: one number, seen from every place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]


def once(size: int) -> Counts:
    """Give *size* counts of 1 that take the memory of one."""
    return np.broadcast_to(np.int64(1), size)


def is_once(counts: Counts) -> bool:
    """Tell whether counts are those of `once`."""
    return not any(counts.strides) and bool(np.all(counts[:1] == 1))


def total(counts: Counts) -> int:
    """Give the sum of counts, of those of `once` without looking at each."""
    return len(counts) if is_once(counts) else int(counts.sum())
