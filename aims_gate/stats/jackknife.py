"""Jackknife confidence limits: from what a number changes by when each row is left out.

Tukey (1958), "Bias and confidence in not-quite large samples"; Miller (1974), "The jackknife - a
review". The pseudo-values' mean is taken as Student's t, whose degrees of freedom are those of a
variance of values with their kurtosis: few rows that matter much tell little about it. On the side
of a long tail Hall's correction for skewness reaches further; neither alone holds where the other
is needed (docs/statistics.md).
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import stdtrit

from aims_gate.stats.intervals import Bounds
from aims_gate.stats.means import LEAST_ROWS, adjusted, bent, centred, shape
from aims_gate.stats.tables import Counts, Floats, Jackknife

_REACH = 2.0
"""How much further Hall's bound reaches on the side of a long tail, per unit of G1 / sqrt(n): a
sample shows less of it than there is. Chosen on draws, as the others, see docs/statistics.md."""
_LONG, _VERY_LONG = 4.0, 8.0
"""Kurtosis from which a tail counts as long, and from which it counts in full."""
_PER_KURTOSIS = 1.1
"""Rows needed per unit of kurtosis, which is about the rows where one differs from all others."""


def of_values(values: Floats, counts: Counts) -> Jackknife:
    """Moments of jackknife pseudo-values, weighted by rows; NaN if a value is not finite.

    Args:
        values: Of any shape; those without a row do not count.
        counts: Of the same shape, in all at least two rows.
    """
    seen = counts > 0
    present, times = values[seen], counts[seen]
    rows = int(times.sum())
    if not np.isfinite(present).all():
        return Jackknife(
            rows=rows, centre=math.nan, variance=math.nan, skewness=math.nan, kurtosis=math.nan
        )
    centre = float(present @ times) / rows
    second, skewness, kurtosis = shape(centred(present, centre), times)
    return Jackknife(
        rows=rows,
        centre=centre,
        variance=second / (rows - 1),
        skewness=skewness,
        kurtosis=kurtosis,
    )


def limits(found: Jackknife, alpha: float) -> Bounds:
    """Jackknife limits, each wrong with probability about *alpha*; see `too_few`.

    On each side the wider of c -+ t s / sqrt(n) and Hall's bound, which on the side of the longer
    tail reaches 1 + 2 |G1| / sqrt(n) times as far from a kurtosis of 8 on, as far as it is up to
    one of 4, and in proportion between them. c, s and G1 are mean, standard deviation and adjusted
    skewness of the pseudo-values, and t has 2n / (kurtosis - 1) degrees of freedom, n - 1 at most.
    """
    freedom = min(2 * found.rows / max(found.kurtosis - 1, 1e-9), found.rows - 1)
    t = float(stdtrit(freedom, 1 - alpha))
    error = math.sqrt(found.variance / found.rows)
    skewness = adjusted(found.skewness, found.rows)
    k = skewness / math.sqrt(found.rows)
    long = min(max((found.kurtosis - _LONG) / (_VERY_LONG - _LONG), 0.0), 1.0)
    low, high = bent(found.centre, error, k, t, reach=1 + _REACH * abs(k) * long)
    return min(low, found.centre - t * error), max(high, found.centre + t * error)


def too_few(found: Jackknife) -> str:
    """Say why there are no limits; empty if there are."""
    if found.rows < LEAST_ROWS:
        return f"{found.rows:,} rows, and the interval needs {LEAST_ROWS}"
    if not found.variance > 0:
        return f"one of the {found.rows:,} rows cannot be left out, or they are all alike"
    if found.rows < rows_needed(found):
        return f"one of the {found.rows:,} rows dominates the value"
    return ""


def rows_needed(found: Jackknife) -> float:
    """Least rows for an interval, if the kurtosis stays: with fewer, one row dominates."""
    return _PER_KURTOSIS * found.kurtosis
