"""Calibration: how far predicted probabilities are from the observed rates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np

from aims_gate.bracket import Bracket
from aims_gate.checks import attributes
from aims_gate.checks.closer import in_bracket
from aims_gate.checks.column_roles import Labelled, labelled, positive_class
from aims_gate.checks.contract import BRACKETS, EXACT, About, Inputs, StatisticSpec
from aims_gate.checks.coverage import Size
from aims_gate.checks.levels import title
from aims_gate.checks.metrics.binary import ranked_against
from aims_gate.checks.metrics.in_cells import sides_in_cells
from aims_gate.checks.metrics.table import named, score_column
from aims_gate.checks.performance import slicing
from aims_gate.engines import CalibrationError
from aims_gate.facts import Interval, NoValue, Statistic
from aims_gate.frames import Histogram, Scalar
from aims_gate.policy.model import DecideOn, Role
from aims_gate.sources.subject import Data
from aims_gate.stats import calibration
from aims_gate.stats.brackets import reliability
from aims_gate.stats.brackets.cells import midpoints
from aims_gate.stats.curves import reliability_diagram
from aims_gate.stats.paired import quantile
from aims_gate.stats.tables import Ranked

_ERROR = "calibration_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Expected calibration error of the positive class's scores."""

    about: ClassVar[About] = About(
        name="performance.calibration",
        summary="Expected calibration error: how far scores are from the rates they stand for.",
        definition=(
            "calibration_error: the sum over bins of equal mass of the bin's share of the rows "
            "times |rate of positives - mean score|, in [0, 1]: 0 is calibrated, and the "
            "conventional limit is 0.05. Bins are those of scikit-learn's calibration_curve with "
            "strategy quantile; equal scores stay together.\n\n"
            "The sum itself, told as plain_error, is too high: noise alone makes it 0.10 at 200 "
            "rows, and any model would be refused. Judged is the error d at which such a sum is "
            "as high on average, if every bin were off by d: its mean over the noise of each "
            "rate, a folded normal mean, is inverted (after Kumar, Liang and Ma 2019).\n\n"
            "Interval: two one-sided bounds that hold however the error is spread over the bins; "
            "with by, alpha is divided by the cells. By default it is decided on proof: a model "
            "fails if the error is past the limit and its lower bound past the line, and rows "
            "that could not show a serious error, 0.10, are INSUFFICIENT with the rows needed."
        ),
        roles=(Role.EVALUATION,),
        asks="scikit-learn",
        controls=("iso42001:A.6.2.4",),
        undecided=(
            "a column is missing, or labels or scores are null",
            "a score lies outside [0, 1]",
            "which class is positive is not stated, and the labels do not tell",
            f"there are fewer than {calibration.ROWS_PER_BIN} rows a bin",
            "with by: too many rows are in slices below min_cell",
        ),
    )

    bins: int = 15
    """Bins of equal mass; more see finer errors and need more rows."""
    by: tuple[str | tuple[str, ...], ...] = ()
    """Columns, or lists of columns, whose every slice has a cell of its own beside the whole;
    numbers are cut at the edges that the data's `sensitive` states."""
    min_cell: int = 30
    """Rows below which a slice is named and not judged."""
    max_uncovered: float = 0.05
    """Share of rows in slices below min_cell past which the rule is INSUFFICIENT, in [0, 0.5]."""

    def judged(self) -> StatisticSpec:
        """Describe the error."""
        return StatisticSpec(
            name=_ERROR,
            low=0.0,
            high=1.0,
            higher_is_better=False,
            neutral=0.0,
            limit=0.05,
            decide_on=DecideOn.PROVEN_BREACH,
            needs=("distribution", BRACKETS),
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        yield from slicing.problems(attributes.listed(self.by), {})

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Measure the whole and each slice.

        Raises:
            MissingColumnError: A column is not there.
            DataError: Labels or scores cannot be used, or a column of `by` cuts data into rows.
        """
        data = inputs.data(inputs.on or Role.EVALUATION)
        found = labelled(data, ["label", "score"])
        positive = positive_class(data, found)
        yield from found.context()
        cells = [("", self._scores(data, found, positive, inputs))]
        for columns in attributes.listed(self.by):
            parts = self._parts(columns, data, found, positive, inputs)
            yield from slicing.small(
                [Size(name=name, rows=scores.table.rows) for name, scores in parts],
                where=title(columns),
                statistic=_ERROR,
                least=self.min_cell,
                allowed=self.max_uncovered,
                total=found.total,
            )
            cells += [part for part in parts if part[1].table.rows >= self.min_cell]
        for name, scores in cells:
            shared = replace(inputs, alpha=inputs.alpha / len(cells))
            for cell in self._cell(name, scores, found.total, shared):
                # of weighted rows a count is no number of people
                yield cell if found.frame.unweighted() is found.frame else replace(cell, curves=())

    def _parts(
        self,
        columns: tuple[str, ...],
        data: Data,
        found: Labelled,
        positive: Scalar,
        inputs: Inputs,
    ) -> list[tuple[str, _Scores]]:
        kept = [named(found.label), score_column(data, found, positive)]
        parts = attributes.parts(columns, data, found.frame, kept, called="slices")
        return [
            (name, self._scores(data, replace(found, frame=frame), positive, inputs))
            for name, frame in parts.items()
        ]

    def _scores(self, data: Data, found: Labelled, positive: Scalar, inputs: Inputs) -> _Scores:
        """Scores of both classes: each, or in cells so fine where bins end that it is known how."""
        column, by = score_column(data, found, positive), (named(found.label), positive)
        closely = inputs.resolution.closest()
        # bins are counted exactly at once; what then is open only every score can tell
        closely = EXACT if closely.rounds else closely.to_the_end()
        weigh = partial(reliability.open_cells, bins=self.bins)
        sides = sides_in_cells(found.frame, column, by, closely, weigh)
        if sides is not None and all(map(_probabilities, sides)):
            proven = reliability.bracket(*sides, self.bins)
            if proven is not None:
                return _Scores(table=Ranked.merge(*midpoints(*sides)), proven=proven)
        return _Scores(table=ranked_against(data, found, positive))

    def _cell(self, name: str, scores: _Scores, total: int, inputs: Inputs) -> Iterator[Statistic]:
        table, proven = scores.table, scores.proven
        found = calibration.reliability(table, self.bins)
        few = calibration.too_few(found)
        whole = Statistic(name=_ERROR, slice=name, rows=table.rows, total=total, judged=True)
        (answer,) = inputs.engine.ask(CalibrationError(table=table, bins=self.bins))
        whole = replace(whole, engine=answer.by)
        if answer.problem:
            yield replace(whole, lack=NoValue.UNDEFINED, reason=answer.problem)
            return
        told = "what noise adds included"
        plain = replace(whole, name="plain_error", judged=False, value=answer.plain, reason=told)
        error = replace(
            whole,
            value=answer.value,
            interval=None if few else _interval(found, inputs.alpha),
            alone=None if few else _interval(found, inputs.alpha_alone),
            design=calibration.design(found, quantile(inputs.alpha_alone), total),
            curves=reliability_diagram(found, least=self.min_cell),
        )
        if proven is not None:
            low, high = proven.plain
            within = min(max(answer.plain, low), high)
            bracket = Bracket(low=low, high=high, cells=proven.cells)
            plain = replace(plain, value=within, bracket=bracket)
            error = in_bracket(error, proven, inputs.alpha, inputs.alpha_alone)
        yield plain
        yield error
        if few:
            yield replace(whole, lack=NoValue.INSUFFICIENT, reason=few)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Scores:
    """Scores of positives and of negatives, with the bracket of what they give if in cells."""

    table: Ranked
    proven: reliability.CalibrationBracket | None = None


def _probabilities(cells: Histogram) -> bool:
    return bool(np.all(cells.least >= 0) and np.all(cells.greatest <= 1))


def _interval(found: calibration.Reliability, alpha: float) -> Interval:
    low, high = calibration.bounds(found, quantile(alpha))
    return Interval(low=low, high=high, level=1 - 2 * alpha, method="folded normal means")
