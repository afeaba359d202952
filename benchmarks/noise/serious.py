"""How often a serious effect of one pair is let through, computed from the binomial law.

A rule passes only where each cell's own bound excludes the serious effect, so of whatever groups it
has, it passes at most as often as one serious pair does: what is counted out here holds for all.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from aims_gate.stats.disparity import Measure, quantile
from aims_gate.stats.intervals import proportion_bounds

Floats = npt.NDArray[np.float64]
SERIOUS = {Measure.RATIO: 0.60, Measure.GAP: 0.20}
"""What the conventional limits, 0.80 and 0.10, call serious."""
RATES = np.r_[np.arange(0.05, 0.99, 0.015), 0.98, 0.985, 0.99, 0.995]
"""Rates of the group that is better off."""
_Z = quantile(0.05, 1)


def let_through(
    worse: int, better: int, measure: Measure, *, effect: float | None = None
) -> tuple[float, float]:
    """Give the greatest chance over `RATES`, in percent, that a serious effect is excluded.

    Args:
        worse: Rows of the group that is seriously behind.
        better: Rows of the other one.
        measure: What is compared.
        effect: What is serious, if not what the conventional limit says.

    Returns:
        The chance, and the rate of the better group at which it is greatest.
    """
    serious = SERIOUS[measure] if effect is None else effect
    rates = RATES if measure is Measure.RATIO else RATES[serious < RATES]
    behind = rates * serious if measure is Measure.RATIO else rates - serious
    first, second = (_chances(n, of) for n, of in ((worse, behind), (better, rates)))
    passed = (first * (_excludes(worse, better, measure, serious).astype(np.float64) @ second)).sum(
        axis=0
    )
    most = int(passed.argmax())
    return 100 * float(passed[most]), float(rates[most])


def _excludes(worse: int, better: int, measure: Measure, serious: float) -> npt.NDArray[np.bool_]:
    """Tell for each pair of successes whether the MOVER bound excludes a serious effect."""
    (p, low, _), (q, _, high) = (_bounds(rows) for rows in (worse, better))
    below, above = (p - low)[:, None], (high - q)[None, :]
    if measure is Measure.RATIO:
        return p[:, None] - serious * q > np.hypot(below, serious * above)  # type: ignore[no-any-return]
    return serious - (q - p[:, None]) > np.hypot(below, above)  # type: ignore[no-any-return]


def _bounds(rows: int) -> tuple[Floats, Floats, Floats]:
    each = np.array([proportion_bounds(hits, rows, _Z) for hits in range(rows + 1)])
    return np.arange(rows + 1) / rows, each[:, 0], each[:, 1]


def _chances(rows: int, rates: Floats) -> Floats:
    """Give the chance of each number of successes at each rate: (rows + 1, rates)."""
    found: Floats = binom.pmf(np.arange(rows + 1)[:, None], rows, rates)
    return found
