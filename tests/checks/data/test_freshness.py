"""Freshness: old rows, rows of the future and holes in the time covered are seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import pyarrow as pa
import pytest

from aims_gate.checks.data.freshness import Freshness
from aims_gate.errors import DataError, MissingColumnError
from aims_gate.facts import NoValue
from aims_gate.policy.model import Role, Threshold
from aims_gate.sources.subject import Data
from aims_gate.verdict import Outcome
from tests.checks.subjects import NOW, context, data, decided, inputs, judged

AGE = "days_since_newest"
GAP = "longest_gap_days"


def rows(*days: float | None, **spec: Any) -> Data:
    """Rows of so many days before now."""
    times = [None if day is None else NOW - timedelta(days=day) for day in days]
    return data({"t": pa.array(times, pa.timestamp("us", "UTC"))}, **{"time": "t", **spec})


def test_the_age_is_that_of_the_newest_row_whatever_the_order() -> None:
    cell = judged(Freshness(), rows(40, 12.5, 400, None))[""]
    assert cell.value == pytest.approx(12.5)
    assert cell.reason == "the newest row is of 2026-10-19; 1 rows have no time"
    assert context(Freshness(), GAP, rows(40, 12.5, 400))[""].value == pytest.approx(360)


def test_a_year_is_the_limit_of_age_and_a_gap_needs_one() -> None:
    rule = {"check": "data.freshness"}
    assert decided(rule, rows(365)).outcome is Outcome.PASS
    assert decided(rule, rows(365.1)).outcome is Outcome.FAIL
    month = {**rule, "require": Threshold(at_most=31)}
    assert decided(month, rows(31.1)).outcome is Outcome.FAIL
    holes = {**rule, "parameters": {"of": "gap"}, "require": Threshold(at_most=7)}
    assert decided(holes, rows(0, 7, 14)).outcome is Outcome.PASS
    result = decided(holes, rows(0, 7, 20, 21))
    assert result.outcome is Outcome.FAIL
    assert "the longest gap begins 2026-10-12" in result.reason


def test_rows_of_the_future_refuse_and_a_time_zone_ahead_does_not() -> None:
    """One row of 2099 would make data look fresh for ever."""
    ofs: tuple[Literal["age", "gap"], ...] = ("age", "gap")
    for of in ofs:
        cell = judged(Freshness(of=of), rows(3, -1.1))[""]
        assert cell.lack is NoValue.UNDEFINED
        assert "in the future" in cell.reason
    assert decided({"check": "data.freshness"}, rows(3, -1.1)).outcome is Outcome.ERROR
    assert judged(Freshness(), rows(3, -0.4))[""].value == 0


def test_logging_old_rows_again_does_not_make_them_new_nor_new_rows_of_old_logs() -> None:
    logged = replace(rows(2), created=NOW - timedelta(days=30))
    assert judged(Freshness(), logged)[""].value == pytest.approx(30)
    assert judged(Freshness(), replace(rows(40), created=NOW))[""].value == pytest.approx(40)
    tomorrow = replace(rows(2), created=NOW + timedelta(hours=1))
    assert judged(Freshness(), tomorrow)[""].lack is NoValue.UNDEFINED
    assert decided({"check": "data.freshness"}, tomorrow).outcome is Outcome.ERROR


def test_a_time_without_a_zone_is_utc_and_a_date_its_first_second() -> None:
    noon = datetime(2026, 10, 31, 12)  # noqa: DTZ001  # without a zone on purpose
    naive = data({"t": [noon]}, time="t")
    assert judged(Freshness(), naive)[""].value == pytest.approx(0.5)
    assert judged(Freshness(), data({"t": [date(2026, 10, 31)]}, time="t"))[""].value == 1
    tokyo = pa.array([datetime(2026, 10, 31, 12, tzinfo=UTC)], pa.timestamp("ms", "Asia/Tokyo"))
    assert judged(Freshness(), data({"t": tokyo}, time="t"))[""].value == pytest.approx(0.5)


def test_without_a_time_there_is_no_age() -> None:
    assert judged(Freshness(), data({"x": [1]}))[""].lack is NoValue.MISSING
    assert judged(Freshness(), rows(None, None))[""].lack is NoValue.MISSING
    assert (
        judged(Freshness(), data({"t": pa.array([], pa.date32())}, time="t"))[""].lack
        is NoValue.MISSING
    )
    for nothing in (data({"x": [1]}), rows(None)):
        assert decided({"check": "data.freshness"}, nothing).outcome is Outcome.MISSING
    with pytest.raises(MissingColumnError, match="did you mean 't'"):
        list(Freshness(column="tt").measure(inputs(rows(1))))
    with pytest.raises(DataError, match="times are needed"):
        list(Freshness(column="x").measure(inputs(data({"x": [1]}))))
    assert decided({"check": "data.freshness"}, data({"x": [1]}, time="x")).outcome is Outcome.ERROR


def test_rows_of_one_moment_cover_no_time() -> None:
    assert judged(Freshness(of="gap"), rows(3, 3))[""].lack is NoValue.INSUFFICIENT
    assert judged(Freshness(of="gap"), rows(3, 3.5))[""].value == pytest.approx(0.5)


def test_rows_of_weight_zero_are_neither_new_nor_of_the_future() -> None:
    times = [NOW - timedelta(days=50), NOW + timedelta(days=900)]
    weighted = data({"t": times, "n": [5, 0]}, time="t", weight="n")
    assert judged(Freshness(), weighted)[""].value == pytest.approx(50)


def test_the_column_and_the_data_may_be_others() -> None:
    columns = {"seen": [NOW - timedelta(days=9)], "t": [NOW]}
    current = data(columns, Role.CURRENT, time="t")
    assert judged(Freshness(), current, on=Role.CURRENT)[""].value == 0
    assert judged(Freshness(column="seen"), current, on=Role.CURRENT)[""].value == 9
