"""Drift distances with their conventional limits, and the result for one column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from aims_gate.bracket import Bracket
from aims_gate.checks.cells import lacking
from aims_gate.checks.contract import BRACKETS, EXACT, Resolution, StatisticSpec
from aims_gate.engines import Engine
from aims_gate.facts import Curve, Interval, NoValue, PowerDesign, Statistic
from aims_gate.frames import Frame
from aims_gate.policy.model import DecideOn
from aims_gate.stats.bins import Binned
from aims_gate.stats.curves import histogram
from aims_gate.stats.distance import Distance
from aims_gate.stats.divergence import DIVERGENCES
from aims_gate.stats.drift import DISTANCES
from aims_gate.stats.intervals import Bounds

METHODS: Mapping[str, Distance] = {**DIVERGENCES, **DISTANCES}
"""Every distance, by its name in a policy."""
if TYPE_CHECKING:
    Numeric = str
    Categorical = str
else:
    Numeric = Literal[(*METHODS, "none")]
    """How a rule compares numbers."""
    Categorical = Literal[(*DIVERGENCES, "none")]
    """How a rule compares text and booleans: `DISTANCES` are of numbers, and do not see nulls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDistance:
    """The distance of one column."""

    value: float
    bounds: Bounds
    """Corrected over the columns of the rule."""
    alone: Bounds
    """Of this column by itself."""
    law: str
    """Where the bounds come from."""
    p_value: float
    """Probability of so large a distance without drift."""
    rows: int
    """Current rows that the value rests on."""
    by: str
    note: str
    design: PowerDesign | None
    context: tuple[tuple[str, float], ...] = ()
    """What else people ask for: names and values."""
    curves: tuple[Curve, ...] = ()
    """Both distributions."""
    bracket: Bracket | None = None
    """Proven bounds of the value, where rows were counted in cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """Why a column has no distance."""

    lack: NoValue
    reason: str
    rows: int = 0
    by: str = "native"
    observed: float | None = None
    """The distance, where it is only too uncertain to be judged."""

    def cell(self, name: str, column: str) -> Statistic:
        """Judged statistic without a value, with the reason."""
        told = "" if self.observed is None else f"; observed {self.observed:.2g}"
        cell = lacking(name, self.lack, self.reason + told, where=column, rows=self.rows)
        return replace(cell, engine=self.by)


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePair:
    """The two frames of a rule, and what its columns share."""

    reference: Frame
    current: Frame
    engine: Engine
    alpha: float
    alpha_alone: float
    """Error rate of each column's own bounds."""
    columns: int
    """Columns that share *alpha*."""
    declared: frozenset[str] = frozenset()
    """Columns that the policy names, of whose values evidence may tell."""
    unnamed: dict[str, str] = field(default_factory=dict, hash=False)
    """The values behind names that evidence hides."""
    design_effect: float = 1.0
    """Rows per independent row, at least 1: what bounds and power divide the rows by."""

    resolution: Resolution = EXACT
    """How closely to look at each column."""

    def histogram(self, table: Binned) -> tuple[Curve, ...]:
        """Both distributions of a column; nothing of weighted rows, where a count is no size."""
        weighed = any(frame.unweighted() is not frame for frame in (self.reference, self.current))
        return () if weighed else histogram(table)

    def interval(self, found: FoundDistance) -> Interval:
        """Interval of one-sided bounds, each at alpha over the columns (Bonferroni)."""
        how = f"one-sided, Bonferroni over {self.columns:,} columns"
        return self._interval(found, found.bounds, self.alpha, how)

    def interval_alone(self, found: FoundDistance) -> Interval:
        """Interval of a column by itself, not corrected."""
        return self._interval(found, found.alone, self.alpha_alone, "each bound by itself")

    def _interval(self, found: FoundDistance, bounds: Bounds, alpha: float, how: str) -> Interval:
        method = f"{found.law}, {how}"
        if self.design_effect != 1:
            method += f", design effect {self.design_effect:g}"
        return Interval(low=bounds[0], high=bounds[1], level=1 - 2 * alpha, method=method)


def judged_of(method: str) -> StatisticSpec:
    """Describe a distance of `METHODS`, with its conventional limit and line."""
    of = METHODS[method]
    return StatisticSpec(
        name=of.statistic,
        low=0.0,
        high=of.most,
        higher_is_better=False,
        neutral=0.0,
        limit=of.limit,
        line=of.line,
        rooted=of.rooted,
        decide_on=DecideOn.PROVEN_BREACH,
        needs=("distribution", BRACKETS),
    )
