"""What a column of an engine's own type is: as its rows are in memory, or refused by its name."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from aims_gate.errors import DataError
from aims_gate.frames import (
    Cells,
    Distribution,
    Frame,
    Gathered,
    Grid,
    Histogram,
    Key,
    Loss,
    Moments,
    RowLoss,
)
from aims_gate.frames.opening import open_frame, open_rows
from tests.support.engine_tables import SPARK, SPARK_4, connection, spark
from tests.support.laws import nightly

_DUCKDB = {
    "VARCHAR COLLATE NOCASE": "'a', 'A', 'á'",
    "VARCHAR COLLATE NOACCENT": "'a', 'á', NULL",
    "VARCHAR": "'1', '2', 'nan'",  # digits are no numbers
    "CHAR(4)": "'a', 'a   ', 'a'",
    "ENUM('b', 'a')": "'a', 'b', 'a'",
    "UUID": "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', NULL, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
    "JSON": "'{\"a\":1}', NULL, '{\"a\": 1}'",
    "BIGINT": "9007199254740993, 9007199254740992, 9007199254740993",
    "UBIGINT": "18446744073709551615, 18446744073709551614, NULL",
    "HUGEINT": "170141183460469231731687303715884105727, 1, -5",
    "UHUGEINT": "17, 1, NULL",
    "BIGNUM": "123456789012345678901234567890, 1, NULL",
    "DECIMAL(18, 3)": "1.10, 1.1, NULL",
    "DECIMAL(38, 18)": "0.1, 0.100000000000000001, NULL",
    "FLOAT": "'nan', '-0.0', '0.1'",
    "DOUBLE": "'nan', '-0.0', '-inf'",
    "DATE": "'0044-03-15 (BC)', '290000-12-22', '1969-12-31'",
    "DATE, infinite": "'infinity', '-infinity', '2020-01-01'",
    "TIMESTAMP": "'1969-12-31 23:59:59.999999', '1677-01-01', '20000-01-01'",
    "TIMESTAMP, infinite": "'infinity', '2020-01-01', NULL",
    "TIMESTAMP_S": "'1969-12-31 23:59:59', '200000-01-01', NULL",
    "TIMESTAMP_MS": "'1969-12-31 23:59:59.999', '2020-01-01', NULL",
    "TIMESTAMP_NS": "'1969-12-31 23:59:59.999999999', '1969-12-31 23:59:59.999999998', NULL",
    "TIMESTAMPTZ": "'1969-12-31 23:59:59+02', '1969-12-31 21:59:59+00', '-infinity'",
    "INTERVAL": "'1 day', '24 hours', NULL",
    "TIME": "'10:00:00', NULL, '10:00:00'",
    "TIMETZ": "'10:00:00+02', '08:00:00+00', NULL",
    "BIT": "'101', NULL, '1'",
    "BLOB": "'a', NULL, 'a'",
    "INTEGER[]": "[1], NULL, [1]",
    "INTEGER[2]": "[1, 2], NULL, [1, 2]",
    "STRUCT(a INTEGER)": "{'a': 1}, NULL, {'a': 1}",
    "MAP(VARCHAR, INTEGER)": "MAP {'a': 1}, NULL, MAP {'a': 1}",
    "INTEGER": "NULL, NULL, NULL",
}
"""Three values of each type, which SQL casts to it."""
_SPARK = {
    "string collate UTF8_LCASE": "'a', 'A', NULL",
    "string collate UNICODE_CI": "'a', 'A', 'á'",
    "char(4)": "'a', 'a   ', 'b'",
    "string": "'1', '2', 'nan'",
    "bigint": "9007199254740993, 9007199254740992, 9007199254740993",
    "decimal(38, 18)": "'0.1', '0.100000000000000001', NULL",
    "float": "'nan', '-0.0', '0.1'",
    "double": "'nan', '-0.0', '-Infinity'",
    "boolean": "true, NULL, false",
    "date": "'-0044-03-15', '+120000-12-22', '1969-12-31'",
    "timestamp": "'1969-12-31 23:59:59.999999Z', '1677-01-01 00:00:00Z', '+20000-01-01 00:00:00Z'",
    "timestamp_ntz": "'1969-12-31 23:59:59.999999', '2026-11-01 01:30:00', NULL",
    "interval day to second": "interval '1' day, interval '24' hour, NULL",
    "interval year to month": "interval '1' year, interval '12' month, NULL",
    "binary": "'a', NULL, 'a'",
    "array<int>": "array(1), NULL, array(1)",
}
"""The same for Spark."""
_USUAL = {"CHAR(4)", "ENUM('b', 'a')", "JSON", "TIMESTAMP_S", "TIMESTAMP_MS", "INTERVAL", "TIMETZ"}
_USUAL |= {
    "BIT",
    "INTEGER[]",
    "INTEGER[2]",
    "STRUCT(a INTEGER)",
    "MAP(VARCHAR, INTEGER)",
    "INTEGER",
}
_USUAL |= {"DECIMAL(18, 3)", "FLOAT", "UHUGEINT", "BLOB", "VARCHAR COLLATE NOACCENT"}
"""Types of DuckDB that are asked in `make nightly` alone."""
_REFUSED = {"UHUGEINT", "BIGNUM"}
"""Types that an engine's frame refuses whole."""
_UNANSWERED = {
    ("HUGEINT", "parts"),
    ("DATE, infinite", "parts"),
    ("TIMESTAMP, infinite", "parts"),
    ("TIMESTAMPTZ", "parts"),
}
"""What else is refused, where memory has an answer."""
_ASKS: dict[str, Callable[[Frame], Any]] = {
    "columns": lambda frame: frame.columns["c"].kind,
    "nulls": lambda frame: frame.nulls("c"),
    "count": lambda frame: frame.count(Key(column="c")),
    "bins": lambda frame: frame.count(Key(column="c", edges=(0.5, 2.0**53))),
    "matches": lambda frame: frame.count(Key(column="c", matches="a.*")),
    "contains": lambda frame: frame.count(Key(column="c", contains="1")),
    "distribution": lambda frame: frame.distribution("c"),
    "split": lambda frame: frame.distribution("k", by="c"),
    "histogram": lambda frame: frame.histogram("c", Grid(low=0, high=2.0**54, cells=7)),
    "moments": lambda frame: frame.moments(RowLoss(loss=Loss.SIGNED, label="c", estimate="k")),
    "gather": lambda frame: frame.gather(numbers=["c"]),
    "repeats": lambda frame: frame.repeats(["c"]),
    "repeats of": lambda frame: frame.repeats(["c"], frame),
    "span": lambda frame: frame.span("c", until=datetime(2000, 1, 1, tzinfo=UTC)),
    "parts": lambda frame: [
        (cell, part.distribution("k").values.tolist())
        for cell, part in frame.parts(Key(column="c"), columns=["k"])
    ],
    "without_nulls": lambda frame: frame.without_nulls(["c"]).rows,
}
"""A question for each member."""


