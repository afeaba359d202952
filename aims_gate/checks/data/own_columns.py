"""Shared by the data checks: the columns that the data came with, and statistics of them."""

from __future__ import annotations

from aims_gate.facts import LEFT_OUT, Interval, NoValue, Statistic
from aims_gate.frames import ColumnKind
from aims_gate.sources.predictions import derived_name
from aims_gate.sources.subject import Data
from aims_gate.stats.disparity import quantile
from aims_gate.stats.intervals import proportion_bounds


def columns_of(data: Data) -> dict[str, ColumnKind]:
    """Columns that the data came with, by kind; a prediction derived from scores is not one."""
    derived = derived_name(data.spec)
    hidden = derived if data.spec.prediction == derived else None
    return {name: c.kind for name, c in data.frame.columns.items() if name != hidden}


def unfit(column: str, data: Data, why: str) -> Statistic:
    """Say that a column of `all` is not judged, in the line of the rule."""
    empty = data.frame.nulls(column) == data.frame.rows
    told = "every value is null" if empty else f"{data.frame.columns[column].type} {why}"
    reason = f"left out: {told}"
    return Statistic(name=LEFT_OUT, slice=column, lack=NoValue.UNDEFINED, reason=reason)


def share(
    name: str, column: str, part: int, data: Data, *, rows: int, cells: tuple[float, int]
) -> Statistic:
    """Judged proportion of a column: *part* of *rows* rows (at least 1), with its interval.

    *cells* are the error rate of the rule and the number of its columns, which share it: bounds are
    the guarded Wilson ones, one-sided.
    """
    alpha, columns = cells
    low, high = proportion_bounds(part, rows, quantile(alpha, columns))
    plural = "s" if columns > 1 else ""
    interval = Interval(
        low=low,
        high=high,
        level=1 - 2 * alpha,
        method=f"guarded Wilson, one-sided, Bonferroni over {columns} column{plural}",
    )
    return Statistic(
        name=name,
        slice=column,
        value=part / rows,
        interval=interval,
        rows=rows,
        total=data.frame.rows,
        judged=True,
    )
