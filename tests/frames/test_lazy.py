"""A table that is read by the column answers like the table in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from aims_gate.frames.lazy import LazyTable

TABLE = pa.table({"a": [1, 2, 3, 4], "b": ["x", None, "y", "z"]}, metadata={"of": "whom"})


def lazy(asked: list[str]) -> LazyTable:
    def read(name: str) -> Iterator[pa.ChunkedArray]:
        asked.append(name)
        column = TABLE.column(name)
        yield from (column.slice(0, 3), column.slice(3))

    return LazyTable(schema=TABLE.schema, read=read, num_rows=4)


def test_nothing_is_read_before_it_is_asked_for() -> None:
    asked: list[str] = []
    table = (
        lazy(asked)
        .filter(pa.array([True, False, True, True]))
        .append_column("c", pa.array([7, 8, 9]))
    )
    assert (table.column_names, table.num_columns, table.num_rows) == (["a", "b", "c"], 3, 3)
    assert table.schema.metadata == {b"of": b"whom"}
    assert table.column("c").to_pylist() == [7, 8, 9]
    assert asked == []
    assert table.column("b").to_pylist() == ["x", "y", "z"]
    assert asked == ["b"]
    with pytest.raises(KeyError):
        table.column("d")


def test_filters_and_columns_are_those_of_the_table_in_memory() -> None:
    one, other = lazy([]), TABLE
    for mask in ([True, True, False, True], [False, True, True]):
        one, other = one.filter(pa.array(mask)), other.filter(pa.array(mask))
        extra, name = pa.array(range(sum(mask))), f"n{sum(mask)}"
        one, other = one.append_column(name, extra), other.append_column(name, extra)
        assert one.to_table().equals(other, check_metadata=True)
    one = one.append_column(
        pa.field("f", pa.int8()), pa.chunked_array([pa.array([1, 2], pa.int8())])
    )
    assert one.filter(pa.chunked_array([[False], [True]])).to_table().to_pylist()[0]["f"] == 2


def test_pieces_are_the_column_in_order_and_are_read_one_by_one() -> None:
    asked: list[str] = []
    table = lazy(asked).filter(pa.array([True, False, True, True]))
    table = table.append_column("c", pa.array([7, 8, 9]))
    pieces = table.pieces("b")
    assert asked == []
    assert [piece.to_pylist() for piece in pieces] == [["x", "y"], ["z"]]
    assert [piece.to_pylist() for piece in table.pieces("c")] == [[7, 8, 9]]
    with pytest.raises(KeyError):
        next(table.pieces("d"))


def test_a_column_without_a_piece_is_empty_and_of_its_type() -> None:
    table = LazyTable(schema=TABLE.schema, read=lambda _name: iter(()), num_rows=0)
    assert table.column("a").type == pa.int64()
    assert len(table.column("b")) == 0
