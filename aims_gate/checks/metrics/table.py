"""Request and result of a metric's table, and what the builders of tables share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from aims_gate.checks.column_roles import Labelled
from aims_gate.checks.contract import EXACT, Resolution
from aims_gate.checks.levels import class_levels
from aims_gate.engines import Answer, CountedRows, Engine, MetricValue
from aims_gate.errors import CheckError, DataError, near
from aims_gate.facts import Curve
from aims_gate.frames import Counts, Distribution, Floats, Key, Moments, Scalar
from aims_gate.frames.widths import stated_as
from aims_gate.sources.subject import Data
from aims_gate.stats.brackets.cells import Proven
from aims_gate.stats.curves import ranking
from aims_gate.stats.tables import Jackknife, Losses, Ranked, ScoreTable

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def _no_sample() -> CountedRows:
    raise CheckError("a table of counts is its own sample")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """A table, and the data that it was taken from."""

    table: ScoreTable
    found: Labelled
    sample: Callable[[], CountedRows] = _no_sample
    """Counts the rows behind a table of moments, for engines that moments are not enough for."""
    bracket: Proven | None = None
    """Of a table of midpoints, where rows were counted in cells: what all rows can give."""

    def curves(self, of: str = "") -> tuple[Curve, ...]:
        """ROC and precision-recall curve of a ranking; nothing of weighted rows or other tables."""
        frame = self.found.frame
        unweighted = frame.unweighted() is frame
        return ranking(self.table, of=of) if isinstance(self.table, Ranked) and unweighted else ()

    def value(self, metric: str, engine: Engine) -> Answer:
        """Metric of the table, computed by an engine; NaN where it is undefined."""
        question = MetricValue(metric=metric, table=self.table, sample=self.sample)
        (answer,) = engine.ask(question)
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRequest:
    """A metric with its parameters."""

    metric: str
    beta: float | None = None
    """Of f_beta, which needs it: how many times as much as precision recall counts."""
    k: int | None = None
    """Cut-off k of ranking metrics; None for all places."""
    resolution: Resolution = EXACT
    """How closely to look at scores."""
    max_uncovered: float = 0.05
    """Of ranking metrics: the share of queries that may say nothing, in [0, 1)."""


Builder = Callable[[MetricRequest, Data], Outcomes]


def pairs(found: Labelled) -> list[tuple[tuple[Scalar, Scalar], int]]:
    """Count the pairs of label and prediction."""
    keys = Key(column=named(found.label)), Key(column=named(found.prediction))
    cells = found.frame.count(*keys)
    counted: list[tuple[tuple[Scalar, Scalar], int]] = []
    for (label, prediction), count in zip(cells.values, cells.counts.tolist(), strict=True):
        if label is None or prediction is None:
            raise DataError("a label or prediction is null although nulls were left out")
        counted.append(((label, prediction), count))
    return counted


def score_column(data: Data, found: Labelled, positive: Scalar | None) -> str:
    """Name the column that holds the score of the positive class."""
    if isinstance(found.score, str):
        return found.score
    columns = found.score or {}
    keys = keys_of(columns, positive, found)
    if len(keys) != 1:
        named = class_levels(data)
        shown = "None" if positive is None else named.value(positive, repr)
        raise DataError(
            f"score names {len(keys) or 'no'} column{'s' * bool(keys)} for the class {shown}",
            where=f"{data.role} data",
            hint="name each class once" if keys else near(shown, map(named.value, columns)),
        )
    return columns[keys[0]]


def keys_of(columns: Iterable[str], label: Scalar | None, found: Labelled) -> list[str]:
    """Keys of `score: {class: column}` that stand for a class.

    They are text, whatever the labels are: text means itself, and of numbers and truth values 1,
    1.0 and true are one, as they are everywhere else.
    """
    if label is None or isinstance(label, str):
        return [key for key in columns if key == label]
    bits = found.frame.columns[named(found.label)].bits
    numbers = {key: _number(key) for key in columns}
    return [
        key
        for key, number in numbers.items()
        if number is not None and stated_as(number, bits) == label
    ]


def _number(key: str) -> float | None:
    truth = {"true": 1, "false": 0}.get(key.lower())
    if truth is not None or not _NUMBER.fullmatch(key):
        return truth
    return int(key) if key.lstrip("+-").isdigit() else float(key)


def finite(data: Data, column: str, scores: Distribution) -> tuple[Floats, Counts]:
    """Distinct scores and their counts; DataError if one is not finite."""
    good = np.isfinite(scores.values)
    if not good.all() or scores.nulls:
        bad = int(scores.counts[~good].sum()) + scores.nulls
        raise DataError(
            # the scores may be those of one class, and others may have more
            f"at least {bad:,} scores in {column} are not finite numbers",
            where=f"{data.role} data",
        )
    return scores.values, scores.counts


def losses(moments: Moments) -> Losses:
    """Convert the moments of a frame into those that formulas take."""
    return Losses(
        rows=moments.rows,
        mean=moments.mean,
        variance=moments.variance,
        skewness=moments.skewness,
    )


def jackknife(moments: Moments) -> Jackknife:
    """Take the moments of row differences: what a row adds to their mean is its own."""
    return Jackknife(
        rows=moments.rows,
        centre=moments.mean,
        variance=moments.variance,
        skewness=moments.skewness,
        kurtosis=moments.kurtosis,
    )


def counted(found: Labelled, columns: Sequence[str]) -> tuple[list[tuple[Scalar, ...]], Counts]:
    """Count the distinct rows of columns in which no null is left."""
    cells = found.frame.count(*(Key(column=column) for column in columns))
    rows = [tuple(value for value in row if value is not None) for row in cells.values]
    return rows, cells.counts


def named(column: str | None) -> str:
    """The column, which is not None; DataError if it is."""
    if column is None:
        raise DataError("a column is needed that was not requested")
    return column
