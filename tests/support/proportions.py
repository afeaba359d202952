"""The interval of a proportion, from two of statsmodels."""

from __future__ import annotations

from statsmodels.stats.proportion import proportion_confint

from aims_gate.stats.intervals import GUARD, Bounds


def guarded(successes: int, rows: int, alpha: float) -> Bounds:
    """Give Wilson's interval, at least as wide as the exact one at `GUARD` times *alpha*."""
    low, high = proportion_confint(successes, rows, alpha=alpha, method="wilson")
    least, most = proportion_confint(successes, rows, alpha=GUARD * alpha, method="beta")
    return max(min(low, least), 0.0), max(high, most)
