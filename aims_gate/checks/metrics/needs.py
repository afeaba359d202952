"""What a metric asks of a frame besides counting rows, before any data are read."""

from __future__ import annotations

from collections.abc import Mapping

from aims_gate.checks.contract import BRACKETS
from aims_gate.stats.formulas import FORMULAS
from aims_gate.stats.tables import (
    ClassRanked,
    Fit,
    Losses,
    OrderedErrors,
    Queries,
    Ranked,
    Residuals,
    ScoreTable,
)

_ASKED: Mapping[type[ScoreTable], tuple[str, ...]] = {
    Ranked: ("distribution",),
    ClassRanked: ("distribution",),
    OrderedErrors: ("distribution",),
    Losses: ("moments",),
    Fit: ("distribution", "gather", "moments"),
    Residuals: ("distribution", "gather", "moments"),
    Queries: ("gather",),
}
"""Members of `Frame` per kind of table; tables of counts need none of these."""
BRACKETED = ("roc_auc", "macro_roc_auc", "median_error")
"""Metrics of which counts of scores or errors in cells prove a bracket."""
_BY_ROWS = ("roc_auc", "macro_roc_auc", "rmse")
"""Metrics whose difference between two models has an interval that follows from single rows."""


def metric_needs(metric: str, *, paired: bool = False, in_cells: bool = False) -> tuple[str, ...]:
    """Members of `Frame` that a metric asks for, of two models on the same rows with *paired*.

    With *in_cells* brackets are enough where the metric has some.
    """
    tables = {formula.table for formula in FORMULAS if formula.metric == metric}
    needed = {member for table in tables for member in _ASKED.get(table, ())}
    needed |= {"gather"} if paired and metric in _BY_ROWS else set()
    return (*sorted(needed), *((BRACKETS,) if in_cells and metric in BRACKETED else ()))
