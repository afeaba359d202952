"""Row expressions: numbers that follow from a row's own columns, declared so that any engine can.

A frame sums them (`Frame.moments`) or orders them (`Frame.distribution`); no row leaves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aims_gate.frames.values import Scalar
from aims_gate.stats.tables import Loss


@dataclass(frozen=True, slots=True, kw_only=True)
class RowLoss:
    """A per-row loss of one column of estimates, or with *against* the paired difference of two.

    A difference of less than 1e-12 of the largest loss is rounding, and exactly 0.
    """

    loss: Loss
    label: str
    estimate: str
    positive: Scalar | None = None
    """The positive class, which losses of probabilities need; compared with labels by value, so 1,
    1.0 and True are one, and text is never a number."""
    against: str | None = None
    """Another column of estimates, whose loss is taken off that of each row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassLoss:
    """The multi-class Brier or log loss per row, each class with its column of probabilities.

    Brier is half the sum over classes, in [0, 1]. Differences are those of `RowLoss`.
    """

    loss: Loss
    label: str
    estimates: Mapping[Scalar, str]
    against: Mapping[Scalar, str] | None = None
    """Other columns of estimates, whose loss is taken off that of each row."""
