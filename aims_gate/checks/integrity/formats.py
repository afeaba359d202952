"""What a model's files are made of: which of them run code when they are loaded.

A name is a claim, so the first bytes count too. Nothing is loaded, unpickled or unpacked.
"""

from __future__ import annotations

import bz2
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Literal

Format = Literal["pickle", "cloudpickle", "joblib", "torch"]

_SUFFIXES: dict[str, frozenset[Format]] = {
    ".pkl": frozenset({"pickle"}),
    ".pickle": frozenset({"pickle"}),
    ".joblib": frozenset({"joblib", "pickle"}),
    ".pt": frozenset({"torch", "pickle"}),
    ".pth": frozenset({"torch", "pickle"}),
    ".ckpt": frozenset({"torch", "pickle"}),
}
_COMPRESSED = frozenset({".gz", ".bz2", ".xz", ".z", ".lzma"})
_DECLARED: dict[str, frozenset[Format]] = {
    "pickle": frozenset({"pickle"}),
    "cloudpickle": frozenset({"cloudpickle", "pickle"}),
    "joblib": frozenset({"joblib", "pickle"}),
}
_SERIALIZATION = re.compile(rb"serialization_format[\"']?\s*:\s*[\"']?([A-Za-z0-9_-]+)")
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
"""PROTO, the first instruction of every pickle since protocol 2."""
_OBJECTS = re.compile(rb"\x93NUMPY.{4,6}\{[^}]*'descr':[^}]*\|O", re.DOTALL)
"""A NumPy array of Python objects, which holds a pickle."""
_HEAD = 4096
_MOST_TEXT = 1 << 20
_UNPACK: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
    (b"\x1f\x8b", lambda head: zlib.decompressobj(wbits=47).decompress(head, _HEAD)),
    (b"\x78", lambda head: zlib.decompressobj(wbits=47).decompress(head, _HEAD)),
    (b"BZh", lambda head: bz2.BZ2Decompressor().decompress(head, _HEAD)),
    (b"\xfd7zXZ", lambda head: lzma.LZMADecompressor().decompress(head, _HEAD)),
)


_NO_ARCHIVE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    ValueError,
    RuntimeError,  # encrypted
    NotImplementedError,
    EOFError,
)


def formats(folder: Path, path: str) -> frozenset[Format]:
    """Tell which of the formats that run code a file is in; OSError if it cannot be read."""
    found = _of_name(path)
    with (folder / path).open("rb") as file:
        head = file.read(_HEAD)
        if PurePosixPath(path).name == "MLmodel":
            found |= _of_description(head + file.read(_MOST_TEXT))
    found |= _of_bytes(head) | _of_bytes(_unpacked(head))
    if head.startswith(b"PK\x03\x04"):
        found |= _of_archive(folder / path)
    return found


def _of_name(path: str) -> frozenset[Format]:
    name = PurePosixPath(path.lower())
    if name.suffix in _COMPRESSED:
        name = name.with_suffix("")
    return _SUFFIXES.get(name.suffix, frozenset())


def _of_description(text: bytes) -> frozenset[Format]:
    """Read what MLmodel says of every flavour's serialisation, wherever in it that stands."""
    found: frozenset[Format] = frozenset()
    for match in _SERIALIZATION.finditer(text):
        found |= _DECLARED.get(match[1].decode().lower(), frozenset())
    return found


def _of_bytes(head: bytes) -> frozenset[Format]:
    if _OBJECTS.match(head):
        return frozenset({"pickle"})
    if not _PICKLE.match(head):
        return frozenset()
    return frozenset({"pickle", "cloudpickle"} if b"cloudpickle" in head else {"pickle"})


def _unpacked(head: bytes) -> bytes:
    for magic, unpack in _UNPACK:
        if head.startswith(magic):
            try:
                return unpack(head)
            except (OSError, ValueError, zlib.error, lzma.LZMAError, EOFError):
                return b""  # looks compressed and is not: no loader would find a pickle either
    return b""


def _of_archive(path: Path) -> frozenset[Format]:
    """Look at the names in an archive; an archive that cannot be read could hold anything."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [_of_member(archive, name) for name in archive.namelist()]
    except _NO_ARCHIVE:
        return frozenset({"pickle"})
    return frozenset().union(*members)


def _of_member(archive: zipfile.ZipFile, name: str) -> frozenset[Format]:
    with archive.open(name) as member:
        found = _of_name(name) | _of_bytes(member.read(_HEAD))
    return found | {"torch", "pickle"} if PurePosixPath(name).name == "data.pkl" else found


def flagged(
    folder: Path, paths: tuple[str, ...], deny: frozenset[str]
) -> Iterator[tuple[str, frozenset[Format]]]:
    """Give the files that are in a denied format, with all formats found in each."""
    for path in paths:
        found = formats(folder, path)
        if found & deny:
            yield path, found
