"""Data of one group or slice, with the task and positive class of all rows."""

from __future__ import annotations

from dataclasses import replace

from aims_gate.checks.column_roles import positive_class
from aims_gate.checks.metrics.table import Outcomes
from aims_gate.checks.metrics.task import task_of
from aims_gate.frames import Frame
from aims_gate.policy.model import TaskKind
from aims_gate.sources.subject import Data


def columns_of(data: Data, frame: Frame) -> list[str]:
    """Name the columns that a metric may need."""
    spec = data.spec
    scored = [spec.score] if isinstance(spec.score, str) else list((spec.score or {}).values())
    named = [spec.label, spec.prediction, spec.query, *scored]
    return [column for column in named if column is not None and column in frame.columns]


def part_of(data: Data, whole: Outcomes, part: Frame) -> Data:
    """Data of *part*, with the task and positive class that all rows have."""
    task, positive = task_of(data), data.spec.positive
    if task is TaskKind.BINARY:
        positive = positive_class(data, whole.found)
    spec = replace(data.spec, task=task, positive=positive)
    return replace(data, frame=part, spec=spec, is_part=True)
