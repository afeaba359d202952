"""Power analysis: what data can decide before a model is judged, and the sample size per rule.

Every rule is measured on data as they are, or on groups that are only planned, and its designs say
how likely it is decided if nothing is wrong. No model is needed and nothing is judged.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from aims_gate.engines import Engines
from aims_gate.facts import POWER, NoValue, Statistic
from aims_gate.measure import measure
from aims_gate.operations.planned_groups import (
    LABEL,
    PREDICTION,
    ROWS,
    PlannedGroups,
    described,
    everyone,
    group_sizes,
    planned_rows,
)
from aims_gate.operations.run import real_world
from aims_gate.plan import Task, plan
from aims_gate.policy.data_roles import roles_of
from aims_gate.policy.model import DecideOn, Policy, Role
from aims_gate.sample_size import Planned, apportioned, chance_of, planned, power_of
from aims_gate.sources.estimator import open_estimator
from aims_gate.sources.subject import Subject, Workspace
from aims_gate.stats.power import least
from aims_gate.verdict import CellPower, Power

_STEP, _MOST = 1.1, 1e4
"""Steps by which groups grow until all attributes can be judged, and where that ends."""
_DRAWS = 32
"""Draws of planned groups, whose smallest are judged in some and not in others."""
_NEAR = 0.005
"""What rounding to whole rows may take of a chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePower:
    """What the data can decide of one rule."""

    rule: str
    check: str
    statistic: str
    power: Power | None = None
    smallest: float = math.nan
    """The least effect that such data rule out four times in five; NaN if none."""
    higher_is_better: bool = True
    floor: float | None = None
    """The value that must be proven, where no effect is to be ruled out."""
    why: str = ""
    """Why nothing can be said; empty where something is."""


def power_of_data(policy: Policy, data: Mapping[str, str]) -> tuple[RulePower, ...]:
    """Say what *data*, role to path or URI, can decide of each rule.

    PolicyError if the policy is refused, UsageError for an unknown role, DataError for data that
    cannot be read.
    """
    with _measuring(policy) as bench:
        measured, tasks = bench(roles_of(data))
        return tuple(_of_rule(task, measured(task)) for task in tasks)


def power_of_groups(policy: Policy, groups: PlannedGroups) -> tuple[RulePower, ...]:
    """Say what groups of such sizes could decide of each rule, at a base rate.

    UsageError for a rate or size that is none.
    """
    with _measuring(described(policy, groups)) as bench:
        _, tasks = bench({Role.EVALUATION: planned_rows(groups)})
        return tuple(_Plan(task=task, groups=groups, bench=bench).power() for task in tasks)


_Measured = Callable[[Task], tuple[Statistic, ...]]
_Bench = Callable[[Mapping[Role, object]], tuple[_Measured, Sequence[Task]]]
"""Opens data, with no model, to measure the rules that are about them."""


@contextmanager
def _measuring(policy: Policy) -> Iterator[_Bench]:
    world = real_world()
    # a second opinion of a library changes no interval
    sound = [replace(task, engine="native") for task in plan(policy).sound()]
    with tempfile.TemporaryDirectory(prefix="aims-gate-") as private, Engines() as engines:

        def bench(given: Mapping[Role, object]) -> tuple[_Measured, Sequence[Task]]:
            folder = Path(tempfile.mkdtemp(dir=private))
            workspace = Workspace(folder=folder, environ=world.environ)
            subject = open_estimator(None, policy=policy, given=given, workspace=workspace)
            for role in subject.unread.keys() & given.keys():
                raise subject.unread[role]
            tasks = [task for task in sound if _is_about_data(task, subject)]
            return lambda task: measure(task, subject, now=world.now(), engines=engines), tasks

        yield bench


def _is_about_data(task: Task, subject: Subject) -> bool:
    return task.judged.has_interval and all(role in subject.data for role in task.roles)


def _of_rule(task: Task, statistics: Sequence[Statistic]) -> RulePower:
    made = RulePower(
        rule=task.rule.id,
        check=task.rule.check,
        statistic=task.judged.name,
        higher_is_better=task.bars[0].higher_is_better,
        floor=task.bars[0].limit if task.decide_on is DecideOn.PROVEN_PASS else None,
    )
    found = planned(statistics, task.bars, task.decide_on)
    power = power_of(statistics, task.bars, task.decide_on)
    if power is None:
        return replace(made, why=_lacks(statistics) or _unplanned(task))
    return replace(made, power=power, smallest=_smallest(found, task))


def _unplanned(task: Task) -> str:
    if task.decide_on is DecideOn.ESTIMATE:
        return "any number of rows decides it: the value alone is held against the limit (estimate)"
    return f"no number of rows can be planned for it (decide_on: {task.decide_on})"


