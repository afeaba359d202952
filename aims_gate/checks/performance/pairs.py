"""Two answers to the same rows: one metric of each, their difference, and how sure it is.

Values come from the engine, one question for each side, so a library recomputes both and hence the
difference. Which rows count, and the interval, are ours and come first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from aims_gate.checks.columns import classes_of, positive_class
from aims_gate.checks.outcomes import Outcomes, outcomes, score_column, task_of
from aims_gate.checks.outcomes.multiclass import scored_columns
from aims_gate.checks.outcomes.table import losses, named
from aims_gate.engines import Answer, Engine
from aims_gate.facts import Interval
from aims_gate.frames import Frame, Key, Loss, Moments, Scalar
from aims_gate.policy.model import DataSpec, TaskKind
from aims_gate.sources.subject import Data
from aims_gate.stats import paired, scores
from aims_gate.stats.auc import LEAST_CLASS
from aims_gate.stats.intervals import Bounds
from aims_gate.stats.tables import Confusion, Losses, Ranked

METHODS: Mapping[str, str] = {
    **dict.fromkeys(("accuracy", "recall", "specificity"), "Tango score (1998), paired"),
    "roc_auc": "paired DeLong (1988) with t",
    **dict.fromkeys(
        ("brier", "log_loss", "mae", "mape", "mse"), "Hall (1992) on the row differences"
    ),
}
"""The metrics whose paired difference has an interval, and how it is made."""
_LOSSES: Mapping[str, Loss] = {
    "brier": Loss.BRIER,
    "log_loss": Loss.LOG,
    "mae": Loss.ABSOLUTE,
    "mape": Loss.ABSOLUTE_PERCENT,
    "mse": Loss.SQUARED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What two answers make of one metric, over the same rows."""

    metric: str
    first: Outcomes
    second: Outcomes
    frame: Frame
    """The rows, none of which is null in a column that either needs."""
    data: Data
    """The first's."""
    total: int
    """Rows of the data, dropped ones included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounded:
    """The interval of a difference, and what its power follows from; or why there is none."""

    interval: Interval | None = None
    error: float = math.nan
    """Standard error of the difference; NaN without an interval."""
    short: str = ""
    """Why there are too few rows for an interval that the metric has in general."""


def pair(metric: str, first: Data, second: Data) -> Pair:
    """Compute one metric's tables for two answers that lie in the frame of *second*.

    A row that is null in a needed column of either counts for neither.

    Raises:
        MissingColumnError: A column that the metric needs is not there.
        DataError: The metric does not fit, or labels or answers cannot be used.
    """
    one = outcomes(metric, replace(first, frame=second.frame))
    other = outcomes(metric, replace(second, frame=one.found.frame))
    if other.found.dropped:
        one = outcomes(metric, replace(first, frame=other.found.frame))
    # of all rows, those that only the other side has left out included
    one = replace(one, found=replace(one.found, total=second.frame.rows))
    return Pair(
        metric=metric,
        first=one,
        second=other,
        frame=other.found.frame,
        data=first,
        total=second.frame.rows,
    )


def within(whole: Pair, second: Data, frame: Frame) -> Pair:
    """Give the pair over a part of its frame, which has the columns of `columns`."""
    first, other = (
        replace(side, frame=frame, spec=_settled(side.spec, whole), is_part=True)
        for side in (whole.data, second)
    )
    return replace(pair(whole.metric, first, other), total=whole.total)


def columns(found: Pair) -> Iterator[str]:
    """Name the columns that the metric needs of both answers."""
    for side in (found.first.found, found.second.found):
        scored = side.score.values() if isinstance(side.score, Mapping) else (side.score,)
        yield from filter(None, (side.label, side.prediction, side.query, *scored))


def _settled(spec: DataSpec, whole: Pair) -> DataSpec:
    """State task and positive class, which the labels of a part may no longer tell."""
    task, positive = task_of(whole.data), spec.positive
    if task is TaskKind.BINARY:
        positive = positive_class(whole.data, whole.first.found)
    return replace(spec, task=task, positive=positive)


def undefined(found: Pair) -> str:
    """Say which side has no value, and why; empty if both have one."""
    for side in (found.first, found.second):
        why = scores.undefined(found.metric, side.table)
        if why:
            return why
    return ""


def basis(found: Pair) -> int:
    """Give the rows that the difference rests on; of unequal ones, the fewer."""
    formula = scores.formula(found.metric, type(found.first.table))
    return min(formula.basis(found.first.table), formula.basis(found.second.table))


def difference(found: Pair, engine: Engine) -> Answer:
    """Give the metric of the first minus that of the second, or why no value may be used."""
    answers = [engine.score(found.metric, s.table, s.sample) for s in (found.first, found.second)]
    for answer in answers:
        if answer.problem:
            return answer
    value = paired.minus(answers[0].value, answers[1].value)
    return Answer(value=value, by=answers[0].by)


def bounded(found: Pair, alpha: float) -> Bounded:
    """Give the interval of the difference, each side wrong with probability *alpha*."""
    if found.metric not in METHODS:
        return Bounded()
    if isinstance(found.first.table, Ranked):
        return _areas(found, alpha)
    if isinstance(found.first.table, Losses):
        return _means(found, alpha)
    counted = discordant(found)
    bounds = paired.tango(counted, paired.quantile(alpha))
    return _bounded(found, bounds, counted.error, alpha)


def discordant(found: Pair) -> paired.Discordant:
    """Count the rows that only one side gets right, of the rows that the metric is about."""
    positive = None
    if isinstance(found.first.table, Confusion):
        positive = positive_class(found.data, found.first.found)
    counts = {True: 0, False: 0}
    rows = 0
    for label, one, other, count in _answers(found):
        if not _counts(found.metric, label, positive):
            continue
        rows += count
        # the classes of a binary task are positive or not, whatever else they are called
        right = [_right(label, answer, positive) for answer in (one, other)]
        if right[0] != right[1]:
            counts[right[0]] += count
    return paired.Discordant(first=counts[True], second=counts[False], rows=rows)


def _counts(metric: str, label: Scalar | None, positive: Scalar | None) -> bool:
    if metric == "accuracy":
        return True
    return (label == positive) is (metric == "recall")


def _right(label: Scalar | None, answer: Scalar | None, positive: Scalar | None) -> bool:
    if positive is None:
        return label == answer
    return (label == positive) is (answer == positive)


def _answers(
    found: Pair,
) -> Iterator[tuple[Scalar | None, Scalar | None, Scalar | None, int]]:
    columns = [
        found.first.found.label,
        found.first.found.prediction,
        found.second.found.prediction,
    ]
    keys = [Key(column=named(column)) for column in columns]
    cells = found.frame.count(*keys)
    for (label, one, other), count in zip(cells.values, cells.counts.tolist(), strict=True):
        yield label, one, other, count


def _areas(found: Pair, alpha: float) -> Bounded:
    label, positive, first, second = _scored(found)
    sides = found.frame.placements(label=label, positive=positive, first=first, second=second)
    moved = paired.Placements(positives=losses(sides[0]), negatives=losses(sides[1]))
    rarer = min(moved.positives.rows, moved.negatives.rows)
    if rarer < LEAST_CLASS:
        return Bounded(
            short=f"the rarer class has {rarer:,} rows, and an interval needs {LEAST_CLASS}"
        )
    area = max(scores.value("roc_auc", side.table) for side in (found.first, found.second))
    return _bounded(found, paired.delong_difference(moved, alpha, area=area), moved.error, alpha)


def _means(found: Pair, alpha: float) -> Bounded:
    moments = _loss_moments(found, _LOSSES[found.metric])
    differences = losses(moments)
    short = paired.short_of_mean(differences)
    if short:
        return Bounded(short=short.replace("losses", "differences"))
    mean = scores.value(found.metric, found.first.table)
    error = math.sqrt(differences.variance / differences.rows)
    return _bounded(found, paired.mean_difference(differences, alpha, loss=mean), error, alpha)


def _loss_moments(found: Pair, loss: Loss) -> Moments:
    sides = found.first.found, found.second.found
    label = named(sides[0].label)
    if found.metric not in {"brier", "log_loss"}:
        return found.frame.moments(
            loss,
            label=label,
            estimate=named(sides[0].prediction),
            against=named(sides[1].prediction),
        )
    if task_of(found.data) is TaskKind.MULTICLASS:
        labels = tuple(sorted(classes_of(found.data, sides[0])))
        columns = [scored_columns(found.data, side, labels) for side in sides]
        return found.frame.class_moments(
            loss, label=label, estimates=columns[0], against=columns[1]
        )
    label, positive, first, second = _scored(found)
    return found.frame.moments(loss, label=label, estimate=first, positive=positive, against=second)


def _bounded(found: Pair, bounds: Bounds, error: float, alpha: float) -> Bounded:
    low, high = bounds
    interval = Interval(low=low, high=high, level=1 - 2 * alpha, method=METHODS[found.metric])
    return Bounded(interval=interval, error=error)


def _scored(found: Pair) -> tuple[str, Scalar, str, str]:
    """Give the label, the positive class, and the column of its score on each side."""
    sides = found.first.found, found.second.found
    positive = positive_class(found.data, sides[0])
    first, second = (score_column(found.data, side, positive) for side in sides)
    return named(sides[0].label), positive, first, second
