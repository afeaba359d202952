"""Columns of dates and times as instants, and what they cover."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aims_gate.errors import DataError
from aims_gate.frames import ColumnKind, Span
from aims_gate.frames.column_values import Mask, kind_of, plain, undictionary

MICROSECONDS = pa.timestamp("us", tz="UTC")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400 * 10**6


def instants(column: pa.ChunkedArray, name: str, *, where: str) -> pa.ChunkedArray:
    """A column of dates or times as UTC timestamps in microseconds.

    A time without a zone is taken as UTC, and a date as its first second. DataError if the column
    holds something else, or a time that no calendar has.
    """
    column = undictionary(plain(column))
    if kind_of(column.type) is not ColumnKind.TIME:
        hint = "store dates or timestamps"
        what = f"column {name!r} is {column.type}, and times are needed"
        raise DataError(what, where=where, hint=hint)
    if in_nanoseconds(column.type):  # rounded down, before 1970 as well
        column = pc.floor_temporal(column, unit="microsecond")
    try:  # longer units must not wrap around to a time that looks plausible
        if pa.types.is_timestamp(column.type) and column.type.tz is None:
            column = column.cast(pa.timestamp("us"))
        return column.cast(MICROSECONDS)
    except pa.ArrowException as error:
        what = f"column {name!r} holds times that cannot be used"
        raise DataError(what, where=where) from error


def in_nanoseconds(kind: pa.DataType) -> bool:
    """Tell whether a column of this type keeps times to the nanosecond."""
    return bool(pa.types.is_timestamp(kind)) and kind.unit == "ns"


def whole(times: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Instants as microseconds since 1970; 0 where null."""
    return cast("npt.NDArray[np.int64]", times.cast(pa.int64()).fill_null(0).to_numpy())


def not_after(times: pa.ChunkedArray, moment: datetime) -> Mask:
    """Say which instants are not after a moment with a time zone; null is not."""
    found = pc.less_equal(times, pa.scalar(moment, MICROSECONDS)).fill_null(fill_value=False)
    return cast("Mask", found.to_numpy())


def span_of(times: pa.ChunkedArray, *, nulls: int, where: str) -> Span:
    """Say from when to when instants are, and where the longest time without any begins.

    DataError for an instant that no calendar has.
    """
    moments = np.sort(whole(pc.drop_null(times)))
    if not len(moments):
        return Span(oldest=None, newest=None, nulls=nulls, gap_days=0.0, gap_after=None)
    oldest, newest = (_moment(moments[place], where) for place in (0, -1))
    steps = np.diff(moments)
    longest = int(np.argmax(steps)) if len(steps) else 0
    gap = int(steps[longest]) if len(steps) else 0
    after = _moment(moments[longest], where) if gap else None
    return Span(oldest=oldest, newest=newest, nulls=nulls, gap_days=gap / _DAY, gap_after=after)


def _moment(microseconds: np.int64, where: str) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=int(microseconds))
    except OverflowError as error:
        raise DataError("there is a time that no calendar has", where=where) from error
