"""Power and sample size: how likely data decide where nothing is wrong, and rows to collect.

A rule passes where the bound of every cell by itself excludes the serious effect. The chance of it,
if there is no effect, follows from sizes and spread and never from the value observed. Rows that
are few times what is there are enough when that chance is `POWER`; see docs/statistics.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from aims_gate.facts import POWER, PowerDesign
from aims_gate.stats.disparity import Measure
from aims_gate.stats.intervals import proportion_bounds

DATA, CURRENT = "rows of the data", "current rows"
"""The rows that more of would help."""
LEAST_SAMPLE = 100
"""Below so many rows in either sample the law of the drift statistics does not hold."""
_MOST = 2.0**40
"""Where the search for a sufficient size ends: no number of rows is enough."""
_FEW = 20
"""Up to so many columns are drawn one by one; more are about normal."""
_DRAWS = 1024
"""Points of the sequence over which a chance is averaged: to about 0.01."""
_KNOTS = 25
"""Shares at which the bounds of a proportion are computed; between them they are straight."""

Floats = npt.NDArray[np.float64]
_Sides = tuple[Floats, Floats, Floats]
"""A group's drawn values, and how far below and above them its bounds are; each (_DRAWS,)."""


def factor_needed(planned: Iterable[tuple[PowerDesign, float]]) -> float:
    """Sample size: the least factor on all rows, from 1 on, at which the power is `POWER`.

    The chances of designs are multiplied, which is conservative where they lean on the same rows.
    Infinite if no number of rows is enough.

    Args:
        planned: Each design with the value that it must exclude.
    """
    every = tuple(planned)

    def enough(factor: float) -> bool:
        chance = 1.0
        for design, serious in every:
            chance *= design.chance(factor, serious=serious)
            if chance < POWER:
                return False
        return True

    return least(enough, start=1.0)


def least(enough: Callable[[float], bool], *, start: float) -> float:
    """The least number from *start* on that is *enough*, by bisection to 1e-4; else infinity.

    *enough* must stay true once it is.
    """
    if enough(start):
        return start
    low = start
    while not enough(2 * low):
        low *= 2
        if low > _MOST:
            return math.inf
    high = 2 * low
    while high - low > 1e-4 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


@dataclass(frozen=True, slots=True, kw_only=True)
class PairsDesign:
    """Groups whose rates or means are compared in pairs, all of which must be excluded together.

    Estimates are drawn as normal, at the points of a fixed sequence, so that the same sizes give
    the same answer.
    """

    measure: Measure
    sizes: tuple[int, ...]
    """What a group's estimate rests on: trials, or rows."""
    errors: tuple[float, ...]
    """Standard deviation of one row of each group; sqrt(r (1 - r)) for a rate r."""
    pairs: tuple[tuple[int, int], ...]
    """Places of (disadvantaged, other)."""
    centre: float
    """What every estimate is where there is no effect: the pooled rate; 0 for means."""
    z: float
    """Standard normal quantile of a cell's own bound."""
    rows: int
    what: str = DATA
    design_effect: float = 1.0
    least: int = 0
    """What a group's estimate rests on from which on it is judged: it may yet grow to that."""

    def chance(self, factor: float, *, serious: float) -> float:
        """Power: the probability that every pair's own bound excludes *serious* at parity."""
        groups = [self._sides(place, factor) for place in range(len(self.sizes))]
        judged = [self._judged(place, factor) for place in range(len(self.sizes))]
        decided = np.ones(_DRAWS, dtype=np.bool_)
        for worse, better in self.pairs:
            (v, below, _), (w, _, above) = groups[worse], groups[better]
            if self.measure is Measure.RATIO:
                room, step = v - serious * w, np.hypot(below, serious * above)
            else:
                room, step = serious - (w - v), np.hypot(below, above)
            decided &= (room > step) | ~(judged[worse] & judged[better])
        return float(decided.mean())

    def _judged(self, place: int, factor: float) -> npt.NDArray[np.bool_]:
        """Tell in which draws a group is judged: how large it gets varies, too."""
        rows = self.sizes[place] * factor
        if factor > 1 and rows < 4 * self.least:
            noise = ndtri(_points(2 * len(self.sizes))[:, len(self.sizes) + place])
            return np.asarray(rows + math.sqrt(rows) * noise >= self.least)
        return np.full(_DRAWS, rows >= self.least)

    def _sides(self, place: int, factor: float) -> _Sides:
        rows = self.sizes[place] * factor / self.design_effect
        noise = ndtri(_points(len(self.sizes))[:, place])
        drawn = self.centre + self.errors[place] / math.sqrt(rows) * noise
        if not 0 < self.centre < 1:
            step = np.full(_DRAWS, self.z * self.errors[place] / math.sqrt(rows))
            return drawn, step, step
        share = np.clip(drawn, 0.0, 1.0)
        knots = np.linspace(share.min(), share.max(), _KNOTS)
        low, high = np.array([proportion_bounds(k * rows, rows, self.z) for k in knots.tolist()]).T
        return share, np.interp(share, knots, knots - low), np.interp(share, knots, high - knots)


