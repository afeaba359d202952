"""The median of per-row losses, with bounds that assume nothing about their law."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import bdtr

from aims_gate.stats.intervals import Bounds
from aims_gate.stats.tables import OrderedErrors


def median(losses: OrderedErrors) -> float:
    """Median loss: the middle one, or the mean of the two in the middle; NaN for no rows."""
    rows = losses.rows
    if not rows:
        return math.nan
    lower, upper = _at(losses, (rows - 1) // 2), _at(losses, rows // 2)
    return lower if lower == upper else (lower + upper) / 2


def bounds(losses: OrderedErrors, alpha: float) -> Bounds:
    """Order-statistic (sign test) bounds of a median, each wrong with at most *alpha*.

    The r-th smallest loss from either end, r the largest with P(Binomial(n, 1/2) < r) <= alpha:
    exact for any continuous law and wider where losses are tied (Thompson 1936; David and Nagaraja
    2003, section 7.1). See `too_few`.
    """
    place = _place(losses.rows, alpha)
    return _at(losses, place - 1), _at(losses, losses.rows - place)


def too_few(losses: OrderedErrors) -> str:
    """Say why there are no bounds, whatever the error rate of a rule is; empty if there are."""
    if losses.rows >= LEAST_ROWS:
        return ""
    return f"{losses.rows:,} rows, and a median's interval needs {LEAST_ROWS}"


LEAST_ROWS = 30
"""With so many rows there are bounds down to an error rate of 2^-30."""


def _place(rows: int, alpha: float) -> int:
    """Rank of the bound: the largest r with P(Binomial(rows, 1/2) < r) <= alpha, at least 1."""
    low, high = 1, rows // 2 + 1
    while high - low > 1:
        middle = (low + high) // 2
        if bdtr(middle - 1, rows, 0.5) <= alpha:
            low = middle
        else:
            high = middle
    return low


def _at(losses: OrderedErrors, index: int) -> float:
    """Order statistic: the loss at an index of the ascending order, from 0."""
    ends = np.cumsum(losses.counts)
    return float(losses.values[np.searchsorted(ends, index, side="right")])
