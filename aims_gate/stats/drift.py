"""Distances between two ordered samples of a column, each with what sampling alone would cause.

- `wasserstein`: Wasserstein-1 (earth mover's) distance in standard deviations of the reference: 0
  says that the distributions are equal, 0.5 that values moved by half a standard deviation on
  average.
- `ks`, Kolmogorov-Smirnov: the greatest gap between the two distribution functions, in [0, 1]: 0
  says that the samples are equal, 1 that their values do not overlap.

Nulls are no values of either; distances of histograms, which count them, are in `stats.divergence`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincc, gammaincinv, kolmogorov, ndtri

from aims_gate.errors import CheckError
from aims_gate.stats.bins import Floats, OrderedSample
from aims_gate.stats.counting import total
from aims_gate.stats.transport import CELLS, farthest, transport

_LEAST_SPREAD = 0.001
"""A standard deviation below this counts as this: a constant column has no scale of its own."""


def wasserstein(reference: OrderedSample, current: OrderedSample) -> float:
    """Wasserstein-1 (earth mover's) distance over max(sd of the reference, 0.001), without nulls.

    The integral of |F - G|, exact. NaN if a sample has no values or an infinite one,
    or the reference's spread overflows.
    """
    if not usable(reference, current):
        return math.nan
    with np.errstate(over="ignore", invalid="ignore"):
        # an infinite spread would call every distance zero: NaN instead
        found = transport(reference, current)
        return found.area / _unit(found.spread)


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Null distribution of a distance: a gamma law, or always 0 where nothing varies."""

    shape: float
    scale: float
    """In the unit of the distance; 0 where the pooled sample has one value."""

    def quantile(self, alpha: float) -> float:
        """Critical value: the distance that noise alone exceeds with probability *alpha*."""
        return float(gammaincinv(self.shape, 1 - alpha)) * self.scale if self.scale else 0.0

    def p_value(self, distance: float) -> float:
        """p-value: the probability of a distance this large without drift, in [0, 1]."""
        return float(gammaincc(self.shape, distance / self.scale)) if self.scale else 1.0


def wasserstein_law(reference: OrderedSample, current: OrderedSample) -> Noise:
    """Null distribution of the Wasserstein distance, by matching two moments.

    The distance is an integral of |Brownian bridge|; its mean and variance, summed over 100 cells
    of the pooled ranks, are matched by a gamma distribution. NaN where the distance is.
    """
    if not usable(reference, current):
        return Noise(shape=math.nan, scale=math.nan)
    n, m = total(reference.counts), total(current.counts)
    with np.errstate(over="ignore", invalid="ignore"):
        found = transport(reference, current)
        return _law(math.sqrt(1 / n + 1 / m) * found.pieces, found.spread)


def wasserstein_error(reference: OrderedSample, current: OrderedSample, alpha: float) -> float:
    """One-sided margin of error of the Wasserstein distance, at level *alpha*.

    What noise alone exceeds, or the same law where each sample varies around its own distribution
    and not around a common one, whichever is wider: the smaller sample may be the wider one. With
    it adds, as variances do, the error of the reference's standard deviation, the unit of the
    distance: sqrt((kurtosis - 1) / 4n) of the distance, by the delta method. NaN where that is.
    """
    if not usable(reference, current):
        return math.nan
    with np.errstate(over="ignore", invalid="ignore"):
        found = transport(reference, current)
        own = _law(found.errors, found.spread).quantile(alpha)
        rows = total(reference.counts)
        unit = math.sqrt(max(found.kurtosis - 1, 0.0) / (4 * rows)) * float(ndtri(1 - alpha))
        distance = wasserstein(reference, current)
        return math.hypot(max(wasserstein_noise(reference, current, alpha), own), distance * unit)


def _law(errors: Floats, spread: float) -> Noise:
    """Match a gamma law to an integral of |bridge|, whose cells have standard errors *errors*."""
    whole = float(errors.sum())
    if whole == 0:
        return Noise(shape=1.0, scale=0.0)
    # shares of the whole: squares of the errors themselves overflow, or vanish
    shares = errors / whole
    ranks = (np.arange(CELLS) + 0.5) / CELLS
    variance = float(shares @ _covariance(ranks) @ shares) * math.pi / 2
    mean = math.sqrt(2 / math.pi) * (whole / _unit(spread))
    return Noise(shape=1 / variance, scale=variance * mean)


def wasserstein_noise(reference: OrderedSample, current: OrderedSample, alpha: float) -> float:
    """Critical value of the Wasserstein distance at level *alpha*; NaN where the distance is."""
    return wasserstein_law(reference, current).quantile(alpha)


def ks(reference: OrderedSample, current: OrderedSample) -> float:
    """Kolmogorov-Smirnov distance, in [0, 1], without nulls; NaN without values.

    Infinite values are the least and the greatest there are.
    """
    if not (len(reference.values) and len(current.values)):
        return math.nan
    return farthest(reference, current)


def ks_noise(n: int, m: int, alpha: float) -> float:
    """Critical value of Kolmogorov-Smirnov at level *alpha*: sqrt(ln(2/a)/2 (1/n + 1/m)).

    Of continuous values; conservative where values are tied.
    """
    return math.sqrt(math.log(2 / alpha) / 2 * (1 / n + 1 / m))


def ks_p_value(distance: float, n: int, m: int) -> float:
    """p-value of the two-sample Kolmogorov-Smirnov test, by Kolmogorov's limiting law."""
    return float(kolmogorov(math.sqrt(n * m / (n + m)) * distance))


DISTANCES: Mapping[str, Callable[[OrderedSample, OrderedSample], float]] = {
    "wasserstein": wasserstein,
    "ks": ks,
}
"""Every distance of ordered values, by its name in a policy."""


def over_numbers(method: str) -> Callable[[OrderedSample, OrderedSample], float]:
    """Distance of ordered samples by its name; CheckError if there is none."""
    if method not in DISTANCES:
        raise CheckError(f"there is no drift method {method!r} for numbers")
    return DISTANCES[method]


def usable(*samples: OrderedSample) -> bool:
    """Tell whether samples have values at all, and none of them infinite."""
    return all(len(s.values) and np.isfinite(s.values[[0, -1]]).all() for s in samples)


def _unit(spread: float) -> float:
    return max(spread, _LEAST_SPREAD) if math.isfinite(spread) else math.nan


def _covariance(ranks: Floats) -> Floats:
    """Covariance of the absolute Brownian bridge at two ranks, each scaled to variance 1."""
    low, high = np.minimum.outer(ranks, ranks), np.maximum.outer(ranks, ranks)
    r = np.minimum(np.sqrt(low * (1 - high) / (high * (1 - low))), 1.0)
    return np.asarray(2 / math.pi * (np.sqrt(1 - r**2) + r * np.arcsin(r) - 1), dtype=np.float64)
