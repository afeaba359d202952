"""Brackets of distances between two ordered samples: Kolmogorov-Smirnov and Wasserstein."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gammaincinv, ndtri

from aims_gate.stats.brackets.cells import (
    Celled,
    CentralMoments,
    Floats,
    ends_of,
    moments,
    rows_up_to,
    valued,
    widened,
)
from aims_gate.stats.drift import bridge_covariance, ks_noise, unit_of
from aims_gate.stats.intervals import Bounds
from aims_gate.stats.transport import CELLS, EVEN

Opened = tuple[Floats, Floats]
"""How far each cell of two samples keeps a bracket open; 0 does not."""
_WHOLE = 2.0**53
"""Below it counts of pairs are exact."""
_INTEGRALS = 3e-4
"""Share by which the noise integrals of `stats.transport`, sums over quantiles, may be off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Integral:
    """Bounds of a noise integral: of each hundredth of the pooled ranks, and of the whole."""

    inner: Floats
    """Shape (100,)."""
    outer: Floats
    """Shape (100,)."""
    least: float
    most: float

    def scaled(self, by: float) -> _Integral:
        """The same of *by* times what is integrated."""
        return _Integral(
            inner=by * self.inner, outer=by * self.outer, least=by * self.least, most=by * self.most
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DistanceBracket:
    """Bounds of a distance, and of its margin of error."""

    value: Bounds
    error: Callable[[float], Bounds]
    """The least and the greatest one-sided margin of error, wrong with that probability."""
    most: float

    def of_dependent_rows(self, design_effect: float) -> DistanceBracket:
        """The same of rows of which so many are as good as one: both laws scale with the root."""
        wider = math.sqrt(design_effect)

        def error(alpha: float) -> Bounds:
            least, most = self.error(alpha)
            return least * wider, most * wider

        return replace(self, error=error)

    def ends(self, alpha: float) -> tuple[Bounds, Bounds]:
        """Bounds of the interval value -+ error, where both are low and where both are high."""
        (low, high), (least, most) = self.value, self.error(alpha)
        return (
            (max(low - most, 0.0), min(low + least, self.most)),
            (max(high - least, 0.0), min(high + most, self.most)),
        )


def ks(reference: Celled, current: Celled) -> DistanceBracket:
    """Bracket of the Kolmogorov-Smirnov distance, in [0, 1]; both samples have a value.

    Its error follows from the sizes alone. As `stats.transport` does, it counts in rows of both
    samples together, so that nothing rounds and the ends of a settled bracket are the value.
    """
    n, m = valued(reference), valued(current)
    low, high, _ = _gaps(reference, current)
    value = float(low.max(initial=0.0)) / (n * m), float(high.max(initial=0.0)) / (n * m)
    noise = functools.partial(ks_noise, n, m)
    return DistanceBracket(
        value=value if n * m < _WHOLE else widened(value, 0.0, 1.0),
        error=lambda alpha: (noise(alpha), noise(alpha)),
        most=1.0,
    )


def _gaps(reference: Celled, current: Celled) -> tuple[Floats, Floats, Floats]:
    """The least and the greatest |F - G| at each end of a cell, times the rows of both."""
    n, m = valued(reference), valued(current)
    surely, maybe, points = _functions(reference, current)
    up, down = surely[0] * m - maybe[1] * n, surely[1] * n - maybe[0] * m
    return np.maximum(np.maximum(up, down), 0.0), -np.minimum(up, down), points


def open_to_ks(reference: Celled, current: Celled) -> Opened:
    """Cells in which the distance may be greater than it surely is elsewhere."""
    low, high, points = _gaps(reference, current)
    beyond = np.append(0.0, np.cumsum(np.maximum(high - low.max(initial=0.0), 0.0)))

    def opened(sample: Celled) -> Floats:
        begin, end = (
            np.searchsorted(points, ends, side="left") for ends in (sample.least, sample.greatest)
        )
        return np.asarray(beyond[end] - beyond[begin])

    return opened(reference), opened(current)


def open_to_wasserstein(reference: Celled, current: Celled) -> Opened:
    """Cells by what they may add to the area between both functions: their rows and width."""
    with np.errstate(over="ignore"):
        found = [
            one.counts / valued(one) * (one.greatest - one.least) for one in (reference, current)
        ]
    return found[0], found[1]


def wasserstein(reference: Celled, current: Celled) -> DistanceBracket:
    """Bracket of the Wasserstein distance in standard deviations of the reference, 0.001 at least.

    All values are finite, and both samples have one. Between two ends of cells both distribution
    functions are known up to the rows of the cells there, and so is the gap between them.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        n, m = valued(reference), valued(current)
        surely, maybe, points = _functions(reference, current)
        steps = np.diff(points)
        low = np.maximum(surely[0] / n - maybe[1] / m, surely[1] / m - maybe[0] / n)[:-1]
        high = np.maximum(maybe[0] / n - surely[1] / m, maybe[1] / m - surely[0] / n)[:-1]
        area = _sum(np.maximum(low, 0.0) * steps), _sum(high * steps)
        before, after = (
            moments(one.least, one.greatest, one.counts) for one in (reference, current)
        )
        unit = unit_of(before.spread[0]), unit_of(before.spread[1])
        value = area[0] / unit[1], area[1] / unit[0]
        integrals = _integrals(reference, current, surely, maybe, points)
    moved = after.mean[0] - before.mean[1], after.mean[1] - before.mean[0]

    def error(alpha: float) -> Bounds:
        noise = [_noise(one, unit, alpha) for one in integrals]
        return _error(value, unit, before, moved, (noise, float(ndtri(1 - alpha)), n))

    return DistanceBracket(value=widened(value, 0.0), error=error, most=math.inf)


def _functions(
    reference: Celled, current: Celled
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats], Floats]:
    """Rows up to each end of a cell that surely and that maybe are, of both, and the ends."""
    points = ends_of(reference, current)
    if reference.below or current.below:
        points = np.append(-np.inf, points)
    found = [rows_up_to(one, points) for one in (reference, current)]
    first, other = ((np.asarray(a, float), np.asarray(b, float)) for a, b in found)
    return (first[0], other[0]), (first[1], other[1]), points


def _integrals(
    reference: Celled,
    current: Celled,
    surely: tuple[Floats, Floats],
    maybe: tuple[Floats, Floats],
    points: Floats,
) -> tuple[_Integral, _Integral]:
    """Bounds of the noise integrals of both laws in each hundredth of the pooled ranks.

    Where a hundredth ends is known up to a cell, and a few ranks that quantiles may be off; over
    what lies between, the standard error is known up to the rows of the cells there.
    """
    n, m = valued(reference), valued(current)
    pooled = surely[0] + surely[1], maybe[0] + maybe[1]
    slack = 2 + (n + m) // EVEN
    ranks = np.arange(CELLS + 1) * (n + m) // CELLS
    last = len(points) - 1
    # the least point at which so many rows may be passed, and the first at which they surely are
    first = np.searchsorted(pooled[1], ranks - slack, side="left").clip(0, last)
    final = np.searchsorted(pooled[0], ranks + slack, side="left").clip(0, last)
    first[0], final[-1] = 0, last
    steps = np.diff(points)
    found = []
    for of_both in (True, False):
        if of_both:
            low, high = _spread(pooled[0] / (n + m), pooled[1] / (n + m))
        else:
            parts = [
                [part / rows for part in _spread(s / rows, h / rows)]
                for s, h, rows in ((surely[0], maybe[0], n), (surely[1], maybe[1], m))
            ]
            low, high = (parts[0][side] + parts[1][side] for side in (0, 1))
        least, most = (np.append(0.0, np.cumsum(np.sqrt(one[:-1]) * steps)) for one in (low, high))
        inner = np.maximum(least[first[1:]] - least[final[:-1]], 0.0)
        outer = most[final[1:]] - most[first[:-1]]
        found.append(
            _Integral(inner=inner, outer=outer, least=float(least[-1]), most=float(most[-1]))
        )
    return found[0].scaled(math.sqrt(1 / n + 1 / m)), found[1]


def _spread(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Bounds of p (1 - p), of a share between *low* and *high*."""
    ends = low * (1 - low), high * (1 - high)
    most = np.where((low <= 0.5) & (high >= 0.5), 0.25, np.maximum(*ends))
    return np.minimum(*ends), most


def _error(
    value: Bounds,
    unit: Bounds,
    before: CentralMoments,
    moved: Bounds,
    sampling: tuple[Sequence[Bounds], float, int],
) -> Bounds:
    """Bounds of `stats.drift.wasserstein_error`, which grows with each of its terms."""
    noise, z, rows = sampling
    tilts = [a * b for a in before.skewness for b in moved]
    found = []
    for side, pick in ((0, min), (1, max)):
        scale = math.sqrt(max(before.kurtosis[side] - 1, 0.0) / (4 * rows)) * z
        both = math.sqrt(max(pick(tilts), 0.0) / unit[1 - side] / rows) * z
        found.append(math.hypot(max(one[side] for one in noise), value[side] * scale, both))
    return widened((found[0], found[1]), 0.0)


def _noise(found: _Integral, unit: Bounds, alpha: float) -> Bounds:
    """Bounds of the quantile of the gamma law that matches an integral of |bridge|."""
    least, most = found.least, found.most
    if not most > 0:
        return 0.0, 0.0
    covariance, greatest = bridge_covariance(), float(bridge_covariance()[0, 0])
    ends = []
    for part, whole in ((found.inner, most), (found.outer, least)):
        shares = part / whole if whole > 0 else np.full(CELLS, np.inf)
        spread = float(shares @ covariance @ shares) if np.isfinite(shares).all() else math.inf
        # a whole in one hundredth varies most
        ends.append(min(spread, greatest) * math.pi / 2)
    low, high = math.sqrt(2 / math.pi) * least / unit[1], math.sqrt(2 / math.pi) * most / unit[0]
    return (
        low * (1 - _INTEGRALS) * _relative(ends[0], alpha),
        high * (1 + _INTEGRALS) * _relative(ends[1], alpha),
    )


def _relative(variance: float, alpha: float) -> float:
    """Quantile of a gamma law of mean 1; it grows with the variance for a small *alpha*."""
    return float(gammaincinv(1 / variance, 1 - alpha)) * variance if variance > 0 else 1.0


def _sum(parts: Floats) -> float:
    return math.fsum(parts) if np.isfinite(parts).all() else math.inf


BRACKETS: Mapping[str, Callable[[Celled, Celled], DistanceBracket]] = {
    "ks": ks,
    "wasserstein": wasserstein,
}
"""The bracket of each distance of `stats.drift`, by its name in a policy."""
OPEN: Mapping[str, Callable[[Celled, Celled], Opened]] = {
    "ks": open_to_ks,
    "wasserstein": open_to_wasserstein,
}
"""The cells that keep the bracket of each of them open."""
