"""Performance metrics by name: value, bounds, and why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from aims_gate.errors import CheckError, near
from aims_gate.facts import Interval
from aims_gate.stats.formulas import FORMULAS, Formula
from aims_gate.stats.tables import ScoreTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What is known of a metric before there is a table."""

    low: float
    high: float
    higher_is_better: bool

    @property
    def span(self) -> float:
        """The greatest difference of two values; may be infinite."""
        return self.high - self.low


def scale(metric: str) -> Scale:
    """Describe a metric of `FORMULAS`; CheckError if there is none."""
    rows = _rows(metric)
    return Scale(
        low=rows[0].low,
        high=rows[0].high,
        higher_is_better=rows[0].higher_is_better,
    )


def value(metric: str, table: ScoreTable) -> float:
    """Value of a metric, by its name; NaN where it is undefined.

    Raises:
        CheckError: There is no such metric, or it is not computed from such a table.
    """
    return formula(metric, type(table)).value(table)


def undefined(metric: str, table: ScoreTable) -> str:
    """Say why a metric has no value for *table*; empty if it has one. CheckError as `value`."""
    found = formula(metric, type(table))
    if not math.isnan(found.value(table)):
        return ""
    return found.undefined(table) or f"{metric} is 0/0 here"


def interval(metric: str, table: ScoreTable, *, alpha: float = 0.05) -> Interval | None:
    """Confidence interval of a defined metric, with error *alpha* on each side.

    Both together are a two-sided interval of level 1 - 2 alpha. None where the table is too
    small for it (`insufficient` tells why). CheckError as `value`.

    Args:
        metric: A name of `FORMULAS`.
        table: The table of a kind that the metric is computed from.
        alpha: In (0, 0.5).
    """
    if not 0 < alpha < 0.5:
        raise CheckError(f"alpha {alpha:g} is not between 0 and 0.5")
    found = formula(metric, type(table))
    if undefined(metric, table) or found.short(table):
        return None
    low, high = found.bounds(table, alpha)
    return Interval(low=low, high=high, level=1 - 2 * alpha, method=found.method)


def insufficient(metric: str, table: ScoreTable) -> str:
    """Say why *table* is too small for an interval of a defined metric; empty if it is not."""
    if undefined(metric, table):
        return ""
    return formula(metric, type(table)).short(table)


def formula(metric: str, table: type[ScoreTable]) -> Formula[Any]:
    """Find the row of a metric and a kind of table; CheckError if there is none."""
    rows = {row.table: row for row in _rows(metric)}
    if table not in rows:
        named = " or ".join(sorted(kind.__name__ for kind in rows))
        raise CheckError(f"{metric} is computed from {named}, not from {table.__name__}")
    return rows[table]


def _rows(metric: str) -> list[Formula[Any]]:
    rows = [row for row in FORMULAS if row.metric == metric]
    if not rows:
        raise CheckError(f"no metric {metric!r}", hint=near(metric, {f.metric for f in FORMULAS}))
    return rows


def basis(metric: str, table: ScoreTable) -> int:
    """Denominator of a metric: the positives of recall, all rows of accuracy."""
    return formula(metric, type(table)).basis(table)
