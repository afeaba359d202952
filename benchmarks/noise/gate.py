"""The gate on draws in memory: the same plan, measure and judge that a run goes through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from aims_gate.attest.manifest import Manifest, ManifestEntry
from aims_gate.checks import CHECKS
from aims_gate.facts import DatasetIdentity, DigestKind, ModelIdentity
from aims_gate.frames.opening import open_frame
from aims_gate.judge import judge
from aims_gate.measure import measure
from aims_gate.plan import Task, plan
from aims_gate.policy.model import DataSpec, OnInsufficient, Policy, Role, Rule
from aims_gate.sources.subject import Data, Subject
from aims_gate.verdict import Outcome, worst

_NOW = datetime(2026, 11, 1, tzinfo=UTC)
_ATTRIBUTES: tuple[str | tuple[str, str], ...] = ("sex", "race", ("sex", "race"))
DRIFT = ("drift.columns", "drift.new_value", "drift.share")
BIAS = ("fairness.impact_ratio", "fairness.odds")
"""The checks of the default policy, each with its default threshold and burden of proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One simulated data set of each role that the rules read."""

    evaluation: Mapping[str, Any] = field(default_factory=dict)
    """Columns `label`, `prediction`, `sex` and `race`; with `rows`, each row stands for so many."""
    reference: Mapping[str, Any] = field(default_factory=dict)
    current: Mapping[str, Any] = field(default_factory=dict)


def outcomes(draw: Draw, *, checks: Sequence[str], **more: Any) -> Mapping[str, Outcome]:
    """Give each check's outcome on a draw, under its defaults and the parameters *more*."""
    tasks = _tasks(tuple(checks), _attributes(draw), tuple(more.items()))
    return {task.rule.check: judged(task, draw) for task in tasks}


def judged(task: Task, draw: Draw) -> Outcome:
    """Measure a rule on a draw and judge it."""
    statistics = measure(task, _subject(draw), now=_NOW)
    # rows to collect take longest, and change no outcome
    plain = [replace(statistic, design=None) for statistic in statistics]
    return judge(task, plain, now=_NOW, insufficient=OnInsufficient.BLOCK).raw_outcome


def decided(draw: Draw) -> Outcome:
    """Give the worst outcome of the default policy: every check that the draw has data for."""
    checks = [*(DRIFT if draw.reference else ()), *(BIAS if draw.evaluation else ())]
    return worst(outcomes(draw, checks=[name for name in checks if name in CHECKS]).values())


@cache
def _tasks(
    checks: tuple[str, ...],
    by: tuple[str | tuple[str, str], ...],
    more: tuple[tuple[str, Any], ...],
) -> tuple[Task, ...]:
    rules = tuple(
        Rule(
            id=f"RULE-{number}",
            check=name,
            parameters=({"by": list(by)} if name in BIAS else {}) | dict(more),
        )
        for number, name in enumerate(checks)
    )
    return plan(Policy(id="noise", version="1.0.0", rules=rules)).sound()


def _attributes(draw: Draw) -> tuple[str | tuple[str, str], ...]:
    if "race" in draw.evaluation:
        return _ATTRIBUTES if "sex" in draw.evaluation else ("race",)
    return ("sex",)


def _subject(draw: Draw) -> Subject:
    spec = DataSpec(
        label="label",
        prediction="prediction",
        positive=1,
        score="score" if "score" in draw.evaluation else None,
        weight="rows" if "rows" in draw.evaluation else None,
    )
    roles = {
        Role.EVALUATION: (draw.evaluation, spec),
        Role.REFERENCE: (draw.reference, DataSpec()),
        Role.CURRENT: (draw.current, DataSpec()),
    }
    return Subject(
        model=ModelIdentity(uri="file:model", name="model"),
        manifest=Manifest(entries=(ManifestEntry(path="weights", sha256="0" * 64, bytes=1),)),
        folder=Path("model"),
        data={
            role: _data(role, columns, spec) for role, (columns, spec) in roles.items() if columns
        },
    )


def _data(role: Role, columns: Mapping[str, Any], spec: DataSpec) -> Data:
    frame = open_frame(columns, weight=spec.weight)
    identity = DatasetIdentity(
        role=role,
        name=role,
        uri="memory",
        digest="0" * 64,
        digest_kind=DigestKind.ROWS,
        rows=frame.rows,
    )
    return Data(role=role, frame=frame, spec=spec, identity=identity)
