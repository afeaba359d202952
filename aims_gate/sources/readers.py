"""Files to Arrow: the bytes that are hashed are the bytes that are read.

A file is read into memory once, so that nothing can change between its digest and its rows.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import zlib
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from aims_gate import canonical
from aims_gate.errors import DataError, SourceError
from aims_gate.frames.convert import to_table
from aims_gate.sources.csv_text import read_csv

MAX_BYTES = 8 * 2**30
"""Most bytes of a data file, packed and unpacked."""

_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"
_READ = "Parquet (.parquet, .pq), CSV (.csv) and CSV with gzip (.csv.gz) are read"
_OTHER = {
    b"PARE": "encrypted Parquet",
    b"ARROW1": "an Arrow IPC file",
    b"ORC": "ORC",
    b"PK\x03\x04": "a zip archive, such as an Excel workbook",
    b"\x89HDF": "HDF5",
    b"\x80\x04\x95": "a pickle",
    b"\x80\x05\x95": "a pickle",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadFile:
    """A file's table and the digest of the bytes that it was read from."""

    table: pa.Table
    sha256: str
    """64 hexadecimal digits."""
    bytes: int


def read_file(path: Path, *, where: str = "", max_bytes: int = MAX_BYTES) -> ReadFile:
    """Read a Parquet, CSV or gzipped CSV file; name and content must agree on which it is.

    Args:
        path: The file. A symbolic link is followed: who may name a path decides before this.
        where: What the file is called in errors; its path if empty.
        max_bytes: Most bytes, packed and unpacked.

    Raises:
        SourceError: The file is not there, is no regular file or cannot be read.
        DataError: It was read and is not usable: empty, too large, truncated, of another format,
            or not a table.
    """
    where = where or str(path)
    content = read_bytes(path, where=where, max_bytes=max_bytes)
    if not content:
        raise DataError("the file is empty (0 bytes)", where=where)
    table = to_table(_parse(content, path.name, where, max_bytes), where=where)
    return ReadFile(table=table, sha256=canonical.sha256(content), bytes=len(content))


def read_bytes(path: Path, *, where: str, max_bytes: int) -> bytes:
    """Read a regular file whole; SourceError if that fails, DataError if it is too large."""
    try:
        # not blocking: a pipe in the file's place must not hang the gate
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISREG(mode):
                content = file.read(max_bytes + 1)
            else:
                kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
                raise SourceError(f"it is {kind}", where=where, hint="give one file")
    except IsADirectoryError as error:
        raise SourceError("it is a folder", where=where, hint="give one file") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"cannot read the file: {reason}", where=where) from error
    if len(content) > max_bytes:
        raise DataError(f"the file has more than {max_bytes:,} bytes", where=where)
    return content


def _parse(content: bytes, name: str, where: str, max_bytes: int) -> pa.Table:
    named = _format_of_name(name)
    if content.startswith(_PARQUET):
        found = "Parquet"
    elif content.startswith(_GZIP):
        found = "CSV with gzip"
    else:
        found = next((what for start, what in _OTHER.items() if content.startswith(start)), "CSV")
    if found not in {"Parquet", "CSV with gzip", "CSV"}:
        raise DataError(f"the file is {found}", where=where, hint=_READ)
    if named is None:
        raise DataError("the file's name does not say what it holds", where=where, hint=_READ)
    if named != found:
        raise DataError(
            f"the name says {named}, but the content is {_described(found, named)}",
            where=where,
            hint="rename the file, or write it again",
        )
    if found == "Parquet":
        return _read_parquet(content, where, max_bytes)
    return read_csv(_unpack(content, where, max_bytes) if found != "CSV" else content, where=where)


def _described(found: str, named: str) -> str:
    return "not, or its beginning is lost" if found == "CSV" and named == "Parquet" else found


def _format_of_name(name: str) -> str | None:
    lower = name.lower()
    if lower.endswith((".parquet", ".pq")):
        return "Parquet"
    if lower.endswith((".csv.gz", ".csv.gzip")):
        return "CSV with gzip"
    return "CSV" if lower.endswith(".csv") else None


def _read_parquet(content: bytes, where: str, max_bytes: int) -> pa.Table:
    try:
        file = parquet.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        metadata = file.metadata
        sizes = [metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups)]
        if sum(sizes) > max_bytes:
            raise DataError(f"unpacked it has more than {max_bytes:,} bytes", where=where)
        return file.read()
    except (pa.ArrowException, OSError, ValueError, KeyError, MemoryError) as error:
        raise DataError(
            "the Parquet file is truncated or damaged", where=where, hint="write it again"
        ) from error


def _unpack(content: bytes, where: str, max_bytes: int) -> bytes:
    """Unpack gzip, all members of it, and no more than *max_bytes*."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            unpacked = file.read(max_bytes + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise DataError("the gzip file is truncated or damaged", where=where) from error
    if len(unpacked) > max_bytes:
        raise DataError(f"unpacked it has more than {max_bytes:,} bytes", where=where)
    if not unpacked:
        raise DataError("the file is empty once unpacked", where=where)
    return unpacked
