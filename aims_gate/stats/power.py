"""Could a serious effect have been missed at these sizes? The designs behind values.

A design is *powered* when an effect of `serious` would be refused with a probability of at least
0.80 under the rule "value past the limit and bound past the line" (statistics part 1.1 and 1.4).
It depends on sizes, number of comparisons and pooled rate only, never on the value observed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from aims_gate.facts import Need
from aims_gate.stats.disparity import Measure
from aims_gate.stats.intervals import proportion_bounds

POWER = 0.80
Z_POWER = 0.8416
"""Standard normal quantile of 0.80."""
LEAST_SAMPLE = 100
"""Below so many rows in either sample the law of the drift statistics does not hold."""
_MOST = 2.0**60
"""Where the search for a sufficient size ends: no number of rows is enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDesign:
    """The sizes behind the comparison of one group with the others of its attribute and rate."""

    measure: Measure
    group: int
    """Which of *sizes* is the group that the cell is about."""
    sizes: tuple[int, ...]
    """Trials of every group that is compared, at least two."""
    total: int
    """Trials of the attribute, small groups included: what `small_share` is a share of."""
    rate: float
    """Pooled rate r = (successes + 1/2) / (trials + 1), in (0, 1)."""
    z: float
    """Standard normal quantile, corrected for all ordered pairs of the rule."""
    small_share: float = 0.02
    design_effect: float = 1.0

    def need(self, *, limit: float, line: float, serious: float) -> Need:
        """Tell whether a *serious* disadvantage of this group would be refused."""
        aim = _Aim(limit=limit, line=line, serious=serious)
        if _powered(self._side(self.group), aim, 1.0):
            return Need(powered=True)
        rows = self.sizes[self.group]
        text = f"{rows:,} rows cannot show a {self.measure} of {max(serious, 0.0):.2f}"
        factor = self._factor(aim)
        if math.isinf(factor):
            text += " (no number of rows could)"
        else:
            group, everyone = math.ceil(factor * rows), math.ceil(factor * sum(self.sizes))
            text += f" (needs {group:,}; {everyone:,} in all)"
        return Need(powered=False, reason=text, excused=self._is_small(self.group))

    def _is_small(self, group: int) -> bool:
        return self.sizes[group] < self.small_share * self.total

    def _factor(self, aim: _Aim) -> float:
        """Give the least factor on all sizes that powers this group and all that must be."""
        every = range(len(self.sizes))
        wanted = [g for g in every if g == self.group or not self._is_small(g)]
        return max(_factor(self._side(g), aim) for g in wanted)

    def _side(self, group: int) -> _Side:
        """Give what a group's power depends on: independent rows of it and of the largest other."""
        most = max(size for index, size in enumerate(self.sizes) if index != group)
        return _Side(
            measure=self.measure,
            rows=self.sizes[group] / self.design_effect,
            most=most / self.design_effect,
            rate=self.rate,
            z=self.z,
        )


def least(enough: Callable[[float], bool], *, start: float) -> float:
    """Give the least number from *start* on that is *enough*, to 1e-9; infinite if none is.

    *enough* must stay true once it is.
    """
    if enough(start):
        return start
    low = start
    while not enough(2 * low):
        low *= 2
        if low > _MOST:
            return math.inf
    return _bisect(enough, low, 2 * low)


def _bisect(enough: Callable[[float], bool], low: float, high: float) -> float:
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


@dataclass(frozen=True, slots=True, kw_only=True)
class _Aim:
    limit: float
    line: float
    serious: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """A group of *rows* that is to be told from the largest other, of *most* rows at *rate*."""

    measure: Measure
    rows: float
    most: float
    rate: float
    z: float


@lru_cache(maxsize=4096)
def _factor(side: _Side, aim: _Aim) -> float:
    """Give the least factor, 1 or more, by which both sizes must grow to be powered."""
    return least(lambda factor: _powered(side, aim, factor), start=1.0)


def _powered(side: _Side, aim: _Aim, factor: float) -> bool:
    """Tell whether the group would be refused if it were at a serious disadvantage."""
    powered = _ratio_powered if side.measure is Measure.RATIO else _gap_powered
    return powered(side, aim, side.rows * factor, side.most * factor)


