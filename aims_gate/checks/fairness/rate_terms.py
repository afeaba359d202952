"""Terms on which the rates of a rule are compared: pairs of groups, error rates and the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from aims_gate.checks.coverage import least_large
from aims_gate.checks.fairness.group_counts import GroupFamily
from aims_gate.engines import Answer, Engine, RateComparison, Trials
from aims_gate.facts import Interval
from aims_gate.stats.disparity import Group, Measure, ordered_pairs
from aims_gate.stats.intervals import WILSON, Bounds, proportion_bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTerms:
    """What all families of a rule share."""

    statistic: str
    """Name of the judged statistic."""
    measure: Measure
    engine: Engine
    alpha: float
    pairs: int
    """Ordered pairs of the whole rule, which share alpha."""
    z: float
    alone: float
    """Standard normal quantile of a pair's own bounds, not corrected over the pairs."""
    level_alone: float
    """What such bounds hold together, two-sided."""
    design_effect: float
    small_share: float
    reference: str | None
    against_rest: bool
    """Compare each group with everybody else, in place of every other group."""
    total: int
    """Rows of the data."""

    def pairs_of(self, family: GroupFamily) -> tuple[tuple[Group, Group], ...]:
        """Ordered pairs of a family that are compared."""
        return pairs_of(family, self.reference, against_rest=self.against_rest)

    def pairs_to_be(self, family: GroupFamily) -> tuple[tuple[Group, Group], ...]:
        """Ordered pairs that are compared once every group has grown large enough."""
        grown = replace(family, min_cell=1)
        return pairs_of(grown, self.reference, against_rest=self.against_rest)

    def least_large(self, family: GroupFamily) -> float:
        """Row count from which on a group blocks; smaller ones only warn."""
        return least_large((g.rows for g in family.eligible), family.rows, self.small_share)

    def interval(self, bounds: Bounds) -> Interval:
        """Interval of a ratio or gap, with its level and method."""
        return self._interval(bounds, self._formula)

    def interval_alone(self, bounds: Bounds) -> Interval:
        """Interval of a pair by itself, not corrected over the pairs."""
        method = f"{self._formula}, each bound by itself{self._dependence}"
        return Interval(low=bounds[0], high=bounds[1], level=self.level_alone, method=method)

    @property
    def _formula(self) -> str:
        return "MOVER-R" if self.measure is Measure.RATIO else "MOVER"

    @property
    def _dependence(self) -> str:
        return "" if self.design_effect == 1 else f", design effect {self.design_effect:g}"

    def rate_interval(self, group: Group) -> Interval:
        """Wilson interval of a group's rate, at the same z as the pairs."""
        rows, successes = group.rows / self.design_effect, group.successes / self.design_effect
        return self._interval(proportion_bounds(successes, rows, self.z), WILSON)

    def answers(self, pairs: Sequence[tuple[Group, Group]]) -> Answers:
        """Ask the engine, once, about every two groups; each answer counts for both orders.

        Of two equal rates one order is asked, too, so that parity needs a second opinion as well.
        """
        asked = [(worse, better) for worse, better in pairs if self._asks(worse, better)]
        trials = [(_trials(worse), _trials(better)) for worse, better in asked]
        answers: dict[tuple[str, str], Answer] = {}
        given = self.engine.ask(RateComparison(measure=self.measure, pairs=trials))
        for (worse, better), answer in zip(asked, given, strict=True):
            answers[worse.name, better.name] = answers[better.name, worse.name] = answer
        return answers

    def _asks(self, worse: Group, better: Group) -> bool:
        if self.measure is Measure.RATIO and not better.successes:
            return False
        return worse.rate < better.rate or (worse.rate == better.rate and worse.name < better.name)

    def _interval(self, bounds: Bounds, formula: str) -> Interval:
        method = f"{formula}, Bonferroni over {self.pairs:,} ordered pairs{self._dependence}"
        return Interval(low=bounds[0], high=bounds[1], level=1 - self.alpha, method=method)


Answers = Mapping[tuple[str, str], Answer]
"""What the engine said of two groups, by their names in either order."""


def pairs_of(
    family: GroupFamily, reference: str | None, *, against_rest: bool
) -> tuple[tuple[Group, Group], ...]:
    """Ordered pairs of groups: all, those with *reference*, or each group and all others.

    All others are everybody, small groups included: they are not judged, but they are there. Of
    two groups each is all others of the other one.
    """
    eligible = family.eligible
    if not against_rest or len(family.groups) < 3 or len(eligible) < 2:
        return ordered_pairs(eligible, reference)
    pairs = []
    for group in eligible:
        rest = Group(
            name=f"all but {group.name}",
            rows=family.rows - group.rows,
            successes=family.successes - group.successes,
        )
        pairs += [(group, rest), (rest, group)]
    return tuple(pairs)


def _trials(group: Group) -> Trials:
    return Trials(group=group.name, rows=group.rows, successes=group.successes)
