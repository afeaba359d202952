"""Differences of metrics that are computed from counts, between two models on the same rows.

Each row has a class, an answer of the first model and one of the second: the counts of these three
hold all that F-beta, balanced accuracy, precision or MCC of both and their covariance follow from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import stdtrit

from aims_gate.errors import CheckError
from aims_gate.stats import gradients
from aims_gate.stats.gradients import Gradient
from aims_gate.stats.intervals import Bounds
from aims_gate.stats.tables import Counts, Floats

LEAST_ROWS = 30
"""Below so many rows no bound is given: none was measured there."""
_HALF = 0.5
_MOST_DEGREES = 1e9
"""From here on Student's law is the normal one to the last digit."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answered:
    """Rows by their class and by what two models say of them.

    Raises:
        CheckError: The arrays are not of these shapes, a place is no class, or a count is negative.
    """

    classes: int
    """At least 2."""
    cells: Counts
    """Shape (cells, 3): the places, from 0, of the label, the first and the second answer."""
    counts: Counts
    """Shape (cells,)."""

    def __post_init__(self) -> None:
        sound = self.classes >= 2 and self.cells.shape == (len(self.counts), 3)
        if not sound or np.any(self.counts < 0):
            raise CheckError(f"{self.cells.shape} is no table of {self.classes} classes")
        if np.any((self.cells < 0) | (self.cells >= self.classes)):
            raise CheckError(f"a cell is of none of {self.classes} classes")

    @property
    def rows(self) -> int:
        """All rows."""
        return int(self.counts.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How much a difference varies."""

    error: float
    """Its standard error, above 0."""
    degrees: float
    """Degrees of freedom of the error, at least 1."""

    def bounds(self, value: float, alpha: float, *, most: float) -> Bounds:
        """Student t interval of a difference of *value*, kept within [-most, most]."""
        step = float(stdtrit(self.degrees, 1 - alpha)) * self.error
        return max(value - step, -most), min(value + step, most)


def gradient_of(metric: str, *, beta: float = 1.0) -> Gradient:
    """Gradient of a metric by its name; the second of two classes is the positive one.

    Args:
        metric: A name of `GRADIENTS`, or f_beta; CheckError for others.
        beta: Of f_beta, above 0.
    """
    if metric == "f_beta":
        return partial(_positive_f, square=beta * beta)
    if metric not in GRADIENTS:
        raise CheckError(f"no gradient of {metric!r} is known")
    return GRADIENTS[metric]


def spread(answered: Answered, gradient: Gradient) -> Spread:
    """Delta-method standard error of the paired difference of a metric, first minus second.

    The difference moves by g(label, first) - h(label, second) for each row, with g and h the
    metric's gradients for either model; its variance is theirs over the rows, divided by the rows.
    Of each class half a row that only the first gets right, and half a row that only the second
    does, are added for it (spread over all wrong answers), so that two models that never differ
    are not proven equal. As a variance that a few rows carry is itself uncertain, its degrees of
    freedom are 2 n / (kurtosis - 1) after Satterthwaite: about twice the rows that differ.
    """
    classes, label, first, second = answered.classes, *answered.cells.T
    added = _HALF / (classes - 1) * (1 - np.eye(classes))
    halves = added + _HALF * np.eye(classes)
    rows = answered.rows + classes
    sides = [_counted(label, answer, answered.counts, halves) for answer in (first, second)]
    one, other = (gradient(side / rows) for side in sides)
    moves = np.concatenate(
        [
            one[label, first] - other[label, second],
            (one.diagonal()[:, np.newaxis] - other).ravel(),
            (one - other.diagonal()[:, np.newaxis]).ravel(),
        ]
    )
    shares = np.concatenate([answered.counts, added.ravel(), added.ravel()]) / rows
    moves -= float(shares @ moves)
    variance, fourth = float(shares @ moves**2), float(shares @ moves**4)
    flat = max(fourth / variance**2 - 1, 2 * rows / _MOST_DEGREES)
    return Spread(error=math.sqrt(variance / answered.rows), degrees=max(2 * rows / flat, 1.0))


def too_few(answered: Answered) -> str:
    """Say why no bounds are given; empty if they are."""
    if answered.rows >= LEAST_ROWS:
        return ""
    return f"{answered.rows:,} rows, and an interval needs {LEAST_ROWS}"


def _counted(label: Counts, answer: Counts, counts: Counts, halves: Floats) -> Floats:
    table = halves.copy()
    np.add.at(table, (label, answer), counts)
    return table


def _positive_f(shares: Floats, *, square: float = 1.0) -> Floats:
    return gradients.f_beta(shares, gradients.positive(shares), square)


def _positive_precision(shares: Floats) -> Floats:
    return gradients.precision(shares, gradients.positive(shares))


def _mean_f1(shares: Floats) -> Floats:
    return gradients.f_beta(shares, gradients.equal(shares))


def _mean_precision(shares: Floats) -> Floats:
    return gradients.precision(shares, gradients.equal(shares))


GRADIENTS: dict[str, Gradient] = {
    "balanced_accuracy": gradients.mean_recall,
    "f1": _positive_f,
    "macro_f1": _mean_f1,
    "macro_precision": _mean_precision,
    "macro_recall": gradients.mean_recall,
    "mcc": gradients.mcc,
    "precision": _positive_precision,
    "weighted_f1": gradients.weighted_f1,
    "weighted_precision": gradients.weighted_precision,
}
"""Metrics of counts by name; f_beta needs a parameter as well."""