def _lacks(statistics: Sequence[Statistic]) -> str:
    """Say which attributes or columns cannot be judged, and why."""
    lacking = [s for s in statistics if s.judged and s.lack is not None and s.reason]
    told = (f"{s.slice}: {s.reason}" if s.slice else s.reason for s in lacking)
    return "; ".join(dict.fromkeys(told))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """A rule on planned groups, which are judged or not as they grow."""

    task: Task
    groups: PlannedGroups
    bench: _Bench

    def power(self) -> RulePower:
        """Say what the groups can decide, and the rows at which all that are judged are decided."""
        now = self._measured(1.0)
        one = _of_rule(self.task, now)
        lacks = {s.lack for s in now if s.judged} - {None, NoValue.NOT_APPLICABLE}
        if lacks - {NoValue.INSUFFICIENT}:
            columns = ", ".join((LABEL, PREDICTION, *self.groups.rows))
            why = (
                f"planned groups say nothing of this rule: they have {columns} and no other column"
            )
            return replace(one, why=why)
        if one.power is None and not lacks:
            return one
        chance = self._chance(1.0)
        factor = 1.0 if chance >= POWER - _NEAR else self._factor()
        then = self._measured(1.0 if factor is None else factor)
        grown = power_of(then, self.task.bars, self.task.decide_on)
        if grown is None:
            return one
        cells = () if one.power is None else one.power.cells
        return replace(
            one, power=self._shown(replace(grown, chance=chance, cells=cells), factor, then)
        )

    def _factor(self) -> float | None:
        """Sample size factor at which the rule is decided four times in five; None if none is."""
        low, factor = 1.0, 1.0
        while self._chance(factor) < POWER - _NEAR:
            power = power_of(self._measured(factor), self.task.bars, self.task.decide_on)
            if factor > _MOST or (power is not None and power.wanted is None):
                return None
            wanted = 0 if power is None or power.wanted is None else power.wanted / power.rows
            low, factor = factor, factor * max(_STEP, wanted)
        while factor > low * _STEP ** (1 / 2) and factor <= low * _STEP:
            middle = math.sqrt(low * factor)
            enough = self._chance(middle) >= POWER - _NEAR
            low, factor = (low, middle) if enough else (middle, factor)
        return factor

    def _chance(self, factor: float) -> float:
        """Power at a size; lower where random draws often have other groups to judge."""
        statistics, few = self._measured(factor), getattr(self.task.check, "min_cell", 0)
        expected = self._chance_of(statistics)
        sure = all(s.lack is None and s.rows >= 2 * few for s in statistics)
        if self.task.decide_on is not DecideOn.PROVEN_BREACH or sure or expected < POWER - _NEAR:
            return expected
        rng = np.random.default_rng(0)
        mean = sum(self._chance_of(self._measured(factor, rng)) for _ in range(_DRAWS)) / _DRAWS
        return expected if mean >= POWER - 4 * _NEAR else mean

    def _chance_of(self, statistics: Sequence[Statistic]) -> float:
        found = planned(statistics, self.task.bars, self.task.decide_on)
        return chance_of(found) if found else 0.0

    def _measured(
        self, factor: float, rng: np.random.Generator | None = None
    ) -> tuple[Statistic, ...]:
        frame = planned_rows(self.groups, factor)
        if rng is not None:
            counts = np.array(frame[ROWS])
            frame[ROWS] = rng.multinomial(counts.sum(), counts / counts.sum()).tolist()
        return self.bench({Role.EVALUATION: frame})[0](self.task)

    def _shown(self, power: Power, factor: float | None, then: Sequence[Statistic]) -> Power:
        """Name every group of the rule's attributes, as planned and as they would be."""
        total = everyone(self.groups)
        wanted = None if factor is None else math.ceil(round(factor * total, 6))
        judged = {s.group or s.slice for s in then if s.judged}
        named = judged | {cell.group for cell in power.cells}
        cells = list(power.cells)
        for sizes in group_sizes(self.groups):
            if not named & set(sizes):
                continue
            rows = apportioned(sizes, total)
            more = dict.fromkeys(sizes) if wanted is None else apportioned(sizes, wanted)
            blank = CellPower(slice="", group="", rows=0, excluded=None, wanted=None)
            missing = [group for group in sizes if group not in {cell.group for cell in cells}]
            cells += [replace(blank, slice=group, group=group) for group in missing]
            small = {group: f"{group} (too small)" for group in sizes if group not in judged}
            cells = [
                replace(
                    cell,
                    slice=small.get(cell.group, cell.slice),
                    group=small.get(cell.group, cell.group),
                    rows=rows.get(cell.group, cell.rows),
                    wanted=more.get(cell.group, cell.wanted),
                )
                for cell in cells
            ]
        return replace(power, rows=total, what="rows", wanted=wanted, cells=tuple(cells))


def _smallest(found: Sequence[Planned], task: Task) -> float:
    """Minimum detectable effect: the least that all designs together exclude with `POWER`."""
    (bar, *more) = task.bars
    if more or bar.neutral is None:
        return math.nan
    neutral, worst = bar.neutral, task.judged.low if bar.higher_is_better else task.judged.high
    span = min(abs(worst - neutral), 100 * abs(bar.limit - neutral) or 1.0)
    sign = -1 if bar.higher_is_better else 1

    def enough(parts: float) -> bool:
        effect = neutral + sign * span * min(parts / 1024, 1.0)
        return chance_of([(design, effect) for design, _serious in found]) >= POWER

    parts = least(enough, start=0.25)
    return neutral + sign * span * parts / 1024 if parts <= 1024 else math.nan