def _points(dimensions: int) -> Floats:
    """Quasi-random points of an additive recurrence: shape (_DRAWS, dimensions), in (0, 1).

    Roberts (2018), "The unreasonable effectiveness of quasirandom sequences": the steps are powers
    of 1 / phi, with phi the root of x^(d + 1) = x + 1.
    """
    if dimensions not in _POINTS:
        phi = 2.0
        for _ in range(64):
            phi = (1 + phi) ** (1 / (dimensions + 1))
        steps = phi ** -np.arange(1, dimensions + 1)
        _POINTS[dimensions] = (0.5 + np.arange(1, _DRAWS + 1)[:, None] * steps) % 1.0
    return _POINTS[dimensions]


_POINTS: dict[int, Floats] = {}
_NORMAL = NormalDist()
"""Plain Python's, so that a policy's own tests run without SciPy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalDesign:
    """A value whose own bound lies z standard errors from it, and whose error shrinks with rows."""

    error: float
    """Standard error of the value where there is no effect."""
    z: float
    """Standard normal quantile of the cell's own bound."""
    rows: int
    what: str = DATA
    neutral: float = 0.0
    """The value of "no effect"."""
    fixed: float = 0.0
    """Standard error that more of these rows do not change: that of the other data."""

    def chance(self, factor: float, *, serious: float) -> float:
        """Power: the probability that the own bound excludes *serious* if there is no effect."""
        error = math.hypot(self.error / math.sqrt(factor), self.fixed)
        room = abs(serious - self.neutral)
        return _NORMAL.cdf(room / error - self.z) if error else float(room > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowingDesign:
    """A group that is too small to be judged, and is judged once it has grown."""

    of: NormalDesign
    """The group as it would be judged at its present size."""
    size: int
    least: int
    """Rows of the group from which on it is judged."""

    @property
    def rows(self) -> int:
        """Rows of all groups."""
        return self.of.rows

    @property
    def what(self) -> str:
        """Name the rows that more of would help."""
        return self.of.what

    @classmethod
    def within(cls, error: float, z: float, size: int, rows: int, *, least: int) -> GrowingDesign:
        """Plan a group of *size* of the *rows* whose values all rows tell with *error*."""
        behind = math.sqrt(max(rows - size, 0) / max(size, 1))  # sqrt((1 - w) / w), w its share
        return cls(of=NormalDesign(error=error * behind, z=z, rows=rows), size=size, least=least)

    def chance(self, factor: float, *, serious: float) -> float:
        """Probability that it is still not judged, or *serious* excluded."""
        if factor <= 1:
            return 1.0
        grown = self.size * factor
        judged = _NORMAL.cdf((grown - self.least) / math.sqrt(grown))
        return 1 - judged * (1 - self.of.chance(factor, serious=serious))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDesign:
    """The relative change of one rate between two samples, in either direction."""

    reference: int
    rows: int
    """Trials of the current sample."""
    rate: float
    """Pooled rate r = (successes + 1/2) / (trials + 1), in (0, 1)."""
    z: float
    what: str = CURRENT

    def chance(self, factor: float, *, serious: float) -> float:
        """Power: the probability that a rise and a fall by the share *serious* are excluded."""
        trials = 1 / self.reference + 1 / (self.rows * factor)
        error = math.sqrt((1 - self.rate) / self.rate * trials)
        fall = 1.0 if serious >= 1 else float(ndtr(-math.log1p(-serious) / error - self.z))
        return max(fall + float(ndtr(math.log1p(serious) / error - self.z)) - 1, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharesDesign:
    """Power of the share of drifted columns: how many columns can be shown not to have drifted."""

    columns: tuple[tuple[float, float, PowerDesign | None], ...]
    """Weight, twice the line, and design of each column; no design where nothing can move."""
    rows: int
    what: str = CURRENT

    def chance(self, factor: float, *, serious: float) -> float:
        """Power: the probability that columns left undecided weigh less than *serious*."""
        weight = sum(share for share, _, _ in self.columns)
        chances = [
            (share / weight, 1.0 if design is None else design.chance(factor, serious=moved))
            for share, moved, design in self.columns
        ]
        if len(chances) <= _FEW:
            shares, seen = (np.array(column) for column in zip(*chances, strict=True))
            left_out = (_points(len(chances)) >= seen) @ shares
            return float((left_out < serious).mean())
        left = math.fsum(share * (1 - p) for share, p in chances)
        spread = math.sqrt(math.fsum(share**2 * p * (1 - p) for share, p in chances))
        return float(ndtr((serious - left) / spread)) if spread else float(left < serious)


def pooled_error(rate: float, groups: Sequence[object]) -> tuple[float, ...]:
    """Bernoulli standard deviation at the pooled rate, sqrt(r (1 - r)), once per group."""
    return (math.sqrt(rate * (1 - rate)),) * len(groups)
