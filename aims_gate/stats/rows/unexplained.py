"""Jackknife of the unexplained variance (1 - R2) of a regression."""

from __future__ import annotations

import math

import numpy as np

from aims_gate.stats import means
from aims_gate.stats.rows.losses import moments_of, refuse_infinite
from aims_gate.stats.tables import Counts, Floats, Jackknife

_LEAST = 3


def unexplained_of(
    labels: Floats, estimates: Floats, weights: Counts | None, *, centred: bool
) -> Jackknife:
    """Jackknife of the log of unexplained variance: ln(SSE / total sum of squares).

    A row's pseudo-value is n times the logarithm over all n rows less n - 1 times that without the
    row (Miller 1968, "Jackknifing variances"). Labels are taken from their mean, errors from theirs
    with *centred*. A row that stands for several is left out once for each.

    Args:
        labels: Shape (rows,).
        estimates: Shape (rows,).
        weights: Shape (rows,), or None for 1 each.
        centred: Whether a constant error counts as none.

    Raises:
        DataError: A label or an estimate is not finite.
    """
    errors = labels - estimates
    refuse_infinite(errors)
    times = np.ones_like(errors) if weights is None else weights.astype(np.float64)
    rows = int(times.sum())
    if rows < _LEAST:
        return _nothing(rows)
    with np.errstate(all="ignore"):  # without variation there is no logarithm: NaN, seen below
        error, without_error = _without_one(errors, times, rows, centred=centred)
        label, without_label = _without_one(labels, times, rows, centred=True)
        found = np.log(error / label) - (rows - 1) * (without_error - without_label)
    if not np.isfinite(found).all():
        return _nothing(rows)
    moments = moments_of(found, weights)
    if not moments.variance > 0:
        return _nothing(rows)
    return Jackknife(
        rows=rows,
        centre=moments.mean,
        variance=moments.variance,
        skewness=moments.skewness,
        kurtosis=moments.kurtosis,
    )


def _without_one(
    values: Floats, times: Floats, rows: int, *, centred: bool
) -> tuple[np.float64, Floats]:
    """A sum of squares, and the log of its leave-one-out ratio for each row."""
    apart = means.centred(values, (times * values).sum() / rows) if centred else values
    squares = np.square(apart)
    total = (times * squares).sum()
    # without a row the others' mean moves away from it
    share = squares / total * (rows / (rows - 1) if centred else 1.0)
    return total, np.log1p(-share)


def _nothing(rows: int) -> Jackknife:
    return Jackknife(
        rows=rows, centre=math.nan, variance=math.nan, skewness=math.nan, kurtosis=math.nan
    )
