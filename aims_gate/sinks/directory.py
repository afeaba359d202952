"""Evidence into a directory: all of it or none of it, and never over something else."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from aims_gate.errors import RecordError, UsageError
from aims_gate.regular import refuse_links


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write *files* as the new directory *folder*.

    They go to a directory beside it first, are brought to the disk, and then take the name, so
    that a crash or a full disk leaves no directory of that name at all.

    Args:
        folder: The directory to make; its parents are made as needed.
        files: Plain file names and their bytes.

    Raises:
        RecordError: *folder* exists, or cannot be written: full disk, read-only, no permission.
    """
    for name in files:
        if Path(name).name != name:
            raise RecordError(f"{name!a} is not a plain file name", where=str(folder))
    refuse_existing(folder)
    _refuse_links(folder)
    parent = folder.parent
    # hidden, and random because two runs may write beside each other
    beside = parent / f".{folder.name}.{secrets.token_hex(8)}.part"
    try:
        _make_parents(parent)
        beside.mkdir()
        try:
            _fill(beside, files)
            _take_name(beside, folder)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        _sync(parent)
    except OSError as error:
        raise RecordError(
            f"the evidence could not be written: {error.strerror or error}",
            where=str(folder),
            hint="name a directory that can be written, and run again",
        ) from error


def refuse_existing(folder: Path) -> None:
    """Refuse a name that is taken; RecordError."""
    if os.path.lexists(folder):
        raise _exists(folder)


def refuse_unusable(folder: Path) -> None:
    """Refuse a name under which nothing can be written, before long work; UsageError."""
    try:
        refuse_existing(folder)
        _refuse_links(folder)
    except RecordError as error:
        raise UsageError(error.what, where=error.where, hint=error.hint) from error
    parent = next(one for one in folder.absolute().parents if os.path.lexists(one))
    try:
        with tempfile.TemporaryDirectory(dir=parent, prefix=".aims-gate-"):
            pass
    except OSError as error:
        what = f"nothing can be written to {parent}: {error.strerror or error}"
        hint = "name a directory that can be made with --out"
        raise UsageError(what, where=str(folder), hint=hint) from error


def _refuse_links(folder: Path) -> None:
    try:
        refuse_links(folder)
    except OSError as error:
        hint = "name a directory of your own: a checkout could lead evidence anywhere"
        raise RecordError(str(error.strerror), where=str(folder), hint=hint) from error


def _exists(folder: Path) -> RecordError:
    return RecordError(
        "it exists, and evidence is never overwritten",
        where=str(folder),
        hint="name another directory with --out, or leave --out away for a new one each time",
    )


def _take_name(beside: Path, folder: Path) -> None:
    """Rename; it takes an empty directory's place at most: files, links, full ones refuse it."""
    try:
        beside.rename(folder)
    except OSError as error:
        if os.path.lexists(folder):
            raise _exists(folder) from error
        raise


def _make_parents(folder: Path) -> None:
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        _sync(one.parent)


def _fill(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        with (folder / name).open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    _sync(folder)


def _sync(folder: Path) -> None:
    """Fsync a directory."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
