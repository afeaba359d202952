"""From data to the small table that a performance metric is computed from.

Which metrics fit is decided by the task: as the policy states it, else as the labels show it.
"""

from __future__ import annotations

from collections.abc import Mapping

from aims_gate.checks.outcomes import binary, multiclass, ranking, regression
from aims_gate.checks.outcomes.multiclass import MOST_CLASSES, each_class
from aims_gate.checks.outcomes.table import Asked, Builder, Outcomes, score_column
from aims_gate.checks.outcomes.task import task_of
from aims_gate.errors import DataError
from aims_gate.policy.model import TaskKind
from aims_gate.sources.subject import Data

__all__ = [
    "BUILDERS",
    "MOST_CLASSES",
    "Asked",
    "Outcomes",
    "each_class",
    "outcomes",
    "score_column",
    "task_of",
]


def outcomes(asked: str | Asked, data: Data) -> Outcomes:
    """Build the table that a metric is computed from.

    Raises:
        MissingColumnError: A column that the metric needs is not there.
        DataError: The metric does not fit the task, the task is unclear, or labels, predictions or
            scores cannot be used.
    """
    asked = Asked(metric=asked) if isinstance(asked, str) else asked
    if asked.metric in ranking.RANKINGS and data.spec.query is not None:
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


BUILDERS: Mapping[TaskKind, Mapping[str, Builder]] = {
    TaskKind.BINARY: {
        "accuracy": binary.confusion,
        "balanced_accuracy": binary.confusion,
        "precision": binary.confusion,
        "recall": binary.confusion,
        "specificity": binary.confusion,
        "f1": binary.confusion,
        "f_beta": binary.confusion,
        "mcc": binary.confusion,
        "roc_auc": binary.ranked,
        "average_precision": binary.ranked,
        "brier": binary.probability_loss,
        "log_loss": binary.probability_loss,
    },
    TaskKind.MULTICLASS: {
        "accuracy": multiclass.classes,
        "balanced_accuracy": multiclass.classes,
        "macro_precision": multiclass.classes,
        "macro_recall": multiclass.classes,
        "macro_f1": multiclass.classes,
        "weighted_precision": multiclass.classes,
        "weighted_recall": multiclass.classes,
        "weighted_f1": multiclass.classes,
        "mcc": multiclass.classes,
        "macro_roc_auc": multiclass.ranked,
        "macro_average_precision": multiclass.ranked,
        "brier": multiclass.probability_loss,
        "log_loss": multiclass.probability_loss,
    },
    TaskKind.REGRESSION: {
        "mae": regression.error,
        "mape": regression.error,
        "mse": regression.error,
        "rmse": regression.error,
        "median_error": regression.ordered,
        "r2": regression.fit,
        "explained_variance": regression.residuals,
    },
    TaskKind.RANKING: dict.fromkeys(ranking.RANKINGS, ranking.queries),
}
"""Per task the metrics that fit it, each with what builds its table."""
