"""Merge two ascending samples piece by piece, each piece small enough for the CPU's cache."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

PIECE = 1 << 13
"""Values of the longer sample in one piece."""


def cuts(one: Floats, two: Floats) -> Iterator[tuple[slice, slice]]:
    """Cut two strictly ascending samples at the same values, so that equal ones come together.

    Each piece holds a value, and samples without one have no piece.
    """
    if len(one) < len(two):
        yield from ((left, right) for right, left in cuts(two, one))
        return
    if not len(one):
        return
    left = right = 0
    ends = [*np.searchsorted(two, one[PIECE::PIECE]).tolist(), len(two)]
    for stop, end in zip([*range(PIECE, len(one), PIECE), len(one)], ends, strict=True):
        yield slice(left, stop), slice(right, end)
        left, right = stop, end