def _ratio_powered(side: _Side, aim: _Aim, rows: float, most: float) -> bool:
    rate, share = side.rate, max(aim.serious, 0.0) * side.rate
    high = proportion_bounds(share * rows, rows, side.z)[1]
    low = proportion_bounds(rate * most, most, side.z)[0]
    variance = share * (1 - share) / rows + aim.line**2 * rate * (1 - rate) / most
    error = Z_POWER * math.sqrt(variance)
    proof = aim.line * rate - share - math.hypot(high - share, aim.line * (rate - low))
    return proof >= error and aim.limit * rate - share >= error


def _gap_powered(side: _Side, aim: _Aim, rows: float, most: float) -> bool:
    rate = side.rate
    share = min(rate + aim.serious, 1.0) if rate < 0.5 else max(rate - aim.serious, 0.0)
    error = Z_POWER * math.sqrt(share * (1 - share) / rows + rate * (1 - rate) / most)
    (lower, lower_rows), (upper, upper_rows) = sorted(((share, rows), (rate, most)))
    low = proportion_bounds(upper * upper_rows, upper_rows, side.z)[0]
    high = proportion_bounds(lower * lower_rows, lower_rows, side.z)[1]
    gap = upper - lower
    proof = gap - aim.line - math.hypot(high - lower, upper - low)
    return proof >= error and gap - aim.limit >= error


@dataclass(frozen=True, slots=True, kw_only=True)
class RateDesign:
    """The sizes behind the relative change of one rate between two samples."""

    reference: int
    current: int
    rate: float
    """Pooled rate r = (successes + 1/2) / (trials + 1), in (0, 1)."""
    z: float
    """Standard normal quantile of the interval."""

    def need(self, *, limit: float, line: float, serious: float) -> Need:
        """Tell whether the rate would be refused if it fell or rose by the share *serious*."""
        sides = [*self._sides(limit=limit, line=line, serious=serious)]
        if all(_powered(side, aim, 1.0) for side, aim in sides):
            return Need(powered=True)
        n, m = self.reference, self.current
        text = f"{m:,} current and {n:,} reference rows cannot show a change by {serious:.0%}"
        factor = max(_factor(side, aim) for side, aim in sides)
        if math.isinf(factor):
            return Need(powered=False, reason=f"{text}; no number of rows could")
        more = f"needs {math.ceil(factor * m):,} and {math.ceil(factor * n):,}"
        return Need(powered=False, reason=f"{text}; {more}")

    def _sides(self, *, limit: float, line: float, serious: float) -> Iterator[tuple[_Side, _Aim]]:
        """Give the comparisons that a fall and a rise are, where either is possible."""
        if limit < 1:
            fall = _Aim(limit=1 - limit, line=1 - line, serious=1 - serious)
            yield self._side(self.current, self.reference, self.rate), fall
        risen = self.rate * (1 + serious)
        if risen <= 1 or limit >= 1:
            rise = _Aim(limit=1 / (1 + limit), line=1 / (1 + line), serious=1 / (1 + serious))
            yield self._side(self.reference, self.current, min(risen, 1.0)), rise

    def _side(self, rows: int, most: int, rate: float) -> _Side:
        return _Side(measure=Measure.RATIO, rows=rows, most=most, rate=rate, z=self.z)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadDesign:
    """How sure the value of a group is, where a bound that is not of a rate says it."""

    what: str
    """What would have to be shown, such as `a shortfall`."""
    error: float
    """Standard error towards parity: the distance of the near bound divided by *z*."""
    z: float
    """Standard normal quantile, corrected for all groups of the rule."""
    rows: int
    """Rows of the group."""
    total: int
    """Rows of the attribute, which `small_share` is a share of."""
    small_share: float = 0.02

    def need(self, *, limit: float, line: float, serious: float) -> Need:
        """Tell whether a *serious* value would be refused, if it were as sure as this one."""
        least = min((serious - line) / (self.z + Z_POWER), (serious - limit) / Z_POWER)
        if self.error <= least:
            return Need(powered=True)
        text = f"{self.rows:,} rows cannot show {self.what} of {serious:.2f}"
        if least > 0:
            text += f" (needs about {math.ceil(self.rows * (self.error / least) ** 2):,})"
        else:
            text += " (no number of rows could)"
        return Need(powered=False, reason=text, excused=self.rows < self.small_share * self.total)
