"""Two ordered samples run through once, side by side: what moving one into the other costs.

The values are merged piece by piece, each small enough for the processor's cache, so that the
memory does not grow with the samples and the time grows as their sum. Where no value occurs twice
in its sample, nobody has to know which sample a value of the merged run came from.
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
    """Two integrals over the values of both samples, and the unit that they are told in."""

    area: float
    """Integral of |F - G|, where F and G are the distribution functions."""
    pieces: Floats
    """Shape (100,): integral of sqrt(H (1 - H)) where the pooled ranks H are in each hundredth."""
    spread: float
    """Standard deviation of the reference, divisor n."""


_recent: dict[tuple[int, int], tuple[Any, Any, Transport]] = {}
_lock = threading.Lock()


def transport(reference: Ordered, current: Ordered) -> Transport:
    """Give all three, exact up to rounding; each sample has a value, and all are finite.

    The last few answers are kept, because a distance and its noise ask for the same.
    """
    key = id(reference.values), id(current.values)
    known = _recent.get(key)
    if known and known[0]() is reference.values and known[1]() is current.values:
        return known[2]
    area, pieces = _integrals(reference, current)
    mean = weighted_mean(reference.values, reference.counts)
    variance = weighted_mean(reference.values, reference.counts, centre=mean)
    found = Transport(area=area, pieces=pieces, spread=math.sqrt(variance))
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


def _integrals(reference: Ordered, current: Ordered) -> tuple[float, Floats]:
    if _single(reference.counts) and _single(current.counts):
        one, two = reference.values, current.values
        fine, coarse = (one, two) if len(one) > len(two) else (two, one)
        return _between_quantiles(fine, coarse), _pooled(one, two)
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
        below = np.cumsum(rows)
        below += passed
        passed = float(below[-1])
        below /= n + m
        _spread(pieces, below[:-1], gaps)
    return math.fsum(areas) / (n * m), pieces


def _between_quantiles(fine: Floats, coarse: Floats) -> float:
    """Give the integral of |F - G| as that of the distance between quantiles at equal ranks.

    Both ascend and each value is one row; *fine* has at least as many as *coarse*, so that the
    ranks of one of its rows are those of one row of the other, or of two that are neighbours.
    """
    m, n = len(fine), len(coarse)
    areas = []
    for start in range(0, m, _PIECE):
        values = fine[start : start + _PIECE]
        if m == n:
            other = coarse[start : start + _PIECE]
            areas.append(float(np.abs(values - other).sum()) * n)
            continue
        # ranks times nm: whole numbers, and exact below 2^53
        below = np.arange(start, start + len(values)) * n
        place = below // m
        first = np.minimum((place + 1) * m - below, n).astype(np.float64)
        areas.append(_dot(np.abs(values - coarse[place]), first))
        following = coarse[np.minimum(place + 1, n - 1)]
        areas.append(_dot(np.abs(values - following), n - first))
    return math.fsum(areas) / (n * m)


def _pooled(one: Floats, two: Floats) -> Floats:
    """Give the pieces of two ascending samples in which each value is one row."""
    rows, passed, last = len(one) + len(two), 0, one[:0]
    pieces = np.zeros(CELLS)
    for left, right in _cuts(one, two):
        points = np.concatenate([last, one[left], two[right]])
        points.sort(kind="stable")  # merges ascending runs in linear time
        ranks = np.arange(passed + 1 - len(last), passed + len(points) - len(last)) / rows
        _spread(pieces, ranks, points[1:] - points[:-1])
        passed += len(points) - len(last)
        last = points[-1:]
    return pieces


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
) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Give all values of both in ascending order, in pieces.

    With each value come *up* for every reference row less *down* for every current row that has
    it, and the rows of both.
    """
    one, two = reference.values, current.values
    single = _single(reference.counts) and _single(current.counts)
    for left, right in _cuts(one, two):
        values = np.concatenate([one[left], two[right]])
        order = np.argsort(values, kind="stable")  # merges two ascending runs in linear time
        if single:
            steps, rows = np.where(order < left.stop - left.start, up, -down), np.ones(len(order))
        else:
            own, other = reference.counts[left], current.counts[right]
            steps = np.concatenate([own * up, other * -down])[order]
            rows = np.concatenate([own, other]).astype(np.float64)[order]
        yield values[order], steps, rows


def _cuts(one: Floats, two: Floats) -> Iterator[tuple[slice, slice]]:
    """Cut two ascending samples at the same values, into pieces of the first of one length."""
    left = right = 0
    ends = [*np.searchsorted(two, one[_PIECE::_PIECE]).tolist(), len(two)]
    for stop, end in zip([*range(_PIECE, len(one), _PIECE), len(one)], ends, strict=True):
        yield slice(left, stop), slice(right, end)
        left, right = stop, end


def _single(counts: Counts) -> bool:
    """Tell whether counts are the number 1, seen from every place."""
    return not any(counts.strides) and bool(counts[0] == 1)
