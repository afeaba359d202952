"""Data of a few bytes that say gigabytes: refused by what they would take, before they take it."""

from __future__ import annotations

import gzip
import io
import resource
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from aims_gate.errors import DataError, UsageError
from aims_gate.sources.budget import FREE, VARIABLE, Budget
from aims_gate.sources.folders import read_folder
from aims_gate.sources.parquet_pages import pages
from aims_gate.sources.readers import read_bytes, read_file

READ = """
import os, resource, sys
from pathlib import Path
from aims_gate.sources.readers import read_bytes, read_file
import aims_gate.sources.folders
from aims_gate.errors import DataError
for line in sys.stdin:
    if os.fork():
        os.wait()
        continue
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = "read"
    try:
        table = read_file(Path(line.rstrip())).table
        for name in table.column_names[:50]:
            table.column(name)
    except DataError as error:
        told = str(error).replace(chr(10), " ")
    print(told, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, sep=chr(9), flush=True)
    os._exit(0)
"""
"""Reads each file in a process of its own, forked after the imports, which take longer than a file.

Prints what is refused, and the growth in KiB."""


@pytest.fixture(scope="module")
def reader() -> Iterator[Callable[[Path], tuple[str, int]]]:
    """Reads a file elsewhere: what is told of it, and the memory that took in KiB."""
    with subprocess.Popen(
        [sys.executable, "-c", READ], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, answered = process.stdin, process.stdout

        def read(path: Path) -> tuple[str, int]:
            print(path, file=asked, flush=True)
            told, _, grown = answered.readline().partition("\t")
            return told, int(grown)

        yield read
        asked.close()


def parquet_of(table: pa.Table, **options: object) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(table, sink, **options)
    return sink.getvalue()


def _rows() -> bytes:
    """A column of equal numbers, of which each row group says that it has a hundred million."""
    return parquet_of(_constant(40_000_000), row_group_size=40_000_000, compression="zstd")


def _constant(rows: int) -> pa.Table:
    return pa.table({"a": pa.array(np.zeros(rows, dtype=np.int64))})


def _columns() -> bytes:
    column = np.zeros(2_000_000, dtype=np.int64)
    return parquet_of(pa.table({f"c{n}": column for n in range(40)}), compression="zstd")


def _coded() -> bytes:
    """One long text, and a million codes that stand for it."""
    codes = pa.array(np.zeros(1_000_000, dtype=np.int32))
    text = pa.array(["x" * 1_000_000])
    table = pa.table({"a": pa.DictionaryArray.from_arrays(codes, text)})
    return parquet_of(table, compression="zstd")


def _page() -> bytes:
    """A page that truly unpacks to a gigabyte, of which the footer says that it has a hundred."""
    content = parquet_of(
        pa.table({"a": pa.array(["x" * 400_000_000], pa.large_string())}),
        compression="zstd",
        use_dictionary=False,
        write_statistics=False,
        store_schema=False,
    )
    stated = parquet.ParquetFile(io.BytesIO(content)).metadata.row_group(0).column(0)
    told = _zigzag(stated.total_uncompressed_size)
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    small = bytes([0x80 | 100, *[0x80] * (len(told) - 2), 0])
    return content[:footer] + content[footer:].replace(told, small)


def _zigzag(number: int) -> bytes:
    left, out = number << 1, bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*out, left])


def _shared_prefix() -> bytes:
    """Each value begins as the one before: a million of them in the bytes of one."""
    texts = pa.array(["x" * 100_000 + f"{n:05}" for n in range(8_000)])
    return parquet_of(
        pa.table({"a": texts}),
        compression="zstd",
        use_dictionary=False,
        column_encoding={"a": "DELTA_BYTE_ARRAY"},
        write_statistics=False,
    )


