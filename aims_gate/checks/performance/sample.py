"""Sample size: whether there are enough evaluation data to judge performance at all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from aims_gate.checks.authored import once
from aims_gate.checks.cells import lacking
from aims_gate.checks.column_roles import Labelled, classes_of, labelled
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.levels import with_classes
from aims_gate.checks.metrics import outcomes, task_of
from aims_gate.checks.metrics.needs import metric_needs
from aims_gate.checks.metrics.table import counted, keys_of, named
from aims_gate.checks.performance.score import Plain
from aims_gate.errors import DataError
from aims_gate.facts import NoValue, Statistic
from aims_gate.frames import Key, Scalar
from aims_gate.policy.model import Role, TaskKind
from aims_gate.sources.subject import Data
from aims_gate.stats import scores

_LIMITS = {"rows": 200.0, "positives": 30.0, "half_width": 0.05}
"""The conventional limits of the three statistics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The size of the evaluation data, in rows or in what they can tell."""

    about: ClassVar[About] = About(
        name="performance.sample",
        summary="Whether the evaluation data are enough: rows, rarer class or interval width.",
        definition=(
            "statistic: rows is the rows that have a label, frequency weights included where the "
            "policy names the weight; the conventional limit is at least 200.\n\n"
            "statistic: positives is the rows of the rarer class, of several classes of the "
            "rarest; at least 30. A class that the model answers, or that has a column of scores, "
            "and that no row is labelled as has 0; so has a binary task with one class.\n\n"
            "statistic: half_width is half the width of the two-sided interval of metric at level "
            "1 - alpha (0.05: 95 %), in the metric's own unit and in [0, inf); at most 0.05, "
            "which is meant for metrics in [0, 1]. The interval is that of performance.score.\n\n"
            "Each of them is a rule of its own, so that a report says which one is short."
        ),
        roles=(Role.EVALUATION,),
        controls=("iso42001:A.6.2.4",),
        undecided=(
            "the label's column is missing, or a label is null",
            "positives: the labels are no classes",
            "half_width: the metric cannot be computed, or the data are too few for its interval",
        ),
    )

    statistic: Literal["rows", "positives", "half_width"] = "rows"
    """What is counted or measured."""
    metric: Plain | None = None
    """Of half_width, which needs it: the metric whose interval is measured."""

    def judged(self) -> StatisticSpec:
        """Describe the statistic."""
        return StatisticSpec(
            name=self._name,
            low=0.0,
            high=math.inf,
            higher_is_better=self.statistic != "half_width",
            limit=_LIMITS[self.statistic],
            has_interval=False,
            needs=() if self.metric is None else metric_needs(self.metric),
        )

    @property
    def _name(self) -> str:
        """The statistic, and of a half width the metric, too: `f1_half_width`."""
        return f"{self.metric}_{self.statistic}" if self.metric else self.statistic

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Invalid parameters: a metric that is missing, or one that is not used."""
        if self.statistic == "half_width" and self.metric is None:
            yield "statistic", "half_width needs a metric", "such as metric: roc_auc"
        if self.statistic != "half_width" and self.metric is not None:
            yield "metric", f"{self.statistic} reads no metric", "state statistic: half_width"

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Measure the one statistic; DataError if labels or answers cannot be used."""
        data = inputs.data(inputs.on or Role.EVALUATION)
        if self.metric is not None:
            yield from self._half_width(self.metric, data, inputs.alpha)
            return
        found = labelled(once(data), ["label"])
        yield from found.context()
        rows = found.frame.rows
        value = rows if self.statistic == "rows" else _rarest(once(data), found)
        yield self._value(float(value), rows=rows, total=found.total)

    def _value(self, value: float, *, rows: int, total: int, reason: str = "") -> Statistic:
        return Statistic(
            name=self._name, value=value, rows=rows, total=total, judged=True, reason=reason
        )

    def _half_width(self, metric: str, data: Data, alpha: float) -> Iterator[Statistic]:
        measured = outcomes(metric, data)
        table, total = measured.table, measured.found.total
        yield from measured.found.context()
        rows = scores.basis(metric, table)
        undefined = scores.undefined(metric, table)
        interval = scores.interval(metric, table, alpha=alpha / 2)
        if interval is not None:
            told = f"of {metric} {scores.value(metric, table):.4g}, by {interval.method}"
            half = (interval.high - interval.low) / 2
            yield self._value(half, rows=rows, total=total, reason=told)
            return
        lack = NoValue.UNDEFINED if undefined else NoValue.INSUFFICIENT
        why = undefined or scores.insufficient(metric, table)
        yield lacking(self._name, lack, why, rows=rows, total=total)


def _rarest(data: Data, found: Labelled) -> int:
    """Rows of the rarest class; 0 where one of two classes does not occur."""
    task = task_of(data)
    if task not in {TaskKind.BINARY, TaskKind.MULTICLASS}:
        raise DataError(
            f"the labels of a {task} task are no classes",
            where=f"{data.role} data",
            hint="count statistic: rows",
        )
    labels = classes_of(data, found)  # refuses what cannot be a class
    if task is TaskKind.MULTICLASS and _unlabelled(data, found, labels):
        return 0
    _, counts = counted(found, [named(found.label)])
    return int(counts.min()) if len(counts) > 1 else 0


def _unlabelled(data: Data, found: Labelled, labels: tuple[Scalar, ...]) -> bool:
    """Tell whether the model's answers show a class that no row is labelled as."""
    spec, frame = data.spec, with_classes(data)
    if "prediction" in data.failed:
        raise data.failed["prediction"]
    scored = spec.score if isinstance(spec.score, Mapping) else {}
    if {*scored} - {key for label in labels for key in keys_of(scored, label, found)}:
        return True
    if spec.prediction is None or spec.prediction not in frame.columns:
        return False
    predicted = {value for (value,) in frame.count(Key(column=spec.prediction)).values}
    return bool(predicted - {None, *labels})
