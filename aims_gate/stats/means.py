"""Means of per-row losses, with bounds that know about skewness.

P. Hall (1992), "On the removal of skewness by transformation", with the adjusted sample skewness G1
(Joanes and Gill 1998) and the quantile of Student's t in the place of the normal one. Its degrees
of freedom are those of a variance that skewed rows tell: 2 / (kurtosis - 1) a row, and the kurtosis
is at least skewness^2 + 1 (Pearson 1916); here it is taken as twice skewness^2 + 1, and the bound
on the side of a long tail reaches further than Hall's, because a sample shows less of a tail than
there is. From 30 rows on, a two-sided interval at 95 % covers 94-97 % for losses with a skewness of
up to 3, for a lognormal loss and for t(5) squared, which has no third moment, and 97-99 % where
most losses are 0; t(3) squared has no variance, and is covered in 90-95 % (docs/statistics.md). A
mean that one row dominates has no bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import ndtr, stdtrit

from aims_gate.stats.intervals import Bounds
from aims_gate.stats.tables import Counts, Floats, Losses

LEAST_ROWS = 30
"""Below so many rows no bound is given: quantiles of the normal law are too narrow."""
_PER_SKEW = 1.1
"""Rows needed per squared skewness G1: they are as many where one row differs from all others. More
is worse: samples that happen to look straight would pass, and their bounds were wrong in up to 39 %
(25 rows per squared skewness, t(5) squared, 100 rows)."""
_LONG = 3.0
"""Skewness from which a tail counts as long: squared normal errors have 2.8."""
_REACH = 0.1
"""How much further the bound reaches on that side, per unit of skewness beyond it."""
_MOST_REACH = 2.0
"""The most of that, per unit of G1 / sqrt(n): what many rows show, needs no more."""
_SHORT = 0.75
"""How much further that of a loss without an end reaches, per unit of G1 / sqrt(n): 30 rows of a
lognormal loss may look like an exponential one's, and hid its mean in 7.5 % of draws at 5 %."""
_ALIKE = 1e-12
"""Values that are as near as this to their mean, as shares of the largest, are one value."""
_STRAIGHT = 1e-9
"""Below such a skewness term the cubic is its own linear part to machine precision."""


def centred(values: Floats, mean: float) -> Floats:
    """Centre values on their *mean*; exactly 0 each where they differ by rounding only.

    Else the mean of equal values, rounded away from them, would prove that they hardly vary.
    """
    apart: Floats = values - mean
    far, most = (float(np.abs(part).max(initial=0.0)) for part in (apart, values))
    return np.zeros_like(apart) if far <= _ALIKE * most else apart