def ipc_of(table: pa.Table, kind: str = "stream", compression: str | None = None) -> bytes:
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    writer = (pa.ipc.new_stream if kind == "stream" else pa.ipc.new_file)(
        sink, table.schema, options=options
    )
    with writer:
        writer.write_table(table)
    return sink.getvalue()


def _runs() -> bytes:
    runs = pa.RunEndEncodedArray.from_arrays(
        pa.array([2_000_000_000], pa.int32()), pa.array(["x" * 100])
    )
    return ipc_of(pa.table({"a": runs}))


def _views() -> bytes:
    """Forty thousand views of one text."""
    text = "x" * 100_000
    view = struct.pack("<i4sii", len(text), text[:4].encode(), 0, 0)
    views = pa.py_buffer(view * 40_000)
    array = pa.Array.from_buffers(
        pa.string_view(), 40_000, [None, views, pa.py_buffer(text.encode())]
    )
    return ipc_of(pa.table({"a": array}))


def _again() -> bytes:
    """A file whose footer names its one batch two thousand times."""
    content = ipc_of(_constant(2_000_000), "file", "zstd")
    length = int.from_bytes(content[-10:-6], "little")
    footer = bytearray(content[-10 - length : -10])
    (block,) = [
        place
        for place in range(0, len(footer) - 28, 4)
        if footer[place : place + 4] == b"\x01\0\0\0"
        and struct.unpack_from("<q", footer, place + 4)[0] == _first_batch(content)
    ]
    one = bytes(footer[block + 4 : block + 28])
    new = struct.pack("<I", 2000) + one * 2000
    vectors = bytes(footer) + b"\0" * (-(len(footer) + 4) % 8) + new
    # the table's own offset now leads to the new vector
    (root,) = struct.unpack_from("<I", footer)
    fields = root - struct.unpack_from("<i", footer, root)[0]
    at = root + struct.unpack_from("<H", footer, fields + 4 + 2 * 3)[0]
    changed = bytearray(vectors)
    struct.pack_into("<I", changed, at, len(vectors) - len(new) - at)
    return content[: -10 - length] + bytes(changed) + struct.pack("<i", len(changed)) + b"ARROW1"


def _first_batch(content: bytes) -> int:
    (schema,) = struct.unpack_from("<i", content, 12)
    return int(8 + 8 + schema)


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "rows of Parquet": ("a.parquet", _rows),
    "columns of Parquet": ("a.parquet", _columns),
    "codes of Parquet": ("a.parquet", _coded),
    "a page of Parquet": ("a.parquet", _page),
    "shared prefixes of Parquet": ("a.parquet", _shared_prefix),
    "a packed stream": ("a.arrows", lambda: ipc_of(_constant(40_000_000), "stream", "zstd")),
    "a packed file": ("a.arrow", lambda: ipc_of(_constant(40_000_000), "file", "lz4")),
    "a batch named again": ("a.arrow", _again),
    "runs of Arrow": ("a.arrows", _runs),
    "views of Arrow": ("a.arrows", _views),
    "rows of nothing": ("a.arrows", lambda: ipc_of(pa.table({"a": pa.nulls(300_000_000)}))),
    "packed CSV": ("a.csv.gz", lambda: gzip.compress(b"a,b\n" + b"1,2\n" * 70_000_000)),
    "values of CSV": ("a.csv.gz", lambda: gzip.compress(b"a,b\n" + b"1,2\n" * 20_000_000)),
    "packed JSON": ("a.jsonl.gz", lambda: gzip.compress(b"{}\n" * 20_000_000)),
    "keys of JSON": ("a.jsonl", lambda: b"".join(b'{"k%d":1}\n' % n for n in range(10_000))),
}
SMALL = 500_000
"""KiB by which reading may grow: the limit of a small file, and as much again for what reads it."""


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_before_it_is_unpacked(
    bomb: str, tmp_path: Path, reader: Callable[[Path], tuple[str, int]]
) -> None:
    name, made = BOMBS[bomb]
    path = tmp_path / name
    path.write_bytes(made())
    assert path.stat().st_size < FREE // 200
    told, grown = reader(path)
    assert "more than 268,435,456 bytes, the limit for a file of its size" in told
    assert VARIABLE in told
    assert grown < SMALL


