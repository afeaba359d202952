"""A group's metric, and how much of all rows' metric it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aims_gate.checks.columns import positive_class
from aims_gate.checks.outcomes import Outcomes, task_of
from aims_gate.engines import Answer
from aims_gate.frames import Frame
from aims_gate.policy.model import TaskKind
from aims_gate.sources.subject import Data
from aims_gate.stats import scores
from aims_gate.stats.disparity import Group
from aims_gate.stats.parts import of_areas, of_counts
from aims_gate.stats.tables import Confusion, Losses, Ranked, ScoreTable

_SHARES = frozenset({"accuracy", "precision", "recall", "specificity"})
"""Over all rows these are the groups' own values, weighted by the rows that they rest on."""
_ROOTS = frozenset({"rmse"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A group's metric: its table, the engine's answer, and bounds where there are some."""

    group: Group
    """*rows* are those that the metric rests on: the positives of recall, all rows of accuracy."""
    measured: Outcomes
    answer: Answer | None
    """None for a group that is too small, or has no value."""
    lack: str = ""
    """Why there is no value."""

    @property
    def table(self) -> ScoreTable:
        """The table that the metric is computed from."""
        return self.measured.table


def share_of(metric: str, part: ScoreTable, whole: ScoreTable) -> float:
    """Give how much of all rows' value is the group's own; 0 where nothing is known of it."""
    rows = _basis(metric, part) / _basis(metric, whole)
    if metric in _SHARES or isinstance(part, Losses):
        slope = scores.value(metric, part) / scores.value(metric, whole)
        return rows * slope if metric in _ROOTS else rows
    if isinstance(part, Confusion) and isinstance(whole, Confusion):
        return of_counts(lambda table: scores.value(metric, table), part, whole)
    if isinstance(part, Ranked) and isinstance(whole, Ranked) and metric == "roc_auc":
        return of_areas(part, whole)
    return 0.0


def columns_of(data: Data, frame: Frame) -> list[str]:
    """Name the columns that a metric may need."""
    spec = data.spec
    scored = [spec.score] if isinstance(spec.score, str) else list((spec.score or {}).values())
    named = [spec.label, spec.prediction, spec.query, *scored]
    return [column for column in named if column is not None and column in frame.kinds]


def part_of(data: Data, whole: Outcomes, part: Frame) -> Data:
    """Give a group's rows with what was found out about all rows: the task and who is positive."""
    task, positive = task_of(data), data.spec.positive
    if task is TaskKind.BINARY:
        positive = positive_class(data, whole.found)
    spec = replace(data.spec, task=task, positive=positive)
    return replace(data, frame=part, spec=spec, is_part=True)


def _basis(metric: str, table: ScoreTable) -> int:
    return scores.formula(metric, type(table)).basis(table)
