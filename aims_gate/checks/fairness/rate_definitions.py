"""Rates of a confusion table (TPR, PPV, selection rate ...), by events of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from aims_gate.checks.column_roles import Labelled, Need, positive_class
from aims_gate.checks.metrics import score_column
from aims_gate.errors import DataError
from aims_gate.frames import Frame, Key, Scalar
from aims_gate.sources.subject import Data

_ABOVE = "["
"""How the label of the upper of two bins begins; the lower one is `(-inf,x)`."""


class Event(StrEnum):
    """A yes or no about a row."""

    LABEL = "label"
    """Labelled positive."""
    PREDICTION = "prediction"
    """Predicted positive."""
    SCORE = "score"
    """Scored above the median of all rows."""
    RIGHT = "right"
    """Label and prediction are the same."""
    EITHER = "either"
    """Labelled or predicted positive."""


class RateOf(StrEnum):
    """A share of rows: of those that a condition holds for, those to which an event happened."""

    SELECTION = "selection_rate"
    """Predicted positive, of all rows."""
    SCORING = "scoring_rate"
    """Scored above the median of all rows, of all rows (New York City, 6 RCNY 5-300)."""
    LABEL = "label_rate"
    """Labelled positive, of all rows: the base rate."""
    TPR = "true_positive_rate"
    """Predicted positive, of the rows labelled positive."""
    FNR = "false_negative_rate"
    """Predicted negative, of the rows labelled positive."""
    FPR = "false_positive_rate"
    """Predicted positive, of the rows labelled negative."""
    TNR = "true_negative_rate"
    """Predicted negative, of the rows labelled negative."""
    PPV = "positive_predictive_value"
    """Labelled positive, of the rows predicted positive."""
    FDR = "false_discovery_rate"
    """Labelled negative, of the rows predicted positive."""
    NPV = "negative_predictive_value"
    """Labelled negative, of the rows predicted negative."""
    FOR = "false_omission_rate"
    """Labelled positive, of the rows predicted negative."""
    ACCURACY = "accuracy"
    """Label and prediction the same, of all rows."""
    ERROR = "error_rate"
    """Label and prediction not the same, of all rows."""
    JACCARD = "jaccard"
    """Labelled and predicted positive, of the rows that are either: F1 = 2J / (1 + J)."""

    @property
    def prefix(self) -> str:
        """Prefix of slice names, which distinguishes several rates of a rule."""
        return "" if self.given is None else f"{self.name} "

    @property
    def trials(self) -> str:
        """The word for the rows that the rate is a share of."""
        if self.given is None:
            return "rows"
        event, positive = self.given
        side = "positive" if positive else "negative"
        if event is Event.EITHER:
            return f"rows labelled or predicted {side}"
        return f"{side}s" if event is Event.LABEL else f"rows predicted {side}"

    @property
    def given(self) -> tuple[Event, bool] | None:
        """The condition: an event, and whether it is a yes; None for all rows."""
        return _MEANS[self][0]

    @property
    def event(self) -> tuple[Event, bool]:
        """What is counted: an event, and whether it is a yes."""
        return _MEANS[self][1]

    @property
    def nowhere(self) -> str:
        """Say that the event did not happen."""
        return _NOWHERE.get(self, f"the {self.replace('_', ' ')} is 0")

    def counts(self, happened: Mapping[Event, bool]) -> bool:
        """Tell whether a row is one of those that the rate is a share of."""
        return self.given is None or happened[self.given[0]] is self.given[1]


_MEANS: Mapping[RateOf, tuple[tuple[Event, bool] | None, tuple[Event, bool]]] = {
    RateOf.SELECTION: (None, (Event.PREDICTION, True)),
    RateOf.SCORING: (None, (Event.SCORE, True)),
    RateOf.LABEL: (None, (Event.LABEL, True)),
    RateOf.TPR: ((Event.LABEL, True), (Event.PREDICTION, True)),
    RateOf.FNR: ((Event.LABEL, True), (Event.PREDICTION, False)),
    RateOf.FPR: ((Event.LABEL, False), (Event.PREDICTION, True)),
    RateOf.TNR: ((Event.LABEL, False), (Event.PREDICTION, False)),
    RateOf.PPV: ((Event.PREDICTION, True), (Event.LABEL, True)),
    RateOf.FDR: ((Event.PREDICTION, True), (Event.LABEL, False)),
    RateOf.NPV: ((Event.PREDICTION, False), (Event.LABEL, False)),
    RateOf.FOR: ((Event.PREDICTION, False), (Event.LABEL, True)),
    RateOf.ACCURACY: (None, (Event.RIGHT, True)),
    RateOf.ERROR: (None, (Event.RIGHT, False)),
    RateOf.JACCARD: ((Event.EITHER, True), (Event.RIGHT, True)),
}
_NOWHERE = {
    RateOf.SELECTION: "nobody is selected",
    RateOf.SCORING: "nobody scores above the median",
    RateOf.LABEL: "nobody is labelled positive",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRequest:
    """The columns to count by that say what happened to a row, and what counts as a yes."""

    keys: Mapping[Event, Key]
    positive: Scalar | None

    def happened(self, values: Sequence[Scalar | None]) -> dict[Event, bool]:
        """Read the values of a cell, which are in the order of *keys*."""
        happened = {
            event: str(value).startswith(_ABOVE)
            if event is Event.SCORE
            else bool(value == self.positive)
            for event, value in zip(self.keys, values, strict=True)
        }
        if {Event.LABEL, Event.PREDICTION} <= happened.keys():
            label, prediction = happened[Event.LABEL], happened[Event.PREDICTION]
            happened |= {Event.RIGHT: label is prediction, Event.EITHER: label or prediction}
        return happened


def asked_of(rates: Sequence[RateOf]) -> tuple[Need, ...]:
    """Name the columns that *rates* are made of, by their roles."""
    named = {side[0] for rate in rates for side in (rate.given, rate.event) if side is not None}
    if named & {Event.RIGHT, Event.EITHER}:
        named |= {Event.LABEL, Event.PREDICTION}
    needs: tuple[Need, ...] = ("label", "prediction", "score")
    return tuple(need for need in needs if Event(need) in named)


def ask(data: Data, found: Labelled) -> RateRequest:
    """Say what to count by in columns that are there and free of nulls.

    Raises:
        DataError: It is not clear which class is positive, or scores are not finite numbers.
    """
    keys = {
        event: Key(column=column)
        for event, column in (
            (Event.LABEL, found.label),
            (Event.PREDICTION, found.prediction),
        )
        if column is not None
    }
    positive = positive_class(data, found) if keys else data.spec.positive
    if found.score is not None:
        column = score_column(data, found, positive)
        median = median_of(found.frame, column)
        keys[Event.SCORE] = Key(column=column, edges=(float(np.nextafter(median, np.inf)),))
    return RateRequest(keys=keys, positive=positive)


def median_of(frame: Frame, column: str) -> float:
    """Median of a numeric column: the mean of the two middle values if rows are even.

    Raises:
        DataError: A value is not finite, or the column holds no numbers.
    """
    found = frame.distribution(column)
    if found.nulls or not np.all(np.isfinite(found.values)):
        raise DataError(f"some scores in {column} are not finite numbers")
    ends = np.cumsum(found.counts)
    middle = np.array([(found.rows - 1) // 2, found.rows // 2])
    low, high = found.values[np.searchsorted(ends, middle, side="right")]
    return float(low + (high - low) / 2)