def _written(answer: Any) -> Any:
    """An answer that can be compared; -0.0 is 0.0 in gathered rows, which come in any order."""
    if isinstance(answer, Cells):
        return answer.values, answer.counts.tolist()
    if isinstance(answer, Distribution):
        return answer.values.tolist(), answer.counts.tolist(), answer.nulls
    if isinstance(answer, dict):
        return {value: _written(part) for value, part in answer.items()}
    if isinstance(answer, Histogram):
        cells = answer.least.tolist(), answer.greatest.tolist(), answer.counts.tolist()
        return cells, answer.nulls, answer.below, answer.above
    if isinstance(answer, Gathered):
        (numbers,) = answer.numbers
        copies = [1] * len(numbers) if answer.weights is None else answer.weights.tolist()
        found: Counter[str] = Counter()
        for number, many in zip((numbers + 0.0).tolist(), copies, strict=True):
            found[repr(number)] += many
        return found
    if isinstance(answer, Moments):
        return answer.rows, pytest.approx(answer.mean), math.isnan(answer.variance)
    return answer


def _asked(frame: Frame, question: str) -> Any:
    try:
        return _written(_ASKS[question](frame))
    except DataError as error:
        return error


def _of_duckdb(kind: str) -> Any:
    stored = kind.removesuffix(", infinite")
    con = connection()
    con.execute(f"create or replace table typed (c {stored}, k integer)")
    con.execute(f"insert into typed select unnest([{_DUCKDB[kind]}]), unnest([0, 1, 2])")
    return con.table("typed")


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=[nightly] if kind in _USUAL else []) for kind in _DUCKDB],
)
def test_a_column_of_any_type_of_duckdb_is_as_in_memory_or_refused(kind: str) -> None:
    _hold(kind, _of_duckdb(kind), _of_duckdb(kind).to_arrow_table())


@pytest.mark.skipif(not SPARK, reason="Spark is in an environment of its own: make test-spark")
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[SPARK_4] if "collate" in kind else []) for kind in _SPARK]
)
def test_a_column_of_any_type_of_spark_is_as_in_memory_or_refused(kind: str) -> None:
    values = enumerate(_SPARK[kind].split(", "))
    each = [f"select cast({value} as {kind}) as c, {k} as k" for k, value in values]
    frame = spark().sql(" union all ".join(each)).cache()
    months = kind == "interval year to month"  # which Arrow has not
    from aims_gate.frames.spark_tables import collected

    rows = pa.table({"c": pa.array([b"1", b"12", None]), "k": [0, 1, 2]})
    _hold(kind, frame, rows if months else collected(frame))


def _hold(kind: str, held: Any, rows: Any) -> None:
    elsewhere, here = open_frame(held), open_rows(rows)
    for question in _ASKS:
        found, expected = _asked(elsewhere, question), _asked(here, question)
        if isinstance(found, DataError):
            may = kind in _REFUSED or (kind, question) in _UNANSWERED
            assert may or isinstance(expected, DataError), question
            assert "'c'" in str(found) or "'c'" not in str(expected), question
        elif isinstance(expected, DataError):
            # whether rows are equal needs no calendar
            assert question.startswith("repeats"), question
        elif question != "columns" or kind not in _REFUSED:
            assert found == expected, question
