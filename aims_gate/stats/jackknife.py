"""Limits of a number from what each row adds to it, told by leaving the row out.

Tukey (1958), "Bias and confidence in not-quite large samples"; Miller (1974), "The jackknife - a
review". The pseudo-values' mean is taken as Student's t, whose degrees of freedom are those of a
variance of values with their kurtosis: few rows that matter much tell little about it.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import stdtrit

from aims_gate.stats.intervals import Bounds
from aims_gate.stats.means import LEAST_ROWS
from aims_gate.stats.tables import Counts, Floats, Jackknife

_PER_KURTOSIS = 1.1
"""Rows needed per kurtosis: they are as many where one row differs from all others."""


def of_values(values: Floats, counts: Counts) -> Jackknife:
    """Give the moments of pseudo-values and of the rows that have each; NaN if one is not finite.

    Args:
        values: Of any shape; those without a row do not count.
        counts: Of the same shape, in all at least two rows.
    """
    seen = counts > 0
    told, times = values[seen], counts[seen]
    rows = int(times.sum())
    if not np.isfinite(told).all():
        return Jackknife(rows=rows, centre=math.nan, variance=math.nan, kurtosis=math.nan)
    centre = float(told @ times) / rows
    squares = np.square(told - centre)
    second, fourth = float(squares @ times), float(np.square(squares) @ times)
    return Jackknife(
        rows=rows,
        centre=centre,
        variance=second / (rows - 1),
        kurtosis=fourth * rows / second**2 if second > 0 else math.nan,
    )


def limits(found: Jackknife, alpha: float) -> Bounds:
    """Give c -+ t s / sqrt(n), each wrong with probability about *alpha*; see `too_few`.

    c and s are mean and standard deviation of the pseudo-values, and t has 2n / (kurtosis - 1)
    degrees of freedom, n - 1 at most.
    """
    freedom = min(2 * found.rows / max(found.kurtosis - 1, 1e-9), found.rows - 1)
    step = float(stdtrit(freedom, 1 - alpha)) * math.sqrt(found.variance / found.rows)
    return found.centre - step, found.centre + step


def too_few(found: Jackknife) -> str:
    """Say why there are no limits; empty if there are."""
    if found.rows < LEAST_ROWS:
        return f"{found.rows:,} rows, and the interval needs {LEAST_ROWS}"
    if not found.variance > 0:
        return f"one of the {found.rows:,} rows cannot be left out, or they are all alike"
    if found.rows < _PER_KURTOSIS * found.kurtosis:
        return f"one of the {found.rows:,} rows dominates the value"
    return ""
