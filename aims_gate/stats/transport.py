"""Optimal transport in one dimension: what moving one ordered sample into the other costs.

The values are merged piece by piece, each small enough for the processor's cache, so that the
memory does not grow with the samples and the time grows as their sum. Where no value occurs twice
in its sample, quantiles at equal ranks are subtracted, and nothing is merged. What noise needs is
summed over a few thousand quantiles, which are all values of a small sample.
"""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from aims_gate.stats.counting import Counts, is_once, total
from aims_gate.stats.merging import PIECE, cuts

Floats = npt.NDArray[np.float64]

CELLS = 100
"""Pieces into which the pooled ranks are cut."""
EVEN = 1 << 13
"""Equal steps through the places of a sample; one of fewer values is taken whole."""
_NEAR = 128
"""Values at each end of a sample that are all taken; from there on a step is a 64th of the way."""
_KEPT = 256


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
    """Wasserstein area and its noise integrals, with the reference's spread as their unit."""

    area: float
    """Integral of |F - G|, where F and G are the distribution functions."""
    pieces: Floats
    """Shape (100,): integral of sqrt(H (1 - H)) where the pooled ranks H are in each hundredth,
    within 1 in 10,000 of their sum."""
    errors: Floats
    """Shape (100,): integral of sqrt(F (1 - F) / n + G (1 - G) / m), the standard error of F - G,
    in the same hundredths."""
    spread: float
    """Standard deviation of the reference, divisor n."""
    kurtosis: float
    """Its fourth central moment over the square of its variance, at least 1; 1 for a constant."""
    tilt: float
    """Its skewness times (mean of current - mean of reference) / area: above 0 where values move
    towards its long tail, which varies the mean and the spread together; 0 for equal samples."""


_recent: dict[tuple[int, int], tuple[Any, Any, Transport]] = {}
_lock = threading.Lock()


def transport(reference: Ordered, current: Ordered) -> Transport:
    """Wasserstein area, its error and the reference's spread, of samples of finite values.

    Area and spread are exact up to rounding. The last few answers are kept, because a distance and
    its noise ask for the same.
    """
    key = id(reference.values), id(current.values)
    known = _recent.get(key)
    if known and known[0]() is reference.values and known[1]() is current.values:
        return known[2]
    mean = weighted_mean(reference.values, reference.counts)
    variance = weighted_mean(reference.values, reference.counts, centre=mean)
    pieces, errors = _pieces(reference, current)
    area, spread = _area(reference, current), math.sqrt(variance)
    skewness, kurtosis = _shape(reference, mean, spread) if spread else (0.0, 1.0)
    moved = weighted_mean(current.values, current.counts) - mean
    found = Transport(
        area=area,
        pieces=pieces,
        errors=errors,
        spread=spread,
        kurtosis=kurtosis,
        tilt=skewness * (moved / area) if area else 0.0,
    )
    with _lock:
        while len(_recent) >= _KEPT:
            _recent.pop(next(iter(_recent)))
        _recent[key] = weakref.ref(reference.values), weakref.ref(current.values), found
    return found


def farthest(reference: Ordered, current: Ordered) -> float:
    """Kolmogorov-Smirnov distance: the largest |F - G|, in [0, 1]; values may be infinite."""
    n, m = total(reference.counts), total(current.counts)
    most, last, apart = 0.0, math.nan, 0.0
    for points, steps in _merged(reference, current, float(m), float(n)):
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
    """Weighted mean of the values, or of their squared distances from *centre* (a variance)."""
    rows = total(counts)
    single = np.full(PIECE, 1 / rows) if is_once(counts) else None
    parts = []
    for start in range(0, len(values), PIECE):
        part = values[start : start + PIECE]
        if centre is not None:
            part = np.square(part - centre)
        # shares before the sum, which would overflow
        shares = counts[start : start + PIECE] / rows if single is None else single[: len(part)]
        parts.append(_dot(part, shares))
    return math.fsum(parts)


def _shape(sample: Ordered, mean: float, spread: float) -> tuple[float, float]:
    """Skewness and kurtosis: the third and fourth moment of the values in standard deviations."""
    rows = total(sample.counts)
    thirds, fourths = [], []
    for start in range(0, len(sample.values), PIECE):
        # in standard deviations before it is squared, which would overflow
        part = (sample.values[start : start + PIECE] - mean) / spread
        shares, squares = sample.counts[start : start + PIECE] / rows, np.square(part)
        thirds.append(_dot(np.multiply(part, squares, out=part), shares))
        fourths.append(_dot(np.square(squares, out=squares), shares))
    return math.fsum(thirds), math.fsum(fourths)


