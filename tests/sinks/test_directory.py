"""Evidence is written whole, once, or not at all."""

from __future__ import annotations

import os
import resource
import stat
from pathlib import Path

import pytest

from aims_gate.errors import RecordError
from aims_gate.sinks import directory

FILES = {"a.json": b"{}", "b.txt": b"x" * 5000}


def _nothing_left(folder: Path) -> bool:
    return not list(folder.iterdir())


def test_files_are_written_below_new_parents(tmp_path: Path) -> None:
    """Whole, and readable as the user's mask says."""
    folder = tmp_path / "x" / "y" / "evidence"
    directory.write(folder, FILES)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    assert list(folder.parent.iterdir()) == [folder]
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o777 & ~mask


def test_a_relative_folder_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in `--out evidence`."""
    monkeypatch.chdir(tmp_path)
    directory.write(Path("evidence"), FILES)
    assert (tmp_path / "evidence" / "a.json").read_bytes() == b"{}"


@pytest.mark.parametrize("kind", ["full", "empty", "file", "dangling link"])
def test_nothing_is_ever_overwritten(tmp_path: Path, kind: str) -> None:
    """Whatever has the name keeps it, and its content."""
    folder = tmp_path / "evidence"
    if kind == "file":
        folder.write_bytes(b"old")
    elif kind == "dangling link":
        folder.symlink_to("nowhere")
    else:
        folder.mkdir()
    if kind == "full":
        (folder / "old").write_bytes(b"old")
    before = folder.lstat()
    with pytest.raises(RecordError, match="never overwritten") as caught:
        directory.write(folder, FILES)
    assert caught.value.exit_code == 3
    assert folder.lstat() == before
    assert list(tmp_path.iterdir()) == [folder]


def test_a_directory_that_appears_while_writing_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs with one name: the second loses, whole."""
    folder = tmp_path / "evidence"
    honest = os.fsync

    def other_run(descriptor: int) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "theirs").touch()
        honest(descriptor)

    monkeypatch.setattr(os, "fsync", other_run)
    with pytest.raises(RecordError, match="never overwritten"):
        directory.write(folder, FILES)
    assert [path.name for path in folder.iterdir()] == ["theirs"]
    assert list(tmp_path.iterdir()) == [folder]


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """The kernel refuses the bytes of the second file: no directory, no part of one."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, usual[1]))
    try:
        with pytest.raises(RecordError, match="could not be written"):
            directory.write(tmp_path / "evidence", FILES)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert _nothing_left(tmp_path)


@pytest.mark.parametrize("place", ["/proc/evidence", "/proc/self/status/evidence"])
def test_a_place_that_takes_no_directory(place: str) -> None:
    """A file system without room for it, and a file where a folder should be."""
    with pytest.raises(RecordError, match="could not be written"):
        directory.write(Path(place), FILES)


def test_a_failing_rename_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last step fails, and the part that was written goes."""

    def fail(_self: Path, _target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(RecordError, match="Permission denied"):
        directory.write(tmp_path / "evidence", FILES)
    assert _nothing_left(tmp_path)


def test_an_interrupted_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the middle."""

    def interrupt(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        directory.write(tmp_path / "evidence", FILES)
    assert _nothing_left(tmp_path)


@pytest.mark.parametrize("name", ["../x", "a/b", "/x", "", ".", ".."])
def test_names_are_plain(tmp_path: Path, name: str) -> None:
    """No file is written outside the directory, and none is half a name."""
    with pytest.raises(RecordError):
        directory.write(tmp_path / "evidence", {name: b""})
    assert _nothing_left(tmp_path)
