"""A database file that an engine holds open: every way in which its bytes may change is seen."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aims_gate.frames.held_file import HeldFile, database_stamps


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "data.duckdb"
    found.write_bytes(b"rows " * 1000)
    return found


@contextmanager
def held(path: Path) -> Iterator[HeldFile]:
    """Held as an engine does that opens it after its stamps were taken."""
    stamps = database_stamps(path)
    with path.open("rb"):
        found = HeldFile.of(path, stamps)
        assert found is not None
        yield found


def overwritten(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"ROWS")


def put_back(path: Path) -> None:
    times = path.stat()
    overwritten(path)
    with path.open("r+b") as file:
        file.write(b"rows")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def logged(path: Path) -> None:
    path.with_name("data.duckdb.wal").write_bytes(b"an insert")


@pytest.mark.parametrize("change", [overwritten, put_back, replaced, logged, Path.unlink])
def test_a_file_that_is_written_to_or_replaced_is_not_as_it_was(
    path: Path, change: Callable[[Path], None]
) -> None:
    with held(path) as file:
        assert file.is_unchanged()
        path.with_name("data.duckdb.csv").write_text("a neighbour that is none of it")
        assert file.is_unchanged()
        change(path)
        assert not file.is_unchanged()


@pytest.mark.parametrize("ending", ["wal", "wal.checkpoint", "wal.recovery"])
def test_a_log_that_changes_is_seen(path: Path, ending: str) -> None:
    log = path.with_name(f"data.duckdb.{ending}")
    log.write_bytes(b"an insert")
    with held(path) as file:
        assert file.is_unchanged()
        log.write_bytes(b"another insert")
        assert not file.is_unchanged()


def test_bytes_that_change_without_a_stamp_are_seen(path: Path) -> None:
    """Through memory that is shared: a page is stamped only when it is written to first."""
    shared = Path("/dev/shm") / f"aims-gate-{os.getpid()}"
    if not shared.parent.is_dir():
        pytest.skip("no file system in memory here")
    shared.write_bytes(path.read_bytes())
    with shared.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as memory:
        memory[0:4] = b"rows"
        with held(shared) as file:
            memory[0:4] = b"ROWS"
            stamped = database_stamps(shared) != file.stamps
            changed = not file.is_unchanged()
    shared.unlink()
    assert changed
    assert not stamped


def test_a_file_that_nobody_has_open_is_not_held(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = database_stamps(path)
    assert HeldFile.of(path, stamps) is None
    with held(path) as file:
        pass
    assert not file.is_unchanged()
    with path.open("rb"):
        monkeypatch.setattr("aims_gate.frames.held_file._OPEN", Path("/none"))
        assert HeldFile.of(path, stamps) is None


def test_a_file_that_was_replaced_before_it_was_opened_is_not_held(path: Path) -> None:
    stamps = database_stamps(path)
    replaced(path)
    with path.open("rb"):
        assert HeldFile.of(path, stamps) is None
