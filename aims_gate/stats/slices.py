"""A slice against everything: how far a metric falls behind, with bounds that know the overlap.

A slice is part of the whole, so its distance to the whole is (1 - w) times its distance to the
rest, with w its share of the rows that the metric rests on: exactly so for proportions and means.
Slice and rest are different rows, so MOVER holds for them (Zou and Donner 2008).
"""

from __future__ import annotations

from aims_gate.stats.confusion import Share
from aims_gate.stats.intervals import Bounds, Rate, mover_difference
from aims_gate.stats.means import hall_bounds
from aims_gate.stats.paired import mover
from aims_gate.stats.tables import Losses

_LOST = 1e-12
"""A share of a sum of squares that subtracting another one does not tell from 0."""


def behind(whole: Share, part: Share, z: float) -> Bounds:
    """MOVER interval of a proportion of all rows minus that of a slice, in [-1, 1].

    Args:
        whole: Successes and trials of all rows.
        part: Those of the slice, among them: fewer trials than the whole, and at least one.
        z: Standard normal quantile of one side, corrected for all slices.
    """
    rest = whole[0] - part[0], whole[1] - part[1]
    outside = rest[1] / whole[1]
    low, high = mover_difference(Rate.of(*rest, z), Rate.of(*part, z))
    return low * outside, high * outside


def above(whole: Losses, part: Losses, z: float) -> Bounds:
    """MOVER interval of the mean loss of a slice minus that of all rows.

    Both the slice and the rest must have Hall's bounds (`means.too_few`).
    """
    rest = without(whole, part)
    bounds = mover(part.mean, hall_bounds(part, z), rest.mean, hall_bounds(rest, z))
    outside = rest.rows / whole.rows
    return bounds[0] * outside, bounds[1] * outside


def without(whole: Losses, part: Losses) -> Losses:
    """Moments of the complement: the rows of *whole* that are not in *part*, at least two."""
    rows = whole.rows - part.rows
    of_all = _about(whole, whole.mean)
    sums = [a - b for a, b in zip(of_all, _about(part, whole.mean), strict=True)]
    shift, second, third = (total / rows for total in sums)
    spread = max(second - shift**2, 0.0)
    if spread * rows <= _LOST * of_all[1]:  # nothing but rounding is left of it
        spread = 0.0
    cubed = third - 3 * shift * second + 2 * shift**3
    return Losses(
        rows=rows,
        mean=whole.mean + shift,
        variance=spread * rows / (rows - 1),
        skewness=cubed / spread**1.5 if spread > 0 else 0.0,
    )


def _about(losses: Losses, centre: float) -> tuple[float, float, float]:
    """Sums of the first three powers of (loss - centre)."""
    n, shift = losses.rows, losses.mean - centre
    spread = losses.variance * (n - 1) / n if n > 1 else 0.0
    cubed = losses.skewness * spread**1.5
    return n * shift, n * (spread + shift**2), n * (cubed + 3 * spread * shift + shift**3)
