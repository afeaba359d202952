"""A run's logged metrics, and a model to hold them against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from aims_gate.facts import Statistic
from aims_gate.judge import judge
from aims_gate.measure import measure
from aims_gate.plan import plan
from aims_gate.policy.model import OnInsufficient, Policy, Rule, Threshold
from aims_gate.registry.entities import MetricPoint
from aims_gate.sources.subject import Data, RunFacts, Subject
from aims_gate.verdict import Result
from tests.checks.subjects import NOW, data, inputs

ENDED = datetime(2026, 10, 30, 12, tzinfo=UTC)
FLOOR = {"parameters": {"metric": "auc"}, "require": Threshold(at_least=0.7)}
COMPARED = {"parameters": {"metric": "acc", "against": "accuracy"}}


def point(key: str, value: float, **fields: Any) -> MetricPoint:
    return MetricPoint(key=key, value=value, **{"timestamp": ENDED, **fields})


def run(*metrics: MetricPoint, **fields: Any) -> RunFacts:
    stated = {"run_id": "train", "status": "FINISHED", "ended": ENDED, **fields}
    return RunFacts(metrics=metrics, **stated)


def subject(
    *roles: Data,
    train: RunFacts | None = None,
    logged: tuple[MetricPoint, ...] = (),
    find_run: Callable[[str, str], RunFacts] | None = None,
) -> Subject:
    found = inputs(*roles).subject
    model = replace(found.model, model_id="m-1")
    return replace(found, model=model, run=train, logged=logged, find_run=find_run)


def cells(about: Subject, rule: Mapping[str, Any]) -> tuple[tuple[Statistic, ...], Result]:
    """What is measured of a rule, and what the gate makes of it."""
    made = Rule(id="PERF-09", check="performance.logged", **rule)
    (task,) = plan(Policy(id="p", version="1", rules=(made,))).sound()
    measured = measure(task, about, now=NOW)
    return measured, judge(task, measured, now=NOW, insufficient=OnInsufficient.BLOCK)


def decided(about: Subject, rule: Mapping[str, Any] = FLOOR) -> Result:
    return cells(about, rule)[1]


def wanting(**parameters: Any) -> dict[str, Any]:
    return {**FLOOR, "parameters": {"metric": "auc", **parameters}}


def accuracy_of_three_quarters(**spec: Any) -> Data:
    columns = {"y": [1, 1, 0, 0], "p": [1, 0, 0, 0], "n": [30, 10, 25, 15]}
    stated = {"label": "y", "prediction": "p", "positive": 1, "weight": "n", **spec}
    return data({**columns, "p": [1, 0, 0, 1]}, **stated)


def on(name: str, value: float, digest: str = "d0", **fields: Any) -> MetricPoint:
    stated = {"model_id": "m-1", "run_id": "train", **fields}
    return point("auc", value, dataset_name=name, dataset_digest=digest, **stated)