def _area(reference: Ordered, current: Ordered) -> float:
    if is_once(reference.counts) and is_once(current.counts):
        one, two = reference.values, current.values
        return _between_quantiles(*((one, two) if len(one) > len(two) else (two, one)))
    n, m = total(reference.counts), total(current.counts)
    areas = []
    last, apart = math.nan, 0.0
    for points, steps in _merged(reference, current, float(m), float(n)):
        if not math.isnan(last):
            areas.append(abs(apart) * (float(points[0]) - last))
        # F - G times nm right of each value: whole numbers, and exact below 2^53
        ahead = np.cumsum(steps)
        ahead += apart
        last, apart = float(points[-1]), float(ahead[-1])
        areas.append(_dot(np.abs(ahead, out=ahead)[:-1], points[1:] - points[:-1]))
    return math.fsum(areas) / (n * m)


def _between_quantiles(fine: Floats, coarse: Floats) -> float:
    """Wasserstein area by quantiles: the distance of values at equal ranks, integrated.

    Both ascend and each value is one row; *fine* has at least as many as *coarse*, so that the
    ranks of one of its rows are those of one row of the other, or of two that are neighbours.
    """
    m, n = len(fine), len(coarse)
    areas = []
    for start in range(0, m, PIECE):
        values = fine[start : start + PIECE]
        if m == n:
            other = coarse[start : start + PIECE]
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


def _pieces(reference: Ordered, current: Ordered) -> tuple[Floats, Floats]:
    """Sum sqrt(H (1 - H)), and the standard error of F - G, between neighbouring quantiles.

    Ranks are taken half-way between those of two neighbours. Exact where every value is taken;
    inside a step H moves by a 64th of its distance from 0 or 1 at most, and by 1 in 8,192.
    """
    both = reference, current
    points = np.unique(np.concatenate([one.values[_places(len(one.values))] for one in both]))
    if len(points) == 1:
        return np.zeros(CELLS), np.zeros(CELLS)
    n, m = (total(one.counts) for one in both)
    rows = [_rows(one, points) for one in both]
    first = np.stack([with_it[:-1] for _, with_it in rows])
    final = np.stack([below[1:] for below, _ in rows])
    below = (first + final) / 2
    pooled = below.sum(axis=0) / (n + m)
    shares = below / np.array([[n], [m]])
    error = (shares * (1 - shares) / np.array([[n], [m]])).sum(axis=0)
    # a step that two hundredths share is shared by its ranks
    passed = np.stack([first.sum(axis=0) - 1, final.sum(axis=0)], axis=1).ravel()
    ends = np.arange(CELLS + 1) * (n + m) // CELLS

    def cut(heights: Floats) -> Floats:
        after = np.cumsum(np.sqrt(heights) * np.diff(points))
        summed = np.stack([np.append(0.0, after[:-1]), after], axis=1).ravel()
        return np.diff(np.interp(ends, passed, summed))

    return cut(pooled * (1 - pooled)), cut(error)


@lru_cache(4)  # samples without ties are mostly of two sizes
def _places(size: int) -> Counts:
    """Choose places of a sorted sample: all that are near its ends, and ever fewer inside."""
    chosen = np.linspace(0, size - 1, min(size, EVEN)).astype(np.int64)
    if size > EVEN:
        steps = math.ceil(math.log(size / _NEAR) / math.log1p(1 / 64))
        near = np.append(np.arange(_NEAR), np.geomspace(_NEAR, size - 1, steps).astype(np.int64))
        chosen = np.unique(np.concatenate([chosen, near, size - 1 - near]))
    chosen.flags.writeable = False  # whoever asks again gets the same
    return chosen


def _rows(sample: Ordered, points: Floats) -> tuple[Counts, Counts]:
    """Count the rows below each of *points*, and those up to it and with it."""
    below = np.searchsorted(sample.values, points)
    held = sample.values[np.minimum(below, len(sample.values) - 1)] == points
    if is_once(sample.counts):
        return below, below + held
    summed = np.zeros(len(sample.counts) + 1, dtype=np.int64)
    np.cumsum(sample.counts, out=summed[1:])
    return summed[below], summed[below + held]


def _dot(values: Floats, weights: Floats) -> float:
    return float(np.einsum("i,i->", values, weights))


def _merged(
    reference: Ordered, current: Ordered, up: float, down: float
) -> Iterator[tuple[Floats, Floats]]:
    """Merge two samples in ascending order, in pieces.

    With each value come *up* for every reference row less *down* for every current row that has it.
    """
    one, two = reference.values, current.values
    single = is_once(reference.counts) and is_once(current.counts)
    for left, right in cuts(one, two):
        values = np.concatenate([one[left], two[right]])
        order = np.argsort(values, kind="stable")  # merges two ascending runs in linear time
        if single:
            steps = np.where(order < left.stop - left.start, up, -down)
        else:
            own, other = reference.counts[left], current.counts[right]
            steps = np.concatenate([own * up, other * -down])[order]
        yield values[order], steps
