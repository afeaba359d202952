"""Disparity between groups: every ordered pair's ratio or gap, with simultaneous intervals.

A pair (i, j) is read with i as the disadvantaged side. Over M ordered pairs each bound gets
alpha/M (Bonferroni, one step), and because both directions of a pair are counted the intervals
are two-sided and hold together with coverage 1 - alpha. Formulas: `stats.intervals`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from scipy.special import ndtri

from aims_gate.stats.intervals import Bounds, Rate, mover_difference, mover_ratio


class Measure(StrEnum):
    """How two rates are compared."""

    RATIO = "ratio"
    """Lower over higher, in [0, 1]: 1 is parity."""
    GAP = "gap"
    """Higher minus lower, in [0, 1]: 0 is parity."""

    @property
    def neutral(self) -> float:
        """The value of parity."""
        return 1.0 if self is Measure.RATIO else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group of rows and how often something happened in it: rows >= successes >= 0."""

    name: str
    rows: int
    successes: int

    @property
    def rate(self) -> float:
        """Share of successes; NaN for no rows, so that nothing can be concluded from it."""
        return self.successes / self.rows if self.rows else math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """An ordered pair of groups, with the ratio or gap of *worse* against *better*.

    Where *worse* is in fact the better off, the value is parity; the interval then begins or ends
    at parity at the latest, and still says how far the group could be behind.
    """

    worse: Group
    better: Group
    value: float
    """Ratio or gap from the engine; NaN where it has none."""
    low: float
    high: float
    alone: Bounds
    """Its bounds by itself, not corrected over the pairs."""


def quantile(alpha: float, pairs: int) -> float:
    """Bonferroni-corrected normal quantile z for *pairs* ordered pairs: 1.96 for 0.05 and two."""
    return float(-ndtri(alpha / max(pairs, 1)))


def ordered_pairs(
    groups: Sequence[Group], reference: str | None = None
) -> tuple[tuple[Group, Group], ...]:
    """Every ordered pair of groups; with *reference* only the pairs that it is part of."""
    return tuple(
        (worse, better)
        for worse in groups
        for better in groups
        if worse is not better and (reference is None or reference in {worse.name, better.name})
    )


def contrasts(
    pairs: Iterable[tuple[Group, Group]],
    *,
    measure: Measure,
    z: float,
    alone: float,
    design_effect: float,
    value: Callable[[Group, Group], float],
) -> tuple[Contrast, ...]:
    """Compare the groups of each pair.

    Args:
        pairs: (disadvantaged, other), each group with at least one row.
        measure: Ratio or gap.
        z: The corrected quantile (`quantile`), the same for all pairs of a rule.
        alone: Standard normal quantile of a pair's own bounds, at most *z*.
        design_effect: Rows per independent row, above 0; divides rows and successes in intervals.
        value: The ratio or gap of a pair whose first rate is below its second.

    Returns:
        One contrast a pair, in their order. Of two rates of zero the ratio is NaN, in [0, inf].
    """
    rates: dict[tuple[str, float], Rate] = {}

    def rate_of(group: Group, z: float) -> Rate:
        if (group.name, z) not in rates:
            rows, successes = group.rows / design_effect, group.successes / design_effect
            rates[group.name, z] = Rate.of(successes, rows, z)
        return rates[group.name, z]

    found = []
    for worse, better in pairs:
        undefined = measure is Measure.RATIO and worse.successes == better.successes == 0
        shown = measure.neutral
        if undefined:
            shown = math.nan
        elif worse.rate < better.rate:
            shown = value(worse, better)
        (low, high), own = (
            _around(shown, _bounds(measure, rate_of(worse, at), rate_of(better, at)))
            for at in (z, alone)
        )
        found.append(
            Contrast(worse=worse, better=better, value=shown, low=low, high=high, alone=own)
        )
    return tuple(found)


def _around(shown: float, bounds: Bounds) -> Bounds:
    """Widen an interval so that it holds the value, which is parity where the group is ahead."""
    if math.isnan(shown):
        return bounds
    return min(bounds[0], shown), max(bounds[1], shown)


def decisive(found: Sequence[Contrast], measure: Measure) -> tuple[Contrast, ...]:
    """Pareto front of the contrasts: those that no other contrast matches or exceeds in badness.

    A decision looks at value, near bound and both far bounds of one pair, and each of them can only
    worsen it. So a pair that another one dominates in all of them never decides, and leaving it out
    is exact for every threshold and every `decide_on`. An undefined value is never left out.
    """
    kept: list[Contrast] = []
    # of two pairs at parity the bound that decides nothing chooses, not the order of the names
    ranked = sorted(found, key=lambda c: (*_badness(c, measure), _near(c, measure)), reverse=True)
    for contrast in ranked:
        bad = _badness(contrast, measure)
        others = (_badness(other, measure) for other in kept)
        if math.isnan(contrast.value) or not any(_covers(other, bad) for other in others):
            kept.append(contrast)
    return tuple(kept)


def extreme(found: Sequence[Contrast], measure: Measure) -> tuple[float, Bounds]:
    """Worst-case disparity over all pairs: the least ratio or largest gap, with its interval.

    [min low, min high] or [max low, max high], kept within [0, 1]: parity is the best there is.
    """
    defined = [contrast for contrast in found if not math.isnan(contrast.value)]
    pick = min if measure is Measure.RATIO else max
    value = pick(contrast.value for contrast in defined)
    low = pick(contrast.low for contrast in defined)
    high = pick(contrast.high for contrast in defined)
    return value, (max(low, 0.0), min(high, 1.0))


def _bounds(measure: Measure, worse: Rate, better: Rate) -> Bounds:
    if measure is Measure.GAP:
        return mover_difference(better, worse)
    if worse.value <= 0 and better.value <= 0:
        return 0.0, math.inf
    return mover_ratio(worse, better)


def _badness(contrast: Contrast, measure: Measure) -> tuple[float, ...]:
    """Value, near bound, far bound and own far bound, with the sign that makes more worse.

    A pair whose value is parity is past no limit, so what its near bound proves does not count.
    """
    ratio = measure is Measure.RATIO
    value = -contrast.value if ratio else contrast.value
    near = _near(contrast, measure)
    far = (-contrast.low, -contrast.alone[0]) if ratio else (contrast.high, contrast.alone[1])
    if math.isnan(contrast.value):
        value = -math.inf
    at_parity = contrast.value == measure.neutral
    return value, -math.inf if at_parity else near, *far


def _near(contrast: Contrast, measure: Measure) -> float:
    """The bound nearer to parity, with the sign that makes more worse."""
    return -contrast.high if measure is Measure.RATIO else contrast.low


def _covers(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(a >= b for a, b in zip(one, other, strict=True))
