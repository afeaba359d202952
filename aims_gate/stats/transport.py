"""Two ordered samples run through once, side by side: what moving one into the other costs.

The values are merged piece by piece, each small enough for the processor's cache, so that the
memory does not grow with the samples and the time grows as their sum.
"""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

CELLS = 100
"""Pieces into which the pooled ranks are cut."""
_ENDS = np.arange(1, CELLS + 1) / CELLS
_PIECE = 1 << 13
"""Reference values in one piece."""
_KEPT = 8


class Ordered(Protocol):
    """Distinct values in strictly ascending order with their counts."""

    @property
    def values(self) -> Floats:
        """Shape (distinct,), strictly ascending."""
        ...

    @property
    def counts(self) -> Counts:
        """Shape (distinct,), each at least 1."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Transport:
    """Two integrals over the values of both samples."""

    area: float
    """Integral of |F - G|, where F and G are the distribution functions."""
    pieces: Floats
    """Shape (100,): integral of sqrt(H (1 - H)) where the pooled ranks H are in each hundredth."""


_recent: dict[tuple[int, int], tuple[Any, Any, Transport]] = {}
_lock = threading.Lock()


def transport(reference: Ordered, current: Ordered) -> Transport:
    """Give both integrals, exact up to rounding; each sample has a value, and all are finite.

    The last few answers are kept, because a distance and its noise ask for the same.
    """
    key = id(reference.values), id(current.values)
    known = _recent.get(key)
    if known and known[0]() is reference.values and known[1]() is current.values:
        return known[2]
    found = _integrals(reference, current)
    with _lock:
        while len(_recent) >= _KEPT:
            _recent.pop(next(iter(_recent)))
        _recent[key] = weakref.ref(reference.values), weakref.ref(current.values), found
    return found


def farthest(reference: Ordered, current: Ordered) -> float:
    """Give the largest |F - G|, in [0, 1]; each sample has a value, and they may be infinite."""
    n, m = int(reference.counts.sum()), int(current.counts.sum())
    most, last, apart = 0.0, math.nan, 0.0
    for points, steps, _rows in _merged(reference, current, float(m), float(n)):
        if points[0] != last:
            most = max(most, abs(apart))
        ahead = np.cumsum(steps)
        ahead += apart
        last, apart = float(points[-1]), float(ahead[-1])
        # between two equal values, one of each sample, there is nothing to see
        seen = np.abs(ahead, out=ahead)[:-1] * (points[1:] != points[:-1])
        most = max(most, float(seen.max(initial=0.0)))
    return most / (n * m)


def weighted_mean(values: Floats, counts: Counts, *, centre: float | None = None) -> float:
    """Give the mean of the values over the rows, or of their squared distances from *centre*."""
    rows = int(counts.sum())
    single = np.full(_PIECE, 1 / rows) if _single(counts) else None
    parts = []
    for start in range(0, len(values), _PIECE):
        part = values[start : start + _PIECE]
        if centre is not None:
            part = np.square(part - centre)
        # shares before the sum, which would overflow
        shares = counts[start : start + _PIECE] / rows if single is None else single[: len(part)]
        parts.append(_dot(part, shares))
    return math.fsum(parts)


def _integrals(reference: Ordered, current: Ordered) -> Transport:
    n, m = int(reference.counts.sum()), int(current.counts.sum())
    areas, pieces = [], np.zeros(CELLS)
    last, apart, passed = math.nan, 0.0, 0.0
    for points, steps, rows in _merged(reference, current, float(m), float(n)):
        if passed:
            gap = points[:1] - last
            areas.append(abs(apart) * float(gap[0]))
            _spread(pieces, np.array([passed / (n + m)]), gap)
        gaps = points[1:] - points[:-1]
        # F - G times nm right of each value: whole numbers, and exact below 2^53
        ahead = np.cumsum(steps)
        ahead += apart
        last, apart = float(points[-1]), float(ahead[-1])
        areas.append(_dot(np.abs(ahead, out=ahead)[:-1], gaps))
        below = np.arange(1.0, len(points) + 1) if rows is None else np.cumsum(rows)
        below += passed
        passed = float(below[-1])
        below /= n + m
        _spread(pieces, below[:-1], gaps)
    return Transport(area=math.fsum(areas) / (n * m), pieces=pieces)


def _spread(pieces: Floats, ranks: Floats, gaps: Floats) -> None:
    """Add sqrt(H (1 - H)) over *gaps* to the hundredths in which the ascending ranks H lie."""
    if not len(ranks):
        return
    mass = 1 - ranks
    mass *= ranks
    np.sqrt(mass, out=mass)
    first, final = np.searchsorted(_ENDS, ranks[[0, -1]]).tolist()
    stops = np.searchsorted(ranks, _ENDS[first:final], side="right")
    start = 0
    for cell, stop in enumerate([*stops.tolist(), len(ranks)], start=first):
        pieces[cell] += _dot(mass[start:stop], gaps[start:stop])
        start = stop


def _dot(values: Floats, weights: Floats) -> float:
    return float(np.einsum("i,i->", values, weights))


def _merged(
    reference: Ordered, current: Ordered, up: float, down: float
) -> Iterator[tuple[Floats, Floats, Floats | None]]:
    """Give all values of both in ascending order, in pieces.

    With each value come *up* for every reference row less *down* for every current row that has
    it, and the rows of both; None where each is one row.
    """
    one, two = reference.values, current.values
    stops = [*range(_PIECE, len(one), _PIECE), len(one)]
    ends = [*np.searchsorted(two, one[_PIECE::_PIECE]).tolist(), len(two)]
    single = _single(reference.counts) and _single(current.counts)
    left = right = 0
    for stop, end in zip(stops, ends, strict=True):
        values = np.concatenate([one[left:stop], two[right:end]])
        order = np.argsort(values, kind="stable")  # merges two ascending runs in linear time
        if single:
            steps, rows = np.where(order < stop - left, up, -down), None
        else:
            own, other = reference.counts[left:stop], current.counts[right:end]
            steps = np.concatenate([own * up, other * -down])[order]
            rows = np.concatenate([own, other]).astype(np.float64)[order]
        yield values[order], steps, rows
        left, right = stop, end


def _single(counts: Counts) -> bool:
    """Tell whether counts are the number 1, seen from every place."""
    return not any(counts.strides) and bool(counts[0] == 1)
