"""Files that can be read, and each way in which a file is refused."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from aims_gate.errors import DataError, SourceError
from aims_gate.frames.arrow import ArrowFrame
from aims_gate.sources.csv_text import read_csv
from aims_gate.sources.readers import parse_bytes, read_file
from tests.laws import law


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
        ("rows.csv", b"\xef\xbb\xbfa,b\r\n1,x\r\n2,NA"),
        ("rows.csv.gz", gzip.compress(b"a,b\n1,x\n") + gzip.compress(b"2,null\n")),
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
    "semicolons": ("a.csv", b"a;b\n1;2\n", "not separated by commas"),
    "open quote": ("a.csv", b'a,b\n1,"x\n2,y\n', "never closed"),
    "stray quote": ("a.csv", b'a,b\n1,5" tall\n2,y\n', "never closed"),
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


def test_a_damaged_page_of_parquet_is_found(tmp_path: Path) -> None:
    sink = pa.BufferOutputStream()
    table = pa.table({"a": list(range(1000))})
    parquet.write_table(
        table, sink, write_page_checksum=True, compression="none", use_dictionary=False
    )
    content = bytearray(sink.getvalue().to_pybytes())
    place = content.index(struct.pack("<q", 500))
    content[place] ^= 1
    read = read_file(written(tmp_path, "a.parquet", bytes(content)))
    with pytest.raises(DataError, match="truncated or damaged"):
        read.table.column("a")


def _codes_past_the_dictionary(kind: pa.DataType) -> bytes:
    """Give a file whose last 50 rows say value 3 of a dictionary of values 0 to 2."""
    sink = pa.BufferOutputStream()
    values = pa.array([text for text in "xyz" for _ in range(50)]).cast(kind)
    parquet.write_table(pa.table({"a": values}), sink, compression="none", write_statistics=False)
    content = bytearray(sink.getvalue().to_pybytes())
    runs = bytes([2, 100, 0, 100, 1, 100, 2])  # codes of 2 bits; each run is twice 50, then a code
    content[content.index(runs) + 6] = 3
    return bytes(content)


@pytest.mark.parametrize("kind", [pa.string(), pa.dictionary(pa.int32(), pa.string())], ids=str)
def test_codes_that_point_past_their_dictionary_are_damage_and_not_null(
    tmp_path: Path, kind: pa.DataType
) -> None:
    content = _codes_past_the_dictionary(kind)
    read = read_file(written(tmp_path, "a.parquet", content))
    with pytest.raises(DataError, match="truncated or damaged"):
        read.table.column("a")
    with pytest.raises(DataError, match="truncated or damaged"):
        parse_bytes(content, "a.parquet", where="data", max_bytes=1 << 20)


def test_a_long_column_is_the_same_read_in_pieces_and_whole(tmp_path: Path) -> None:
    """Row groups and pieces end at different rows; groups have dictionaries of their own."""
    rows = 200_000
    random = np.random.default_rng(5)
    numbers, some = random.normal(size=rows).round(2), random.random(rows) < 0.1
    table = pa.table(
        {
            "x": pa.array(numbers, mask=some),
            "k": pa.array(np.arange(rows) // 7),
            "t": pa.array([f"t{place // 50_000}" for place in range(rows)], mask=some),
            "d": pa.array(numbers > 0, mask=some).dictionary_encode(),
            "l": pa.array([[place % 3] for place in range(rows)]),
        }
    )
    path = tmp_path / "a.parquet"
    parquet.write_table(table, path, row_group_size=90_000)
    lazy, whole = read_file(path).table, parquet.read_table(path)
    assert lazy.column("x").num_chunks > 3
    for name in table.column_names:
        assert lazy.column(name).to_pylist() == whole.column(name).to_pylist()
        assert sum(map(len, lazy.pieces(name))) == rows
    one, other = ArrowFrame.of(lazy), ArrowFrame.of(whole)
    for name in ("x", "k"):
        found, wanted = one.distribution(name), other.distribution(name)
        assert np.array_equal(found.values, wanted.values)
        assert (found.counts.tolist(), found.nulls) == (wanted.counts.tolist(), wanted.nulls)


def _varint(number: int) -> bytes:
    """Write a number as Parquet's footer does: zigzag, seven bits a byte."""
    left, out = number << 1 if number >= 0 else -number * 2 - 1, bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*out, left])


def _lying(told: dict[str, int], kind: pa.DataType, rows: int = 20) -> bytes:
    """Give a file of one column of *rows* rows whose footer tells other counts for some places."""
    sink = pa.BufferOutputStream()
    table = pa.table({"a": pa.array(range(rows)).cast(kind)})
    options = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    parquet.write_table(table, sink, store_schema=False, **options)
    content: bytes = sink.getvalue().to_pybytes()
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    parts = content[start:-8].split(b"\x16" + _varint(rows))  # i64, and how many
    places = dict(zip(["file", "column", "group"], parts[:-1], strict=True))
    footer = b"".join(
        part + b"\x16" + _varint(told.get(place, rows)) for place, part in places.items()
    )
    footer += parts[-1]
    return content[:start] + footer + struct.pack("<I", len(footer)) + b"PAR1"


