"""Row expressions and gathered rows, for frames of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from aims_gate.errors import DataError
from aims_gate.frames import ClassLoss, Coded, Floats, Gathered, Key, Loss, Moments, RowLoss, Scalar
from aims_gate.frames.arrow_columns import ArrowColumns
from aims_gate.stats.rows import Codes
from aims_gate.stats.rows.losses import (
    class_loss,
    differences,
    moments_of,
    probability_loss,
    refuse_infinite,
    regression_loss,
)

_PROBABILITY = (Loss.BRIER, Loss.LOG)


class Answers(ArrowColumns):
    """The part of `Frame` that needs numbers and codes of columns only."""

    __slots__ = ()

    def gather(self, *, numbers: Sequence[str] = (), codes: Sequence[Key] = ()) -> Gathered:
        """Gather columns as they are: every row, with its weight."""
        return Gathered(
            numbers=tuple(map(self._numbers, numbers)),
            codes=tuple(map(self._coded, codes)),
            weights=self.weights,
        )

    def moments(self, of: RowLoss | ClassLoss) -> Moments:
        """Moments of a per-row loss, or of the paired difference of two.

        Raises:
            MissingColumnError: A column is not there.
            DataError: A row's loss is not finite, a probability is outside [0, 1], there are no
                rows, or the positive class is missing.
        """
        return moments_of(self._losses(of), self.weights)

    def _values(self, of: str | RowLoss) -> Floats:
        if isinstance(of, str):
            return self._numbers(of)
        losses = self._losses(of)
        refuse_infinite(losses)
        return losses

    def _losses(self, of: RowLoss | ClassLoss) -> Floats:
        if isinstance(of, ClassLoss):
            losses = self._class_losses(of, of.estimates)
            return (
                losses
                if of.against is None
                else differences(losses, self._class_losses(of, of.against))
            )
        losses = self._row_losses(of, of.estimate)
        return (
            losses if of.against is None else differences(losses, self._row_losses(of, of.against))
        )

    def _class_losses(self, of: ClassLoss, estimates: Mapping[Scalar, str]) -> Floats:
        place = _places(self._coded(Key(column=of.label)), tuple(estimates), where=self.name)
        columns = np.column_stack([self._numbers(column) for column in estimates.values()])
        return class_loss(of.loss, place, columns)

    def _row_losses(self, of: RowLoss, estimate: str) -> Floats:
        scores = self._numbers(estimate)
        if of.loss not in _PROBABILITY:
            return regression_loss(of.loss, self._numbers(of.label), scores)
        if of.positive is None:
            raise DataError(f"{of.loss} loss needs the positive class", where=self.name)
        truth = self._coded(Key(column=of.label)).equals(of.positive)
        return probability_loss(of.loss, truth, scores)


def _places(labels: Coded, classes: Sequence[Scalar], *, where: str) -> Codes:
    """Index of each row's label among *classes*; DataError if a label is not among them."""
    known = {value: place for place, value in enumerate(classes)}
    absent = [value for value in labels.values if value not in known]
    if absent or (labels.codes < 0).any():
        what = f"{len(absent):,} classes without a score" if absent else "null labels"
        raise DataError(f"there are {what}", where=where)
    return np.array([known[value] for value in labels.values], dtype=np.int64)[labels.codes]
