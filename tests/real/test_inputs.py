"""Files that people hand over: each is read whole, or refused with what is wrong with it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from aims_gate.errors import DataError
from aims_gate.frames.opening import open_frame
from aims_gate.frames.values import Key
from aims_gate.sources.folders import read_folder
from aims_gate.sources.readers import read_file

CSV = "id,g,x\n1,F,0.5\n2,M,0.25\n"
ROWS = [{"id": 1, "g": "F", "x": 0.5}, {"id": 2, "g": "M", "x": 0.25}]
LINES = [json.dumps(row) for row in ROWS]


def packed(lines: Sequence[str]) -> bytes:
    return "\n".join([*lines, ""]).encode()


REFUSED: dict[str, tuple[str, bytes, str]] = {
    "UTF-16 without a mark": ("a.csv", CSV.encode("utf-16-le"), "byte 1 is zero"),
    "UTF-32": ("a.csv", CSV.encode("utf-32"), "begins a UTF-32 byte order mark"),
    "Latin-1": ("a.csv", CSV.replace("F", "\xe9").encode("latin-1"), "byte 9 is not UTF-8"),
    "the end of a DOS file": ("a.csv", CSV.encode() + b"\x1a", "line 4 has 1"),
    "a comment above": ("a.csv", b"# made by us\n" + CSV.encode(), "line 2 has 3"),
    "thousands": ("a.csv", b'a,b\n"1,000",x\n"2,000",y\n', "numbers with commas in them"),
    "packed twice": ("a.csv.gz", gzip.compress(gzip.compress(CSV.encode())), "byte 1 is not UTF-8"),
    "bytes after gzip": ("a.csv.gz", gzip.compress(CSV.encode()) + b"more", "truncated or damaged"),
    "CSV called Parquet": ("a.parquet", CSV.encode(), "the name says Parquet, but the content is"),
    "one array": ("a.jsonl", json.dumps(ROWS).encode(), "row 1 is not one object on one line"),
    "half a line": ("a.jsonl", packed(LINES) + b'{"id": 3', "row 3 is not one object on one line"),
    "two on a line": ("a.jsonl", packed(["".join(LINES)]), "1 lines hold 2 objects"),
    "half a character": ("a.jsonl", b'{"g": "\\ud800"}\n', "cannot be parsed as JSON lines"),
    "a comment": ("a.jsonl", packed(["// made by us", *LINES]), "row 1 is not one object"),
    "whole numbers of 70 bits": ("a.jsonl", packed([f'{{"id": {2**70}}}']), "can hold exactly"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_whole_is_refused(case: str, tmp_path: Path) -> None:
    name, content, told = REFUSED[case]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=told):
        read_file(tmp_path / name)


READ: dict[str, tuple[str, bytes]] = {
    "a byte order mark": ("a.csv", b"\xef\xbb\xbf" + CSV.encode()),
    "lines that end in two ways": ("a.csv", CSV.replace("x\n", "x\r\n").encode()),
    "empty lines at the end": ("a.csv", CSV.encode() + b"\n\n\n"),
    "no line break at the end": ("a.csv", CSV.encode().rstrip()),
    "JSON with a mark": ("a.jsonl", b"\xef\xbb\xbf" + packed(LINES)),
    "empty lines between": ("a.jsonl", packed([LINES[0], "", LINES[1]])),
    "keys in another order": (
        "a.jsonl",
        packed([LINES[0], json.dumps(dict(reversed(ROWS[1].items())))]),
    ),
}


@pytest.mark.parametrize("case", READ)
def test_honest_files_are_read_whole(case: str, tmp_path: Path) -> None:
    name, content = READ[case]
    (tmp_path / name).write_bytes(content)
    assert read_file(tmp_path / name).table.to_pylist() == ROWS


def _encoded(values: Any, kind: pa.DataType) -> pa.Array:
    return pa.array(values, kind).dictionary_encode()


GROUPS: dict[str, tuple[Callable[[], Any], list[Any]]] = {
    "large text": (lambda: pa.array(["F", "M"], pa.large_string()), ["F", "M"]),
    "text in views": (lambda: pa.array(["F", "M"]).cast(pa.string_view()), ["F", "M"]),
    "codes of whole numbers": (lambda: _encoded([7, 8], pa.int64()), [7, 8]),
    "codes of fractions": (lambda: _encoded([0.1, 0.2], pa.float32()), [0.1, 0.2]),
    "past 2^63": (lambda: pa.array([2**63, 2**63 + 1], pa.uint64()), [2**63, 2**63 + 1]),
    "wide decimals": (
        lambda: pa.array([0.5, 0.25]).cast(pa.decimal256(50, 10)),
        [0.25, 0.5],
    ),
    "half floats": (lambda: pa.array(np.array([0.1, 0.2], dtype=np.float16)), [0.1, 0.2]),
    "a zero with a sign": (lambda: pa.array([-0.0, 0.0]), [0.0]),
    "times in a zone": (
        lambda: pa.array([0, 1], pa.timestamp("s", "Asia/Tokyo")),
        ["1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z"],
    ),
    "runs": (
        lambda: pa.RunEndEncodedArray.from_arrays(pa.array([1, 2], pa.int32()), ["F", "M"]),
        ["F", "M"],
    ),
}


@pytest.mark.parametrize("case", GROUPS)
def test_groups_are_told_apart_in_every_type(case: str, tmp_path: Path) -> None:
    make, groups = GROUPS[case]
    table = pa.table({"g": make()})
    with pa.ipc.new_file(tmp_path / "a.arrow", table.schema) as file:
        file.write_table(table)
    frame = open_frame(read_file(tmp_path / "a.arrow").table)
    assert [value for (value,) in frame.count(Key(column="g")).values] == groups


def test_polars_enums_are_groups_and_empty_tables_have_no_rows(tmp_path: Path) -> None:
    enums = pl.DataFrame({"g": pl.Series(["F", "M"], dtype=pl.Enum(["M", "F"]))})
    enums.write_parquet(tmp_path / "a.parquet")
    frame = open_frame(read_file(tmp_path / "a.parquet").table)
    assert frame.count(Key(column="g")).by_value() == {"F": 1, "M": 1}
    parquet.write_table(pa.table({}), tmp_path / "b.parquet")
    assert read_file(tmp_path / "b.parquet").table.num_rows == 0


def test_folders_neither_hide_rows_nor_merge_partitions(tmp_path: Path) -> None:
    for code in ("01", "1"):
        (tmp_path / "codes" / f"g={code}").mkdir(parents=True)
        parquet.write_table(pa.table({"x": [1]}), tmp_path / "codes" / f"g={code}" / "a.parquet")
    table = read_folder(tmp_path / "codes", where="codes").table
    assert sorted(table["g"].to_pylist()) == ["01", "1"]
    (tmp_path / "both" / "x=1").mkdir(parents=True)
    parquet.write_table(pa.table({"x": [2]}), tmp_path / "both" / "x=1" / "a.parquet")
    with pytest.raises(DataError, match="'x' is a column of the files as well"):
        read_folder(tmp_path / "both", where="both")
    (tmp_path / "widths").mkdir()
    for kind in (pa.float32(), pa.float64()):
        parquet.write_table(
            pa.table({"x": pa.array([0.1], kind)}), tmp_path / "widths" / f"{kind}.parquet"
        )
    with pytest.raises(DataError, match=r"column 'x' is .* in one file and .* in another"):
        read_folder(tmp_path / "widths", where="widths")
