"""Per-row losses and the moments of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from aims_gate.errors import DataError
from aims_gate.stats.means import centred, shape
from aims_gate.stats.rows import Codes
from aims_gate.stats.tables import Counts, Floats, Loss

LEAST = 2.0**-52
"""Where the log loss is clipped, at both ends: scikit-learn's eps for float64."""
ALIKE = 1e-12
"""Differences as small as this, as shares of the largest loss, are none: they may be rounded."""
ROUNDED = 0.01
"""How far the probabilities of a row may be from 1: they may have been rounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """The sums a mean and its interval follow from, over *rows* rows."""

    rows: int
    mean: float
    variance: float
    """Sample variance, divisor rows - 1; NaN for one row."""
    skewness: float
    """Third standardised sample moment, g1; 0 where the variance is 0."""
    kurtosis: float
    """Fourth standardised sample moment, at least 1; 0 where the variance is 0."""


def regression_loss(loss: Loss, label: Floats, estimate: Floats) -> Floats:
    """Regression loss per row: `|y - e|`, `y - e`, `(y - e)^2` or `|y - e| / |y|`."""
    with np.errstate(all="ignore"):  # what is not finite is refused by `moments_of`
        if loss is Loss.SIGNED:
            return label - estimate
        error = np.abs(label - estimate)
        if loss is Loss.SQUARED:
            return error * error
        if loss is Loss.ABSOLUTE_PERCENT:
            return error / np.abs(label)
        return error


def probability_loss(loss: Loss, positive: Floats, estimate: Floats) -> Floats:
    """Brier or log loss per row, shape (rows,).

    Args:
        loss: BRIER or LOG.
        positive: 1 where the label is the positive class, 0 where it is not, NaN where it is null.
        estimate: Probability of the positive class, in [0, 1].

    Raises:
        DataError: An estimate is below 0 or above 1.
    """
    if np.any((estimate < 0) | (estimate > 1)):
        raise DataError(
            f"a score lies outside [0, 1], so {loss} loss is undefined",
            hint="give probabilities, not margins or percentages",
        )
    if loss is Loss.BRIER:
        return np.square(positive - estimate)
    given = np.where(positive == 1, estimate, 1 - estimate)
    given[np.isnan(positive)] = np.nan
    clipped: Floats = np.clip(given, LEAST, 1 - LEAST)
    return -np.log(clipped)


def class_loss(loss: Loss, place: Codes, estimates: Floats) -> Floats:
    """Multi-class Brier loss (half the sum of squares) or log loss per row, shape (rows,).

    Args:
        loss: BRIER or LOG.
        place: Shape (rows,): the column of the row's label.
        estimates: Shape (rows, classes): the probability of each class.

    Raises:
        DataError: A probability is null or outside [0, 1], or a row's sum is not nearly 1.
    """
    if not np.all((estimates >= 0) & (estimates <= 1)):
        raise DataError(
            f"a score is null or lies outside [0, 1], so {loss} loss is undefined",
            hint="give probabilities, not margins or percentages",
        )
    far = np.abs(estimates.sum(axis=1) - 1) > ROUNDED
    if far.any():
        raise DataError(
            f"the scores of {int(far.sum()):,} rows do not sum to 1 over the classes",
            hint="give the probabilities of every class",
        )
    given = estimates[np.arange(len(place)), place]
    if loss is Loss.LOG:
        clipped: Floats = np.clip(given, LEAST, 1 - LEAST)
        return -np.log(clipped)
    squares: Floats = np.square(estimates).sum(axis=1) - np.square(given) + np.square(1 - given)
    return squares / 2


def refuse_infinite(losses: Floats) -> None:
    """Refuse rows without a finite loss, by DataError."""
    bad = np.flatnonzero(~np.isfinite(losses))
    if bad.size:
        raise DataError(
            f"the loss of {bad.size:,} of {losses.size:,} rows is not finite, first of row "
            f"{bad[0] + 1:,}",
            hint="look for nulls, infinities and labels of 0",
        )


def differences(first: Floats, second: Floats) -> Floats:
    """Paired differences of two models' losses, first - second, shape (rows,).

    Exactly 0 where rounding may be all that tells them apart: else a model would be proven to be as
    good as itself by predictions whose last digits another machine has rounded.

    Raises:
        DataError: A loss is not finite.
    """
    for losses in (first, second):
        refuse_infinite(losses)  # of which everything is a small share
    most = max(float(np.abs(losses).max(initial=0.0)) for losses in (first, second))
    with np.errstate(over="ignore"):  # refused with their moments
        apart: Floats = first - second
    apart[np.abs(apart) <= ALIKE * most] = 0.0
    return apart


def moments_of(losses: Floats, weights: Counts | None) -> Moments:
    """Mean, sample variance, skewness g1 and kurtosis of *losses*; the last three 0 if all equal.

    Repeating a row gives what counting it with a weight gives, up to rounding. DataError if there
    are no rows, or a loss is not finite.
    """
    refuse_infinite(losses)
    if not losses.size:
        raise DataError("there are no rows to take a mean of")
    times = np.ones_like(losses) if weights is None else weights.astype(np.float64)
    rows = int(times.sum())
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float((times * losses).sum()) / rows
        second, skewness, kurtosis = shape(centred(losses, mean), times)
    if not (math.isfinite(mean) and math.isfinite(second)):
        raise DataError("the losses are too large for their moments to be computed")
    return Moments(
        rows=rows,
        mean=mean,
        variance=second / (rows - 1) if rows > 1 else math.nan,
        skewness=skewness,
        kurtosis=kurtosis,
    )


def root_values(losses: Floats, weights: Counts | None) -> Floats:
    """Jackknife pseudo-values of the root of the mean loss, such as RMSE (Tukey 1958).

    n sqrt(A) - (n - 1) sqrt(A_i), with A the mean of all n losses and A_i that without the row: as
    sqrt(A) + (loss - A) / (sqrt(A) + sqrt(A_i)), which keeps its digits where n is large.

    Args:
        losses: Shape (rows,), none below 0.
        weights: Shape (rows,), or None for 1 each; a row that stands for several is left out once
            for each.

    Returns:
        Shape (rows,); 0 each where every loss is 0, and the root itself of one row.

    Raises:
        DataError: A loss is not finite.
    """
    refuse_infinite(losses)
    times = np.ones_like(losses) if weights is None else weights.astype(np.float64)
    rows = int(times.sum())
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused with moments
        total = (times * losses).sum()
        mean = total / rows
        without = np.maximum(total - losses, 0.0) / max(rows - 1, 1)
        roots = np.sqrt(mean) + np.sqrt(without)
        moved = np.divide(losses - mean, roots, out=np.zeros_like(losses), where=roots != 0)
        found: Floats = np.sqrt(mean) + moved
    return found
