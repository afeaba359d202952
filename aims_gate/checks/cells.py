"""Cells without a value: what a check says where it can measure nothing."""

from __future__ import annotations

from aims_gate.errors import DataError, MissingColumnError
from aims_gate.facts import Lack, Statistic


def lacking(
    name: str, lack: Lack, reason: str, *, where: str = "", rows: int = 0, total: int = 0
) -> Statistic:
    """Give the judged cell *where* of statistic *name*, without a value."""
    return Statistic(
        name=name, slice=where, judged=True, lack=lack, reason=reason, rows=rows, total=total
    )


def lack_of(error: DataError) -> Lack:
    """Say what data lack that a check refused: a column, or a meaning."""
    return Lack.MISSING if isinstance(error, MissingColumnError) else Lack.UNDEFINED
