"""Metric of a group, and its share in the metric of all rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

from aims_gate.bracket import Bounds
from aims_gate.checks.closer import in_bracket
from aims_gate.checks.contract import Inputs
from aims_gate.checks.metrics import Outcomes
from aims_gate.engines import Answer
from aims_gate.facts import Interval, Statistic
from aims_gate.stats import scores
from aims_gate.stats.disparity import Group
from aims_gate.stats.intervals import Rate, mover_to_whole
from aims_gate.stats.parts import of_areas, of_counts
from aims_gate.stats.tables import Confusion, Losses, Ranked, ScoreTable

_SHARES = frozenset({"accuracy", "precision", "recall", "specificity"})
"""Over all rows these are the groups' own values, weighted by the rows that they rest on."""
_ROOTS = frozenset({"rmse"})


UNASKED = Answer.none("native", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A group's metric: its table, the engine's answer, and bounds where there are some."""

    group: Group
    """*rows* are those that the metric rests on: the positives of recall, all rows of accuracy."""
    measured: Outcomes
    answer: Answer = UNASKED
    """Without a value for a group that is too small, or where the metric has none."""
    lack: str = ""
    """Why there is no value."""

    @property
    def table(self) -> ScoreTable:
        """The table that the metric is computed from."""
        return self.measured.table

    @property
    def ends(self) -> Bounds:
        """The least and the greatest value that all rows can have."""
        proven = self.measured.bracket
        return (self.answer.value, self.answer.value) if proven is None else proven.value

    @property
    def cells(self) -> int:
        """Cells that rows were counted in; 0 where the value is that of every row."""
        return 0 if self.measured.bracket is None else self.measured.bracket.cells

    def in_cells(self, found: Statistic, inputs: Inputs) -> Statistic:
        """The statistic of the value, in its bracket where it has one."""
        proven = self.measured.bracket
        if proven is None:
            return found
        return in_bracket(found, proven, inputs.alpha, inputs.alpha_alone)


def share_of(metric: str, part: ScoreTable, whole: ScoreTable) -> float:
    """Share of all rows' value that comes from the group; 0 where it is not known."""
    rows = scores.basis(metric, part) / scores.basis(metric, whole)
    if metric in _SHARES or isinstance(part, Losses):
        slope = scores.value(metric, part) / scores.value(metric, whole)
        return rows * slope if metric in _ROOTS else rows
    if isinstance(part, Confusion) and isinstance(whole, Confusion):
        return of_counts(lambda table: scores.value(metric, table), part, whole)
    if isinstance(part, Ranked) and isinstance(whole, Ranked) and metric == "roc_auc":
        return of_areas(part, whole)
    return 0.0


def measure(
    metric: str, group: Group, measured: Outcomes, inputs: Inputs, *, least: int = 0
) -> Measured:
    """Metric of a group; without a value where it has none, or rests on fewer rows than *least*."""
    lack = scores.undefined(metric, measured.table)
    if lack or group.rows < least:
        return Measured(group=group, measured=measured, lack=lack)
    answer = measured.value(metric, inputs.engine)
    problem = answer.problem or ("" if math.isfinite(answer.value) else "it has no value")
    return Measured(group=group, measured=measured, answer=answer, lack=problem)


def behind(metric: str, one: Measured, overall: Measured, alpha: float) -> Interval | None:
    """Interval of a group's shortfall to all rows, with error *alpha* on each side.

    None where there is none.
    """
    part = scores.interval(metric, one.table, alpha=alpha)
    whole = scores.interval(metric, overall.table, alpha=alpha)
    if part is None or whole is None:
        return None
    low, high = mover_to_whole(
        Rate(value=one.answer.value, low=part.low, high=part.high),
        Rate(value=overall.answer.value, low=whole.low, high=whole.high),
        share_of(metric, one.table, overall.table),
    )
    if scores.formula(metric, type(one.table)).higher_is_better:
        low, high = -high, -low
    method = f"MOVER of group and all rows, over {part.method}"
    return Interval(low=low, high=high, level=part.level, method=method)
