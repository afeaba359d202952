"""CSV: what is null, what type a column has, and that each cell is read as it was written."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.errors import DataError
from aims_gate.sources.csv_text import read_csv
from tests.support.laws import law


def test_a_header_without_rows_is_a_table_without_rows() -> None:
    for content in (b"a,b", b"a,b\n", b"a,b\r\n\r\n"):
        table = read_csv(content, where="x").table
        assert (table.column_names, table.num_rows) == (["a", "b"], 0)


@pytest.mark.parametrize("end", [b"\n1\n", b"\n", b""])
def test_a_header_that_is_too_long_says_so(end: bytes) -> None:
    header = b",".join(b"c%d" % number for number in range(300_000))
    with pytest.raises(DataError, match=r"the header has 1,048,576 bytes or more"):
        read_csv(header + end, where="x")


def test_a_header_just_below_the_limit_is_read() -> None:
    header = b",".join(b"%063d" % number for number in range(16_383))
    table = read_csv(header + b"\n" + b"," * 16_382 + b"\n", where="x").table
    assert (table.num_columns, table.num_rows) == (16_383, 1)


def test_beside_quotes_a_word_without_them_is_null() -> None:
    fields = ["", "NA", "NaN", "nan", "null", "NULL", "None", "N/A", "-", '""', '"NA"', "#N/A"]
    content = "t,n\n" + "".join(f"{field},{i}\n" for i, field in enumerate(fields))
    table = read_csv(content.encode(), where="x").table
    assert table["t"].to_pylist() == [None] * 6 + ["None", "N/A", "-", "", "NA", "#N/A"]


def test_types_are_those_of_whole_columns() -> None:
    table = read_csv(
        b"i,f,b,d,t,mixed,one\n1,1,true,2020-01-31,2020-01-31T01:02:03Z,1,1\n"
        b"NA,1.5,False,,,x,0\n,inf,NA,2020-02-01,,true,\n",
        where="x",
    ).table
    kinds = {name: str(table.schema.field(name).type) for name in table.column_names}
    assert kinds == {
        "i": "int64",
        "f": "double",
        "b": "bool",
        "d": "date32[day]",
        "t": "timestamp[s, tz=UTC]",
        "mixed": "string",
        "one": "int64",
    }


def test_empty_lines_of_a_single_column_are_its_nulls() -> None:
    assert read_csv(b"a\n1\n\n3\n", where="x").table["a"].to_pylist() == [1, None, 3]
    assert read_csv(b"a,b\n1,2\n\n3,4\n\n", where="x").table["a"].to_pylist() == [1, 3]


def test_a_cell_never_stands_in_an_error() -> None:
    for content in (b"who,b\nMary Smith\n", b'who,b\n"Mary Smith,1\n'):
        with pytest.raises(DataError) as caught:
            read_csv(content, where="x")
        assert "Mary" not in str(caught.value)


_CELL = st.text(alphabet='abNA,"\n\r é1.-', max_size=6)


@law(80)
@given(rows=st.lists(st.tuples(_CELL, _CELL), max_size=8))
def test_what_pandas_quotes_is_read_back_as_it_was(rows: list[tuple[str, str]]) -> None:
    frame = pd.DataFrame(rows, columns=["first", "second"], dtype=object)
    content = frame.to_csv(index=False, quoting=2).encode()
    expected: dict[str, list[Any]] = {name: frame[name].tolist() for name in frame.columns}
    table = read_csv(content, where="x").table
    kept = {
        name: ["" if v is None else str(v) for v in table[name].to_pylist()] for name in expected
    }
    if all(pa.types.is_string(field.type) for field in table.schema):
        assert kept == expected
    assert table.num_rows == len(rows)
