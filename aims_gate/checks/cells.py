"""Cells without a value: what a check says where it can measure nothing."""

from __future__ import annotations

from aims_gate.errors import DataError, MissingColumnError
from aims_gate.facts import NoValue, Statistic


def lacking(
    name: str, lack: NoValue, reason: str, *, where: str = "", rows: int = 0, total: int = 0
) -> Statistic:
    """Give the judged cell *where* of statistic *name*, without a value."""
    return Statistic(
        name=name, slice=where, judged=True, lack=lack, reason=reason, rows=rows, total=total
    )


def lack_of(error: DataError) -> NoValue:
    """Say what data lack that a check refused: a column, or a meaning."""
    return NoValue.MISSING if isinstance(error, MissingColumnError) else NoValue.UNDEFINED
