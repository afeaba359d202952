"""A rule that is measured as finely as its outcome needs, of data here and elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aims_gate.checks.contract import Resolution
from aims_gate.facts import Statistic
from aims_gate.judge import judge
from aims_gate.plan import Task, plan
from aims_gate.policy.model import OnInsufficient, Policy, Rule, Threshold
from aims_gate.refinement import FIRST, measure_finely
from aims_gate.sources.subject import Data
from aims_gate.verdict import Result
from tests.checks.subjects import NOW, inputs
from tests.support.elsewhere import Elsewhere

BLOCK = OnInsufficient.BLOCK
SMALL = Resolution(rounds=0, cells=8, room=64)
"""Steps so small that few rows need all of them."""


def task_of(rule: dict[str, Any], limit: float, *, upward: bool = False) -> Task:
    require = Threshold(at_least=limit) if upward else Threshold(at_most=limit)
    policy = Policy(
        id="p",
        version="1.0.0",
        rules=(Rule(id="RULE-01", require=require, **rule),),
    )
    (task,) = plan(policy).sound()
    return task


def elsewhere(found: Data, **options: bool) -> tuple[Data, Elsewhere]:
    frame = Elsewhere(found.frame, **options)
    return replace(found, frame=frame), frame  # type: ignore[arg-type]  # it answers as a frame


def result_of(task: Task, *roles: Data, first: Resolution = FIRST) -> Result:
    found = measure_finely(task, inputs(*roles).subject, now=NOW, first=first)
    return judge(task, found, now=NOW, insufficient=BLOCK)


def cell_of(result: Result) -> Statistic:
    return next(one for one in result.statistics if one.judged)
