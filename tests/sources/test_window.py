"""Windows of time: which rows are kept, how new they are, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest

from aims_gate.errors import DataError, MissingColumnError
from aims_gate.sources.window import newest, within

TOKYO = timezone(timedelta(hours=9))


def kept(times: Any, days: float) -> tuple[list[int], str]:
    table = pa.table({"ts": times, "row": list(range(len(times)))})
    found, told = within(table, "ts", days, where="current data")
    return found["row"].to_pylist(), told


def test_a_window_is_counted_from_the_newest_row_and_its_start_is_left_out() -> None:
    days = [date(2026, 1, 31), date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 15)]
    assert kept(days, 30) == ([0, 2, 3], "after 2026-01-01T00:00:00Z to 2026-01-31T00:00:00Z")
    assert kept(days, 0.5)[0] == [0]
    assert kept(days, 1e9)[0] == [0, 1, 2, 3]


def test_instants_are_compared_in_utc_whatever_their_zone_or_unit() -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    times = pa.array([at, at - timedelta(hours=25)], pa.timestamp("ns", tz="Asia/Tokyo"))
    assert kept(times, 1)[0] == [0]
    naive = pa.array([datetime(2026, 3, 1, 12)], pa.timestamp("s"))  # noqa: DTZ001 - on purpose
    assert newest(pa.table({"ts": naive}), "ts", where="d") == at
    tokyo = datetime(2026, 3, 1, 21, tzinfo=TOKYO)
    assert newest(pa.table({"ts": [tokyo]}), "ts", where="d") == at


def test_a_row_without_a_time_is_not_dropped_but_an_error() -> None:
    with pytest.raises(DataError, match="1 rows have no 'ts'"):
        kept([date(2026, 1, 1), None], 30)
    nothing = pa.table({"ts": pa.array([None, None], pa.date32())})
    assert newest(nothing, "ts", where="d") is None


def test_no_rows_have_no_window() -> None:
    assert kept(pa.array([], pa.date32()), 30) == ([], "")


def test_other_columns_are_no_times() -> None:
    for values in (["2026-01-01 at noon"], [20260101], [1.5]):
        with pytest.raises(DataError, match="times are needed"):
            kept(values, 30)
    with pytest.raises(MissingColumnError, match="did you mean 'ts'"):
        newest(pa.table({"ts": [date(2026, 1, 1)]}), "tss", where="d")
