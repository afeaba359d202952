"""Files that are made to be looked at for hours, or to fill the memory: bounded all the same."""

from __future__ import annotations

import io
import json
import struct
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from aims_gate.checks.integrity.formats import Accepted, Denied, flagged, look
from aims_gate.checks.integrity.formats.archives import MOST_UNPACKED

SECONDS, BYTES = 60.0, 260 << 20
DENIED: frozenset[Denied] = frozenset({"pickle"})
NONE: frozenset[Accepted] = frozenset()


def bomb(size: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", b" " * size)
    return stream.getvalue()


def many(count: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for n in range(count):
            archive.writestr(f"{n:060d}", b"")
    return stream.getvalue()


def overlapping() -> bytes:
    """Each entry of the list points at one member: read one by one that is a square."""
    with zipfile.ZipFile(io.BytesIO(), "w") as archive:
        archive.writestr("a.txt", b" " * (1 << 20))
        archive.filelist *= 500
        archive.NameToInfo = {"a.txt": archive.filelist[0]}
        stream = archive.fp
        archive.close()
        assert isinstance(stream, io.BytesIO)
        return stream.getvalue()


def encrypted() -> bytes:
    content = bytearray(bomb(9))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def nested() -> bytes:
    content = bomb(9)
    for _ in range(40):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("a.zip", content)
        content = stream.getvalue()
    return content


def streams() -> bytes:
    content = b"a"
    for _ in range(40):
        content = zlib.compress(content)
    return content


HOSTILE: dict[str, Callable[[], bytes]] = {
    "packed to a thousandth": lambda: bomb(4 * MOST_UNPACKED + 1),
    "packed just beyond the bound": lambda: bomb(MOST_UNPACKED + 1),
    "a stream of twice the bound": lambda: zlib.compress(b"\x00" * (2 * MOST_UNPACKED), 9),
    "eighty thousand members": lambda: many(80_000),
    "members that overlap": overlapping,
    "a password": encrypted,
    "archives within archives": nested,
    "streams within streams": streams,
    "a dictionary of 4 GiB": lambda: b"\x5d\x00\x00\xff\xff" + b"\xff" * 8 + b"\x00" * 99,
    "a header of 2 GiB": lambda: struct.pack("<Q", 1 << 31) + b"{" * 99,
    "JSON a million deep": lambda: struct.pack("<Q", 1 << 20) + b"[" * (1 << 20),
    "a NumPy header a thousand deep": lambda: (
        b"\x93NUMPY\x01\x00" + struct.pack("<H", 60_000) + b"(" * 60_000
    ),
    "UBJSON a million deep": lambda: b"{i\x01a" + b"[" * 1_000_000,
    "UBJSON of 2^62 nothings": lambda: b"{i\x01a[$Z#L" + struct.pack(">q", 1 << 62) + b"x",
    "ONNX a hundred deep": lambda: b"\x08\x01" + b"\x3a\x7f" * 100,
    "marks": lambda: b"(" * 3_000_000 + b"\xff",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_made_to_cost_is_refused_in_bounded_time_and_memory(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "model.bin").write_bytes(HOSTILE[name]())
    tracemalloc.start()
    start = time.monotonic()
    try:
        found, _places = look(tmp_path, "model.bin")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.kinds
    assert time.monotonic() - start < SECONDS
    assert peak < BYTES


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"[" * 500_000 + b"]" * 500_000, "YAML nested more than 64 levels deep"),
        (b"{" * 500_000, "YAML nested more than 64 levels deep"),
        (b"- " * 500_000, "YAML nested more than 64 levels deep"),
        (b"? " * 500_000, "YAML nested more than 64 levels deep"),
        (
            b"".join(b"%%TAG !%x! x\n" % n for n in range(65_000)) + b"--- a\n",
            "YAML with more than 64 %TAG directives",
        ),
    ],
)
def test_yaml_whose_time_would_grow_with_its_square_is_unknown(
    tmp_path: Path, content: bytes, why: str
) -> None:
    (tmp_path / "a.yaml").write_bytes(content)
    start = time.monotonic()
    assert [(path, str(found)) for path, found in flagged(tmp_path, ("a.yaml",), DENIED, NONE)] == [
        ("a.yaml", f"of no known format: {why}")
    ]
    assert time.monotonic() - start < 5


def test_directives_of_wide_characters_are_counted_too(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(("%TAG !a! x\n" * 65 + "--- a\n").encode("utf-16"))
    assert look(tmp_path, "a.yaml")[0].why == "YAML with more than 64 %TAG directives"


def test_yaml_of_as_many_levels_as_people_write_is_data(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"[" * 64 + b"]" * 64 + b"\n")
    assert not look(tmp_path, "a.yaml")[0].kinds


@pytest.mark.parametrize("name", ["config.json", "modules.json", "part-00000"])
def test_json_that_is_deeper_than_its_reader_is_unknown(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b'{"a":' * 1_000_000)
    start = time.monotonic()
    assert look(tmp_path, name)[0].why == f"{name} is not JSON that can be read"
    assert time.monotonic() - start < 5


def test_a_large_text_is_read_piece_by_piece(tmp_path: Path) -> None:
    line = json.dumps({"tree": list(range(2000))}).encode()
    with (tmp_path / "model.json").open("wb") as file:
        for _ in range(6000):
            file.write(line)
    tracemalloc.start()
    try:
        found, _places = look(tmp_path, "model.json")
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
    assert not found.kinds


def test_a_large_member_that_is_not_packed_is_not_copied(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.bin", "w") as archive:
        archive.writestr("a.txt", b" " * (2 * MOST_UNPACKED))
    tracemalloc.start()
    try:
        found, _places = look(tmp_path, "x.bin")
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
    assert not found.kinds