def shape(apart: Floats, times: Floats | Counts) -> tuple[float, float, float]:
    """Sum of squares, skewness g1 and kurtosis of distances from a mean.

    0 each where all distances are 0; the sum is infinite or NaN where it is no float. Distances are
    divided by its root before higher powers, which would overflow, or be lost and hide a long tail.

    Args:
        apart: Shape (values,), from `centred`.
        times: How often each value occurs, in all at least once.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        second = float((times * np.square(apart)).sum())
        if not second > 0:
            return second, 0.0, 0.0
        unit = apart / math.sqrt(second)
        squares, rows = np.square(unit), int(times.sum())
        third, fourth = (float((times * squares * more).sum()) for more in (unit, squares))
    return second, math.sqrt(rows) * third, rows * fourth


def hall_bounds(losses: Losses, z: float, *, short: float = 0.0) -> Bounds:
    """Hall's interval of a mean, corrected for skewness, with Student's t; see `too_few`.

    mean - s/sqrt(n) inv(t) and mean - s/sqrt(n) inv(-t), with `bent`'s inv. t is the quantile of
    Student's law at the level of the normal quantile *z*, with n / (1 + g1^2) degrees of freedom,
    n - 1 at most. On the side of the tail the bound reaches further by (|G1| - 3) / 10, from 0 to
    2 |G1| / sqrt(n), and by *short* |G1| / sqrt(n) in any case.
    """
    skewness = adjusted(losses.skewness, losses.rows)
    k = skewness / math.sqrt(losses.rows)
    error = math.sqrt(losses.variance / losses.rows)
    freedom = min(losses.rows / (1 + losses.skewness**2), losses.rows - 1)
    t = float(stdtrit(freedom, ndtr(z)))
    further = min(_REACH * max(abs(skewness) - _LONG, 0.0), _MOST_REACH * abs(k))
    further += short * abs(k)
    low, high = bent(losses.mean, error, k, t, reach=1 + further)
    return min(low, losses.mean), max(high, losses.mean)


def bent(mean: float, error: float, k: float, t: float, *, reach: float) -> Bounds:
    """Bounds by Hall's cubic: mean - error inv(+-t), one of them *reach* times as far out.

    inv(w) = (3/k) (cbrt(1 + k (w - k/6)) - 1) is the inverse of Hall's monotone cubic, which turns
    the skewed t statistic into one that is nearly Student's. The bound above the mean reaches
    further where k is above 0, else that below.

    Args:
        mean: Of the values.
        error: Its standard error.
        k: Their skewness over the root of the rows.
        t: Quantile of Student's law, above 0.
        reach: At least 1.
    """
    low, high = (error * _inverse(k, w) for w in (t, -t))
    return (mean - low, mean - reach * high) if k > 0 else (mean - reach * low, mean - high)


def loss_bounds(losses: Losses, z: float) -> Bounds:
    """Hall's bounds of the mean of a loss that is never negative and has no end, in [0, inf).

    No bound holds for every such loss, however many rows there are (Bahadur and Savage 1956): one
    row in a million may hold all of the mean. Wrong in 6 % at a nominal 5 % where the tail is no
    longer than that of a lognormal loss, or of |t(3)|; docs/statistics.md has the others.
    """
    low, high = hall_bounds(losses, z, short=_SHORT)
    return max(low, 0.0), high


def share_bounds(losses: Losses, z: float) -> Bounds:
    """Hall's bounds of the mean of a loss in [0, 1]."""
    low, high = hall_bounds(losses, z)
    return max(low, 0.0), min(high, 1.0)


def too_few(losses: Losses, *, of: str = "rows") -> str:
    """Say why Hall's bounds cannot be given; empty if they can. *of* names what has a loss."""
    if losses.rows < LEAST_ROWS:
        return f"{losses.rows:,} {of}, and a mean's interval needs {LEAST_ROWS}"
    if not losses.variance > 0:
        return (
            f"the values of all {losses.rows:,} {of} are equal, so nothing shows how much they vary"
        )
    skewness = adjusted(losses.skewness, losses.rows)
    wanted = _PER_SKEW * skewness**2
    if losses.rows < wanted:
        return (
            f"one of the {of} dominates the mean: at a skewness of {skewness:.1f} its "
            f"interval needs {math.ceil(wanted):,} {of}, and there are {losses.rows:,}"
        )
    return ""


def mean(losses: Losses) -> float:
    """Mean loss; NaN for no rows."""
    return losses.mean if losses.rows else math.nan


def root(losses: Losses) -> float:
    """Root of the mean loss, as in RMSE; NaN for no rows."""
    return math.sqrt(losses.mean) if losses.rows else math.nan


def root_of(bounds: Callable[[Losses, float], Bounds]) -> Callable[[Losses, float], Bounds]:
    """Turn bounds of a mean loss into bounds of its root."""

    def rooted(losses: Losses, z: float) -> Bounds:
        low, high = bounds(losses, z)
        return math.sqrt(low), math.sqrt(high)

    return rooted


def adjusted(skewness: float, rows: int) -> float:
    """Adjusted sample skewness G1 = g1 sqrt(n (n - 1)) / (n - 2), of at least three *rows*."""
    return skewness * math.sqrt(rows * (rows - 1)) / (rows - 2)


def _inverse(k: float, w: float) -> float:
    if abs(k) < _STRAIGHT:
        return w
    x = k * (w - k / 6)
    # expm1 and log1p keep the digits that cbrt(1 + x) - 1 loses for small x
    cubic = math.expm1(math.log1p(x) / 3) if x > -0.5 else math.cbrt(1 + x) - 1
    return 3 / k * cubic
