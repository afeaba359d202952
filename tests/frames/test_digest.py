"""The rows-v1 digest against an implementation of docs/digests.md that shares no line with ours."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.errors import DataError
from aims_gate.frames.opening import open_frame
from tests.support.laws import law

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "rows_v1.json").read_text(encoding="utf-8")
)["vectors"]

Columns = Mapping[str, tuple[Any, Sequence[Any]]]
"""Name -> (type of docs/digests.md, values in JSON)."""


def u64(number: int) -> bytes:
    return number.to_bytes(8, "little")


def i64(number: int) -> bytes:
    return number.to_bytes(8, "little", signed=True)


def text(value: str) -> bytes:
    return u64(len(value.encode())) + value.encode()


def sha(parts: bytes) -> bytes:
    return hashlib.sha256(parts).digest()


ENCODE: dict[str, tuple[int, Callable[[Any], bytes]]] = {
    "bool": (1, lambda value: bytes([value])),
    "int": (8, i64),
    "uint": (8, u64),
    "float": (8, lambda value: struct.pack("<d", float(value))),
    "decimal": (32, lambda value: int(value).to_bytes(32, "little", signed=True)),
    "date": (8, i64),
    "time": (8, u64),
    "timestamp": (16, lambda value: i64(value[0]) + u64(value[1])),
    "duration": (16, lambda value: i64(value[0]) + u64(value[1])),
}


def node(kind: Any, values: Sequence[Any]) -> bytes:
    nulls = sha(bytes(value is None for value in values))
    if isinstance(kind, dict):
        (tag, inner), *_ = kind.items()
        if tag == "list":
            lengths = sha(b"".join(u64(0 if v is None else len(v)) for v in values))
            items = [item for value in values for item in value or []]
            return sha(text("list") + nulls + lengths + node(inner, items))
        fields = b"".join(
            text(name) + node(field, [None if v is None else v[name] for v in values])
            for name, field in inner.items()
        )
        return sha(text("struct") + nulls + u64(len(inner)) + fields)
    if kind == "null":
        return sha(text(kind) + nulls + sha(b""))
    if kind in {"text", "bytes"}:
        raw = [(bytes.fromhex(v) if kind == "bytes" else v.encode()) if v else b"" for v in values]
        lengths = sha(b"".join(u64(len(value)) for value in raw))
        return sha(text(kind) + nulls + lengths + sha(b"".join(raw)))
    width, encode = ENCODE[kind.partition(":")[0]]
    encoded = (bytes(width) if value is None else encode(value) for value in values)
    return sha(text(kind) + nulls + sha(b"".join(encoded)))


def reference(columns: Columns) -> str:
    rows = len(next(iter(columns.values()))[1]) if columns else 0
    start = b"aims-gate rows-v1\n" + u64(rows) + u64(len(columns))
    ordered = sorted(columns.items(), key=lambda column: column[0].encode())
    return sha(start + b"".join(text(n) + node(k, v) for n, (k, v) in ordered)).hex()


def arrow(kind: str, stored: str, values: Sequence[Any]) -> pa.Array:
    """Build the column of a vector the way that it says."""
    if kind == "bytes":
        return pa.array([v if v is None else bytes.fromhex(v) for v in values], pa.binary())
    if kind.startswith("decimal"):
        scale = int(kind.partition(":")[2])
        unscaled = [v if v is None else Decimal(v).scaleb(-scale) for v in values]
        return pa.array(unscaled, pa.decimal128(20, scale))
    if kind.startswith(("timestamp", "duration")):
        units = {"s": 0, "ms": 3, "us": 6, "ns": 9}
        unit, _, zone = stored.partition(",")
        whole = [
            v if v is None else (v[0] * 10**9 + v[1]) // 10 ** (9 - units[unit]) for v in values
        ]
        if kind == "duration":
            return pa.array(whole, pa.int64()).cast(pa.duration(unit))
        return pa.array(whole, pa.int64()).cast(pa.timestamp(unit, tz=zone or None))
    numbers = [float(v) if kind == "float" and isinstance(v, str) else v for v in values]
    if kind == "date":
        return pa.array(numbers, pa.int32()).cast(pa.date32())
    if kind == "time":
        return pa.array(numbers, pa.int64()).cast(pa.time64("ns"))
    return pa.array(numbers, getattr(pa, stored)())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["about"])
def test_vectors_hold_for_both_implementations(vector: dict[str, Any]) -> None:
    columns = vector["columns"]
    assert reference({n: (c["type"], c["values"]) for n, c in columns.items()}) == vector["digest"]
    table = {n: arrow(c["type"], c["stored"], c["values"]) for n, c in columns.items()}
    assert open_frame(table).digest() == vector["digest"]


BASE: dict[str, pa.Array] = {
    "b": pa.array([True, None, False]),
    "i": pa.array([1, None, -(2**62)]),
    "f": pa.array([1.5, None, 0.0]),
    "t": pa.array(["ab", None, ""]),
    "d": pa.array([dt.date(2020, 1, 1), None, dt.date(1960, 1, 1)]),
    "ts": pa.array([dt.datetime(2020, 1, 1, 3, 4, 5, 6), None, dt.datetime(1960, 1, 1)]),  # noqa: DTZ001  # without a zone on purpose
    "td": pa.array([dt.time(1, 2, 3), None, dt.time(0)]),
    "du": pa.array([dt.timedelta(days=-1, microseconds=1), None, dt.timedelta(0)]),
    "de": pa.array([Decimal("-1.50"), None, Decimal("0.00")]),
    "by": pa.array([b"\0", None, b""]),
    "li": pa.array([[1, None], None, []]),
    "st": pa.array([{"x": 1, "y": "a"}, None, {"x": None, "y": ""}]),
    "ma": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int8())),
    "nu": pa.nulls(3),
}
CHANGED: dict[str, list[Any]] = {
    "b": [True, False, False],
    "i": [1, 0, -(2**62)],
    "f": [1.5, None, -0.0],
    "t": ["a", None, "b"],
    "d": [dt.date(2020, 1, 2), None, dt.date(1960, 1, 1)],
    "ts": [dt.datetime(2020, 1, 1, 3, 4, 5, 7), None, dt.datetime(1960, 1, 1)],  # noqa: DTZ001  # as above
    "td": [dt.time(1, 2, 3, 1), None, dt.time(0)],
    "du": [dt.timedelta(days=-1), None, dt.timedelta(0)],
    "de": [Decimal("1.50"), None, Decimal("0.00")],
    "by": [b"\1", None, b""],
    "li": [[1], None, [None]],
    "st": [{"x": 1, "y": "a"}, {"x": None, "y": None}, {"x": None, "y": ""}],
    "ma": [[("k", 2)], None, []],
}


@pytest.mark.parametrize("column", list(CHANGED))
def test_one_changed_value_changes_the_digest(column: str) -> None:
    changed = {**BASE, column: pa.array(CHANGED[column], BASE[column].type)}
    assert open_frame(changed).digest() != open_frame(BASE).digest()


@pytest.mark.parametrize("place", [0, 10_000, 24_999])
def test_every_row_counts_past_the_ten_thousandth_too(place: int) -> None:
    values = np.arange(25_000) % 2 == 0
    before = open_frame({"y": values}).digest()
    values[place] = not values[place]
    assert open_frame({"y": values}).digest() != before


def test_rows_columns_names_and_types_count() -> None:
    digests = [
        open_frame(data).digest()
        for data in (
            {},
            {"a": pa.array([], pa.int8())},
            {"a": [1, 2]},
            {"a": [2, 1]},
            {"b": [1, 2]},
            {"a": [1, 2], "b": [1, 2]},
            {"a": [1, 2, None]},
            {"a": [1.0, 2.0]},
            {"a": ["1", "2"]},
            {"a": [b"1", b"2"]},
            {"a": [True, False]},
            {"a": [None, None]},
            {"a": pa.array([None, None], pa.int8())},
            {"a": ["12", ""]},
            {"a": [Decimal("1.0"), Decimal("2.0")]},
            {"a": [Decimal("1.00"), Decimal("2.00")]},
            {"a": pa.array([2**64 - 1, 2], pa.uint64())},
            {"a": pa.array([-1, 2])},
        )
    ]
    assert len(set(digests)) == len(digests)


def test_storage_does_not_count() -> None:
    table = pa.table(BASE)
    chunked = pa.concat_tables([table.slice(1, 0), table.slice(0, 1), table.slice(1)])
    other = {
        **dict(zip(chunked.column_names, chunked.columns, strict=True)),
        "i": chunked["i"].combine_chunks().dictionary_encode(),
        "f": chunked["f"].cast(pa.float16()).cast(pa.float32()),
        "t": chunked["t"].cast(pa.string_view()),
        "d": chunked["d"].cast(pa.date64()),
        "ts": chunked["ts"].cast(pa.timestamp("ns")),
        "du": chunked["du"].cast(pa.duration("ns")),
        "de": chunked["de"].cast(pa.decimal256(50, 2)),
        "by": chunked["by"].cast(pa.large_binary()),
        "li": chunked["li"].cast(pa.large_list(pa.int16())),
    }
    backwards = dict(reversed(other.items()))
    assert open_frame(backwards).digest() == open_frame(BASE).digest()


def test_nan_is_null_and_what_lies_under_a_null_is_nothing() -> None:
    garbage = pa.Array.from_buffers(
        pa.int64(), 2, [pa.py_buffer(b"\1"), pa.py_buffer(struct.pack("<qq", 7, 99))]
    )
    assert garbage.to_pylist() == [7, None]
    assert open_frame({"a": garbage}).digest() == open_frame({"a": [7, None]}).digest()
    hidden = pa.Array.from_buffers(
        pa.string(),
        2,
        [pa.py_buffer(b"\1"), pa.py_buffer(struct.pack("<iii", 0, 1, 3)), pa.py_buffer(b"xyz")],
    )
    assert open_frame({"a": hidden}).digest() == open_frame({"a": ["x", None]}).digest()
    nan = open_frame({"a": [1.0, math.nan]}).digest()
    assert nan == open_frame({"a": [1.0, None]}).digest()


def test_zones_count_by_being_there_and_not_by_name() -> None:
    whole = pa.array([10**15, None])
    naive, utc, berlin = (
        open_frame({"t": whole.cast(pa.timestamp("us", tz=zone))}).digest()
        for zone in (None, "UTC", "Europe/Berlin")
    )
    assert naive != utc == berlin


def test_pandas_polars_and_arrow_agree() -> None:
    columns = {
        "x": [1.5, None, 2.0],
        "s": ["a", None, "c"],
        "b": [True, False, True],
        "i": [3, 1, 2],
    }
    frames = (pa.table(columns), pd.DataFrame(columns), pl.DataFrame(columns), columns)
    assert len({open_frame(frame).digest() for frame in frames}) == 1


def test_a_type_without_an_encoding_is_refused_and_not_left_out() -> None:
    union = pa.UnionArray.from_dense(
        pa.array([0, 1], pa.int8()), pa.array([0, 0], pa.int32()), [pa.array([1]), pa.array(["a"])]
    )
    months = pa.array([pa.MonthDayNano([1, 2, 3])])
    for column in (union, months):
        with pytest.raises(DataError, match=r"column 'u'.*no rows-v1 encoding"):
            open_frame({"u": column}).digest()


TYPES: dict[str, tuple[st.SearchStrategy[Any], pa.DataType]] = {
    "bool": (st.booleans(), pa.bool_()),
    "int": (st.integers(-(2**63), 2**63 - 1), pa.int64()),
    "float": (st.floats(allow_nan=False), pa.float64()),
    "text": (st.text(alphabet="aä€𝄞\0 ", max_size=4), pa.string()),
    "date": (st.integers(-(2**31), 2**31 - 1), pa.int32()),
}


@law(80)
@given(data=st.data(), rows=st.integers(0, 9), step=st.integers(1, 4))
def test_any_table_in_any_chunks_agrees_with_the_plain_implementation(
    data: st.DataObject, rows: int, step: int
) -> None:
    columns: dict[str, tuple[str, list[Any]]] = {}
    arrays = {}
    for kind, (values, stored) in TYPES.items():
        cells = data.draw(st.lists(st.none() | values, min_size=rows, max_size=rows))
        whole = pa.array(cells, stored)
        chunks = [whole.slice(start, step) for start in range(0, rows, step)]
        column = pa.chunked_array(chunks, type=stored)
        columns[kind] = (kind, cells)
        arrays[kind] = column.cast(pa.date32()) if kind == "date" else column
    assert open_frame(arrays).digest() == reference(columns)
