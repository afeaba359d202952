"""Row-wise queries that compare a model's answers with labels, for frames of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from aims_gate.errors import DataError, MissingColumnError
from aims_gate.frames import (
    ColumnKind,
    Counts,
    Distribution,
    Floats,
    Key,
    Loss,
    Moments,
    Ranking,
    Rankings,
    Scalar,
    discriminant,
)
from aims_gate.frames.arrow_columns import ArrowColumns
from aims_gate.frames.losses import (
    class_loss,
    differences,
    moments_of,
    places,
    probability_loss,
    refuse_infinite,
    regression_loss,
    root_values,
)
from aims_gate.frames.ordered import by_sorting, by_sorting_weighted
from aims_gate.frames.placements import placement_moments
from aims_gate.frames.queries import rankings
from aims_gate.frames.unexplained import unexplained_of
from aims_gate.stats.tables import Jackknife

_PROBABILITY = (Loss.BRIER, Loss.LOG)


class Answers(ArrowColumns):
    """The part of `Frame` that needs numbers and codes of columns only."""

    __slots__ = ()

    def discriminant_scores(
        self, target: Key, columns: Sequence[str]
    ) -> Mapping[Scalar, tuple[Distribution, Distribution]]:
        """Discriminant scores of each group's rows and of all others, by a rule over *columns*."""
        if not columns:
            raise DataError("there is no column to tell groups by", where=self.name)
        groups = self._coded(target)
        of_all = discriminant.dense(groups.codes)
        names = [groups.values[code] for code in np.unique(groups.codes) if code >= 0]
        if not names:
            return {}
        weights = np.ones(len(of_all), dtype=np.int64) if self.weights is None else self.weights
        for column in columns:
            if column not in self.kinds:
                raise MissingColumnError.from_columns(column, self.kinds, where=self.name)
        text = sum(self.kinds[column] is not ColumnKind.NUMBER for column in columns)
        # by name, so that columns which only names tell apart have an order, too
        inputs = [self._input(column, weights, text) for column in sorted(columns)]
        found = discriminant.scores(inputs, of_all, len(names), weights)
        of = of_all[found.rows]
        return {
            value: (
                by_sorting_weighted(found.scores[of == place, place], found.copies[of == place]),
                by_sorting_weighted(found.scores[of != place, place], found.copies[of != place]),
            )
            for place, value in enumerate(names)
        }

    def _input(self, column: str, weights: Counts, text: int) -> discriminant.Input:
        """A column as an input of the discriminant; *text* counts the non-numeric columns."""
        if self.kinds[column] is ColumnKind.NUMBER:
            return discriminant.number(self._numbers(column), weights)
        return discriminant.values(self._coded(Key(column=column)), text)

    def moments(
        self,
        loss: Loss,
        *,
        label: str,
        estimate: str,
        positive: Scalar | None = None,
        against: str | None = None,
    ) -> Moments:
        """Moments of a per-row loss, or with *against* of the paired difference of two.

        *positive* is needed for the losses of probabilities; it is compared with labels by value,
        so 1, 1.0 and True are one, and text is never a number.

        Raises:
            DataError: A row's loss is not finite, a probability is outside [0, 1], there are no
                rows, or *positive* is missing.
        """
        losses = self._losses(loss, label, estimate, positive)
        if against is not None:
            losses = differences(losses, self._losses(loss, label, against, positive))
        return moments_of(losses, self.weights)

    def root_moments(self, *, label: str, estimate: str, against: str) -> Moments:
        """Moments of jackknife pseudo-values of a difference of two RMSE."""
        first, second = (
            root_values(self._losses(Loss.SQUARED, label, given, None), self.weights)
            for given in (estimate, against)
        )
        return moments_of(differences(first, second), self.weights)

    def placements(
        self, *, label: str, positive: Scalar, first: str, second: str
    ) -> tuple[Moments, Moments]:
        """Moments of the difference of DeLong placements, of positives and of negatives."""
        return placement_moments(
            self._equals(label, positive),
            self._numbers(first),
            self._numbers(second),
            self.weights,
            where=self.name,
        )

    def unexplained(self, *, label: str, estimate: str, centred: bool) -> Jackknife:
        """Jackknife of the log of the variance that *estimate* leaves unexplained."""
        return unexplained_of(
            self._numbers(label), self._numbers(estimate), self.weights, centred=centred
        )

    def class_moments(
        self,
        loss: Loss,
        *,
        label: str,
        estimates: Mapping[Scalar, str],
        against: Mapping[Scalar, str] | None = None,
    ) -> Moments:
        """Moments of the multi-class Brier or log loss; see `Frame.class_moments`."""
        found = self._class_losses(loss, label, estimates)
        if against is not None:
            found = differences(found, self._class_losses(loss, label, against))
        return moments_of(found, self.weights)

    def _class_losses(self, loss: Loss, label: str, estimates: Mapping[Scalar, str]) -> Floats:
        place = places(self._coded(Key(column=label)), tuple(estimates), where=self.name)
        columns = np.column_stack([self._numbers(column) for column in estimates.values()])
        return class_loss(loss, place, columns)

    def losses(self, loss: Loss, *, label: str, estimate: str) -> Distribution:
        """Empirical distribution of a regression loss; DataError as `moments`."""
        values = regression_loss(loss, self._numbers(label), self._numbers(estimate))
        refuse_infinite(values)
        if self.weights is not None:
            return by_sorting_weighted(values, self.weights)
        return by_sorting(values)

    def rankings(
        self,
        ranking: Ranking,
        *,
        query: str,
        label: str,
        score: str,
        k: int | None = None,
        against: str | None = None,
    ) -> Rankings:
        """Ranking metric of each query; see `Frame.rankings`."""
        return rankings(
            ranking,
            query=self._coded(Key(column=query)).codes,
            label=self._numbers(label),
            score=self._numbers(score),
            weights=self.weights,
            k=k,
            against=None if against is None else self._numbers(against),
        )

    def _losses(self, loss: Loss, label: str, estimate: str, positive: Scalar | None) -> Floats:
        scores = self._numbers(estimate)
        if loss not in _PROBABILITY:
            return regression_loss(loss, self._numbers(label), scores)
        if positive is None:
            raise DataError(f"{loss} loss needs the positive class", where=self.name)
        return probability_loss(loss, self._equals(label, positive), scores)
