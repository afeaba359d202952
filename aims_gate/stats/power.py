"""Could a serious effect have been missed at these sizes? The designs behind values.

A design is *powered* when an effect of `serious` would be refused with a probability of at least
0.80 under the rule "value past the limit and bound past the line" (statistics part 1.1 and 1.4).
It depends on sizes, number of comparisons and pooled rate only, never on the value observed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from scipy.special import chndtr

from aims_gate.facts import Need
from aims_gate.stats.disparity import Measure
from aims_gate.stats.divergence import DIVERGENCES
from aims_gate.stats.intervals import wilson

POWER = 0.80
_Z_POWER = 0.8416
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftDesign:
    """The sizes behind a column's distance over bins."""

    bins: int
    """Bins of the table, at least 2."""
    reference: int
    current: int
    columns: int
    """Columns that the rule names, which share alpha."""
    alpha: float
    method: str = "psi"
    """A distance of `stats.divergence`."""

    def need(self, *, limit: float, line: float, serious: float) -> Need:
        """Tell whether a *serious* drift of this column would be refused."""
        of = DIVERGENCES[self.method]
        least_n = needed_size(
            self.bins - 1,
            self.alpha / self.columns,
            limit=of.factor * of.total(limit),
            line=of.factor * of.total(line),
            serious=of.factor * of.total(serious),
        )
        return _need(self.reference, self.current, least_n, serious)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedDesign:
    """The sizes behind a column's distance of ordered values, with s = sqrt(1/n + 1/m).

    Noise and the standard error of the distance are both multiples of s.
    """

    reference: int
    current: int
    noise: float
    """What noise alone reaches at the corrected error rate, over s."""
    error: float
    """Standard error of the distance over s, at most: 1/2 for `ks`, 1 for a shift in standard
    deviations."""

    def need(self, *, limit: float, line: float, serious: float) -> Need:
        """Tell whether a *serious* drift of this column would be refused.

        Refused is "past the limit, and past the line by more than noise", four times in five.
        """
        spread = _Z_POWER * self.error
        room = min((serious - limit) / spread, (serious - line) / (self.noise + spread))
        return _need(self.reference, self.current, 1 / room**2 if room > 0 else math.inf, serious)


def _need(reference: int, current: int, least_n: float, serious: float) -> Need:
    """Hold the sizes of two samples against the least harmonic size nm/(n+m)."""
    n, m = reference, current
    if min(n, m) >= LEAST_SAMPLE and n * m / (n + m) >= least_n:
        return Need(powered=True)
    text = f"{m:,} current and {n:,} reference rows cannot show {serious:.2f}"
    return Need(powered=False, reason=f"{text}; {_wanted(n, least_n)}")


def _wanted(reference: int, least_n: float) -> str:
    if math.isinf(least_n):
        return "no number of rows could"
    if reference <= max(least_n, LEAST_SAMPLE - 1):
        more = max(math.floor(least_n) + 1, LEAST_SAMPLE)
        return f"the reference is too small: it needs at least {more:,} rows"
    current = math.ceil(least_n * reference / (reference - least_n))
    return f"needs {max(LEAST_SAMPLE, current):,} current rows"


@lru_cache(maxsize=4096)
def needed_size(df: int, alpha: float, *, limit: float, line: float, serious: float) -> float:
    """Give the least harmonic size nm/(n+m) at which a PSI of *serious* would be refused.

    With N the size, x = N*PSI estimate follows a noncentral chi-square with *df* degrees of freedom
    and noncentrality N*PSI. Infinite where no size is enough, as for serious <= limit.

    Args:
        df: Bins minus one, at least 1.
        alpha: Error rate of this column, in (0, 1).
        limit: PSI past which a column breaches.
        line: PSI past which the breach must be proven, at least 0.
        serious: PSI that must be refused with a probability of 0.80.
    """

    def enough(size: float) -> bool:
        proven = _quantile(1 - alpha, df, size * line)
        return bool(1 - chndtr(max(proven, size * limit + df), df, size * serious) >= POWER)

    if serious <= max(limit, line):
        return math.inf
    return least(enough, start=1.0)


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


def _quantile(probability: float, df: int, noncentrality: float) -> float:
    """Give x with chndtr(x, df, noncentrality) = probability."""
    start = df + noncentrality
    return least(lambda x: bool(chndtr(x, df, noncentrality) >= probability), start=start)


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
    high = wilson(share * rows, rows, side.z)[1]
    low = wilson(rate * most, most, side.z)[0]
    variance = share * (1 - share) / rows + aim.line**2 * rate * (1 - rate) / most
    error = _Z_POWER * math.sqrt(variance)
    proof = aim.line * rate - share - math.hypot(high - share, aim.line * (rate - low))
    return proof >= error and aim.limit * rate - share >= error


def _gap_powered(side: _Side, aim: _Aim, rows: float, most: float) -> bool:
    rate = side.rate
    share = min(rate + aim.serious, 1.0) if rate < 0.5 else max(rate - aim.serious, 0.0)
    error = _Z_POWER * math.sqrt(share * (1 - share) / rows + rate * (1 - rate) / most)
    (lower, lower_rows), (upper, upper_rows) = sorted(((share, rows), (rate, most)))
    low = wilson(upper * upper_rows, upper_rows, side.z)[0]
    high = wilson(lower * lower_rows, lower_rows, side.z)[1]
    gap = upper - lower
    proof = gap - aim.line - math.hypot(high - lower, upper - low)
    return proof >= error and gap - aim.limit >= error


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
        least = min((serious - line) / (self.z + _Z_POWER), (serious - limit) / _Z_POWER)
        if self.error <= least:
            return Need(powered=True)
        text = f"{self.rows:,} rows cannot show {self.what} of {serious:.2f}"
        if least > 0:
            text += f" (needs about {math.ceil(self.rows * (self.error / least) ** 2):,})"
        else:
            text += " (no number of rows could)"
        return Need(powered=False, reason=text, excused=self.rows < self.small_share * self.total)
