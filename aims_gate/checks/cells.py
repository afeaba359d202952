"""Statistics without a value: what a check yields where it can measure nothing."""

from __future__ import annotations

from aims_gate.errors import DataError, MissingColumnError
from aims_gate.facts import NoValue, Statistic


def lacking(
    name: str, lack: NoValue, reason: str, *, where: str = "", rows: int = 0, total: int = 0
) -> Statistic:
    """Judged statistic without a value: *name* in the slice *where*, with the reason."""
    return Statistic(
        name=name, slice=where, judged=True, lack=lack, reason=reason, rows=rows, total=total
    )


def lack_of(error: DataError) -> NoValue:
    """Outcome reason of data that a check refused: MISSING for a column, else UNDEFINED."""
    return NoValue.MISSING if isinstance(error, MissingColumnError) else NoValue.UNDEFINED
