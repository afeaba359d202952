"""A file that is hashed once and read in parts: no byte is used that the digest does not cover."""

from __future__ import annotations

import gc
import hashlib
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from aims_gate.errors import DataError, SourceError
from aims_gate.frames.opening import open_frame
from aims_gate.sources.hashed_file import VerifiedFile
from aims_gate.sources.readers import read_file

BLOCK = 1 << 16
CONTENT = np.random.default_rng(5).bytes(3 * BLOCK + 17)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    return path


def opened(path: Path) -> VerifiedFile:
    return VerifiedFile(path, where="the data", max_bytes=1 << 20)


def test_any_part_is_that_of_the_file_and_the_digest_that_of_the_whole(path: Path) -> None:
    file = opened(path)
    assert (file.sha256, file.size) == (hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
    for start in (0, 1, BLOCK - 1, BLOCK, 3 * BLOCK, len(CONTENT) - 1, len(CONTENT), 9 * BLOCK):
        for size in (0, 1, BLOCK, BLOCK + 1, len(CONTENT)):
            assert file.read(start, size) == CONTENT[start : start + size]


def test_the_stream_has_a_place_of_its_own(path: Path) -> None:
    file = opened(path)
    one, other = file.stream(), file.stream()
    assert one.seek(-10, os.SEEK_END) == len(CONTENT) - 10
    assert bytes(one.read(4)) == CONTENT[-10:-6]
    assert (one.tell(), other.tell()) == (len(CONTENT) - 6, 0)
    assert one.seek(2, os.SEEK_CUR) == len(CONTENT) - 4
    assert one.read() == CONTENT[-4:]
    assert other.read() == CONTENT


@pytest.mark.parametrize("place", [0, BLOCK, len(CONTENT) - 1])
def test_a_byte_that_changes_after_hashing_is_never_given(path: Path, place: int) -> None:
    file = opened(path)
    with path.open("r+b") as writing:
        writing.seek(place)
        writing.write(bytes([CONTENT[place] ^ 1]))
    with pytest.raises(DataError, match="the data: the file changed while it was read"):
        file.read(place, 1)
    untouched = (place + 2 * BLOCK) % len(CONTENT)
    assert file.read(untouched, 1) == CONTENT[untouched : untouched + 1]
    path.write_bytes(CONTENT)
    assert file.read(0, len(CONTENT)) == CONTENT


def test_a_file_cut_short_after_hashing_is_an_error_and_a_longer_one_is_read_as_hashed(
    path: Path,
) -> None:
    file = opened(path)
    os.truncate(path, BLOCK + 1)
    with pytest.raises(DataError, match="changed"):
        file.read(2 * BLOCK, 1)
    path.write_bytes(CONTENT + b"more")
    assert file.read(0, 1 << 20) == CONTENT


def test_a_file_put_in_its_place_is_not_the_file_that_was_hashed(path: Path) -> None:
    file = opened(path)
    other = path.with_suffix(".other")
    other.write_bytes(bytes(len(CONTENT)))
    other.replace(path)
    assert file.read(0, len(CONTENT)) == CONTENT


def test_what_is_no_regular_file_or_too_large_is_refused(path: Path) -> None:
    with pytest.raises(DataError, match="more than 99 bytes; a folder of Parquet"):
        VerifiedFile(path, where="w", max_bytes=99)
    for wrong, reason in (
        (path.parent, "a folder"),
        (path / "x", "cannot read"),
        (Path("/dev/null"), "no regular"),
    ):
        with pytest.raises(SourceError, match=reason):
            opened(wrong)


def held(path: Path) -> int:
    """How many descriptors of this process are of *path*."""
    links = Path("/proc/self/fd").iterdir()
    return sum(os.path.realpath(link) == str(path.resolve()) for link in links)


def test_the_descriptor_is_given_back(path: Path) -> None:
    file = opened(path)
    stream = file.stream()
    assert held(path) == 1
    del file, stream
    gc.collect()
    assert held(path) == 0


def parquet_file(folder: Path, rows: int = 200_000) -> Path:
    path = folder / "rows.parquet"
    random = np.random.default_rng(1)
    table = pa.table({name: random.normal(size=rows) for name in ("a", "b", "a.b")})
    parquet.write_table(table, path, use_dictionary=False, compression="none")
    return path


def test_rows_changed_between_hashing_and_reading_are_refused_column_by_column(
    tmp_path: Path,
) -> None:
    path = parquet_file(tmp_path)
    read = read_file(path)
    frame = open_frame(read.table)
    assert frame.distribution("a").rows == 200_000
    whole = parquet.ParquetFile(path).metadata.row_group(0).column(1)
    with path.open("r+b") as writing:
        writing.seek(whole.data_page_offset + whole.total_compressed_size // 2)
        writing.write(b"\0" * 64)
    with pytest.raises(DataError, match="the file changed while it was read"):
        open_frame(read.table).distribution("b")
    assert open_frame(read.table).distribution("a").rows == 200_000


def test_a_column_whose_name_holds_a_dot_is_itself(tmp_path: Path) -> None:
    table = read_file(parquet_file(tmp_path)).table
    whole = parquet.read_table(tmp_path / "rows.parquet")
    for name in ("a", "b", "a.b"):
        assert table.column(name).equals(whole.column(name))
    nested = tmp_path / "nested.parquet"
    parquet.write_table(pa.table({"a": [{"b": 1}], "a.b": [2]}), nested)
    assert read_file(nested).table.column("a.b").to_pylist() == [2]
    assert read_file(nested).table.column("a").to_pylist() == [{"b": 1}]


def test_only_the_column_that_is_asked_for_is_held(tmp_path: Path) -> None:
    """Memory: after a question nothing of a column is kept, and during it one column is there."""
    table = read_file(parquet_file(tmp_path)).table
    before = pa.total_allocated_bytes()
    column = table.column("a")
    held = pa.total_allocated_bytes() - before
    assert column.nbytes <= held < 2 * column.nbytes
    del column
    assert pa.total_allocated_bytes() == before
