"""Every way a process can end has the exit code of README's table."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

import aims_gate.__main__ as entry
from aims_gate.cli import cli
from aims_gate.errors import PolicyError, Problem, RecordError, SourceError, TrustError, UsageError

CONTRACT = Path(__file__).parent / "contract"
RUN = ["run", "--model", "file:model", "--unsigned", "--out", "evidence"]
RUN += ["--data", "evaluation=evaluation.csv"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the contract case whose policy is met."""
    shutil.copytree(CONTRACT / "met", tmp_path / "met")
    return tmp_path / "met"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (PolicyError([Problem(file="p", line=1, what="x")]), 2),
        (SourceError("x"), 3),
        (RecordError("x"), 3),
        (TrustError("x"), 4),
        (ZeroDivisionError("x"), 3),
        (AssertionError("x"), 3),
        (RecursionError("x"), 3),
        (MemoryError("x"), 3),
        (KeyboardInterrupt(), 3),
        (click.Abort(), 3),
        (SystemExit(0), 3),
        (SystemExit(1), 3),
        (click.UsageError("x"), 2),
        (click.FileError("x"), 2),
    ],
)
def test_every_error_and_every_crash_has_its_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors give their own code; a crash, an interrupt and a stray exit(0) are all 3."""

    def fail(*_args: object, **_options: object) -> int:
        raise error

    monkeypatch.setattr(cli, "main", fail)
    assert entry.guarded(["run"]) == code


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--version"], 0),
        (["--help"], 0),
        (["run", "--help"], 0),
        ([], 2),
        (["frobnicate"], 2),
        (["run"], 2),
        (["run", "--modle", "file:m"], 2),
        (["policy"], 2),
    ],
)
def test_help_is_0_and_misuse_is_2(arguments: list[str], code: int) -> None:
    """Asking for help is no error, and everything click refuses is 2."""
    assert entry.guarded(arguments) == code


def test_a_reader_that_goes_away_is_not_a_pass(folder: Path) -> None:
    """`aims-gate run | head -0`: nobody read the report, so the exit code is 3."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "aims_gate", *RUN],
        cwd=folder,
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert done.returncode == 3, done.stderr
    # a reader that has seen enough, as `head` has, is nothing to report
    assert b"exit(1)" not in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_reader_that_has_seen_enough_is_no_library_that_exits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`policy checks | head`: click exits 1 behind our back, which reads as a refusal."""

    def gone(*_args: object, **_options: object) -> int:
        raise BrokenPipeError(errno.EPIPE, "gone")

    monkeypatch.setattr(cli, "invoke", gone)
    before = sys.stdout, sys.stderr
    monkeypatch.setattr(os, "dup2", lambda *_: None)  # what the runner itself writes to stays open
    assert entry.guarded(["policy", "checks"]) == 3
    assert (sys.stdout, sys.stderr) == before
    assert not capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_killed_gate_never_exits_0_and_leaves_no_half_evidence(
    folder: Path, number: signal.Signals
) -> None:
    """Whatever ends it early, the evidence directory is whole or not there."""
    gate = subprocess.Popen(
        [sys.executable, "-m", "aims_gate", *RUN],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert gate.stderr is not None
    gate.stderr.readline()
    gate.send_signal(number)
    code = gate.wait(60)
    gate.stderr.close()
    if (folder / "evidence").exists():  # it was faster than the signal
        assert {path.name for path in (folder / "evidence").iterdir()} >= {"report.json"}
    else:
        assert code != 0


def test_a_crash_shows_its_traceback_and_says_that_nothing_was_decided(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lines to report are all there, but for the message, which may hold a row."""

    def crash(*_args: object, **_options: object) -> int:
        raise ZeroDivisionError(row)

    row = "boom"
    monkeypatch.setattr(cli, "main", crash)
    assert entry.guarded(["run"]) == 3
    told = capsys.readouterr().err
    assert "ZeroDivisionError" in told
    assert "in crash" in told
    assert "boom" not in told
    assert "nothing was decided" in told


def test_main_exits_with_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """The console script hands the code to the shell."""
    monkeypatch.setattr(sys, "argv", ["aims-gate", "--version"])
    with pytest.raises(SystemExit) as stopped:
        entry.main()
    assert stopped.value.code == 0


@pytest.mark.parametrize(
    "words", [["-h"], ["run", "-h"], ["policy", "-h"], ["policy", "check", "-h"]]
)
def test_the_short_help_is_the_long_one(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """On every command."""
    assert entry.guarded(words) == 0
    short = capsys.readouterr().out
    assert entry.guarded([*words[:-1], "--help"]) == 0
    assert short == capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["verfy", "x"], "no command 'verfy'; did you mean 'verify'?"),
        (["policy", "simulat"], "no command 'simulat'; did you mean 'simulate'?"),
        (["evidence", "key", "generat"], "no command 'generat'; did you mean 'generate'?"),
        (["registry", "docter"], "no command 'docter'; did you mean 'doctor'?"),
        (["run", "--modle", "x"], "Did you mean --model?"),
    ],
)
def test_a_misspelt_word_is_answered_with_the_near_one(
    words: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command of any group, and an option."""
    assert entry.guarded(words) == 2
    assert hint in capsys.readouterr().err.replace("'--model'", "--model")


def test_completion_never_stands_in_for_a_verdict(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A shell asks without arguments; with some, the variable makes no run end as a pass."""
    monkeypatch.chdir(folder)
    for asked in ("bash_source", "bash_complete", "nonsense"):
        monkeypatch.setenv(entry.COMPLETE, asked)
        monkeypatch.setenv("COMP_WORDS", "aims-gate ver")
        monkeypatch.setenv("COMP_CWORD", "1")
        assert entry.guarded(RUN) == 3
        assert not (folder / "evidence").exists()
    monkeypatch.setenv(entry.COMPLETE, "bash_complete")
    capsys.readouterr()
    assert entry.guarded([]) == 0
    assert capsys.readouterr().out == "plain,verify\n"
