"""Differences of the means of groups, in the values' unit or in standard deviations.

Bounds are MOVER (Zou and Donner 2008) over those of each mean (`stats.means`), so that groups may
differ in spread, as for Welch's interval, and in skewness.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from aims_gate.stats.intervals import Bounds
from aims_gate.stats.means import centred, hall_bounds, shape
from aims_gate.stats.tables import Losses

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


def pooled_deviation(groups: Iterable[Losses]) -> float:
    """Pooled (within-group) standard deviation: sqrt(sum (n - 1) s^2 / sum (n - 1)).

    0 where every group is of one value; NaN where no group has two rows.
    """
    parts = [(group.rows - 1, group.variance) for group in groups if group.rows > 1]
    freedom = sum(rows for rows, _ in parts)
    if not freedom:
        return math.nan
    return math.sqrt(math.fsum(rows * variance for rows, variance in parts) / freedom)


def gap_bounds(worse: Losses, better: Losses, z: float) -> Bounds:
    """MOVER interval of mean(better) - mean(worse), from Hall's bounds of each mean.

    Each side is wrong with the error that *z* stands for. Both groups must have bounds of their
    own: `stats.means.too_few` says which do not.
    """
    worse_low, worse_high = hall_bounds(worse, z)
    better_low, better_high = hall_bounds(better, z)
    gap = better.mean - worse.mean
    return (
        gap - math.hypot(better.mean - better_low, worse_high - worse.mean),
        gap + math.hypot(better_high - better.mean, worse.mean - worse_low),
    )


def standardised(gap: float, bounds: Bounds, deviation: float, freedom: int, z: float) -> Bounds:
    """Interval of the standardised mean difference (Cohen's d): gap / pooled deviation.

    The deviation has *freedom* degrees of freedom; its own error adds gap^2 / (2 freedom) to the
    variance, in units of the
    deviation (Hedges 1981, "Distribution theory for Glass's estimator of effect size").
    """
    value = gap / deviation
    added = z * abs(value) / math.sqrt(2 * freedom)
    low, high = bounds[0] / deviation, bounds[1] / deviation
    return value - math.hypot(value - low, added), value + math.hypot(high - value, added)


def largest_ks(samples: Sequence[tuple[Floats, Counts]]) -> float:
    """Largest pairwise Kolmogorov-Smirnov distance of several samples, in [0, 1]: 0 is none.

    max over x of (max F - min F), with F the distribution function of each sample: its distinct
    values, ascending, and their counts.
    """
    if len(samples) < 2:
        return 0.0
    grid = np.unique(np.concatenate([values for values, _ in samples]))
    most, least = np.zeros(len(grid)), np.ones(len(grid))
    for values, counts in samples:
        reached = np.concatenate([[0], np.cumsum(counts)]) / counts.sum()
        share = reached[np.searchsorted(values, grid, side="right")]
        np.maximum(most, share, out=most)
        np.minimum(least, share, out=least)
    return float(np.max(most - least))


def moments(values: Floats, counts: Counts) -> Losses:
    """Sample moments of weighted values: rows, mean, variance (n - 1) and skewness g1."""
    rows = int(counts.sum())
    mean = float(values @ counts) / rows
    second, skewness, _ = shape(centred(values, mean), counts)
    return Losses(
        rows=rows,
        mean=mean,
        variance=second / (rows - 1) if rows > 1 else math.nan,
        skewness=skewness,
    )
