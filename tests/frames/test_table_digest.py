"""The table-v1 digest in engines, against one in plain Python that shares no line with ours."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.errors import DataError
from aims_gate.frames.ibis_digest import table_v1_of
from aims_gate.frames.ibis_session import held_by_engine
from tests.support.engine_tables import ENGINES, EVERY_ENGINE, connection
from tests.support.laws import law
from tests.support.table_v1 import of_arrow, table_v1

Hold = Callable[[pa.Table], Any]
VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "table_v1.json").read_text(encoding="utf-8")
)["vectors"]
_TYPES = {
    "int": pa.int64(),
    "float": pa.float64(),
    "text": pa.string(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "decimal:0": pa.decimal128(38, 0),
    "decimal:2": pa.decimal128(19, 2),
    "timestamp": pa.timestamp("us"),
    "timestamp:utc": pa.timestamp("us", "UTC"),
}


def of_engine(data: object) -> str:
    return table_v1_of(held_by_engine(data, where="data"), where="data")


def read(tag: str, value: Any) -> Any:
    """A value as vectors write it."""
    return float(value) if tag == "float" and value is not None else value


def column(tag: str, values: list[Any]) -> pa.Array:
    if tag.startswith("decimal"):
        values = [None if value is None else Decimal(value) for value in values]
    if tag.startswith("timestamp"):
        values = [None if value is None else value // 1000 for value in values]
    return pa.array(values, _TYPES[tag])


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["name"]))
def test_the_vectors_are_what_the_page_says_and_what_is_taken(vector: dict[str, Any]) -> None:
    columns = {
        name: (tag, [read(tag, value) for value in values])
        for name, (tag, values) in vector["columns"].items()
    }
    assert table_v1(columns) == vector["digest"]
    table = pa.table({name: column(tag, values) for name, (tag, values) in columns.items()})
    assert of_arrow(table) == vector["digest"]
    for hold in ENGINES.values():
        assert of_engine(hold(table)) == vector["digest"]


def test_no_two_vectors_have_one_digest() -> None:
    assert len({vector["digest"] for vector in VECTORS}) == len(VECTORS)


def every_type() -> pa.Table:
    """Powers of two with their neighbours, any bits, and one column of each type."""
    powers = 2.0 ** np.arange(-1074, 1024)
    bits = np.random.default_rng(1).integers(0, 2**64, 500, dtype=np.uint64).view(np.float64)
    odd = np.array([0.0, -0.0, math.nan, math.inf, -math.inf])
    beside = [np.nextafter(powers, way) for way in (-math.inf, math.inf)]
    floats = np.concatenate([odd, powers, -powers, bits, *beside])
    with np.errstate(over="ignore", invalid="ignore"):
        narrow = floats.astype("f4")
    rows = len(floats)
    instant = dt.datetime(1965, 11, 1, 5, 30, 0, 1, tzinfo=dt.UTC)

    def again(values: list[Any], kind: pa.DataType) -> pa.Array:
        return pa.array((values * rows)[:rows], kind)

    return pa.table(
        {
            "x": floats,
            "narrow": narrow,
            "text": again(["a", "é;~\n", None, "", "12:a", "\U0001f600"], pa.string()),
            "Text 'quoted\" `name`": again(["A", "a"], pa.string()),
            "whole": again([2**53 + 1, -(2**63), None], pa.int64()),
            "truth": again([True, False, None], pa.bool_()),
            "day": again([dt.date(1960, 2, 29), None, dt.date(2026, 1, 1)], pa.date32()),
            "zoned": again([instant, None], pa.timestamp("us", "UTC")),
            "local": again([instant.replace(tzinfo=None), None], pa.timestamp("us")),
            "money": again(
                [Decimal("0.0000001200"), Decimal("-12345.6"), None], pa.decimal128(20, 10)
            ),
            "count": again([Decimal(10**20), Decimal(-1), None], pa.decimal128(38, 0)),
        }
    )


@EVERY_ENGINE
def test_an_engine_takes_the_digest_of_every_type_that_the_page_says(hold: Hold) -> None:
    table = every_type()
    expected = of_arrow(table)
    assert of_engine(hold(table)) == expected
    shuffled = table.take(np.random.default_rng(2).permutation(len(table)))
    assert of_engine(hold(shuffled.select(table.column_names[::-1]))) == expected
    assert of_engine(hold(table.slice(1))) != expected


_VALUES = {
    "x": (pa.float64(), st.floats() | st.sampled_from([0.1, 5e-324, -0.0])),
    "f": (pa.float32(), st.floats(width=32)),
    "i": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "u": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "s": (pa.string(), st.text(max_size=3)),
    "r": (pa.string(), st.text("a;\0", max_size=3)),
    "b": (pa.bool_(), st.booleans()),
    "t": (pa.timestamp("us"), st.integers(-(2**55), 2**55)),
}


def rows_as_table(rows: list[tuple[Any, ...]]) -> pa.Table:
    columns = zip(*rows, strict=True)
    kinds = zip(_VALUES.items(), columns, strict=True)
    return pa.table({name: pa.array(values, kind) for (name, (kind, _)), values in kinds})


def same(one: Any, other: Any) -> bool:
    """Whether two values are one to the digest: -0.0 is 0.0, and NaN is null."""
    return one == other or all(value is None or value != value for value in (one, other))  # noqa: PLR0124


@law(15)
@given(
    rows=st.lists(
        st.tuples(*(st.none() | values for _, values in _VALUES.values())), min_size=1, max_size=5
    ),
    data=st.data(),
)
def test_rows_are_told_apart_by_any_value_and_by_how_often_they_occur(
    rows: list[tuple[Any, ...]], data: st.DataObject
) -> None:
    table = rows_as_table(rows)
    found = of_engine(ENGINES["duckdb"](table))
    assert found == of_arrow(table)
    assert of_engine(ENGINES["duckdb"](rows_as_table([*rows, rows[0]]))) != found
    place = data.draw(st.integers(0, len(_VALUES) - 1), label="column")
    value = data.draw(st.none() | [*_VALUES.values()][place][1], label="value")
    other = (*rows[0][:place], value, *rows[0][place + 1 :])
    changed = of_engine(ENGINES["duckdb"](rows_as_table([other, *rows[1:]])))
    assert (changed == found) == same(rows[0][place], value)


def test_nanoseconds_are_covered_where_a_time_has_them() -> None:
    ends = ("00.123456789", "00.5", "00.999999999", "00.000000001")
    times = [f"timestamp_ns '{year}-01-01 00:00:{end}'" for year in (1926, 2026) for end in ends]
    held = connection().sql(" union all ".join(f"select {time} as t" for time in times))
    assert of_engine(held) == of_arrow(held.to_arrow_table())


@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamptz", "timestamp_ns"])
def test_infinite_times_are_no_nulls(kind: str) -> None:
    ends = ("'infinity'", "'-infinity'", "null", "'1969-12-31'")
    held = [connection().sql(f"select {end}::{kind} as t") for end in ends]
    assert len({of_engine(each) for each in held}) == len(ends)
    for each in held:
        assert of_engine(each) == of_arrow(each.to_arrow_table())


@pytest.mark.parametrize(
    "kinds", [("timestamp_ns", "utinyint", "float"), ("timestamp_s", "integer", "double")]
)
def test_the_unit_of_times_and_the_width_of_numbers_change_nothing(kinds: tuple[str, ...]) -> None:
    rows = "select {}::{} as t, {}::{} as n, {}::{} as x"
    values = ("'2026-01-01 00:00:05'", "7", "0.5")
    one, other = (
        of_engine(
            connection().sql(
                rows.format(*(p for pair in zip(values, k, strict=True) for p in pair))
            )
        )
        for k in (("timestamp", "bigint", "double"), kinds)
    )
    assert one == other


@pytest.mark.parametrize("at_once", [1, 7, 100, 299])
def test_parts_that_are_sorted_on_disk_give_the_same_digest_and_leave_nothing(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    table = pa.table({"a": [number % 97 for number in range(300)]})
    held = held_by_engine(ENGINES["ibis"](table), where="data")
    tables = "select count(*) from duckdb_tables()"
    before = connection().execute(tables).fetchall()
    expected = of_arrow(table)
    monkeypatch.setattr("aims_gate.frames.ibis_digest._AT_ONCE", at_once)
    assert table_v1_of(held, where="data") == expected
    assert connection().execute(tables).fetchall() == before
    assert of_engine(ENGINES["duckdb"](table)) == expected


def test_an_engine_that_writes_values_otherwise_is_refused() -> None:
    held = held_by_engine(connection().sql("select 1 as a"), where="data")
    own = held.session.forms.row_hash
    held.session.forms = replace(
        held.session.forms, row_hash=lambda table, numbers, texts: own(table, numbers[::-1], texts)
    )
    with pytest.raises(DataError, match=r"duckdb .* writes values as other bytes"):
        table_v1_of(held, where="data")


@EVERY_ENGINE
def test_a_decimal_without_whole_digits_has_one_before_its_point(hold: Hold) -> None:
    values = [Decimal("0.50"), Decimal("-0.25"), Decimal(0), None]
    table = pa.table({"a": pa.array(values, pa.decimal128(2, 2))})
    assert of_engine(hold(table)) == of_arrow(table)


def test_a_variant_is_refused_because_as_text_two_values_are_one() -> None:
    with pytest.raises(DataError, match=r"column 'a': .* no table-v1 encoding"):
        of_engine(connection().sql("select 1::variant as a"))


@pytest.mark.parametrize("kind", [pa.list_(pa.int64()), pa.time64("us"), pa.binary()])
def test_a_type_without_an_encoding_is_refused_by_column(kind: pa.DataType) -> None:
    table = pa.table({"a": pa.array([None], kind)})
    with pytest.raises(DataError, match=r"column 'a': a column of .*type .* no table-v1 encoding"):
        of_engine(ENGINES["duckdb"](table))
