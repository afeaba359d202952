"""Calling Fairlearn for a fairness metric: over which groups, with which counts.

The judged number is Fairlearn's, whatever `engine:` says; which groups may be judged is decided
here first, because Fairlearn calls one lone group perfectly fair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.fairness.group_counts import GroupFamily
from aims_gate.checks.fairness.groups import CONTROLS, UNDECIDED, RateGroups
from aims_gate.checks.fairness.rate_definitions import Event, RateOf
from aims_gate.checks.levels import recorded, written
from aims_gate.engines import LibraryValue
from aims_gate.facts import NoValue, Statistic
from aims_gate.policy.model import Role

_HOW = (
    " Fairlearn computes it over the groups of one attribute that have min_cell rows, from cells "
    "counted by sample_weight, which is the same as over the rows. It has no interval, so that "
    "only decide_on: estimate is possible; fairness.impact_ratio, parity, odds, predictive_parity "
    "and group_performance have one."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What a metric is, and the rates that it is made of."""

    name: str
    rates: tuple[RateOf, ...]
    summary: str
    definition: str
    limit: float | None = None
    higher_is_better: bool = False

    @property
    def ratio(self) -> bool:
        """Whether rates are divided by one another, which 0/0 stops."""
        return self.name.endswith("_ratio")

    def about(self) -> About:
        """Describe it."""
        zero = ("a rate is zero in every group: 0/0",) if self.ratio else ()
        return About(
            name=f"fairlearn:{self.name}",
            summary=self.summary,
            definition=self.definition + _HOW,
            roles=(Role.EVALUATION,),
            asks="fairlearn",
            engine="reference",
            controls=CONTROLS,
            undecided=(*UNDECIDED, *zero, "Fairlearn fails or gives no finite number"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairlearn(RateGroups):
    """One metric over each attribute; the class attribute says which."""

    about: ClassVar[About]
    metric: ClassVar[Metric]

    def judged(self) -> StatisticSpec:
        """Describe the metric."""
        return StatisticSpec(
            name=self.metric.name,
            low=0.0,
            high=1.0,
            higher_is_better=self.metric.higher_is_better,
            limit=self.metric.limit,
            has_interval=False,
        )

    def compared_rates(self) -> tuple[RateOf, ...]:
        """Rates that the metric is computed from."""
        return self.metric.rates

    def options(self) -> dict[str, str]:
        """Keyword arguments of Fairlearn's function, beside the data."""
        return {}

    def compared(
        self, counted: list[GroupFamily], inputs: Inputs, total: int
    ) -> Iterable[Statistic]:
        """Ask for each attribute; *counted* holds its families, one a rate."""
        for columns in dict.fromkeys(family.columns for family in counted):
            families = [family for family in counted if family.columns == columns]
            yield from self._left_out(families, total)
            yield self._attribute(families, inputs, total)

    def _left_out(self, families: list[GroupFamily], total: int) -> Iterator[Statistic]:
        """Report the groups that Fairlearn does not see, and refuse if they are many.

        All rates are taken over the same groups, so one that is too small for a rate counts in
        none, however large it is for the others.
        """
        common = set(_common(families))
        for family in families:
            missing = [group for group in family.groups if group.name not in common]
            for group in missing:
                few = written(group.rows, self.min_cell)
                reason = f"{few} {family.trials}, and below min_cell {self.min_cell} "
                reason += "for this or another rate of the metric: not judged"
                rows = recorded(group.rows, self.min_cell)
                cell = self.lack(group.name, NoValue.INSUFFICIENT, reason, rows=rows)
                yield replace(cell, name=family.rate, judged=False, total=total)
            rows = sum(group.rows for group in missing)
            # groups that are small for the rate itself have been counted already
            if set(missing) - set(family.small) and rows > self.max_uncovered * family.rows:
                reason = (
                    f"{rows / family.rows:.1%} of the {family.trials} are in groups below min_cell "
                    f"for a rate of the metric, more than max_uncovered {self.max_uncovered:.1%}"
                )
                yield self.lack(family.slice, NoValue.INSUFFICIENT, reason, rows=rows)

    def _attribute(self, families: list[GroupFamily], inputs: Inputs, total: int) -> Statistic:
        where = families[0].attribute
        names = _common(families)
        if len(names) < 2:
            reason = f"fewer than two groups can be judged ({', '.join(names) or 'none'})"
            return self.lack(where, NoValue.INSUFFICIENT, reason, rows=families[0].rows)
        empty = [f.rate for f in families if not any(g.successes for g in f.eligible)]
        if self.metric.ratio and empty:
            reason = f"{' and '.join(empty)} is zero in every group: 0/0"
            return self.lack(where, NoValue.INSUFFICIENT, reason, rows=families[0].rows)
        cells = np.array(list(_cells(families, names)), dtype=np.int64)
        columns = ("truth", "prediction", "group", "counts")
        arguments = {**dict(zip(columns, cells.T, strict=True)), **self.options()}
        question = LibraryValue(library="fairlearn", name=self.metric.name, arguments=arguments)
        (answer,) = inputs.engine.ask(question)
        rows = int(cells[:, 3].sum())
        if answer.problem:
            return replace(
                self.lack(where, NoValue.UNDEFINED, answer.problem, rows=rows), engine=answer.by
            )
        return Statistic(
            name=self.metric.name,
            slice=where,
            value=answer.value,
            rows=rows,
            total=total,
            engine=answer.by,
            judged=True,
            reason=f"over {len(names):,} groups",
        )


def _common(families: list[GroupFamily]) -> list[str]:
    """Name the groups that may be judged by every rate."""
    return sorted(set.intersection(*({g.name for g in f.eligible} for f in families)))


def _cells(families: list[GroupFamily], names: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Cells as (truth, prediction, group, rows); a value that a rate does not depend on is 1."""
    judged = [(f.rate, g) for f in families for g in f.eligible if g.name in names]
    for rate, group in judged:
        place = names.index(group.name)
        yield (*_pair(rate, hit=True), place, group.successes)
        yield (*_pair(rate, hit=False), place, group.rows - group.successes)


def _pair(rate: RateOf, *, hit: bool) -> tuple[int, int]:
    """Write a success or a failure of a rate as label and prediction."""
    event, wanted = rate.event
    told = {Event.LABEL: True, Event.PREDICTION: True}
    told |= dict([rate.given] if rate.given is not None else [])
    # right is a prediction like the label, which is 1 where the rate does not ask for it
    told[Event.PREDICTION if event is Event.RIGHT else event] = wanted is hit
    return int(told[Event.LABEL]), int(told[Event.PREDICTION])


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared(Fairlearn):
    """A difference or a ratio."""

    method: Literal["between_groups", "to_overall"] = "between_groups"
    """Between the groups, or of each group and all of them together."""

    def options(self) -> dict[str, str]:
        """Keyword arguments of Fairlearn's function, beside the data."""
        return {"method": self.method}


@dataclass(frozen=True, slots=True, kw_only=True)
class FairlearnOdds(Compared):
    """A difference or a ratio of two rates."""

    agg: Literal["worst_case", "mean"] = "worst_case"
    """The worse of the two rates, or their mean."""

    def options(self) -> dict[str, str]:
        """Keyword arguments of Fairlearn's function, beside the data."""
        return {"method": self.method, "agg": self.agg}
