"""Distances between two samples of a column, each with what sampling alone would cause.

- Population stability index (PSI): the symmetric Kullback-Leibler divergence of two histograms,
  in nats. 0 says that the histograms are equal; above 0.25 is conventionally a large shift. Its
  law under true drift is noncentral chi-square (Yurdakul and Naranjo, 2020, for the central case).
- Wasserstein-1 (earth mover's) distance in standard deviations of the reference: 0 says that the
  distributions are equal, 0.5 that values moved by half a standard deviation on average.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtr, chdtri, chndtr, chndtrinc, gammaincinv

from aims_gate.errors import CheckError
from aims_gate.stats.bins import Binned, Counts, Floats, Ordered
from aims_gate.stats.intervals import Bounds
from aims_gate.stats.transport import CELLS, transport, weighted_mean

_LEAST_SHARE = 1e-4
_LEAST_SPREAD = 0.001
"""A standard deviation below this counts as this: a constant column has no scale of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Psi:
    """A population stability index and what its bounds follow from."""

    raw: float
    """Sum of (p - q) ln(p/q), half a row added to every bin."""
    df: int
    """Bins minus one; 0 if one bin holds everything, and the index is then exactly 0."""
    size: float
    """Harmonic size N = nm/(n+m)."""
    moved: str
    """The bin that contributes most."""

    @property
    def value(self) -> float:
        """The index without the df/N that noise alone adds, at least 0."""
        return max(0.0, self.raw - self.df / self.size)

    def bounds(self, alpha: float) -> Bounds:
        """Give the lower and upper bound, each one-sided at *alpha*, in (0, 1).

        N*raw follows a noncentral chi-square with noncentrality N*PSI; a bound is the PSI at which
        what was seen would be just that unlikely. CheckError if the law cannot be inverted.
        """
        if self.df == 0:
            return 0.0, 0.0
        return self._bound(1 - alpha), self._bound(alpha)

    def noise(self, alpha: float) -> float:
        """Give the value that noise alone exceeds with probability *alpha* at these sizes."""
        if self.df == 0:
            return 0.0
        return max(0.0, float(chdtri(self.df, alpha)) - self.df) / self.size

    def _bound(self, probability: float) -> float:
        x = self.size * self.raw
        if chdtr(self.df, x) <= probability:
            return 0.0
        found = float(chndtrinc(x, self.df, probability))
        # a bound that is silently wrong could prove anything
        if not abs(float(chndtr(x, self.df, found)) - probability) < 1e-4:
            raise CheckError(f"no bound for PSI {self.raw:g} with {self.df} degrees of freedom")
        return found / self.size


def psi(table: Binned) -> Psi:
    """Give the population stability index of a table; both samples have at least one row."""
    n, m = table.sizes
    if table.bins == 1:
        return Psi(raw=0.0, df=0, size=n * m / (n + m), moved=table.names[0])
    terms = _terms(_shares(table.reference), _shares(table.current))
    return Psi(
        raw=float(terms.sum()),
        df=table.bins - 1,
        size=n * m / (n + m),
        moved=table.names[int(terms.argmax())],
    )


def divergence(reference: Counts, current: Counts) -> float:
    """Give the plain sum of (p - q) ln(p/q) in [0, inf), nothing added or taken off.

    Args:
        reference: Counts of shape (bins,), each at least 1.
        current: The same of the other sample.
    """
    return float(_terms(reference / reference.sum(), current / current.sum()).sum())


def wasserstein(reference: Ordered, current: Ordered) -> float:
    """Give the Wasserstein-1 distance over max(sd of the reference, 0.001), nulls left out.

    The integral of |F - G|, exact. NaN if a sample has no values or an infinite one,
    or the reference's spread overflows.
    """
    if not usable(reference, current):
        return math.nan
    with np.errstate(over="ignore", invalid="ignore"):
        # an infinite spread would call every distance zero: NaN instead
        return transport(reference, current).area / _spread(reference)


def wasserstein_noise(reference: Ordered, current: Ordered, alpha: float) -> float:
    """Give the distance that noise alone exceeds with probability *alpha*, in the same unit.

    The distance is an integral of |Brownian bridge|; its mean and variance, summed over 100 cells
    of the pooled ranks, are matched by a gamma distribution. NaN where the distance is.
    """
    if not usable(reference, current):
        return math.nan
    n, m = int(reference.counts.sum()), int(current.counts.sum())
    with np.errstate(over="ignore", invalid="ignore"):
        pieces = transport(reference, current).pieces
        ranks = (np.arange(CELLS) + 0.5) / CELLS
        scale = math.sqrt(1 / n + 1 / m)
        mean = math.sqrt(2 / math.pi) * scale * float(pieces.sum())
        variance = scale**2 * float(pieces @ _covariance(ranks) @ pieces)
        if mean == 0:
            return 0.0
        quantile = float(gammaincinv(mean**2 / variance, 1 - alpha)) * variance / mean
        return quantile / _spread(reference)


def usable(*samples: Ordered) -> bool:
    """Tell whether samples have values at all, and none of them infinite."""
    return all(len(s.values) and np.isfinite(s.values[[0, -1]]).all() for s in samples)


def _terms(p: Floats, q: Floats) -> Floats:
    return np.asarray((p - q) * np.log(p / q), dtype=np.float64)


def _shares(counts: Counts) -> Floats:
    shares = (counts + 0.5) / (counts.sum() + len(counts) / 2)
    return np.asarray(np.maximum(shares, _LEAST_SHARE), dtype=np.float64)


def _spread(sample: Ordered) -> float:
    centre = weighted_mean(sample.values, sample.counts)
    spread = math.sqrt(weighted_mean(sample.values, sample.counts, centre=centre))
    return max(spread, _LEAST_SPREAD) if math.isfinite(spread) else math.nan


def _covariance(ranks: Floats) -> Floats:
    """Give the covariance of |bridge| at two ranks, each scaled to variance 1."""
    low, high = np.minimum.outer(ranks, ranks), np.maximum.outer(ranks, ranks)
    r = np.minimum(np.sqrt(low * (1 - high) / (high * (1 - low))), 1.0)
    return np.asarray(2 / math.pi * (np.sqrt(1 - r**2) + r * np.arcsin(r) - 1), dtype=np.float64)
