"""Parquet by the column: the same as whole, and what is damaged or lies is refused."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from aims_gate.errors import DataError
from aims_gate.frames.opening import open_frame
from aims_gate.sources.readers import parse_bytes, read_file


def written(folder: Path, content: bytes) -> Path:
    path = folder / "a.parquet"
    path.write_bytes(content)
    return path


def test_a_damaged_page_of_parquet_is_found(tmp_path: Path) -> None:
    sink = pa.BufferOutputStream()
    table = pa.table({"a": list(range(1000))})
    parquet.write_table(
        table, sink, write_page_checksum=True, compression="none", use_dictionary=False
    )
    content = bytearray(sink.getvalue().to_pybytes())
    place = content.index(struct.pack("<q", 500))
    content[place] ^= 1
    read = read_file(written(tmp_path, bytes(content)))
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
    read = read_file(written(tmp_path, content))
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
    one, other = open_frame(lazy), open_frame(whole)
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
        read_file(written(tmp_path, content)).table.column("a")
    with pytest.raises(DataError, match="truncated or damaged"):
        parse_bytes(content, "a.parquet", where="data", max_bytes=1 << 20)


def test_a_parquet_file_that_tells_more_rows_than_memory_holds_is_too_large(
    tmp_path: Path,
) -> None:
    told = dict.fromkeys(("file", "group", "column"), 1 << 45)
    for kind in (pa.int64(), pa.string()):
        path = written(tmp_path, _lying(told, kind))
        with pytest.raises(DataError, match="more than 268,435,456 bytes"):
            read_file(path)


def test_a_parquet_file_whose_counts_are_told_anew_but_true_is_read(tmp_path: Path) -> None:
    """What the lies are told with changes nothing else."""
    for kind in (pa.int64(), pa.string()):
        read = read_file(written(tmp_path, _lying({}, kind)))
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
