"""Means of per-row losses, with bounds that know about skewness.

P. Hall (1992), "On the removal of skewness by transformation", with the adjusted sample skewness G1
(Joanes and Gill 1998) and the quantile of Student's t in the place of the normal one. Its degrees
of freedom are those of a variance that skewed rows tell: 2 / (kurtosis - 1) a row, and the kurtosis
is at least skewness^2 + 1 (Pearson 1916). From 30 rows on, a two-sided interval at 95 % covers
94-96 % for losses with a skewness of up to 3, 97-98 % where most losses are 0, and 94-95 % for a
lognormal loss and for t(5) squared, which has no third moment (docs/statistics.md). A mean that one
row dominates has no bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import ndtr, stdtrit

from aims_gate.stats.intervals import Bounds
from aims_gate.stats.tables import Floats, Losses

LEAST_ROWS = 30
"""Below so many rows no bound is given: quantiles of the normal law are too narrow."""
_PER_SKEW = 1.1
"""Rows needed per squared skewness G1: they are as many where one row differs from all others. More
is worse: samples that happen to look straight would pass, and their bounds were wrong in up to 39 %
(25 rows per squared skewness, t(5) squared, 100 rows)."""
_ALIKE = 1e-12
"""Values that are as near as this to their mean, as shares of the largest, are one value."""
_STRAIGHT = 1e-9
"""Below such a skewness term the cubic is its own linear part to machine precision."""


def centred(values: Floats, mean: float) -> Floats:
    """Give *values* less their *mean*; exactly 0 each where nothing but rounding tells them apart.

    Else the mean of equal values, rounded away from them, would prove that they hardly vary.
    """
    apart: Floats = values - mean
    far, most = (float(np.abs(part).max(initial=0.0)) for part in (apart, values))
    return np.zeros_like(apart) if far <= _ALIKE * most else apart


def hall_bounds(losses: Losses, z: float) -> Bounds:
    """Give mean - s/sqrt(n) inv(t) and mean - s/sqrt(n) inv(-t); see `too_few`.

    With k = G1 / sqrt(n), inv(w) = (3/k) (cbrt(1 + k (w - k/6)) - 1): the inverse of Hall's
    monotone cubic, which turns the skewed t statistic into one that is nearly Student's. t is the
    quantile of Student's law at the level of the normal quantile *z*, with 2n / (2 + g1^2) degrees
    of freedom, n - 1 at most.
    """
    k = _adjusted(losses) / math.sqrt(losses.rows)
    error = math.sqrt(losses.variance / losses.rows)
    freedom = min(2 * losses.rows / (2 + losses.skewness**2), losses.rows - 1)
    t = float(stdtrit(freedom, ndtr(z)))
    low, high = (losses.mean - error * _inverse(k, w) for w in (t, -t))
    return min(low, losses.mean), max(high, losses.mean)


def loss_bounds(losses: Losses, z: float) -> Bounds:
    """Give Hall's bounds of a loss that is never negative, in [0, inf)."""
    low, high = hall_bounds(losses, z)
    return max(low, 0.0), high


def share_bounds(losses: Losses, z: float) -> Bounds:
    """Give Hall's bounds of a loss in [0, 1]."""
    low, high = loss_bounds(losses, z)
    return low, min(high, 1.0)


def too_few(losses: Losses, *, of: str = "rows") -> str:
    """Say why Hall's bounds cannot be given; empty if they can. *of* names what has a loss."""
    if losses.rows < LEAST_ROWS:
        return f"{losses.rows:,} {of}, and a mean's interval needs {LEAST_ROWS}"
    if not losses.variance > 0:
        return (
            f"the values of all {losses.rows:,} {of} are equal, so nothing shows how much they vary"
        )
    wanted = _PER_SKEW * _adjusted(losses) ** 2
    if losses.rows < wanted:
        return (
            f"one of the {of} dominates the mean: at a skewness of {_adjusted(losses):.1f} its "
            f"interval needs {math.ceil(wanted):,} {of}, and there are {losses.rows:,}"
        )
    return ""


def mean(losses: Losses) -> float:
    """Give the mean loss; NaN for no rows."""
    return losses.mean if losses.rows else math.nan


def root(losses: Losses) -> float:
    """Give the root of the mean loss; NaN for no rows."""
    return math.sqrt(losses.mean) if losses.rows else math.nan


def root_of(bounds: Callable[[Losses, float], Bounds]) -> Callable[[Losses, float], Bounds]:
    """Turn bounds of a mean loss into bounds of its root."""

    def rooted(losses: Losses, z: float) -> Bounds:
        low, high = bounds(losses, z)
        return math.sqrt(low), math.sqrt(high)

    return rooted


def _adjusted(losses: Losses) -> float:
    """Give G1 = g1 sqrt(n (n - 1)) / (n - 2); the losses have at least three rows."""
    n = losses.rows
    return losses.skewness * math.sqrt(n * (n - 1)) / (n - 2)


def _inverse(k: float, w: float) -> float:
    if abs(k) < _STRAIGHT:
        return w
    x = k * (w - k / 6)
    # expm1 and log1p keep the digits that cbrt(1 + x) - 1 loses for small x
    cubic = math.expm1(math.log1p(x) / 3) if x > -0.5 else math.cbrt(1 + x) - 1
    return 3 / k * cubic
