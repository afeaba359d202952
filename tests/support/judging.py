"""Tasks, cells and results to be judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from aims_gate.facts import Interval, Statistic
from aims_gate.judge import judge
from aims_gate.plan import Task, plan
from aims_gate.policy.model import (
    OnInsufficient,
    Place,
    Policy,
    Rule,
    Severity,
    Threshold,
)
from aims_gate.verdict import Outcome, Result

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BLOCK, WARN = OnInsufficient.BLOCK, OnInsufficient.WARN


def task(check: str = "fairness.impact_ratio", **fields: Any) -> Task:
    """Give a sound task of one rule, made by the real plan."""
    fields.setdefault("require", Threshold(at_least=0.80))
    rule = Rule(id="BIAS-02", check=check, place=Place(file="p.yaml", line=41), **fields)
    blocking = replace(rule, id="BLOCK-1", severity=Severity.BLOCK)
    made, _other = plan(Policy(id="p", version="1", rules=(rule, blocking))).sound()
    return made


def cell(
    value: float | None,
    low: float | None = None,
    high: float | None = None,
    *,
    name: str = "impact_ratio",
    alone: tuple[float, float] | None = None,
    **fields: Any,
) -> Statistic:
    """Give a judged statistic, with an interval and own bounds if they are given."""
    interval = None
    if low is not None and high is not None:
        interval = Interval(low=low, high=high, level=0.95, method="given")
    if alone is not None:
        own = Interval(low=alone[0], high=alone[1], level=0.90, method="given")
        fields["alone"] = own
    return Statistic(name=name, value=value, interval=interval, judged=True, rows=500, **fields)


def outcome(task: Task, *cells: Statistic) -> Outcome:
    """Judge cells for the strictest stage."""
    return judge(task, cells, now=NOW, insufficient=BLOCK).outcome


def result(severity: str, found: str, *, insufficient: OnInsufficient = BLOCK) -> Result:
    """Give a result with an outcome, its blocking decided by `judge` where it can be."""
    blocking = severity == "block" and (
        found in {"FAIL", "MISSING", "STALE", "ERROR"}
        or (found == "INSUFFICIENT" and insufficient is BLOCK)
    )
    return Result(
        rule="X-1",
        check="x",
        severity=Severity(severity),
        outcome=Outcome(found),
        raw_outcome=Outcome(found),
        reason="",
        blocking=blocking,
        decided=found in {"FAIL", "WAIVED", "WARN", "PASS"},
    )
