"""Tables of a regression: moments and order of the errors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aims_gate.checks.column_roles import Labelled, labelled
from aims_gate.checks.metrics.in_cells import errors_in_cells
from aims_gate.checks.metrics.table import MetricRequest, Outcomes, counted, losses, named
from aims_gate.checks.row_statistics import unexplained
from aims_gate.engines import CountedRows
from aims_gate.frames import Loss, Moments, RowLoss
from aims_gate.sources.subject import Data
from aims_gate.stats.brackets.cells import midpoints
from aims_gate.stats.brackets.quantiles import MedianBracket
from aims_gate.stats.formulas import LOSSES
from aims_gate.stats.tables import Fit, Jackknife, OrderedErrors, Residuals


def error(asked: MetricRequest, data: Data) -> Outcomes:
    """Mean loss (MAE, MSE ...): moments over rows of the loss."""
    found = _found(data)
    return Outcomes(
        table=losses(_moments(found, LOSSES[asked.metric])), found=found, sample=_sample(found)
    )


def ordered(asked: MetricRequest, data: Data) -> Outcomes:
    """Absolute errors in ascending order, for their median: each, or in cells with a bracket."""
    found = _found(data)
    loss, sample = _loss(found, Loss.ABSOLUTE), _sample(found)
    cells = errors_in_cells(found.frame, loss, asked.resolution)
    if cells is None:
        spread = found.frame.distribution(loss)
        table = OrderedErrors(values=spread.values, counts=spread.counts)
        return Outcomes(table=table, found=found, sample=sample)
    ((values, counts),) = midpoints(cells)
    table = OrderedErrors(values=values, counts=counts)
    return Outcomes(table=table, found=found, sample=sample, bracket=MedianBracket.of(cells))


def fit(_asked: MetricRequest, data: Data) -> Outcomes:
    """R2: moments of squared errors, and the variance of the labels."""
    found = _found(data)
    squared = losses(_moments(found, Loss.SQUARED))
    left = _unexplained(found, centred=False)
    table = Fit(squared=squared, variance=_variance(found), unexplained=left)
    return Outcomes(table=table, found=found, sample=_sample(found))


def residuals(_asked: MetricRequest, data: Data) -> Outcomes:
    """Explained variance: moments of signed errors, and the variance of the labels."""
    found = _found(data)
    errors = losses(_moments(found, Loss.SIGNED))
    left = _unexplained(found, centred=True)
    table = Residuals(errors=errors, variance=_variance(found), unexplained=left)
    return Outcomes(table=table, found=found, sample=_sample(found))


def _found(data: Data) -> Labelled:
    return labelled(data, ["label", "prediction"])


def _moments(found: Labelled, loss: Loss) -> Moments:
    return found.frame.moments(_loss(found, loss))


def _loss(found: Labelled, loss: Loss) -> RowLoss:
    return RowLoss(loss=loss, label=named(found.label), estimate=named(found.prediction))


def _unexplained(found: Labelled, *, centred: bool) -> Jackknife:
    columns = {"label": named(found.label), "estimate": named(found.prediction)}
    return unexplained(found.frame, **columns, centred=centred)


def _variance(found: Labelled) -> float:
    """Population variance of the labels (divisor n); exactly 0 for labels of one value."""
    labels = found.frame.distribution(named(found.label))
    if len(labels.values) == 1:  # whose mean may be rounded away from it
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):  # an infinite variance is refused
        mean = float(labels.values @ labels.counts) / labels.rows
        return float(np.square(labels.values - mean) @ labels.counts) / labels.rows


def _sample(found: Labelled) -> Callable[[], CountedRows]:
    def sample() -> CountedRows:
        rows, counts = counted(found, [named(found.label), named(found.prediction)])
        pairs = np.array(rows, dtype=np.float64).reshape(-1, 2)
        return CountedRows(truth=pairs[:, 0], estimate=pairs[:, 1], counts=counts)

    return sample
