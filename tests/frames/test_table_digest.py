"""The table-v1 digest in memory and in engines, against one that shares no line with ours."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
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
from aims_gate.frames.table_digest import table_v1
from tests.support.engine_tables import ENGINES, EVERY_ENGINE, connection
from tests.support.laws import law

Hold = Callable[[pa.Table], Any]
VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "table_v1.json").read_text(encoding="utf-8")
)["vectors"]


def of_engine(data: object) -> str:
    return table_v1_of(held_by_engine(data, where="data"), where="data")


def written(tag: str, value: Any) -> str:
    """A field, from docs/digests.md."""
    if value is None or value != value:  # noqa: PLR0124
        return "~"
    if tag == "text":
        return f"{len(value.encode())}:{value}"
    if tag != "float" or value == 0 or math.isinf(value):
        return "0" if value == 0 else str(value)
    numerator, denominator = abs(value).as_integer_ratio()
    exponent = numerator.bit_length() - denominator.bit_length() - 52
    fraction = Fraction(numerator, denominator) / Fraction(2) ** exponent
    return f"{'-' if value < 0 else ''}{fraction}e{exponent}"


def reference(columns: dict[str, tuple[str, list[Any]]]) -> str:
    """The digest of docs/digests.md, in plain Python."""
    names = sorted(columns, key=str.encode)
    rows = list(zip(*(columns[name][1] for name in names), strict=True))
    buckets = defaultdict(list)
    for row in rows:
        fields = [written(columns[name][0], value) for name, value in zip(names, row, strict=True)]
        digest = hashlib.sha256(";".join(fields).encode()).hexdigest()
        buckets[digest[:3]].append(digest)

    def u64(number: int) -> bytes:
        return number.to_bytes(8, "little")

    text = b"aims-gate table-v1\n" + u64(len(rows)) + u64(len(names))
    for name in names:
        for part in (name, columns[name][0]):
            text += u64(len(part.encode())) + part.encode()
    for prefix in sorted(buckets):
        joined = "".join(sorted(buckets[prefix]))
        text += (prefix + hashlib.sha256(joined.encode()).hexdigest()).encode()
    return hashlib.sha256(text).hexdigest()


_TYPES = {"int": pa.int64(), "float": pa.float64(), "text": pa.string()}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["name"]))
def test_the_vectors_are_what_the_page_says_and_what_is_taken(vector: dict[str, Any]) -> None:
    columns = {name: (tag, values) for name, (tag, values) in vector["columns"].items()}
    for tag, values in columns.values():
        if tag == "float":
            values[:] = [value if value is None else float(value) for value in values]
    assert reference(columns) == vector["digest"]
    table = pa.table({n: pa.array(v, _TYPES[tag]) for n, (tag, v) in columns.items()})
    assert table_v1(table) == vector["digest"]
    for hold in ENGINES.values():
        assert of_engine(hold(table)) == vector["digest"]


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
def test_an_engine_takes_the_digest_of_every_type_as_memory_does(hold: Hold) -> None:
    table = every_type()
    expected = table_v1(table)
    assert of_engine(hold(table)) == expected
    shuffled = table.take(np.random.default_rng(2).permutation(len(table)))
    assert table_v1(shuffled.select(table.column_names[::-1])) == expected
    assert table_v1(table.slice(1)) != expected


_ROW = st.tuples(
    st.none() | st.floats() | st.sampled_from([0.1, 5e-324]), st.none() | st.text(max_size=3)
)


@law(25)
@given(rows=st.lists(_ROW, min_size=1, max_size=6))
def test_rows_are_told_apart_by_any_value_and_by_how_often_they_occur(
    rows: list[tuple[Any, ...]],
) -> None:
    rows = [(x, None if s is None else s.replace("\x00", "")) for x, s in rows]

    def table(some: list[tuple[Any, ...]]) -> pa.Table:
        floats, texts = zip(*some, strict=True)
        return pa.table({"x": pa.array(floats, pa.float64()), "s": pa.array(texts, pa.string())})

    found = table_v1(table(rows))
    assert found == reference(
        {"x": ("float", [row[0] for row in rows]), "s": ("text", [row[1] for row in rows])}
    )
    assert found == of_engine(ENGINES["duckdb"](table(rows)))
    assert table_v1(table([*rows, rows[0]])) != found
    assert table_v1(table([(rows[0][0], (rows[0][1] or "") + ";"), *rows[1:]])) != found


def test_nanoseconds_are_covered_where_a_time_has_them() -> None:
    times = [
        "timestamp_ns '2026-01-01 00:00:00.123456789'",
        "timestamp_ns '1926-01-01 00:00:00.123456789'",
        "timestamp_ns '2026-01-01 00:00:00.5'",
    ]
    held = connection().sql(" union all ".join(f"select {time} as t" for time in times))
    assert of_engine(held) == table_v1(held.to_arrow_table())


@pytest.mark.parametrize("kind", [pa.list_(pa.int64()), pa.time64("us"), pa.binary()])
def test_a_type_without_an_encoding_is_refused_by_column(kind: pa.DataType) -> None:
    table = pa.table({"a": pa.array([None], kind)})
    for digest in (table_v1, lambda table: of_engine(ENGINES["duckdb"](table))):
        with pytest.raises(
            DataError, match=r"column 'a': a column of type .* no table-v1 encoding"
        ):
            digest(table)
