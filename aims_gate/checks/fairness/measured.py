"""Metric of a group, and its share in the metric of all rows."""

from __future__ import annotations

from dataclasses import dataclass

from aims_gate.checks.metrics import Outcomes
from aims_gate.engines import Answer
from aims_gate.stats import scores
from aims_gate.stats.disparity import Group
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
