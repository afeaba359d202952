"""Closed-form confidence intervals for proportions, their differences and their ratios.

Wilson (1927), "Probable inference, the law of succession, and statistical inference", guarded by
Clopper and Pearson (1934), "The use of confidence or fiducial limits illustrated in the case of
the binomial"; Newcombe (1998), "Interval estimation for the difference between independent
proportions", method 10, which Zou and Donner (2008) generalised as MOVER; Donner and Zou (2012)
for the ratio (MOVER-R). Measured: docs/statistics.md, "Proportions".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy.special import betainc, betaincc, betainccinv, betaincinv, ndtr

WILSON = "guarded Wilson score"
"""What the interval of a proportion is called."""
GUARD = 1.1
"""One side of a proportion's interval is wrong at most so many times as often as it aims for."""

Bounds = tuple[float, float]


def root(excess: Callable[[float], float], low: float, high: float) -> float:
    """Bisect to the last bit; *excess* is above 0 at *low* and not above 0 at *high*."""
    for _ in range(100):
        middle = (low + high) / 2
        if excess(middle) > 0:
            low = middle
        else:
            high = middle
    return low


def proportion_bounds(successes: float, rows: float, z: float) -> Bounds:
    """Wilson score interval of a proportion, guarded by Clopper and Pearson's exact one.

    (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n). Where this bound is wrong with more than
    `GUARD` times the error that *z* stands for, the exact bound (Clopper and Pearson) of that error
    takes its place. So, whatever the rate and the rows, a one-sided bound at 5 % is wrong in at
    most 5.5 %, and a two-sided interval at 95 % holds the truth in at least 94.5 %. Wilson's alone
    is wrong in up to 16 % for 2.5 % where fewer than two events are expected, and in up to 115
    times the error of z = 3.2. Without a success the lower bound is exactly 0; without a failure
    the upper bound is exactly 1.

    Args:
        successes: From 0 to *rows*; need not be whole (planned or de-clustered counts are not).
        rows: Trials, above 0; need not be whole.
        z: Standard normal quantile, at least 0: 1.96 for 95 % two-sided.

    Returns:
        (low, high) with 0 <= low <= successes / rows <= high <= 1. Neither falls as *successes*
        grow; exchanging successes and failures mirrors them.

    Raises:
        ValueError: For no rows, or successes outside [0, rows]: a caller's error.
    """
    if not (rows > 0 and 0 <= successes <= rows and z >= 0):
        message = f"no proportion: {successes} of {rows}, z {z}"
        raise ValueError(message)
    share, square = successes / rows, z * z / rows
    centre = share + square / 2
    spread = math.sqrt(share * (1 - share) * square + square * square / 4)
    low, high = (centre - spread) / (1 + square), (centre + spread) / (1 + square)
    low = 0.0 if successes == 0 else _guarded_low(max(low, 0.0), successes, rows, z)
    high = 1.0 if successes == rows else _guarded_high(min(high, 1.0), successes, rows, z)
    # rounding may push a bound past the share itself by one unit in the last place
    return min(low, share), max(high, share)


def _guarded_low(low: float, successes: float, rows: float, z: float) -> float:
    """The lower bound, or the exact one where so many successes are not rare at that rate."""
    most, shape = GUARD * float(ndtr(-z)), (successes, rows - successes + 1)
    return low if betainc(*shape, low) <= most else float(betaincinv(*shape, most))


def _guarded_high(high: float, successes: float, rows: float, z: float) -> float:
    """The upper bound, or the exact one where so few successes are not rare at that rate."""
    most, shape = GUARD * float(ndtr(-z)), (successes + 1, rows - successes)
    return high if betaincc(*shape, high) <= most else float(betainccinv(*shape, most))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A proportion with its own interval: 0 <= low <= value <= high <= 1."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, successes: float, rows: float, z: float) -> Rate:
        """A proportion with its guarded Wilson score interval."""
        low, high = proportion_bounds(successes, rows, z)
        return cls(value=successes / rows, low=low, high=high)


def mover_difference(first: Rate, second: Rate) -> Bounds:
    """MOVER (Newcombe's) interval of a difference of proportions, in [-1, 1]: 0 is none."""
    value = first.value - second.value
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    return max(value - below, -1.0), min(value + above, 1.0)


def mover_ratio(first: Rate, second: Rate) -> Bounds:
    """MOVER-R interval of the ratio of two proportions, in [0, inf]: 1 is equality.

    A bound t is where the MOVER bound of the contrast first - t second is 0, so that "high < t"
    says the same as "the contrast is proven negative". *high* is infinite where the second rate
    may be 0. The lower root is written with the root in the denominator: the usual form is 0/0
    where second.high = 2 second.value.

    Raises:
        ValueError: If both rates are 0: nothing is known of their ratio.
    """
    if first.value <= 0 and second.value <= 0:
        message = "a ratio of two rates of zero"
        raise ValueError(message)
    product = first.value * second.value
    first_low = first.low * (2 * first.value - first.low)
    first_high = first.high * (2 * first.value - first.high)
    second_low = second.low * (2 * second.value - second.low)
    second_high = second.high * (2 * second.value - second.high)
    low_root = math.sqrt(max(product * product - first_low * second_high, 0.0))
    low = first_low / (product + low_root) if first_low > 0 else 0.0
    if second_low <= 0:
        return low, math.inf
    high_root = math.sqrt(max(product * product - first_high * second_low, 0.0))
    return low, (product + high_root) / second_low


def mover_to_whole(part: Rate, whole: Rate, share: float) -> Bounds:
    """MOVER interval of part - whole, where the part is some of the whole's rows.

    The whole is share part + a remainder that is independent of the part, so part - whole = (1 -
    share) part - remainder, and what the whole's bounds say beyond the part's own is the
    remainder's. For means and proportions the share is that of the rows; for other values it is
    cov(part, whole) / var(part) (`stats.parts`), and 0 takes the two as independent, which is
    conservative: what a part and its whole have in common brings them nearer to each other.

    Args:
        part: Value and bounds of some of the rows; need not be a proportion.
        whole: Value and bounds of all rows, at the same level.
        share: How much of the whole the part is.
    """
    value, other = part.value - whole.value, 1 - share

    def distance(own: float, opposite: float, all_rows: float) -> float:
        rest = max(all_rows * all_rows - share * share * opposite * opposite, 0.0)
        return math.sqrt(other * other * own * own + rest)

    below, above = part.value - part.low, part.high - part.value
    return (
        value - distance(below, above, whole.high - whole.value),
        value + distance(above, below, whole.value - whole.low),
    )
