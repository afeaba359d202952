"""Counts of values that all occur once, in the memory of one number (a broadcast array)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]


def once(size: int) -> Counts:
    """An array of *size* ones that takes the memory of one: a broadcast view."""
    return np.broadcast_to(np.int64(1), size)


def is_once(counts: Counts) -> bool:
    """Tell whether counts are those of `once`."""
    return not any(counts.strides) and bool(np.all(counts[:1] == 1))


def total(counts: Counts) -> int:
    """Sum of counts; of those from `once` their length, without adding."""
    return len(counts) if is_once(counts) else int(counts.sum())
