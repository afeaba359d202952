"""The model manifest: the single subject that every statement is about.

`model.sha256` is what `find . -type f | cut -c3- | LC_ALL=C sort | xargs sha256sum` prints, so that
`sha256sum -c` checks a model without us, and its own SHA-256 is the in-toto directory hash. It
commits to every name as well as to every byte; empty folders are not part of it.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import stat
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath

from aims_gate import canonical
from aims_gate.attest.file_names import check_names, safe_name
from aims_gate.errors import SourceError

MODEL_FILE = "model.sha256"
"""The manifest's own file, and the name of the one subject of statements about a model."""
MAX_FILES = 100_000
MAX_BYTES = 50 * 2**30
_CHUNK = 1 << 20

_LINE = re.compile(rb"([0-9a-f]{64})  ([^\n]+)\n")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestEntry:
    """One file of a model."""

    path: str
    """Relative, with `/`."""
    sha256: str
    """64 lower-case hexadecimal digits."""
    bytes: int = field(default=0, compare=False)
    """Size; 0 where the entry was read from text, which holds no sizes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The files of a model, in ascending order of the bytes of their paths, at least one.

    Raises:
        SourceError: A path is unsafe or out of order, two paths are one on some file systems, a
            digest is no SHA-256, or there is no file.
    """

    entries: tuple[ManifestEntry, ...]

    def __post_init__(self) -> None:
        if not self.entries:
            raise SourceError("the model has no files", hint="give the folder that holds the model")
        for entry in self.entries:
            if not _SHA256.fullmatch(entry.sha256):
                raise SourceError("not a SHA-256 in lower-case hexadecimal", where=entry.path)
        paths = [entry.path for entry in self.entries]
        check_names(paths)
        if paths != sorted(set(paths), key=str.encode):
            raise SourceError("the files are not in the order of their names, each once")

    @property
    def text(self) -> bytes:
        """The bytes of `model.sha256`."""
        return "".join(f"{entry.sha256}  {entry.path}\n" for entry in self.entries).encode()

    @property
    def digest(self) -> str:
        """SHA-256 of the text: the model's digest, 64 hexadecimal digits."""
        return canonical.sha256(self.text)

    @property
    def files(self) -> int:
        """Number of files."""
        return len(self.entries)

    @property
    def bytes(self) -> int:
        """Size of all files; 0 for a manifest that was read from text."""
        return sum(entry.bytes for entry in self.entries)


class FileChange(StrEnum):
    """How a file differs between two manifests."""

    MISSING = "missing"
    EXTRA = "extra"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDifference:
    """A file that two manifests do not agree on."""

    path: str
    change: FileChange

    def __str__(self) -> str:
        """Format as `changed: path`."""
        return f"{self.change}: {self.path}"


def scan(
    folder: Path,
    *,
    ignore: Container[str] = (),
    max_files: int = MAX_FILES,
    max_bytes: int = MAX_BYTES,
) -> Manifest:
    """Hash every file below *folder*.

    Args:
        folder: The model's folder; it may itself be reached through a symbolic link.
        ignore: Relative paths of regular files that are left out.
        max_files: Most files, ignored ones included.
        max_bytes: Most bytes of all hashed files together.

    Raises:
        SourceError: There is a symbolic link, a device, an unsafe name or no file at all; a limit
            is passed; a file cannot be read, or changes while it is read.
    """
    try:
        found = list(_walk(folder, max_files, ignore))
    except OSError as error:
        raise _unread(error, folder) from error
    files = {path: seen for path, seen in found if path not in ignore}
    check_names(files)
    if sum(seen.st_size for seen in files.values()) > max_bytes:
        raise SourceError(f"the model has more than {max_bytes:,} bytes", where=str(folder))
    ordered = sorted(files.items(), key=lambda item: item[0].encode())
    return Manifest(entries=tuple(_entry(folder, path, seen) for path, seen in ordered))


def parse(text: bytes) -> Manifest:
    """Read the bytes of a `model.sha256`; the inverse of `Manifest.text`.

    Raises:
        SourceError: The text is not exactly what `Manifest.text` would have written.
    """
    entries: list[ManifestEntry] = []
    position = 0
    while position < len(text):
        line = _LINE.match(text, position)
        if line is None:
            raise SourceError(
                "not a line of sha256sum: 64 hexadecimal digits, two spaces, a name, a newline",
                where=f"{MODEL_FILE}:{len(entries) + 1}",
            )
        entries.append(ManifestEntry(path=_decode(line[2]), sha256=line[1].decode()))
        position = line.end()
    return Manifest(entries=tuple(entries))


def compare(expected: Manifest, actual: Manifest) -> tuple[FileDifference, ...]:
    """List the files that *actual* lacks, has too many or has with other bytes, by path."""
    wanted = {entry.path: entry.sha256 for entry in expected.entries}
    there = {entry.path: entry.sha256 for entry in actual.entries}
    differences = [
        FileDifference(path=path, change=FileChange.MISSING) for path in wanted - there.keys()
    ]
    differences += [
        FileDifference(path=path, change=FileChange.EXTRA) for path in there.keys() - wanted
    ]
    differences += [
        FileDifference(path=path, change=FileChange.CHANGED)
        for path in wanted.keys() & there
        if wanted[path] != there[path]
    ]
    return tuple(sorted(differences, key=lambda difference: difference.path))


def _walk(
    folder: Path, max_files: int, ignore: Container[str]
) -> Iterator[tuple[str, os.stat_result]]:
    """Walk the files below *folder* with their state, without following any link.

    What is left out anyway may be gone by now.
    """
    folders = [PurePosixPath()]
    count = 0
    while folders:
        inside = folders.pop()
        with os.scandir(folder / inside) as listing:
            entries = list(itertools.islice(listing, max_files - count + 1))
        count += len(entries)
        if count > max_files:
            raise SourceError(f"more than {max_files:,} files and folders", where=str(folder))
        for entry in entries:
            path = inside / entry.name
            if entry.is_dir(follow_symlinks=False):
                folders.append(safe_name(str(path)))
            elif entry.is_file(follow_symlinks=False):
                yield from _seen(entry, str(path), ignore)
            else:
                raise SourceError(
                    f"{str(path)!a} is neither a file nor a folder",
                    where=str(folder),
                    hint="a model may hold no symbolic links, pipes or devices",
                )


def _seen(
    entry: os.DirEntry[str], path: str, ignore: Container[str]
) -> Iterator[tuple[str, os.stat_result]]:
    try:
        yield path, entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        if path not in ignore:
            raise


def _entry(folder: Path, path: str, seen: os.stat_result) -> ManifestEntry:
    """Hash one file, and make sure that it is the one that was seen and stays as it is."""
    digest = hashlib.sha256()
    try:
        # not blocking: a pipe put in the file's place must not hang the gate
        descriptor = os.open(folder / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            before = os.fstat(descriptor)
            while stat.S_ISREG(before.st_mode) and (chunk := file.read(_CHUNK)):
                digest.update(chunk)
            after = os.fstat(descriptor)
    except OSError as error:
        raise _unread(error, folder / path) from error
    if not _state(seen) == _state(before) == _state(after):
        raise SourceError("the file changed while it was read", where=path)
    return ManifestEntry(path=path, sha256=digest.hexdigest(), bytes=after.st_size)


def _state(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_mode, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _decode(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise SourceError(f"the file name {name!r} is not UTF-8") from None


def _unread(error: OSError, path: Path) -> SourceError:
    return SourceError(f"cannot read the model: {error.strerror or error}", where=str(path))
