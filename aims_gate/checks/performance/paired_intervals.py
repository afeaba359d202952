"""Paired confidence interval of the difference of a metric between two models."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aims_gate.checks.column_roles import classes_of, positive_class
from aims_gate.checks.levels import class_levels
from aims_gate.checks.metrics import score_column, task_of
from aims_gate.checks.metrics.multiclass import scored_columns
from aims_gate.checks.metrics.table import jackknife, losses, named
from aims_gate.checks.performance.pairs import AnswerPair, answers, discordant, positive_of
from aims_gate.checks.row_statistics import placements, ranked_queries, root_moments
from aims_gate.facts import Interval
from aims_gate.frames import ClassLoss, Moments, RowLoss, Scalar
from aims_gate.policy.model import TaskKind
from aims_gate.stats import paired, paired_tables, scores
from aims_gate.stats.auc import LEAST_CLASS
from aims_gate.stats.formulas import LOSSES, PROBABILITY, RANKINGS
from aims_gate.stats.formulas.ranking import left_out
from aims_gate.stats.intervals import Bounds
from aims_gate.stats.paired_tables import GRADIENTS, Answered
from aims_gate.stats.power import NormalDesign
from aims_gate.stats.tables import (
    BetaConfusion,
    Classes,
    ClassRanked,
    Jackknife,
    Losses,
    Queries,
    Ranked,
)

_WIDER = "the wider of Hall (1992) and Student's t"
_PROPORTIONS = ("accuracy", "recall", "specificity", "weighted_recall")
METHODS: Mapping[str, str] = {
    **dict.fromkeys(_PROPORTIONS, "Tango score (1998), paired"),
    **dict.fromkeys(
        (*GRADIENTS, "f_beta"), "delta method on the paired table, smoothed, with Student's t"
    ),
    "roc_auc": "paired DeLong (1988) with t",
    "macro_roc_auc": "mean over classes of paired DeLong (1988) with t",
    **dict.fromkeys(LOSSES, f"{_WIDER} on the row differences"),
    "rmse": f"{_WIDER} on what leaving out each row does to the difference (Tukey 1958)",
    **dict.fromkeys(RANKINGS, f"{_WIDER} on the differences of queries"),
}
"""The metrics whose paired difference has an interval, and how it is made."""


def told() -> str:
    """List the metrics of each method."""
    found: dict[str, list[str]] = {}
    for metric, how in METHODS.items():
        found.setdefault(how, []).append(metric)
    return "; ".join(f"{', '.join(metrics)}: {how}" for how, metrics in found.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedInterval:
    """The interval of a difference, and what its power follows from; or why there is none."""

    interval: Interval | None = None
    error: float = math.nan
    """Standard error of the difference; NaN without an interval."""
    short: str = ""
    """Why there are too few rows for an interval that the metric has in general."""

    def design(self, z: float, rows: int) -> NormalDesign | None:
        """Power design: what more *rows* of the data would show; None without an interval."""
        return None if math.isnan(self.error) else NormalDesign(error=self.error, z=z, rows=rows)


def bounded_twice(
    found: AnswerPair, alpha: float, alone: float
) -> tuple[PairedInterval, PairedInterval]:
    """Paired intervals at the corrected *alpha*, and uncorrected for the cell by itself."""
    corrected = bounded(found, alpha)
    return corrected, corrected if alone == alpha else bounded(found, alone)


def bounded(found: AnswerPair, alpha: float) -> PairedInterval:
    """Paired interval of a defined difference, with error *alpha* on each side."""
    if found.metric not in METHODS:
        return PairedInterval()
    table = found.first.table
    if isinstance(table, Ranked):
        label, positive, first, second = _scored(found)
        return _area(found, alpha, label=label, positive=positive, sides=(first, second))
    if isinstance(table, ClassRanked):
        return _areas(found, table, alpha)
    if isinstance(table, Losses):
        return _means(found, alpha)
    if isinstance(table, Queries):
        return _queries(found, table, alpha)
    if found.metric in _PROPORTIONS:
        counted = discordant(found)
        bounds = paired.tango(counted, paired.quantile(alpha))
        return _bounded(found, bounds, counted.error, alpha)
    return _tables(found, alpha)


def _tables(found: AnswerPair, alpha: float) -> PairedInterval:
    """Bound what follows from counts of label, first and second answer."""
    answered = _answered(found)
    short = _other_classes(found) or paired_tables.too_few(answered)
    if short:
        return PairedInterval(short=short)
    table = found.first.table
    beta = table.beta if isinstance(table, BetaConfusion) else 1.0
    spread = paired_tables.spread(answered, paired_tables.gradient_of(found.metric, beta=beta))
    values = [scores.value(found.metric, side.table) for side in (found.first, found.second)]
    most = scores.scale(found.metric).span
    bounds = spread.bounds(paired.minus(*values), alpha, most=most)
    return _bounded(found, bounds, spread.error, alpha)


def _answered(found: AnswerPair) -> Answered:
    positive = positive_of(found)
    tables = [s.table for s in (found.first, found.second) if isinstance(s.table, Classes)]
    labels = dict.fromkeys(label for table in tables for label in table.labels)
    places: dict[Scalar | None, int] = {label: place for place, label in enumerate(labels)}
    counted: dict[tuple[int, ...], int] = {}
    for *values, count in answers(found):
        if positive is None:
            cell = tuple(places[value] for value in values)
        else:  # whatever else the classes of a binary task are called
            cell = tuple(int(value == positive) for value in values)
        counted[cell] = counted.get(cell, 0) + count
    return Answered(
        classes=2 if positive is not None else len(places),
        cells=np.array(list(counted), dtype=np.int64).reshape(-1, 3),
        counts=np.array(list(counted.values()), dtype=np.int64),
    )


def _other_classes(found: AnswerPair) -> str:
    """Say that the two means are over different classes; empty if they are not."""
    tables = found.first.table, found.second.table
    if not (isinstance(tables[0], Classes) and isinstance(tables[1], Classes)):
        return ""
    odd = set(tables[0].labels) ^ set(tables[1].labels)
    if not odd or not found.metric.startswith("macro"):
        return ""
    classes = class_levels(found.data)
    named_odd = ", ".join(sorted(classes.value(value, repr) for value in odd)[:3])
    return f"one model only predicts {named_odd}, which no row is: the means are of other classes"


def _area(
    found: AnswerPair, alpha: float, *, label: str, positive: Scalar, sides: tuple[str, str]
) -> PairedInterval:
    """Bound the difference of the areas of one class against all others."""
    first, second = sides
    placed = placements(
        found.frame,
        label=label,
        positive=positive,
        first=first,
        second=second,
        where=f"{found.data.role} data",
    )
    moved = paired.Placements(positives=losses(placed[0]), negatives=losses(placed[1]))
    rarer = min(moved.positives.rows, moved.negatives.rows)
    if rarer < LEAST_CLASS:
        return PairedInterval(
            short=f"the rarer class has {rarer:,} rows, and an interval needs {LEAST_CLASS}"
        )
    area = max(_area_of(side.table, positive) for side in (found.first, found.second))
    return _bounded(found, paired.delong_difference(moved, alpha, area=area), moved.error, alpha)


def _area_of(table: object, positive: Scalar) -> float:
    if isinstance(table, ClassRanked):
        table = table.tables[table.labels.index(positive)]
    return scores.value("roc_auc", table) if isinstance(table, Ranked) else math.nan


def _areas(found: AnswerPair, table: ClassRanked, alpha: float) -> PairedInterval:
    """Interval of a mean area: the mean of the classes' bounds, which is conservative."""
    label = named(found.first.found.label)
    columns = [
        scored_columns(found.data, side.found, table.labels) for side in (found.first, found.second)
    ]
    each = []
    for place in table.labels:
        sides = columns[0][place], columns[1][place]
        one = _area(found, alpha, label=label, positive=place, sides=sides)
        if one.interval is None:
            name = class_levels(found.data).value(place, repr)
            return PairedInterval(short=f"class {name}: {one.short}")
        each.append((one.interval.low, one.interval.high, one.error))
    low, high, error = (math.fsum(column) / len(each) for column in zip(*each, strict=True))
    return _bounded(found, (low, high), error, alpha)


