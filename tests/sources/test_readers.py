"""Files that can be read, and each way in which a file is refused."""

from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from aims_gate.errors import DataError, SourceError
from aims_gate.sources.budget import Budget
from aims_gate.sources.readers import read_file


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def parquet_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


TABLE = pa.table({"a": [1, 2], "b": ["x", None]})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.parquet", parquet_bytes(TABLE)),
        ("rows.PQ", parquet_bytes(TABLE)),
        ("rows.csv", b"a,b\n1,x\n2,\n"),
        ("rows.csv", b"\xef\xbb\xbfa,b\r\n1,x\r\n2,"),
        ("rows.csv.gz", gzip.compress(b"a,b\n1,x\n") + gzip.compress(b"2,\n")),
    ],
    ids=["parquet", "pq", "csv", "csv with a byte order mark", "csv.gz of two members"],
)
def test_each_format_gives_the_table_and_the_digest_of_its_bytes(
    tmp_path: Path, name: str, content: bytes
) -> None:
    read = read_file(written(tmp_path, name, content))
    columns = {column: read.table.column(column).to_pylist() for column in read.table.column_names}
    assert columns == {"a": [1, 2], "b": ["x", None]}
    assert read.sha256 == hashlib.sha256(content).hexdigest()
    assert read.bytes == len(content)


REFUSED: dict[str, tuple[str, bytes, str]] = {
    "empty": ("a.csv", b"", "empty .0 bytes"),
    "empty parquet": ("a.parquet", b"", "empty .0 bytes"),
    "blank": ("a.csv", b"\n\n", "first line is empty"),
    "utf-16": ("a.csv", "a,b\n1,2\n".encode("utf-16"), "byte 0 .*UTF-16.*UTF-8"),
    "utf-16 without a mark": ("a.csv", "a,b\n1,2\n".encode("utf-16-le"), "byte 1 is zero.*UTF-8"),
    "utf-32": ("a.csv", "a,b\n1,2\n".encode("utf-32"), "byte 0 .*UTF-32"),
    "latin-1": ("a.csv", "a,b\n1,é\n".encode("latin-1"), "byte 6 is not UTF-8"),
    "cut utf-8": ("a.csv", "a,b\n1,é".encode()[:-1], "byte 6 is not UTF-8"),
    "ragged": ("a.csv", b"a,b\n1,2\n3\n4,5,6\n", "2 fields.*line 3 has 1, line 4 has 3"),
    "ragged after an empty line": ("a.csv", b"a,b\n1,2\n\n3\n", "row 3 has 1"),
    "ragged after quotes": ("a.csv", b'a,b\n"x\ny",2\n3\n', "row 3 has 1"),
    "many ragged": ("a.csv", b"a,b\n" + b"1\n" * 50, "and 47 more"),
    "duplicate header": ("a.csv", b"a,b,a\n1,2,3\n", "two columns are called 'a'"),
    "nameless column": ("a.csv", b",a\n0,1\n", "column 1 has no name.*index=False"),
    "endless name": ("a.csv", b'"' + b"x" * 200_000 + b'",b\n1,2\n', "header cannot be read"),
    "endless row": ("a.csv", b"a,b\n" + b"x" * 2**25 + b",1\n", "cannot be parsed as CSV"),
    "semicolons": ("a.csv", b"a;b\n1;2\n", "separated by .*not by commas"),
    "open quote": ("a.csv", b'a,b\n1,"x\n2,y\n', "never closed"),
    "stray quote": ("a.csv", b'a,b\n1,5" tall\n2,y\n', "inside a field"),
    "cut parquet": ("a.parquet", parquet_bytes(TABLE)[:-9], "truncated or damaged"),
    "parquet of 4 bytes": ("a.parquet", b"PAR1", "truncated or damaged"),
    "parquet without a head": ("a.parquet", b"xxxx" + parquet_bytes(TABLE)[4:], "is lost"),
    "parquet named csv": ("a.csv", parquet_bytes(TABLE), "says CSV, but the content is Parquet"),
    "csv named parquet": ("a.parquet", b"a,b\n1,2\n", "says Parquet"),
    "gzip named csv": ("a.csv", gzip.compress(b"a\n1\n"), "CSV with gzip"),
    "csv named gzip": ("a.csv.gz", b"a\n1\n", "says CSV with gzip"),
    "cut gzip": ("a.csv.gz", gzip.compress(b"a,b\n" * 99)[:-9], "truncated or damaged"),
    "damaged gzip": ("a.csv.gz", b"\x1f\x8b\x08\x00" + b"\xff" * 30, "truncated or damaged"),
    "gzip of nothing": ("a.csv.gz", gzip.compress(b""), "empty once unpacked"),
    "excel": ("a.csv", b"PK\x03\x04 rest", "zip archive"),
    "pickle": ("a.pkl", b"\x80\x04\x95 rest", "a pickle.*Parquet"),
    "unknown name": ("a.data", b"a,b\n1,2\n", "does not say what it holds"),
    "tsv": ("a.tsv", b"a\tb\n1\t2\n", "does not say what it holds"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_is_not_usable_is_refused_with_what_and_where(
    tmp_path: Path, case: str
) -> None:
    name, content, message = REFUSED[case]
    with pytest.raises(DataError, match=message) as caught:
        read_file(written(tmp_path, name, content), where="evaluation data")
    assert caught.value.where == "evaluation data"


def test_what_cannot_be_opened_is_a_source_error(tmp_path: Path) -> None:
    folder = tmp_path / "rows.parquet"
    folder.mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    for name in ("rows.parquet", "pipe.csv", "missing.csv", "missing/rows.csv", "nul\0.csv"):
        with pytest.raises(SourceError):
            read_file(tmp_path / name)


def test_limits_hold_packed_and_unpacked(tmp_path: Path) -> None:
    bomb = written(tmp_path, "a.csv.gz", gzip.compress(b"a\n" + b"1\n" * 50_000))
    wide = written(tmp_path, "a.parquet", parquet_bytes(pa.table({"a": ["x" * 90_000]})))
    plain = written(tmp_path, "a.csv", b"a\n" + b"1\n" * 5_000)
    for path in (bomb, wide, plain):
        with pytest.raises(DataError, match="more than 9,999 bytes"):
            read_file(path, budget=Budget(most=9_999))
    for path in (bomb, wide, plain):
        assert read_file(path, budget=Budget(most=900_000)).table.num_rows > 0
