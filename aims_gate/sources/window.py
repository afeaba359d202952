"""Time window: the newest row of a data set, and the rows not older than some days.

A window is counted from the newest row and not from the clock, so that the same bytes give the same
rows on every day; how old the newest row may be is `max_age_days`, which counts to the clock.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from aims_gate.errors import DataError, MissingColumnError
from aims_gate.frames.times import MICROSECONDS, instants


def newest(table: pa.Table, column: str, *, where: str) -> datetime | None:
    """Newest value of a column of dates or times; None if all are null.

    A time without a zone is taken as UTC, and a date as its first second.

    Raises:
        MissingColumnError: There is no such column.
        DataError: It holds something else than dates and times, or one that no calendar has.
    """
    latest = pc.max(_times(table, column, where)).as_py()
    return None if latest is None else latest.astimezone(UTC)


def within(table: pa.Table, column: str, days: float, *, where: str) -> tuple[pa.Table, str]:
    """Rows less than *days* before the newest one, and their time range in words.

    Raises:
        MissingColumnError: There is no such column.
        DataError: It holds something else than dates and times, or a row has none: it might belong
            to the window, so it is not dropped.
    """
    times = _times(table, column, where)
    refuse_undated(times.null_count, column, where=where)
    latest = pc.max(times).as_py()
    if latest is None:
        return table, ""
    start, window = window_of(latest, days)
    return table.filter(pc.greater(times, pa.scalar(start, MICROSECONDS))), window


def refuse_undated(rows: int, column: str, *, where: str) -> None:
    """Refuse rows without a time, which may belong to the window or not; DataError."""
    if rows:
        what = f"{rows:,} rows have no {column!r}, so whether they are in the window is not known"
        raise DataError(what, where=where)


def window_of(latest: datetime, days: float) -> tuple[datetime, str]:
    """Start (exclusive) of a window that ends with the newest row, and the window in words."""
    try:
        start = latest - timedelta(days=days)
    except OverflowError:
        start = datetime.min.replace(tzinfo=UTC)
    return start, f"after {_text(start)} to {_text(latest)}"


def _times(table: pa.Table, name: str, where: str) -> pa.ChunkedArray:
    if name not in table.column_names:
        raise MissingColumnError.from_columns(name, table.column_names, where=where)
    return instants(table.column(name), name, where=where)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