def _means(found: AnswerPair, alpha: float) -> PairedInterval:
    values = [scores.value(found.metric, side.table) for side in (found.first, found.second)]
    if found.metric == "rmse" and not all(values):
        return PairedInterval(
            short="one of the two is never wrong, and no interval of rmse is known"
        )
    moments = _root_moments(found) if found.metric == "rmse" else _loss_moments(found)
    return _wider(found, jackknife(moments), alpha)


def _wider(
    found: AnswerPair, differences: Jackknife, alpha: float, *, of: str = "rows"
) -> PairedInterval:
    loss, other = (scores.value(found.metric, side.table) for side in (found.first, found.second))
    short = paired.short_of_mean(differences, loss=loss, of=of)
    if short:
        return PairedInterval(short=short)
    bounds = paired.mean_difference(differences, alpha, value=paired.minus(loss, other), loss=loss)
    return _bounded(found, bounds, math.sqrt(differences.variance / differences.rows), alpha)


def _queries(found: AnswerPair, table: Queries, alpha: float) -> PairedInterval:
    first, second = found.first.found, found.second.found
    moments = ranked_queries(
        found.frame,
        RANKINGS[found.metric],
        query=named(first.query),
        label=named(first.label),
        score=_one_score(first.score),
        against=_one_score(second.score),
        k=found.asked.k,
    )
    short = left_out(table)
    if short:
        return PairedInterval(short=short)
    return _wider(found, jackknife(moments.values), alpha, of="queries")


