"""JSON lines, Arrow and partitioned Parquet: what is read, and each way in which it is refused."""

from __future__ import annotations

import gzip
import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from pyarrow import feather, parquet

from aims_gate.attest.manifest import scan
from aims_gate.errors import DataError, SourceError
from aims_gate.sources.budget import Budget
from aims_gate.sources.folders import folder_digest, read_folder
from aims_gate.sources.readers import read_file

TABLE = pa.table({"a": [1, 2], "b": ["x", None]})
LINES = b'{"a": 1, "b": "x"}\n{"a": 2}\n'


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def ipc(table: pa.Table, *, stream: bool = False, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    with make(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=1)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def read(folder: Path, name: str, content: bytes, most: int = 1 << 20) -> Any:
    path = folder / name
    path.write_bytes(content)
    found = read_file(path, where=name, budget=Budget(most=most))
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    return found.table.to_pydict()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.jsonl", LINES),
        ("rows.ndjson", b"\xef\xbb\xbf" + LINES.replace(b"\n", b"\r\n\r\n")),
        ("rows.jsonl.gz", gzip.compress(LINES, mtime=0)),
        ("rows.jsonl.zst", zstd(LINES)),
        ("rows.csv.zst", zstd(b"a,b\n1,x\n2,\n")),
        ("rows.arrow", ipc(TABLE)),
        ("rows.arrow", ipc(TABLE, compression="zstd")),
        ("rows.ipc", ipc(TABLE, stream=True, compression="lz4")),
        ("rows.arrows", ipc(TABLE, stream=True)),
    ],
)
def test_each_format_gives_the_table(tmp_path: Path, name: str, content: bytes) -> None:
    assert read(tmp_path, name, content) == TABLE.to_pydict()


def test_feather_of_version_2_is_read_and_of_version_1_refused(tmp_path: Path) -> None:
    feather.write_feather(TABLE, tmp_path / "f.feather")
    assert read_file(tmp_path / "f.feather").table.equals(TABLE)
    with pytest.raises(DataError, match="Feather of version 1"):
        read(tmp_path, "old.feather", b"FEA1" + b"\0" * 40)


