"""Distances between two ordered samples of a column, each with what sampling alone would cause.

- `wasserstein`: Wasserstein-1 (earth mover's) distance in standard deviations of the reference: 0
  says that the distributions are equal, 0.5 that values moved by half a standard deviation on
  average.
- `ks`, Kolmogorov-Smirnov: the greatest gap between the two distribution functions, in [0, 1]: 0
  says that the samples are equal, 1 that their values do not overlap.

Nulls are no values of either; distances of histograms, which count them, are in `stats.divergence`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincc, gammaincinv, kolmogorov, ndtri

from aims_gate.errors import CheckError
from aims_gate.stats.bins import Floats, OrderedSample
from aims_gate.stats.counting import total
from aims_gate.stats.distance import Distance, Tolerance
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
        return found.area / unit_of(found.spread)


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
    distance: sqrt((kurtosis - 1) / 4n) of the distance, by the delta method. Where values moved
    towards the reference's long tail, the sample that has too much of it is too wide and too near
    as well, and their covariance is added: distance * skewness / n. NaN where the distance is.
    """
    if not usable(reference, current):
        return math.nan
    with np.errstate(over="ignore", invalid="ignore"):
        found = transport(reference, current)
        own = _law(found.errors, found.spread).quantile(alpha)
        rows = total(reference.counts)
        z, distance = float(ndtri(1 - alpha)), wasserstein(reference, current)
        unit = math.sqrt(max(found.kurtosis - 1, 0.0) / (4 * rows)) * z
        both = math.sqrt(max(distance * found.tilt, 0.0) / rows) * z
        noise = max(wasserstein_noise(reference, current, alpha), own)
        return math.hypot(noise, distance * unit, both)


def _law(errors: Floats, spread: float) -> Noise:
    """Match a gamma law to an integral of |bridge|, whose cells have standard errors *errors*."""
    whole = float(errors.sum())
    if whole == 0:
        return Noise(shape=1.0, scale=0.0)
    # shares of the whole: squares of the errors themselves overflow, or vanish
    shares = errors / whole
    variance = float(shares @ bridge_covariance() @ shares) * math.pi / 2
    mean = math.sqrt(2 / math.pi) * (whole / unit_of(spread))
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


def usable(*samples: OrderedSample) -> bool:
    """Tell whether samples have values at all, and none of them infinite."""
    return all(len(s.values) and np.isfinite(s.values[[0, -1]]).all() for s in samples)


def unit_of(spread: float) -> float:
    """Unit of the Wasserstein distance: the reference's standard deviation, 0.001 at least."""
    return max(spread, _LEAST_SPREAD) if math.isfinite(spread) else math.nan


@functools.cache
def bridge_covariance() -> Floats:
    """Covariance of the absolute Brownian bridge in two hundredths, each scaled to variance 1."""
    ranks = (np.arange(CELLS) + 0.5) / CELLS
    low, high = np.minimum.outer(ranks, ranks), np.maximum.outer(ranks, ranks)
    r = np.minimum(np.sqrt(low * (1 - high) / (high * (1 - low))), 1.0)
    found = np.asarray(2 / math.pi * (np.sqrt(1 - r**2) + r * np.arcsin(r) - 1), dtype=np.float64)
    found.flags.writeable = False  # whoever asks again gets the same
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingLaw:
    """Null distribution of a distance of ordered values, and its margin of error."""

    name: str
    noise: Callable[[float], float]
    """The distance that noise alone exceeds with that probability."""
    error: Callable[[float], float]
    """How far the distance may be off on one side, wrong with that probability."""
    p_value: Callable[[float], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedDistance(Distance):
    """A distance of two ordered samples of numbers, which does not see nulls."""

    value: Callable[[OrderedSample, OrderedSample], float]
    law: Callable[[OrderedSample, OrderedSample], SamplingLaw]
    finite: bool = False
    """Infinite values have no distance."""
    p_value_beside: bool = False
    """Its p-value is what statisticians ask for, too."""


def _ks_law(reference: OrderedSample, current: OrderedSample) -> SamplingLaw:
    n, m = total(reference.counts), total(current.counts)
    noise = functools.partial(ks_noise, n, m)
    return SamplingLaw(
        name="Kolmogorov-Smirnov band",
        noise=noise,
        error=noise,
        p_value=lambda distance: ks_p_value(distance, n, m),
    )


def _wasserstein_law(reference: OrderedSample, current: OrderedSample) -> SamplingLaw:
    law = wasserstein_law(reference, current)
    return SamplingLaw(
        name="Brownian bridge, gamma-matched",
        noise=law.quantile,
        error=functools.partial(wasserstein_error, reference, current),
        p_value=law.p_value,
    )


_ROWS = (
    OrderedDistance(
        name="ks",
        statistic="ks",
        words="KS distance",
        definition="greatest gap between the two distribution functions; in [0, 1], 0 is no drift, "
        "1 no overlap; bounds from the Kolmogorov-Smirnov band, its p-value beside it.",
        limit=0.20,
        line=0.10,
        most=1.0,
        value=ks,
        law=_ks_law,
        p_value_beside=True,
        # Evidently's test of that name is a p-value, which SciPy computes from this distance
        oracle=("scipy", "ks"),
        tolerance=Tolerance(relative=1e-9, absolute=1e-12),
    ),
    OrderedDistance(
        name="wasserstein",
        statistic="wasserstein",
        words="Wasserstein distance",
        definition="area between the two distribution functions over the reference's standard "
        "deviation; in [0, inf), 0 is no drift. Bounds match a gamma law to the Brownian bridge, "
        "and take in the error of that deviation.",
        limit=0.50,
        line=0.30,
        most=math.inf,
        value=wasserstein,
        law=_wasserstein_law,
        finite=True,
        oracle=("evidently", "wasserstein"),
        # a sum over 20,000 steps, and a standard deviation that each side computes in its own way
        tolerance=Tolerance(relative=1e-6, absolute=1e-9),
    ),
)
DISTANCES: Mapping[str, OrderedDistance] = {row.name: row for row in _ROWS}
"""Every distance of ordered values, by its name in a policy."""


def over_numbers(method: str) -> OrderedDistance:
    """Distance of ordered samples by its name; CheckError if there is none."""
    if method not in DISTANCES:
        raise CheckError(f"there is no drift method {method!r} for numbers")
    return DISTANCES[method]
