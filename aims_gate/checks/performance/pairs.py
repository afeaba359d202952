"""Paired comparison: one metric of two models on the same rows, and its difference.

Values come from the engine, one question for each side, so a library recomputes both and hence the
difference. Which rows count is ours and comes first; `paired_intervals` says how sure it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from aims_gate.checks.column_roles import positive_class
from aims_gate.checks.levels import with_classes
from aims_gate.checks.metrics import MetricRequest, Outcomes, outcomes, task_of
from aims_gate.checks.metrics.table import named
from aims_gate.engines import Answer, Engine
from aims_gate.frames import Frame, Key, Scalar
from aims_gate.policy.model import DataSpec, TaskKind
from aims_gate.sources.subject import Data
from aims_gate.stats import paired, scores
from aims_gate.stats.tables import Confusion


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPair:
    """What two answers make of one metric, over the same rows."""

    asked: MetricRequest
    first: Outcomes
    second: Outcomes
    frame: Frame
    """The rows, none of which is null in a column that either needs."""
    data: Data
    """The first's."""
    total: int
    """Rows of the data, dropped ones included."""

    @property
    def metric(self) -> str:
        """The metric's name."""
        return self.asked.metric


def pair(asked: MetricRequest, first: Data, second: Data) -> AnswerPair:
    """Tables of one metric for two models, whose predictions are in the frame of *second*.

    A row that is null in a needed column of either counts for neither.

    Raises:
        MissingColumnError: A column that the metric needs is not there.
        DataError: The metric does not fit, or labels or answers cannot be used.
    """
    frame = with_classes(replace(first, frame=second.frame), second.spec.prediction)
    first = replace(first, frame=frame)
    one = outcomes(asked, first)
    other = outcomes(asked, replace(second, frame=one.found.frame))
    if other.found.dropped:
        one = outcomes(asked, replace(first, frame=other.found.frame))
    # of all rows, those that only the other side has left out included
    one = replace(one, found=replace(one.found, total=second.frame.rows))
    return AnswerPair(
        asked=asked,
        first=one,
        second=other,
        frame=other.found.frame,
        data=first,
        total=second.frame.rows,
    )


def within(whole: AnswerPair, second: Data, frame: Frame) -> AnswerPair:
    """Pair restricted to a part of its frame, which has the columns of `columns`."""
    first, other = (
        replace(side, frame=frame, spec=_settled(side.spec, whole), is_part=True)
        for side in (whole.data, second)
    )
    return replace(pair(whole.asked, first, other), total=whole.total)


def columns(found: AnswerPair) -> Iterator[str]:
    """Name the columns that the metric needs of both answers."""
    for side in (found.first.found, found.second.found):
        scored = side.score.values() if isinstance(side.score, Mapping) else (side.score,)
        yield from filter(None, (side.label, side.prediction, side.query, *scored))


def _settled(spec: DataSpec, whole: AnswerPair) -> DataSpec:
    """State task and positive class, which the labels of a part may no longer tell."""
    task, positive = task_of(whole.data), spec.positive
    if task is TaskKind.BINARY:
        positive = positive_class(whole.data, whole.first.found)
    return replace(spec, task=task, positive=positive)


def undefined(found: AnswerPair) -> str:
    """Say which side has no value, and why; empty if both have one."""
    for side in (found.first, found.second):
        why = scores.undefined(found.metric, side.table)
        if why:
            return why
    return ""


def basis(found: AnswerPair) -> int:
    """Denominator of the difference: the rows of the metric, the fewer of both sides."""
    formula = scores.formula(found.metric, type(found.first.table))
    return min(formula.basis(found.first.table), formula.basis(found.second.table))


def difference(found: AnswerPair, engine: Engine) -> Answer:
    """Difference of the metric, first minus second, or why there is no value to use."""
    answers = [side.value(found.metric, engine) for side in (found.first, found.second)]
    for answer in answers:
        if answer.problem:
            return answer
    value = paired.minus(answers[0].value, answers[1].value)
    return Answer(value=value, by=answers[0].by)


def answers(
    found: AnswerPair,
) -> Iterator[tuple[Scalar | None, Scalar | None, Scalar | None, int]]:
    """Count the rows by label, first and second answer."""
    columns = [
        found.first.found.label,
        found.first.found.prediction,
        found.second.found.prediction,
    ]
    keys = [Key(column=named(column)) for column in columns]
    cells = found.frame.count(*keys)
    for (label, one, other), count in zip(cells.values, cells.counts.tolist(), strict=True):
        yield label, one, other, count


def discordant(found: AnswerPair) -> paired.Discordant:
    """Discordant pairs (McNemar): rows that only one side gets right, of the metric's rows."""
    positive = positive_of(found)
    counts = {True: 0, False: 0}
    rows = 0
    for label, one, other, count in answers(found):
        if not _counts(found.metric, label, positive):
            continue
        rows += count
        # the classes of a binary task are positive or not, whatever else they are called
        right = [_right(label, answer, positive) for answer in (one, other)]
        if right[0] != right[1]:
            counts[right[0]] += count
    return paired.Discordant(first=counts[True], second=counts[False], rows=rows)


def positive_of(found: AnswerPair) -> Scalar | None:
    """Positive class of a binary task; None where there are several classes."""
    if isinstance(found.first.table, Confusion):
        return positive_class(found.data, found.first.found)
    return None


def _counts(metric: str, label: Scalar | None, positive: Scalar | None) -> bool:
    if metric in {"accuracy", "weighted_recall"}:
        return True
    return (label == positive) is (metric == "recall")


def _right(label: Scalar | None, answer: Scalar | None, positive: Scalar | None) -> bool:
    if positive is None:
        return label == answer
    return (label == positive) is (answer == positive)
