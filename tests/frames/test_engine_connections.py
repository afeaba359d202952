"""What an operator is told of a connection that leads nowhere: the cause, and never the address."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from aims_gate.errors import SourceError
from aims_gate.frames.engine_connections import connect

WRITER = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"


def refused(url: str) -> str:
    with pytest.raises(SourceError) as found:
        connect(url, timeout=60, max_bytes=1 << 20)
    return str(found.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A DuckDB file with one table."""
    path = tmp_path / "loans.duckdb"
    with duckdb.connect(str(path)) as own:
        own.execute("create table scored as select 1 as a")
    return path


@pytest.mark.parametrize("url", ["bo:secret@host/db", "loans.duckdb", "duckdb:/srv/loans.duckdb"])
def test_an_address_without_a_scheme_is_not_repeated(url: str) -> None:
    told = refused(url)
    assert "has no scheme" in told
    assert "duckdb://PATH" in told
    assert url not in told
    assert "secret" not in told


def test_nor_what_only_looks_like_a_scheme() -> None:
    told = refused("bo:secret@host?next=http://x")
    assert "secret" not in told


def test_options_that_nobody_would_heed_are_refused(file: Path) -> None:
    assert "has no options" in refused(f"duckdb://{file}?access_mode=read_write")


def test_a_question_mark_in_a_name_is_written_in_percent(file: Path) -> None:
    file.rename(file.with_name("loans?.duckdb"))
    held = connect(f"duckdb://{file.parent}/loans%3F.duckdb", timeout=60, max_bytes=1 << 20)
    assert held.table("scored").session.engine.startswith("duckdb")


def test_a_file_that_another_process_has_open_for_writing(file: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        told = refused(f"duckdb://{file}")
        other.communicate("\n")
    assert "another process has it open for writing" in told
    assert str(file) not in told


def test_a_file_that_this_process_has_open_in_another_way(file: Path) -> None:
    with duckdb.connect(str(file), read_only=True):
        assert "this process has it open" in refused(f"duckdb://{file}")


def test_a_file_that_is_none_of_duckdb(tmp_path: Path) -> None:
    other = tmp_path / "loans.duckdb"
    other.write_text("a,b\n1,2\n", encoding="utf-8")
    assert "it is no DuckDB file" in refused(f"duckdb://{other}")
    other.unlink()
    assert "is not there" in refused(f"duckdb://{other}")
    assert "is no file" in refused(f"duckdb://{tmp_path}")
