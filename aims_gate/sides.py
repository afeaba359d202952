"""A measured value beside one side of a threshold, turned so that higher is better."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from aims_gate.facts import Interval, Statistic
from aims_gate.limits import Bar, serious_of


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedSide:
    """A value, its bounds and a limit, with signs turned so that higher is better."""

    value: float
    low: float
    high: float
    alone: float
    """The low bound of the cell by itself."""
    limit: float
    line: float
    neutral: float
    serious: float
    warn: float


_UNBOUNDED = Interval(low=-math.inf, high=math.inf, level=0, method="none")
"""Without an interval nothing is proven in either direction."""


def turned(statistic: Statistic, bar: Bar) -> JudgedSide:
    """A statistic beside one side of its threshold."""
    value = statistic.value if statistic.value is not None else math.nan
    bounds = statistic.interval or _UNBOUNDED
    alone = statistic.alone or bounds
    up, sign = bar.higher_is_better, 1.0 if bar.higher_is_better else -1.0
    return JudgedSide(
        value=sign * value,
        low=sign * (bounds.low if up else bounds.high),
        high=sign * (bounds.high if up else bounds.low),
        alone=sign * (alone.low if up else alone.high),
        limit=sign * bar.limit,
        line=sign * bar.line,
        neutral=math.nan if bar.neutral is None else sign * bar.neutral,
        serious=sign * serious_of(statistic, bar),
        warn=-math.inf if bar.warn is None else sign * bar.warn,
    )


def ends_of(statistic: Statistic) -> tuple[Statistic, Statistic]:
    """A statistic at the low and at the high end of its bracket; twice itself without one."""
    bracket = statistic.bracket
    if bracket is None:
        return statistic, statistic
    ends = []
    for place, value in enumerate((bracket.low, bracket.high)):
        end = replace(statistic, value=value, bracket=None)
        for side in ("interval", "alone"):
            bounds, told = getattr(bracket, side), getattr(statistic, side)
            if bounds is not None and told is not None:
                low, high = bounds[place]
                end = replace(end, **{side: replace(told, low=low, high=high)})
        ends.append(end)
    return ends[0], ends[1]
