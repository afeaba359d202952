"""File readers to Arrow: the bytes that are hashed are the bytes that are read.

Text and Arrow files are read into memory once, so that nothing can change between their digest and
their rows. Parquet is read column by column, each compared with what was hashed (`hashed_file`).
"""

from __future__ import annotations

import gzip
import io
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from aims_gate import canonical
from aims_gate.errors import DataError, SourceError
from aims_gate.frames.convert import to_table
from aims_gate.sources.arrow_ipc import read_arrow
from aims_gate.sources.budget import Budget, hold_text, too_large
from aims_gate.sources.csv_text import ReadText, read_csv
from aims_gate.sources.hashed_file import VerifiedFile, open_regular
from aims_gate.sources.json_lines import read_json_lines
from aims_gate.sources.parquet_columns import lazy_table, read_parquet
from aims_gate.sources.reading import Reading

_BUDGET = Budget()
_CHUNK = 1 << 24
_HEAD = 16
"""Bytes that tell formats apart."""

_PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_BINARY = {
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
    b"\xff\xff\xff\xff": "Arrow",
}
_ENDINGS = {
    ".parquet": "Parquet",
    ".pq": "Parquet",
    ".arrow": "Arrow",
    ".arrows": "Arrow",
    ".feather": "Arrow",
    ".ipc": "Arrow",
    ".csv": "CSV",
    ".jsonl": "JSON lines",
    ".ndjson": "JSON lines",
}
_PACKINGS = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd"}
_TEXTS = ("CSV", "JSON lines")
_READ = (
    "Parquet (.parquet, .pq), Arrow (.arrow, .arrows, .feather, .ipc), CSV (.csv) and JSON lines "
    "(.jsonl, .ndjson) are read, the last two with gzip (.gz) and zstd (.zst) as well"
)
_OTHER = {
    b"PARE": "encrypted Parquet",
    b"FEA1": "Feather of version 1",
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
    """For a Parquet file a `LazyTable`, which has the same methods as far as the gate uses them."""
    sha256: str
    """64 hexadecimal digits."""
    bytes: int
    notes: tuple[str, ...] = ()
    """How text was read where that is not certain."""


def read_file(
    path: Path,
    *,
    where: str = "",
    budget: Budget = _BUDGET,
    reading: Reading | None = None,
) -> ReadFile:
    """Read a Parquet, Arrow, CSV or JSON lines file; name and content must agree on which it is.

    The columns of a Parquet file are read when they are used, and raise DataError then.

    Args:
        path: The file. A symbolic link is followed: who may name a path decides before this.
        where: What the file is called in errors; its path if empty.
        budget: What it may take, packed and unpacked.
        reading: What the policy says of columns whose text must be read.

    Raises:
        SourceError: The file is not there, is no regular file or cannot be read.
        DataError: It was read and is not usable: empty, too large, truncated, of another format,
            or not a table.
    """
    where = where or str(path)
    if _format_of_name(path.name) == ("Parquet", ""):
        file = VerifiedFile(path, where=where, max_bytes=budget.most)
        _agreed(bytes(file.read(0, _HEAD)), path.name, where)
        table = lazy_table(file, where=where, max_bytes=budget.of_file(file.size))
        return ReadFile(table=table, sha256=file.sha256, bytes=file.size)
    content = read_bytes(path, where=where, max_bytes=budget.most)
    parsed = _parse(content, path.name, where, budget.of_file(len(content)), reading)
    return ReadFile(
        table=to_table(parsed.table, where=where),
        sha256=canonical.sha256(content),
        bytes=len(content),
        notes=parsed.notes,
    )


def parse_bytes(content: bytes, name: str, *, where: str, max_bytes: int) -> pa.Table:
    """Parse the bytes of a file called *name*; DataError as for `read_file`."""
    return to_table(_parse(content, name, where, max_bytes).table, where=where)


def read_bytes(path: Path, *, where: str, max_bytes: int) -> bytes:
    """Read a regular file whole; SourceError if that fails, DataError if it is too large."""
    descriptor = open_regular(path, where=where)
    try:
        with os.fdopen(descriptor, "rb") as file:
            # at most the size of the file: the buffer is allocated before a byte is read
            content = file.read(min(os.fstat(descriptor).st_size, max_bytes) + 1)
    except OSError as error:
        reason = error.strerror or error
        raise SourceError(f"cannot read the file: {reason}", where=where) from error
    if len(content) > max_bytes:
        raise DataError(f"the file has more than {max_bytes:,} bytes", where=where)
    return content


def _parse(
    content: bytes, name: str, where: str, max_bytes: int, reading: Reading | None = None
) -> ReadText:
    named, packing = _agreed(content[:_HEAD], name, where)
    if named == "Parquet":
        return ReadText(table=read_parquet(content, where=where, max_bytes=max_bytes))
    if named == "Arrow":
        return ReadText(table=read_arrow(content, where=where, max_bytes=max_bytes))
    text = _unpack(content, packing, where, max_bytes) if packing else content
    hold_text(text, max_bytes, where, nested=named != "CSV")
    if named == "CSV":
        return read_csv(text, where=where, reading=reading)
    return ReadText(table=read_json_lines(text, where=where, reading=reading))


def _agreed(head: bytes, name: str, where: str) -> tuple[str, str]:
    """Format and compression on which a file's name and its magic bytes agree."""
    if not head:
        raise DataError("the file is empty (0 bytes)", where=where)
    named, packing = _format_of_name(name)
    packed = next((what for start, what in _PACKED.items() if head.startswith(start)), "")
    other = next((what for start, what in _OTHER.items() if head.startswith(start)), "")
    if other:
        raise DataError(f"the file is {other}", where=where, hint=_READ)
    if not named:
        raise DataError("the file's name does not say what it holds", where=where, hint=_READ)
    binary = next((what for start, what in _BINARY.items() if head.startswith(start)), "")
    found = binary or (named if named in _TEXTS else "CSV")
    if (found, packed) != (named, packing):
        raise DataError(
            f"the name says {_told(named, packing)}, but the content is "
            f"{_described(found, packed, named)}",
            where=where,
            hint="rename the file, or write it again",
        )
    return named, packing


def _told(kind: str, packing: str) -> str:
    return f"{kind} with {packing}" if packing else kind


def _described(found: str, packed: str, named: str) -> str:
    lost = found == "CSV" and not packed and named not in _TEXTS
    return "not, or its beginning is lost" if lost else _told(found, packed)


def _format_of_name(name: str) -> tuple[str, str]:
    """Format and compression by a file name's extension; empty where it has none."""
    lower = name.lower()
    ending = next((ending for ending in _PACKINGS if lower.endswith(ending)), "")
    lower = lower.removesuffix(ending)
    named = next((what for end, what in _ENDINGS.items() if lower.endswith(end)), "")
    if ending and named not in _TEXTS:
        return "", ""
    return named, _PACKINGS.get(ending, "")


def _unpack(content: bytes, packing: str, where: str, max_bytes: int) -> bytes:
    """Unpack all members or frames, and no more than *max_bytes*."""
    try:
        if packing == "gzip":
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
                unpacked = file.read(max_bytes + 1)
        else:
            with pa.CompressedInputStream(pa.BufferReader(content), "zstd") as stream:
                unpacked = _all_of(stream, max_bytes + 1)
    except (EOFError, OSError, zlib.error, pa.ArrowException) as error:
        raise DataError(f"the {packing} file is truncated or damaged", where=where) from error
    if len(unpacked) > max_bytes:
        raise too_large(max_bytes, where)
    if not unpacked:
        raise DataError("the file is empty once unpacked", where=where)
    return unpacked


def _all_of(stream: pa.NativeFile, most: int) -> bytes:
    """Read up to *most* bytes; Arrow would set aside the whole limit at once."""
    found = bytearray()
    while len(found) < most and (chunk := stream.read(min(_CHUNK, most - len(found)))):
        found += chunk
    return bytes(found)
