"""Tables of a binary task: label against prediction, and label against score."""

from __future__ import annotations

import numpy as np

from aims_gate.checks.column_roles import Labelled, classes_of, labelled, positive_class
from aims_gate.checks.metrics.in_cells import sides_in_cells
from aims_gate.checks.metrics.needs import BRACKETED
from aims_gate.checks.metrics.table import (
    MetricRequest,
    Outcomes,
    finite,
    losses,
    named,
    pairs,
    score_column,
)
from aims_gate.engines import CountedRows
from aims_gate.errors import CheckError
from aims_gate.frames import Counts, Floats, RowLoss, Scalar
from aims_gate.sources.subject import Data
from aims_gate.stats.brackets.cells import midpoints
from aims_gate.stats.brackets.ranked import area, open_cells
from aims_gate.stats.formulas import LOSSES
from aims_gate.stats.tables import BetaConfusion, Confusion, Ranked


def confusion(asked: MetricRequest, data: Data) -> Outcomes:
    """Count label against prediction; with a beta where the metric has one."""
    found = labelled(data, ["label", "prediction"])
    positive = positive_class(data, found)
    counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for (label, prediction), count in pairs(found):
        counts[label == positive, prediction == positive] += count
    table = Confusion(
        tp=counts[True, True],
        fn=counts[True, False],
        fp=counts[False, True],
        tn=counts[False, False],
    )
    return Outcomes(table=with_beta(asked, table), found=found)


def with_beta(asked: MetricRequest, table: Confusion) -> Confusion:
    """Confusion table with the metric's beta, if it has one; CheckError if f_beta lacks it."""
    if asked.metric != "f_beta":
        return table
    if asked.beta is None:
        raise CheckError("f_beta needs beta")
    return BetaConfusion(tp=table.tp, fn=table.fn, fp=table.fp, tn=table.tn, beta=asked.beta)


def ranked(asked: MetricRequest, data: Data) -> Outcomes:
    """Count the scores of positives and of negatives."""
    found = labelled(data, ["label", "score"])
    classes = classes_of(data, found)
    # with one class there is no area, whichever it is: the table says so
    positive = positive_class(data, found) if len(classes) > 1 else data.spec.positive
    return ranked_outcomes(asked, data, found, positive)


def ranked_outcomes(
    asked: MetricRequest, data: Data, found: Labelled, positive: Scalar | None
) -> Outcomes:
    """Count the scores of one class's rows and of all others: each, or in cells with a bracket."""
    if asked.metric in BRACKETED:
        by = named(found.label), positive
        column = score_column(data, found, positive)
        sides = sides_in_cells(found.frame, column, by, asked.resolution, open_cells)
        if sides is not None:
            table = Ranked.merge(*midpoints(*sides))
            return Outcomes(table=table, found=found, bracket=area(*sides))
    return Outcomes(table=ranked_against(data, found, positive), found=found)


def ranked_against(data: Data, found: Labelled, positive: Scalar | None) -> Ranked:
    """Count the scores of one class's rows and of all others."""
    column = score_column(data, found, positive)
    sides: dict[bool, list[tuple[Floats, Counts]]] = {True: [], False: []}
    for label, scores in found.frame.distribution(column, by=named(found.label)).items():
        sides[label == positive].append(finite(data, column, scores))
    return Ranked.merge(_joined(sides[True]), _joined(sides[False]))


def _joined(parts: list[tuple[Floats, Counts]]) -> tuple[Floats, Counts]:
    """Merge several ordered distributions into one."""
    if len(parts) == 1:
        return parts[0]
    every = np.concatenate([np.zeros(0), *(values for values, _ in parts)])
    values, place = np.unique(every, return_inverse=True)
    counts = np.concatenate([np.zeros(0, dtype=np.int64), *(counts for _, counts in parts)])
    # exact: a frame's counts sum to less than 2^53
    return values, np.bincount(place, counts, len(values)).astype(np.int64)


def probability_loss(asked: MetricRequest, data: Data) -> Outcomes:
    """Brier or log loss of a binary task: moments over rows."""
    found = labelled(data, ["label", "score"])
    return loss_against(asked, data, found, positive_class(data, found))


def loss_against(asked: MetricRequest, data: Data, found: Labelled, positive: Scalar) -> Outcomes:
    """One-vs-rest Brier or log loss of a class: moments over rows."""
    label, column = named(found.label), score_column(data, found, positive)
    loss = LOSSES[asked.metric]
    of = RowLoss(loss=loss, label=label, estimate=column, positive=positive)

    def sample() -> CountedRows:
        sides = found.frame.distribution(column, by=label)
        truth = [np.full(len(s.values), float(v == positive)) for v, s in sides.items()]
        return CountedRows(
            truth=np.concatenate(truth),
            estimate=np.concatenate([side.values for side in sides.values()]),
            counts=np.concatenate([side.counts for side in sides.values()]),
        )

    return Outcomes(table=losses(found.frame.moments(of)), found=found, sample=sample)
