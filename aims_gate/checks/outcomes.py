"""From data to the small table that a performance metric is computed from.

Which metrics fit is decided by the task: as the policy states it, else as the labels show it.
Where they do not show it, that is an error: a guessed task would measure the wrong thing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from aims_gate.checks.columns import Labelled, classes_of, labelled, positive_class
from aims_gate.engines import Sample
from aims_gate.errors import CheckError, DataError, near
from aims_gate.frames import Counts, Distribution, Floats, Key, Kind, Loss, Moments, Scalar
from aims_gate.policy.model import TaskKind
from aims_gate.sources.subject import Data
from aims_gate.stats.tables import Classes, Confusion, Fit, Losses, Ranked, ScoreTable

MOST_CLASSES = 1_000
"""A confusion table has the square of this many cells."""
_FEW_INTEGERS = 20
"""Whole-number labels with more values than this may be a quantity."""


def _no_sample() -> Sample:
    raise CheckError("a table of counts is its own sample")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """A table, and the data that it was taken from."""

    table: ScoreTable
    found: Labelled
    sample: Callable[[], Sample] = _no_sample
    """Counts the pairs behind a table of moments, for engines that moments are not enough for."""


Builder = Callable[[str, Data], Outcomes]


def outcomes(metric: str, data: Data) -> Outcomes:
    """Build the table that *metric* is computed from.

    Raises:
        MissingColumnError: A column that the metric needs is not there.
        DataError: The metric does not fit the task, the task is unclear, or labels, predictions or
            scores cannot be used.
    """
    task = task_of(data)
    fitting = BUILDERS[task]
    if metric not in fitting:
        names = ", ".join(fitting) or "no metric yet"
        raise DataError(
            f"{metric} does not fit a {task} task",
            where=f"{data.role} data",
            hint=f"these fit: {names}",
        )
    return fitting[metric](metric, data)


def task_of(data: Data) -> TaskKind:
    """Give the task: stated, else binary where `positive:` is stated, else from the labels.

    Truth values, and labels of two kinds, are binary; more kinds of text, and up to 20 whole
    numbers, are multiclass; fractions are regression.

    Raises:
        DataError: The labels do not tell.
    """
    if data.spec.task is not None:
        return data.spec.task
    if data.spec.positive is not None:
        return TaskKind.BINARY
    found = labelled(data, ["label"])
    label = _named(found.label)
    kind = found.frame.kinds[label]
    if kind is Kind.BOOLEAN:
        return TaskKind.BINARY
    if kind is Kind.TEXT:
        few = len(found.frame.count(Key(column=label)).values) <= 2
        return TaskKind.BINARY if few else TaskKind.MULTICLASS
    task = None
    if kind is Kind.NUMBER:
        values = found.frame.distribution(label).values
        task = _task_of_numbers(values, whole_type="int" in found.frame.types[label].lower())
    if task is None:
        raise DataError(
            f"the labels in {label} ({found.frame.types[label]}) do not tell the task",
            where=f"{data.role} data",
            hint=f"state task: binary, multiclass or regression under data.{data.role}",
        )
    return task


def _task_of_numbers(values: Floats, *, whole_type: bool) -> TaskKind | None:
    """Give the task that labels with these distinct values are of; None if they do not tell."""
    if not np.all(np.isfinite(values)):
        return None
    whole = bool(np.all(values == np.floor(values)))
    if len(values) <= 2:
        return TaskKind.BINARY if whole else None
    if not whole:
        return TaskKind.REGRESSION
    # whole floats may be classes after a detour through nulls, or rounded amounts
    return TaskKind.MULTICLASS if whole_type and len(values) <= _FEW_INTEGERS else None


def _confusion(_metric: str, data: Data) -> Outcomes:
    found = labelled(data, ["label", "prediction"])
    positive = positive_class(data, found)
    counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for (label, prediction), count in _pairs(found):
        counts[label == positive, prediction == positive] += count
    table = Confusion(
        tp=counts[True, True],
        fn=counts[True, False],
        fp=counts[False, True],
        tn=counts[False, False],
    )
    return Outcomes(table=table, found=found)


def _classes(_metric: str, data: Data) -> Outcomes:
    found = labelled(data, ["label", "prediction"])
    labels = tuple(sorted(classes_of(data, found)))
    if len(labels) > MOST_CLASSES:
        raise DataError(
            f"{len(labels):,} classes are more than {MOST_CLASSES:,}",
            where=f"{data.role} data",
            hint="is this a regression task?",
        )
    place = {label: index for index, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for (label, prediction), count in _pairs(found):
        counts[place[label], place[prediction]] += count
    return Outcomes(table=Classes(labels=labels, counts=counts), found=found)


def _ranked(_metric: str, data: Data) -> Outcomes:
    found = labelled(data, ["label", "score"])
    classes = classes_of(data, found)
    # with one class there is no area, whichever it is: the table says so
    positive = positive_class(data, found) if len(classes) > 1 else data.spec.positive
    column = score_column(data, found, positive)
    sides: dict[bool, tuple[Floats, Counts]] = {}
    for label, scores in found.frame.split(column, by=_named(found.label)).items():
        sides[label == positive] = _finite(data, column, scores)
    nothing = (np.zeros(0), np.zeros(0, dtype=np.int64))
    table = Ranked.merge(sides.get(True, nothing), sides.get(False, nothing))
    return Outcomes(table=table, found=found)


def _probability_loss(metric: str, data: Data) -> Outcomes:
    found = labelled(data, ["label", "score"])
    positive = positive_class(data, found)
    label, column = _named(found.label), score_column(data, found, positive)
    moments = found.frame.moments(
        {"brier": Loss.BRIER, "log_loss": Loss.LOG}[metric],
        label=label,
        estimate=column,
        positive=positive,
    )

    def sample() -> Sample:
        sides = found.frame.split(column, by=label)
        truth = [np.full(len(s.values), float(v == positive)) for v, s in sides.items()]
        return Sample(
            truth=np.concatenate(truth),
            estimate=np.concatenate([side.values for side in sides.values()]),
            counts=np.concatenate([side.counts for side in sides.values()]),
        )

    return Outcomes(table=_losses(moments), found=found, sample=sample)


def _error(metric: str, data: Data) -> Outcomes:
    found = labelled(data, ["label", "prediction"])
    loss = Loss.ABSOLUTE if metric == "mae" else Loss.SQUARED
    moments = found.frame.moments(
        loss, label=_named(found.label), estimate=_named(found.prediction)
    )

    def sample() -> Sample:
        counted = found.frame.count(
            Key(column=_named(found.label)), Key(column=_named(found.prediction))
        )
        pairs = np.array(counted.values, dtype=np.float64).reshape(-1, 2)
        return Sample(truth=pairs[:, 0], estimate=pairs[:, 1], counts=counted.counts)

    return Outcomes(table=_losses(moments), found=found, sample=sample)


def _fit(metric: str, data: Data) -> Outcomes:
    squared = _error(metric, data)
    labels = squared.found.frame.distribution(_named(squared.found.label))
    mean = float(labels.values @ labels.counts) / labels.rows
    variance = float(np.square(labels.values - mean) @ labels.counts) / labels.rows
    assert isinstance(squared.table, Losses)  # noqa: S101  # what `_error` builds
    return replace(squared, table=Fit(squared=squared.table, variance=variance))


BUILDERS: Mapping[TaskKind, Mapping[str, Builder]] = {
    TaskKind.BINARY: {
        "accuracy": _confusion,
        "balanced_accuracy": _confusion,
        "precision": _confusion,
        "recall": _confusion,
        "specificity": _confusion,
        "f1": _confusion,
        "mcc": _confusion,
        "roc_auc": _ranked,
        "brier": _probability_loss,
        "log_loss": _probability_loss,
    },
    TaskKind.MULTICLASS: {
        "accuracy": _classes,
        "balanced_accuracy": _classes,
        "macro_precision": _classes,
        "macro_recall": _classes,
        "macro_f1": _classes,
        "weighted_f1": _classes,
    },
    TaskKind.REGRESSION: {"mae": _error, "mse": _error, "rmse": _error, "r2": _fit},
    TaskKind.RANKING: {},
}
"""Per task the metrics that fit it, each with what builds its table."""


def _pairs(found: Labelled) -> list[tuple[tuple[Scalar, Scalar], int]]:
    keys = Key(column=_named(found.label)), Key(column=_named(found.prediction))
    cells = found.frame.count(*keys)
    pairs: list[tuple[tuple[Scalar, Scalar], int]] = []
    for (label, prediction), count in zip(cells.values, cells.counts.tolist(), strict=True):
        if label is None or prediction is None:
            raise DataError("a label or prediction is null although nulls were left out")
        pairs.append(((label, prediction), count))
    return pairs


def score_column(data: Data, found: Labelled, positive: Scalar | None) -> str:
    """Name the column that holds the score of the positive class."""
    if isinstance(found.score, str):
        return found.score
    columns = found.score or {}
    # `score: {class: column}` is text on the left, whatever the labels are
    if str(positive) not in columns:
        raise DataError(
            f"score names no column for the positive class {positive!r}",
            where=f"{data.role} data",
            hint=near(str(positive), columns),
        )
    return columns[str(positive)]


def _finite(data: Data, column: str, scores: Distribution) -> tuple[Floats, Counts]:
    finite = np.isfinite(scores.values)
    if not finite.all() or scores.nulls:
        bad = int(scores.counts[~finite].sum()) + scores.nulls
        raise DataError(
            f"{bad:,} scores in {column} are not finite numbers", where=f"{data.role} data"
        )
    return scores.values, scores.counts


def _losses(moments: Moments) -> Losses:
    return Losses(
        rows=moments.rows,
        mean=moments.mean,
        variance=moments.variance,
        skewness=moments.skewness,
    )


def _named(column: str | None) -> str:
    if column is None:
        raise DataError("a column is needed that was not asked for")
    return column
