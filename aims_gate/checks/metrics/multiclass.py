"""Tables of a task with several classes, and of each class against all others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from aims_gate.checks.column_roles import Labelled, classes_of, labelled
from aims_gate.checks.contract import EXACT
from aims_gate.checks.metrics.binary import (
    loss_against,
    ranked_against,
    ranked_outcomes,
    with_beta,
)
from aims_gate.checks.metrics.table import (
    MetricRequest,
    Outcomes,
    counted,
    keys_of,
    losses,
    named,
    pairs,
    score_column,
)
from aims_gate.engines import CountedRows
from aims_gate.errors import DataError
from aims_gate.frames import ClassLoss, Scalar
from aims_gate.frames.widths import stated_as
from aims_gate.sources.subject import Data
from aims_gate.stats.brackets.ranked import MeanBracket
from aims_gate.stats.classes import one_vs_rest
from aims_gate.stats.formulas import FORMULAS, LOSSES, PROBABILITY
from aims_gate.stats.tables import BetaConfusion, Classes, ClassRanked, Confusion, Ranked

MOST_CLASSES = 1_000
"""A confusion table has the square of this many cells."""
_OF_COUNTS = (Confusion, BetaConfusion)
_OF_SCORES = tuple(f.metric for f in FORMULAS if f.table is Ranked)
BY_CLASS = (
    *(f.metric for f in FORMULAS if f.table in _OF_COUNTS and f.metric != "accuracy"),
    *_OF_SCORES,
    *(f.metric for f in FORMULAS if f.of in PROBABILITY),
)
"""The metrics that each class has of its own, its rows positive and all others negative.

Not accuracy: of a rare class it is high for a model that never finds it.
"""


def classes(_asked: MetricRequest, data: Data) -> Outcomes:
    """Count label against prediction."""
    found = labelled(data, ["label", "prediction"])
    labels = _few(data, tuple(sorted(classes_of(data, found))))
    place = {label: index for index, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for (label, prediction), count in pairs(found):
        counts[place[label], place[prediction]] += count
    return Outcomes(table=Classes(labels=labels, counts=counts), found=found)


def ranked(asked: MetricRequest, data: Data) -> Outcomes:
    """Count the scores of each labelled class, its rows against all others."""
    found, labels = _scored(data)
    each = [ranked_outcomes(asked, data, found, label) for label in labels]
    brackets = [one.bracket for one in each if one.bracket is not None]
    if 0 < len(brackets) < len(each):  # a mean of some classes in cells has no bracket
        return ranked(replace(asked, resolution=EXACT), data)
    tables = tuple(one.table for one in each if isinstance(one.table, Ranked))
    table = ClassRanked(labels=labels, tables=tables)
    bracket = MeanBracket(of=tuple(brackets)) if brackets else None
    return Outcomes(table=table, found=found, bracket=bracket)


def probability_loss(asked: MetricRequest, data: Data) -> Outcomes:
    """Multi-class Brier or log loss: moments over rows, over all classes with a score."""
    found, labels = _scored(data)
    label = named(found.label)
    columns = scored_columns(data, found, labels)
    of = ClassLoss(loss=LOSSES[asked.metric], label=label, estimates=columns)

    def sample() -> CountedRows:
        rows, counts = counted(found, [label, *columns.values()])
        places = {value: float(place) for place, value in enumerate(columns)}
        return CountedRows(
            truth=np.array([places[row[0]] for row in rows]),
            estimate=np.array([row[1:] for row in rows], dtype=np.float64),
            counts=counts,
        )

    return Outcomes(table=losses(found.frame.moments(of)), found=found, sample=sample)


def each_class(
    asked: MetricRequest, data: Data, wanted: Sequence[Scalar] | None
) -> Iterator[tuple[Scalar, int, Outcomes]]:
    """One-vs-rest tables: each class of *wanted*, or every one, with its labelled rows.

    Raises:
        MissingColumnError: A column that the metric needs is not there.
        DataError: The metric is not one of a class, a class occurs nowhere, or the data cannot be
            used.
    """
    if asked.metric not in BY_CLASS:
        raise DataError(f"{asked.metric} is not a metric of single classes")
    if asked.metric in _OF_SCORES or LOSSES.get(asked.metric) in PROBABILITY:
        yield from _each_scored(asked, data, wanted)
        return
    whole = classes(asked, data)
    table = whole.table
    assert isinstance(table, Classes)  # noqa: S101  # what `classes` builds
    for label in _chosen(data, whole.found, table.labels, wanted):
        one = one_vs_rest(table, label)
        yield label, one.positives, replace(whole, table=with_beta(asked, one))


def _each_scored(
    asked: MetricRequest, data: Data, wanted: Sequence[Scalar] | None
) -> Iterator[tuple[Scalar, int, Outcomes]]:
    found, labels = _scored(data)
    rows = dict(zip(*_labelled_rows(found), strict=True))
    for label in _chosen(data, found, labels, wanted):
        if asked.metric in _OF_SCORES:
            yield (
                label,
                rows[label],
                ranked_outcomes(asked, data, found, label),
            )
        else:
            yield label, rows[label], loss_against(asked, data, found, label)
    for name in unlabelled(found, labels) if wanted is None else ():
        yield name, 0, Outcomes(table=ranked_against(data, found, name), found=found)


def unlabelled(found: Labelled, labels: Sequence[Scalar]) -> list[str]:
    """Name the classes that have a column of scores and not one label: nothing shows them right."""
    columns = found.score if isinstance(found.score, Mapping) else {}
    named_by_label = {key for label in labels for key in keys_of(columns, label, found)}
    return [name for name in columns if name not in named_by_label]


def _scored(data: Data) -> tuple[Labelled, tuple[Scalar, ...]]:
    """Find labels and scores, and the classes that have a label."""
    found = labelled(data, ["label", "score"])
    if isinstance(found.score, str):
        raise DataError(
            f"one column of scores, {found.score}, does not say which class it is of",
            where=f"{data.role} data",
            hint="state score: {class: column, ...} with a column for every class",
        )
    return found, _few(data, tuple(sorted(classes_of(data, found))))


def scored_columns(data: Data, found: Labelled, labels: Sequence[Scalar]) -> dict[Scalar, str]:
    """Score column of every class that has one, classes without a label included."""
    by_label: dict[Scalar, str] = {label: score_column(data, found, label) for label in labels}
    columns = found.score if isinstance(found.score, Mapping) else {}
    return by_label | {name: columns[name] for name in unlabelled(found, labels)}


def _labelled_rows(found: Labelled) -> tuple[list[Scalar], list[int]]:
    rows, counts = counted(found, [named(found.label)])
    return [row[0] for row in rows], counts.tolist()


def _few(data: Data, labels: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    if len(labels) > MOST_CLASSES:
        raise DataError(
            f"{len(labels):,} classes are more than {MOST_CLASSES:,}",
            where=f"{data.role} data",
            hint="is this a regression task?",
        )
    return labels


def _chosen(
    data: Data, found: Labelled, labels: Sequence[Scalar], wanted: Sequence[Scalar] | None
) -> Sequence[Scalar]:
    """Requested classes, in the order of *labels*; text and numbers differ."""
    if wanted is None:
        return labels
    bits = found.frame.columns[named(found.label)].bits
    wanted = [stated_as(label, bits) for label in wanted]
    absent = [label for label in wanted if label not in labels]
    if absent:
        raise DataError(
            f"the class {absent[0]!r} occurs nowhere in labels or predictions",
            where=f"{data.role} data",
            hint="text and numbers differ: '1' is not 1",
        )
    return [label for label in labels if label in wanted]
