"""What engines hold for equal, and what they say of a value, in one form: on each engine."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from aims_gate.frames.ibis_forms import (
    bin_of,
    equals,
    exact,
    kinds_of,
    microseconds,
    narrowed,
    normal,
)
from aims_gate.frames.ibis_session import EngineTable, held_by_engine
from tests.support.engine_tables import EVERY_ENGINE, SPARK, connection, spark


def held(data: Any) -> EngineTable:
    return held_by_engine(data, where="data")


def answer(one: EngineTable, question: Any) -> list[Any]:
    table = one.table.select(found=question)
    return list(one.session.ask(table, where="data")["found"].to_pylist())


def groups(one: EngineTable, column: str) -> dict[Any, int]:
    table = one.table.select(key=normal(one.table[column], one.session.forms))
    found = one.session.ask(table.group_by("key").aggregate(n=table.count()), where="data")
    return dict(zip(found["key"].to_pylist(), found["n"].to_pylist(), strict=True))


@EVERY_ENGINE
def test_zero_has_no_sign_and_nan_is_null(hold: Any) -> None:
    values = [0.0, -0.0, math.nan, None, math.inf]
    one = held(hold(pa.table({"x": values, "f": pa.array(values, pa.float32())})))
    for column in "xf":
        assert groups(one, column) == {0.0: 2, None: 2, math.inf: 1}
    assert not any(np.signbit(value) for value in groups(one, "x") if value == 0)


def test_a_collation_makes_no_two_texts_one() -> None:
    connection().execute("create or replace table names (t varchar collate nocase)")
    connection().execute("insert into names values ('A'), ('a'), ('B'), (null)").fetchall()
    raw = connection().execute("select count(distinct t) from names").fetchall()
    assert raw == [(2,)], "DuckDB takes them for one"
    one = held(connection().table("names"))
    assert groups(one, "t") == {b"A": 1, b"a": 1, b"B": 1, None: 1}
    if SPARK:
        frame = spark().sql(
            "select t collate UTF8_LCASE as t from values ('A'), ('a'), ('B'), (null) as v(t)"
        )
        assert groups(held(frame), "t") == {b"A": 1, b"a": 1, b"B": 1, None: 1}


@EVERY_ENGINE
def test_times_are_microseconds_whatever_the_zone_of_the_session(hold: Any) -> None:
    """In New York 1:30 was there twice on this day, and 2:30 not at all on the other."""
    local = [
        dt.datetime(2025, 11, 2, 1, 30),  # noqa: DTZ001 - on purpose
        dt.datetime(2025, 3, 9, 2, 30, 0, 123456),  # noqa: DTZ001
        dt.datetime(1960, 1, 1, 0, 0, 0, 1),  # noqa: DTZ001
    ]
    zoned = [moment.replace(tzinfo=dt.UTC) for moment in local]
    expected = [
        (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
        for moment in zoned
    ]
    columns = {
        "l": pa.array(local, pa.timestamp("us")),
        "z": pa.array(zoned, pa.timestamp("us", "Asia/Tokyo")),
        "d": pa.array([moment.date() for moment in local]),
    }
    one = held(hold(pa.table(columns)))
    forms = one.session.forms
    for column in "lz":
        assert answer(one, microseconds(one.table[column], forms)) == expected
    days = [moment // (86_400 * 10**6) * 86_400 * 10**6 for moment in expected]
    assert answer(one, microseconds(one.table["d"], forms)) == days


@EVERY_ENGINE
def test_a_float_is_written_so_that_no_engine_rounds_it(hold: Any) -> None:
    """DuckDB takes 0.12345678901234567 for a decimal, and its float may be the next one."""
    rng = np.random.default_rng(3)
    values = [*rng.random(200).tolist(), 5e-324, 1.7976931348623157e308, -0.1, 1e22, 1e23]
    one = held(hold(pa.table({"x": values})))
    same = [one.table["x"] == exact(value) for value in values]
    table = one.table.aggregate(**{str(n): one.table.count(where=s) for n, s in enumerate(same)})
    (found,) = one.session.ask(table, where="data").to_pylist()
    assert set(found.values()) == {1}


@EVERY_ENGINE
def test_numbers_are_narrowed_and_cut_as_in_memory(hold: Any) -> None:
    values = [0.1, 1e300, -1e300, 3.4028235e38, 3.4028236e38, None, 2.5]
    one = held(hold(pa.table({"x": pa.array(values, pa.float64())})))
    with np.errstate(over="ignore"):
        narrow = [None if v is None else float(np.float32(v)) for v in values]
    assert answer(one, narrowed(one.table["x"], 32)) == narrow
    bins = answer(one, bin_of(one.table["x"], (0.1, 2.5)))
    assert bins == [1, 2, 0, 2, 2, None, 2]


@EVERY_ENGINE
@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a'b", "A'B", None, "\\x41"]),
        pa.array([0.1, 0.2, None, math.inf], pa.float32()),
        pa.array([2**63 - 1, -(2**63), None, 0]),
        pa.array([Decimal("1.10"), Decimal("-3.00"), None, Decimal(0)], pa.decimal128(10, 2)),
        pa.array([True, False, None, True]),
        pa.array([dt.date(2026, 1, 1), dt.date(1960, 1, 1), None, dt.date(1970, 1, 1)]),
        *(pa.array([1000, -1000, None, 0], pa.timestamp(u)) for u in ("s", "ms", "us", "ns")),
        pa.array([1, -1, None, 0], pa.timestamp("us", "UTC")),
        pa.array([2**57 + 1, 2**57, None, -(2**57)], pa.timestamp("us")),  # no year of Python's
    ],
    ids=lambda column: str(column.type),
)
def test_a_value_that_came_back_finds_its_rows(hold: Any, column: pa.Array) -> None:
    one = held(hold(pa.table({"v": column})))
    (kind,) = kinds_of(one.table.schema()).values()
    assert kind is not None
    forms = one.session.forms
    values = column.cast(kind)
    for value in values:
        hits = answer(one, equals(normal(one.table["v"], forms), value, forms))
        assert hits == [other == value for other in values]


def test_columns_that_no_check_can_use_have_no_type() -> None:
    connection().execute(
        "create or replace table every (l int[], s struct(a int), b blob, t time, u uuid, "
        "h uhugeint, e enum('x', 'y'), n hugeint, i interval)"
    )
    kinds = kinds_of(held(connection().table("every")).table.schema())
    usable = {name: str(kind) for name, kind in kinds.items() if kind is not None}
    assert usable == {"u": "string", "e": "string", "n": "decimal128(38, 0)"}