REFUSED: dict[str, tuple[str, bytes, str]] = {
    "an array": ("a.jsonl", b'[{"a": 1}]', "row 1 is not one object on one line"),
    "a cut line": ("a.jsonl", LINES + b'{"a":', "row 3 is not one object"),
    "over two lines": ("a.jsonl", b'{"a":\n1}\n', "row 1 is not one object"),
    "two on a line": ("a.jsonl", b'{"a":1}{"a":2}\n', "1 lines hold 2 objects"),
    "a key twice": ("a.jsonl", b'{"a":1,"a":2}\n', "row 1 has the key 'a' twice"),
    "two types": ("a.jsonl", b'{"a":1}\n{"a":"secret"}\n', "of two types, number and string"),
    "not UTF-8": ("a.jsonl", b'{"a":"\xff"}\n', "byte 6 is not UTF-8"),
    "no line": ("a.jsonl", b"\n\n", "there is no row"),
    "no line, packed": ("a.jsonl.gz", gzip.compress(b""), "empty once unpacked"),
    "CSV in it": ("a.jsonl", b"a,b\n1,2\n", "row 1 is not one object"),
    "an unpacked one": ("a.jsonl.gz", LINES, "says JSON lines with gzip, .* content is JSON lines"),
    "another packing": ("a.jsonl.zst", gzip.compress(LINES), "content is JSON lines with gzip"),
    "cut zstd": ("a.csv.zst", zstd(b"a,b\n" * 999)[:-4], "zstd file is truncated"),
    "too much": ("a.csv.zst", zstd(b"a,b\n" * 999_999), "unpacked it has more than"),
    "too much, packed Arrow": (
        "a.arrow",
        ipc(pa.table({"a": ["x" * 2_000_000]}), compression="zstd"),
        "unpacked it has more than",
    ),
    "plain JSON": ("a.json", LINES, "name does not say"),
    "packed Parquet": ("a.parquet.gz", gzip.compress(b"PAR1"), "name does not say"),
    "a cut Arrow file": ("a.arrow", ipc(TABLE)[:-9], "truncated or damaged"),
    "a stream cut between batches": (
        "a.arrows",
        ipc(TABLE, stream=True)[:-8],
        "truncated or damaged",
    ),
    "Arrow in Parquet's name": ("a.parquet", ipc(TABLE), "content is Arrow"),
    "text in Arrow's name": ("a.arrow", b"hello", "not, or its beginning is lost"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused_with_its_reason(tmp_path: Path, case: str) -> None:
    name, content, told = REFUSED[case]
    with pytest.raises(DataError, match=told) as caught:
        read(tmp_path, name, content)
    assert "secret" not in str(caught.value)


def test_forged_offsets_in_arrow_are_refused_and_not_followed(tmp_path: Path) -> None:
    """Arrow trusts offsets unless it is told to check them, and would read other memory."""
    sink = pa.BufferOutputStream()
    table = pa.table({"a": ["abc", "d"]})
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    content = sink.getvalue().to_pybytes()
    offsets = b"\0\0\0\0\x03\0\0\0\x04\0\0\0"
    assert content.count(offsets) == 1
    broken = content.replace(offsets, offsets[:8] + b"\xff\xff\xff\x7f")
    with pytest.raises(DataError, match="truncated or damaged"):
        read(tmp_path, "a.arrow", broken)


ROWS = pa.table(
    {
        "a": [1, 2, 3, 4],
        "year": [2025, 2026, 2026, 2026],
        "day": [date(2025, 1, 2), date(2026, 1, 2), date(2026, 1, 2), date(2026, 2, 3)],
        "b": ["p q", "p q", "rés", None],
    }
)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A hive-partitioned data set as pyarrow writes it, with Spark's mark beside it."""
    folder = tmp_path / "lake"
    parts = ds.partitioning(ROWS.select(["year", "day", "b"]).schema, flavor="hive")
    ds.write_dataset(ROWS, folder, format="parquet", partitioning=parts)
    (folder / "_SUCCESS").touch()
    return folder


def test_a_partitioned_folder_is_one_table_with_its_keys(lake: Path) -> None:
    found = read_folder(lake, where="lake")
    rows = sorted(found.table.to_pylist(), key=lambda row: row["a"])
    assert rows == ROWS.to_pylist()
    assert found.sha256 == scan(lake).digest == folder_digest(lake)


def test_every_file_is_in_the_digest(lake: Path) -> None:
    before = folder_digest(lake)
    (lake / "_SUCCESS").write_bytes(b"x")
    assert folder_digest(lake) != before


def test_a_key_that_is_not_all_numbers_is_text(tmp_path: Path) -> None:
    for value in ("007", "8", "__HIVE_DEFAULT_PARTITION__"):
        (tmp_path / "r" / f"k={value}").mkdir(parents=True)
        parquet.write_table(pa.table({"a": [1]}), tmp_path / "r" / f"k={value}" / "x.parquet")
    assert read_folder(tmp_path / "r", where="r").table["k"].to_pylist() == ["007", "8", None]


def put(folder: Path, name: str, content: pa.Table | bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        parquet.write_table(content, path)


ONE = pa.table({"a": [1], "b": ["x"]})


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"_SUCCESS": b""}, "holds no Parquet file"),
        ({"x.parquet": ONE, "_delta_log/0.json": b"{}"}, "below the folder is a Delta table"),
        ({"data/x.parquet": ONE}, "'data' is not called KEY=VALUE"),
        ({"x.parquet": ONE, "notes.txt": b"hello"}, "notes.txt: it is no Parquet file"),
        (
            {"x.parquet": ONE, "y.csv": b"a,b\n1,x\n"},
            "y.csv: a folder of parts of text is not read",
        ),
        ({"x.parquet": ONE, ".hidden.parquet.swp": b"x"}, "it is no Parquet file"),
        ({"x.parquet": ONE, "y.parquet": b""}, "y.parquet: the file is empty"),
        ({"x.parquet": ONE, "y.parquet": ONE.drop(["b"])}, "not every file has the column 'b'"),
        (
            {"x.parquet": ONE, "y.parquet": pa.table({"a": ["1"], "b": ["x"]})},
            "column 'a' is int64 in one file and large_string",
        ),
        ({"k=1/x.parquet": ONE, "x.parquet": ONE}, "not partitioned by the same keys"),
        ({"k=1/x.parquet": ONE, "l=1/x.parquet": ONE}, "not partitioned by the same keys"),
        ({"k=1/k=2/x.parquet": ONE}, "not called KEY=VALUE"),
        ({"a=1/x.parquet": ONE}, "the partition 'a' is a column of the files as well"),
    ],
    ids=str,
)
def test_a_folder_that_is_no_one_table_is_refused(
    tmp_path: Path, files: dict[str, pa.Table | bytes], told: str
) -> None:
    for name, content in files.items():
        put(tmp_path / "lake", name, content)
    with pytest.raises(DataError, match=told):
        read_folder(tmp_path / "lake", where="lake")


def test_links_in_a_folder_are_not_followed(lake: Path, tmp_path: Path) -> None:
    put(tmp_path, "outside.parquet", ONE)
    (lake / "x.parquet").symlink_to(tmp_path / "outside.parquet")
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        read_folder(lake, where="lake")


def test_a_column_that_one_file_leaves_empty_takes_the_type_of_the_others(tmp_path: Path) -> None:
    put(tmp_path / "lake", "x.parquet", pa.table({"a": [1], "b": pa.nulls(1)}))
    put(tmp_path / "lake", "y.parquet", ONE)
    assert read_folder(tmp_path / "lake", where="lake").table["b"].to_pylist() == [None, "x"]


def test_the_limit_is_for_all_files_together(tmp_path: Path) -> None:
    rows = pa.table({"a": ["x" * 10_000]})
    for name in "pqrs":
        put(tmp_path / "lake", f"{name}.parquet", rows)
    assert (
        read_folder(tmp_path / "lake", where="lake", budget=Budget(most=60_000)).table.num_rows == 4
    )
    with pytest.raises((DataError, SourceError), match="more than"):
        read_folder(tmp_path / "lake", where="lake", budget=Budget(most=30_000))