LIES: dict[str, dict[str, int]] = {
    "the file has fewer": {"file": 17},
    "the file has more": {"file": 23},
    "the row group has fewer": {"group": 17},
    "the row group has more": {"group": 23},
    "file and row group have fewer": {"file": 17, "group": 17},
    "file and row group have more": {"file": 23, "group": 23},
    "file and row group have none": {"file": 0, "group": 0},
    "file and row group have less than none": {"file": -5, "group": -5},
    "all have less than none": {"file": -5, "group": -5, "column": -5},
    "all have more": {"file": 23, "group": 23, "column": 23},
    "the column has fewer": {"column": 17},
    "the column has more": {"column": 23},
    "the file has more than memory": {"file": 1 << 45},
}


@pytest.mark.parametrize("kind", [pa.int64(), pa.string()], ids=str)
@pytest.mark.parametrize("lie", LIES)
def test_counts_of_a_parquet_file_that_do_not_agree_are_damage(
    tmp_path: Path, lie: str, kind: pa.DataType
) -> None:
    """Arrow alone would leave rows out in silence, or give fewer than told."""
    content = _lying(LIES[lie], kind)
    with pytest.raises(DataError, match="truncated or damaged"):
        read_file(written(tmp_path, "a.parquet", content)).table.column("a")
    with pytest.raises(DataError, match="truncated or damaged"):
        parse_bytes(content, "a.parquet", where="data", max_bytes=1 << 20)


def test_a_parquet_file_that_tells_more_rows_than_memory_holds_is_too_large(
    tmp_path: Path,
) -> None:
    told = dict.fromkeys(("file", "group", "column"), 1 << 45)
    for kind in (pa.int64(), pa.string()):
        path = written(tmp_path, "a.parquet", _lying(told, kind))
        with pytest.raises(DataError, match="more than 8,589,934,592 bytes"):
            read_file(path)


def test_a_parquet_file_whose_counts_are_told_anew_but_true_is_read(tmp_path: Path) -> None:
    """What the lies are told with changes nothing else."""
    for kind in (pa.int64(), pa.string()):
        read = read_file(written(tmp_path, "a.parquet", _lying({}, kind)))
        assert [int(value) for value in read.table.column("a").to_pylist()] == [*range(20)]


def test_a_dictionary_of_many_values_comes_once_a_row_group(tmp_path: Path) -> None:
    """It would come with each piece again: time and memory as the square of the rows."""
    rows = 200_000
    values, codes = pa.array(map(str, range(rows))), pa.array(range(rows), type=pa.int32())
    table = pa.table({"a": pa.DictionaryArray.from_arrays(codes, values)})
    path = tmp_path / "a.parquet"
    parquet.write_table(table, path, dictionary_pagesize_limit=1 << 26)
    pieces = list(read_file(path).table.pieces("a"))
    assert [len(piece) for piece in pieces] == [rows]
    assert pa.types.is_dictionary(pieces[0].type)


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
            read_file(path, max_bytes=9_999)
    for path in (bomb, wide, plain):
        assert read_file(path, max_bytes=200_000).table.num_rows > 0


def test_a_header_without_rows_is_a_table_without_rows() -> None:
    for content in (b"a,b", b"a,b\n", b"a,b\r\n\r\n"):
        table = read_csv(content, where="x")
        assert (table.column_names, table.num_rows) == (["a", "b"], 0)


def test_null_is_an_empty_or_na_field_without_quotes_and_nothing_else() -> None:
    fields = ["", "NA", "NaN", "nan", "null", "NULL", "None", "N/A", "-", '""', '"NA"', "#N/A"]
    content = "t,n\n" + "".join(f"{field},{i}\n" for i, field in enumerate(fields))
    table = read_csv(content.encode(), where="x")
    assert table["t"].to_pylist() == [None] * 6 + ["None", "N/A", "-", "", "NA", "#N/A"]


def test_types_are_those_of_whole_columns() -> None:
    table = read_csv(
        b"i,f,b,d,t,mixed,one\n1,1,true,2020-01-31,2020-01-31T01:02:03Z,1,1\n"
        b"NA,1.5,False,,,x,0\n,inf,NA,2020-02-01,,true,\n",
        where="x",
    )
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
    assert read_csv(b"a\n1\n\n3\n", where="x")["a"].to_pylist() == [1, None, 3]
    assert read_csv(b"a,b\n1,2\n\n3,4\n\n", where="x")["a"].to_pylist() == [1, 3]


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
    table = read_csv(content, where="x")
    kept = {
        name: [None if v is None else str(v) for v in table[name].to_pylist()] for name in expected
    }
    if all(pa.types.is_string(field.type) for field in table.schema):
        assert kept == expected
    assert table.num_rows == len(rows)
