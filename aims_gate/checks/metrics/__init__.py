"""Sufficient statistics: from data to the small table that a metric is computed from.

Which metrics fit is decided by the task: as the policy states it, else as the labels show it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aims_gate.checks.metrics import binary, multiclass, ranking, regression
from aims_gate.checks.metrics.multiclass import MOST_CLASSES, each_class
from aims_gate.checks.metrics.table import Builder, MetricRequest, Outcomes, score_column
from aims_gate.checks.metrics.task import task_of
from aims_gate.errors import DataError
from aims_gate.policy.model import TaskKind
from aims_gate.sources.subject import Data
from aims_gate.stats.formulas import FORMULAS, PROBABILITY, RANKINGS, Formula
from aims_gate.stats.tables import (
    BetaConfusion,
    Classes,
    ClassRanked,
    Confusion,
    Fit,
    Losses,
    OrderedErrors,
    Queries,
    Ranked,
    Residuals,
    ScoreTable,
)

__all__ = [
    "BUILDERS",
    "MOST_CLASSES",
    "MetricRequest",
    "Outcomes",
    "each_class",
    "outcomes",
    "score_column",
    "task_of",
]


def outcomes(asked: str | MetricRequest, data: Data) -> Outcomes:
    """Build the table that a metric is computed from.

    Raises:
        MissingColumnError: A column that the metric needs is not there.
        DataError: The metric does not fit the task, the task is unclear, or labels, predictions or
            scores cannot be used.
    """
    asked = MetricRequest(metric=asked) if isinstance(asked, str) else asked
    if asked.metric in RANKINGS and data.spec.query is not None:
        return ranking.queries(asked, data)  # clicks may be ranked as well as classified
    task = task_of(data)
    fitting = BUILDERS[task]
    if asked.metric not in fitting:
        raise DataError(
            f"{asked.metric} does not fit a {task} task",
            where=f"{data.role} data",
            hint=f"these fit: {', '.join(fitting)}",
        )
    return fitting[asked.metric](asked, data)


_OF_TABLES: Mapping[TaskKind, Mapping[type[ScoreTable], Builder]] = {
    TaskKind.BINARY: {
        Confusion: binary.confusion,
        BetaConfusion: binary.confusion,
        Ranked: binary.ranked,
        Losses: binary.probability_loss,
    },
    TaskKind.MULTICLASS: {
        Classes: multiclass.classes,
        ClassRanked: multiclass.ranked,
        Losses: multiclass.probability_loss,
    },
    TaskKind.REGRESSION: {
        Losses: regression.error,
        OrderedErrors: regression.ordered,
        Fit: regression.fit,
        Residuals: regression.residuals,
    },
    TaskKind.RANKING: {Queries: ranking.queries},
}
"""Per task what builds each kind of table."""


def _fits(formula: Formula[Any], task: TaskKind) -> bool:
    """Tell whether a metric fits *task*: a loss of probabilities fits classes, others amounts."""
    amounts = formula.table is Losses and formula.of not in PROBABILITY
    of_loss = formula.table is not Losses or amounts == (task is TaskKind.REGRESSION)
    return formula.table in _OF_TABLES[task] and of_loss


BUILDERS: Mapping[TaskKind, Mapping[str, Builder]] = {
    task: {f.metric: builders[f.table] for f in FORMULAS if _fits(f, task)}
    for task, builders in _OF_TABLES.items()
}
"""Per task the metrics that fit it, each with what builds its table."""