def _one_score(score: str | Mapping[str, str] | None) -> str:
    return named(score if isinstance(score, str) else None)


def _root_moments(found: AnswerPair) -> Moments:
    sides = found.first.found, found.second.found
    return root_moments(
        found.frame,
        label=named(sides[0].label),
        estimate=named(sides[0].prediction),
        against=named(sides[1].prediction),
    )


def _loss_moments(found: AnswerPair) -> Moments:
    loss = LOSSES[found.metric]
    sides = found.first.found, found.second.found
    label = named(sides[0].label)
    if loss not in PROBABILITY:
        first, second = (named(side.prediction) for side in sides)
        return found.frame.moments(RowLoss(loss=loss, label=label, estimate=first, against=second))
    if task_of(found.data) is TaskKind.MULTICLASS:
        labels = tuple(sorted(classes_of(found.data, sides[0])))
        one, other = (scored_columns(found.data, side, labels) for side in sides)
        return found.frame.moments(ClassLoss(loss=loss, label=label, estimates=one, against=other))
    label, positive, first, second = _scored(found)
    return found.frame.moments(
        RowLoss(loss=loss, label=label, estimate=first, positive=positive, against=second)
    )


def _bounded(found: AnswerPair, bounds: Bounds, error: float, alpha: float) -> PairedInterval:
    low, high = bounds
    interval = Interval(low=low, high=high, level=1 - 2 * alpha, method=METHODS[found.metric])
    return PairedInterval(interval=interval, error=error)


def _scored(found: AnswerPair) -> tuple[str, Scalar, str, str]:
    """Label column, positive class, and the column of its score on each side."""
    sides = found.first.found, found.second.found
    positive = positive_class(found.data, sides[0])
    first, second = (score_column(found.data, side, positive) for side in sides)
    return named(sides[0].label), positive, first, second
