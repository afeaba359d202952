"""Unit tests of a policy: made-up measurements and the expected outcomes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from aims_gate.errors import PolicyError, Problem, near
from aims_gate.facts import Interval, NoValue, Statistic
from aims_gate.judge import decide, judge
from aims_gate.plan import Task, plan, warns_only
from aims_gate.policy.model import GivenCell, Policy, PolicyTest
from aims_gate.policy.scope import on_insufficient, stage_of
from aims_gate.verdict import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """One test and everything in which it differs from what it expects; nothing if it holds."""

    test: PolicyTest
    differences: tuple[str, ...]


def run_tests(policy: Policy, *, now: datetime) -> tuple[Tested, ...]:
    """Run a policy's `tests:`; PolicyError if it is not sound or has none.

    Only the rules that a test gives measurements for are judged, and its `verdict` is over them.
    A value without `low` and `high` is taken as known exactly.
    """
    tasks = {task.rule.id: task for task in plan(policy, beside=True).sound()}
    if not policy.tests:
        hint = "add tests: with name, given and expect"
        problem = Problem(file=policy.uri, line=0, what="the policy has no tests", hint=hint)
        raise PolicyError([problem])
    return tuple(
        Tested(test=test, differences=tuple(_differences(test, tasks, policy, now)))
        for test in policy.tests
    )


def _differences(
    test: PolicyTest, tasks: dict[str, Task], policy: Policy, now: datetime
) -> Iterator[str]:
    results = {}
    stage = stage_of(policy, test.stage)
    for rule, cells in test.given.items():
        if rule not in tasks:
            yield f"{rule} is not a rule of the policy; {near(rule, tasks)}"
            continue
        results[rule] = _judged(tasks[rule], cells, policy, stage, test.at or now)
    for name, expected in test.expect.items():
        if name == "verdict" and warns_only(policy):
            yield "nothing blocks here, so there is no verdict to expect"
        elif name == "verdict":
            yield from _compared(name, expected, decide(results.values()).value)
        elif name not in results:
            yield f"{name} has nothing given, so it was not judged"
        else:
            reason = results[name].reason
            yield from _compared(name, expected, results[name].outcome.value, reason)


def _judged(
    task: Task, cells: tuple[GivenCell, ...], policy: Policy, stage: str, now: datetime
) -> Result:
    name = task.judged.name
    statistics = [_statistic(name, cell) for cell in cells] or [
        Statistic(name=name, judged=True, lack=NoValue.MISSING, reason="nothing was measured")
    ]
    insufficient = on_insufficient(task.rule, policy, stage)
    return judge(task, statistics, now=now, insufficient=insufficient)


def _statistic(name: str, cell: GivenCell) -> Statistic:
    if cell.value is None:
        reason = "no value was given"
        return Statistic(
            name=name, slice=cell.slice, judged=True, lack=NoValue.MISSING, reason=reason
        )
    exact = cell.low is None and cell.high is None
    low = cell.value if exact else -math.inf if cell.low is None else cell.low
    high = cell.value if exact else math.inf if cell.high is None else cell.high
    return Statistic(
        name=name,
        slice=cell.slice,
        value=cell.value,
        interval=Interval(low=low, high=high, level=0.95, method="given"),
        rows=cell.rows,
        total=cell.rows,
        judged=True,
    )


def _compared(name: str, expected: str, found: str, reason: str = "") -> Iterator[str]:
    if found != expected:
        yield f"{name} is {found}, expected {expected}" + (f": {reason}" if reason else "")