@pytest.mark.parametrize("row", [b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}", b'{"a":' * 5000])
def test_json_that_is_deeper_than_its_reader_is_refused(row: bytes, tmp_path: Path) -> None:
    """Arrow's reader of JSON would end the process."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(row + b"\n")
    with pytest.raises(DataError, match=r"nested more than 64 deep|more than 268"):
        read_file(path)
    flat = b'{"a": "a [ in a text {", "b": [{"c": 1}, {"c": 2}]}\n' * 1000
    path.write_bytes(flat)
    assert read_file(path).table.num_rows == 1000


def test_folders_have_one_budget(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.parquet").write_bytes(
            parquet_of(_constant(20_000_000), compression="zstd")
        )
    with pytest.raises(DataError, match=r"more than .* the limit for a file of its size"):
        read_folder(tmp_path, where="data")


def test_the_environment_states_another_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(parquet_of(_constant(40_000_000), compression="zstd"))
    with pytest.raises(DataError, match="268,435,456"):
        read_file(path)
    assert read_file(path, budget=Budget.of({VARIABLE: "400000000"})).table.num_rows == 40_000_000
    with pytest.raises(DataError, match="more than 1,000 bytes"):
        read_file(path, budget=Budget.of({VARIABLE: "1000"}))
    for wrong in ("0", "-1", "8GiB", "1e9"):
        with pytest.raises(UsageError, match=VARIABLE):
            Budget.of({VARIABLE: wrong})


def test_honest_files_stay_within_their_size(tmp_path: Path) -> None:
    """Labels, answers and groups of ten million rows, a score beside them: no limit is near."""
    rows = 10_000_000
    random = np.random.default_rng(3)
    size = len(
        parquet_of(
            pa.table({"y": random.random(rows // 100) < 0.3, "p": random.random(rows // 100)})
        )
    )
    assert Budget().of_file(100 * size) > 3 * rows * 8 * 2
    content = parquet_of(pa.table({"t": pa.array(["a", "b"] * 50_000)}))
    first = next(pages(lambda start, size: content[start : start + size], [(4, 200)]))
    assert first.is_dictionary
    texts = pa.table({"t": ["x", "xy", None] * 1000, "l": [["a"], [], None] * 1000})
    for encoding in ("DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY", "PLAIN"):
        path = tmp_path / "a.parquet"
        stored = dict.fromkeys(("t", "l.list.element"), encoding)
        path.write_bytes(parquet_of(texts, use_dictionary=False, column_encoding=stored))
        read = read_file(path).table
        assert all(read.column(name).to_pylist() == texts[name].to_pylist() for name in ("t", "l"))


@pytest.mark.parametrize(
    "header",
    [b"", b"\x15", b"\x15\x00\x15\x10", b"\x1c" * 40, b"\x15" + b"\xff" * 12, b"\x19\x00", b"\x00"],
)
def test_a_pages_header_that_is_damaged_is_refused(header: bytes) -> None:
    def read(start: int, size: int) -> bytes:
        return header[start : start + size]

    with pytest.raises(ValueError, match=r"page|header|number"):
        list(pages(read, [(0, len(header) or 1)]))


def test_a_limit_is_no_memory_that_is_asked_for(tmp_path: Path) -> None:
    """Under `ulimit -v` the buffer for the largest file there may be crashed the smallest one."""
    path = tmp_path / "e.csv"
    path.write_bytes(b"y,p\n1,1\n")
    assert read_bytes(path, where="", max_bytes=1 << 60) == b"y,p\n1,1\n"


def test_ordinary_limits_are_those_of_the_machine() -> None:
    """The tests above measure in KiB, as Linux does."""
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 10_000
