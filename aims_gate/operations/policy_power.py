"""What data can decide, before a model is judged: power, and rows to collect for each rule.

Every rule is measured on data as they are, or on groups that are only planned, and its designs say
how likely it is decided if nothing is wrong. No model is needed and nothing is judged.
"""

from __future__ import annotations

import itertools
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aims_gate.engines import Engines
from aims_gate.errors import UsageError
from aims_gate.facts import POWER, Statistic
from aims_gate.measure import measure
from aims_gate.operations.run import real_world, roles_of
from aims_gate.plan import Task, plan
from aims_gate.policy.model import DataSpec, Policy, Role, TaskKind
from aims_gate.sample_size import Planned, chance_of, planned, power_of
from aims_gate.sources.estimator import open_estimator
from aims_gate.sources.subject import Subject, Workspace
from aims_gate.stats.power import least
from aims_gate.verdict import Power

_LABEL, _PREDICTION, _ROWS = "label", "prediction", "rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePower:
    """What the data can decide of one rule."""

    rule: str
    check: str
    statistic: str
    power: Power | None = None
    smallest: float = math.nan
    """The least effect that such data exclude four times in five; NaN if none."""
    why: str = ""
    """Why nothing can be said; empty where something is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedGroups:
    """Groups that are planned, with no data yet."""

    rows: Mapping[str, Mapping[str, int]]
    """Attribute to rows of each of its groups; several attributes are taken as independent."""
    rate: float
    """Share of positives among labels and predictions alike, in (0, 1)."""
    recall: float = 0.8
    """Share of the positives that are predicted so, in (0, 1)."""


def power_of_data(policy: Policy, data: Mapping[str, str]) -> tuple[RulePower, ...]:
    """Say what *data*, role to path or URI, can decide of each rule.

    PolicyError if the policy is refused, UsageError for an unknown role, DataError for data that
    cannot be read.
    """
    return _power(policy, roles_of(data))


def power_of_groups(policy: Policy, groups: PlannedGroups) -> tuple[RulePower, ...]:
    """Say what groups of such sizes could decide of each rule, at a base rate.

    UsageError for a rate or size that is none.
    """
    return _power(_described(policy, groups), {Role.EVALUATION: _frame(groups)})


def _power(policy: Policy, given: Mapping[Role, object]) -> tuple[RulePower, ...]:
    world = real_world()
    tasks = plan(policy).sound()
    with tempfile.TemporaryDirectory(prefix="aims-gate-") as private, Engines() as engines:
        workspace = Workspace(folder=Path(private), environ=world.environ)
        subject = open_estimator(None, policy=policy, given=given, workspace=workspace)
        for role in subject.unread.keys() & given.keys():
            raise subject.unread[role]

        def of(task: Task) -> RulePower:
            # a second opinion of a library changes no interval
            native = replace(task, engine="native")
            return _of_rule(native, measure(native, subject, now=world.now(), engines=engines))

        return tuple(of(task) for task in tasks if _is_about_data(task, subject))


def _is_about_data(task: Task, subject: Subject) -> bool:
    return task.judged.has_interval and all(role in subject.data for role in task.roles)


def _of_rule(task: Task, statistics: Sequence[Statistic]) -> RulePower:
    made = RulePower(rule=task.rule.id, check=task.rule.check, statistic=task.judged.name)
    found = planned(statistics, task.bars, task.decide_on)
    if not found:
        reasons = [s.reason for s in statistics if s.judged and s.lack is not None]
        why = "; ".join(dict.fromkeys(filter(None, reasons)))
        return replace(made, why=why or f"nothing is planned for {task.decide_on}")
    power = power_of(statistics, task.bars, task.decide_on)
    return replace(made, power=power, smallest=_smallest(found, task))


def _smallest(found: Sequence[Planned], task: Task) -> float:
    """Give the least effect that every design excludes with the power together."""
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


def _described(policy: Policy, groups: PlannedGroups) -> Policy:
    """Let the evaluation data of *policy* be those that are planned, whatever it says of them."""
    spec = policy.data.get(Role.EVALUATION, DataSpec())
    planned_spec = DataSpec(
        label=_LABEL,
        prediction=_PREDICTION,
        positive=1,
        task=TaskKind.BINARY,
        weight=_ROWS,
        sensitive={name: spec.sensitive.get(name) for name in groups.rows},
    )
    return replace(policy, data={**policy.data, Role.EVALUATION: planned_spec})


def _frame(groups: PlannedGroups) -> dict[str, list[object]]:
    """Write planned groups as counted rows: every group with the same rates."""
    if not (0 < groups.rate < 1 and 0 < groups.recall < 1):
        raise UsageError("a rate is not between 0 and 1", hint="such as --rate 0.3")
    if not groups.rows or any(n < 1 for sizes in groups.rows.values() for n in sizes.values()):
        raise UsageError("a group has no rows", hint="such as --group sex=F:300 --group sex=M:700")
    rate, hit = groups.rate, groups.rate * groups.recall
    # as many are predicted positive as are: what is missed is made up by false alarms
    shares = {(1, 1): hit, (1, 0): rate - hit, (0, 1): rate - hit, (0, 0): 1 - 2 * rate + hit}
    totals = {name: sum(sizes.values()) for name, sizes in groups.rows.items()}
    everyone = max(totals.values())
    columns: dict[str, list[object]] = {
        name: [] for name in (*groups.rows, _LABEL, _PREDICTION, _ROWS)
    }
    for chosen in itertools.product(*(sizes.items() for sizes in groups.rows.values())):
        rows = everyone * math.prod(
            size / totals[name] for name, (_, size) in zip(groups.rows, chosen, strict=True)
        )
        for (label, prediction), share in shares.items():
            row = (*(group for group, _ in chosen), label, prediction, round(rows * max(share, 0)))
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
    return columns
