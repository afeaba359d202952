"""Per-row losses and the moments of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from aims_gate.errors import DataError
from aims_gate.frames import Counts, Floats, Loss, Moments, Scalar
from aims_gate.frames.columns import Coded, Codes
from aims_gate.stats.means import centred

_LEAST = 2.0**-52
"""Where the log loss is clipped, at both ends: scikit-learn's eps for float64."""
_ROUNDED = 0.01
"""How far the probabilities of a row may be from 1: they may have been rounded."""


def regression_loss(loss: Loss, label: Floats, estimate: Floats) -> Floats:
    """Give `|y - e|`, `y - e`, `(y - e)^2` or `|y - e| / |y|` per row, shape (rows,)."""
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
    """Give the Brier or log loss per row, shape (rows,).

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
    clipped: Floats = np.clip(given, _LEAST, 1 - _LEAST)
    return -np.log(clipped)


def places(labels: Coded, classes: Sequence[Scalar], *, where: str) -> Codes:
    """Give the place of each row's label among *classes*; DataError if one has none."""
    known = {value: place for place, value in enumerate(classes)}
    absent = [value for value in labels.values if value not in known]
    if absent or (labels.codes < 0).any():
        what = f"{len(absent):,} classes without a score" if absent else "null labels"
        raise DataError(f"there are {what}", where=where)
    return np.array([known[value] for value in labels.values], dtype=np.int64)[labels.codes]


def class_loss(loss: Loss, place: Codes, estimates: Floats) -> Floats:
    """Give half the sum of squares, or the log loss, of several classes per row, shape (rows,).

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
    far = np.abs(estimates.sum(axis=1) - 1) > _ROUNDED
    if far.any():
        raise DataError(
            f"the scores of {int(far.sum()):,} rows do not sum to 1 over the classes",
            hint="give the probabilities of every class",
        )
    given = estimates[np.arange(len(place)), place]
    if loss is Loss.LOG:
        clipped: Floats = np.clip(given, _LEAST, 1 - _LEAST)
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


def moments_of(losses: Floats, weights: Counts | None) -> Moments:
    """Give mean, sample variance and g1 of *losses*; 0 for both of the last where all are equal.

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
        apart = centred(losses, mean)
        second = float((times * apart**2).sum())
        third = float((times * apart**3).sum())
    if not all(map(math.isfinite, (mean, second, third))):
        raise DataError("the losses are too large for their moments to be computed")
    return Moments(
        rows=rows,
        mean=mean,
        variance=second / (rows - 1) if rows > 1 else math.nan,
        skewness=_skewness(second / rows, third / rows),
    )


def _skewness(second: float, third: float) -> float:
    spread = second**1.5
    return third / spread if spread > 0 else 0.0
