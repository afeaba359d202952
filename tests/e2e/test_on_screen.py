"""A run on a real terminal and in a CI log: the same words, as wide and as coloured as is read."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path

import pytest

CASE = Path(__file__).parents[1] / "contract" / "biased"
COMMAND = (sys.executable, "-m", "aims_gate", "run", "policy.yaml", "--model=file:model")
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_VARYING = re.compile(r"aims-gate-evidence/\S+|sha256:\w+")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is refused for bias."""
    return Path(shutil.copytree(CASE, tmp_path_factory.mktemp("screen") / "case"))


@pytest.fixture(scope="module")
def log(folder: Path) -> str:
    """What the log of a CI job holds."""
    return in_log(folder)


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """This environment without words on colour and width, and with *variables*."""
    words = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "CI", "TERM"}
    kept = {name: value for name, value in os.environ.items() if name not in words}
    return {**kept, "TERM": "xterm-256color", **variables}


def command() -> list[str]:
    return [*COMMAND, "--data=evaluation=evaluation.csv", "--unsigned"]


def on_terminal(folder: Path, columns: int, **variables: str) -> str:
    """Run on a terminal of so many columns, and give what it was shown."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        command(), cwd=folder, env=environment(variables), stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 1 << 16):
            shown += piece
    except OSError:  # Linux: the other end is closed
        pass
    finally:
        os.close(ours)
    assert process.wait() == 1
    return shown.decode().replace("\r\n", "\n")


def in_log(folder: Path, **variables: str) -> str:
    """Run as a CI job does, and give what its log holds of standard output."""
    done = subprocess.run(
        command(), cwd=folder, env=environment({"CI": "true", **variables}), check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "\r" not in done.stderr
    return done.stdout


def shown(text: str) -> str:
    """What stands on the screen in the end: the line that moved is gone."""
    return text.rpartition("\r\x1b[K")[2]


def words(text: str) -> list[str]:
    """The words alone: neither colour, line ends, nor what differs each time."""
    return _VARYING.sub("", ANSI.sub("", text)).split()


@pytest.mark.parametrize("columns", [80, 100, 140])
def test_a_terminal_is_filled_in_colour_and_says_what_a_log_says(
    folder: Path, columns: int, log: str
) -> None:
    """Nothing is wider than the terminal but names of files and digests."""
    told = shown(on_terminal(folder, columns))
    assert "\x1b[31m" in told
    lines = [line for line in ANSI.sub("", told).splitlines() if not _VARYING.search(line)]
    assert columns - 40 < max(map(len, lines)) <= columns
    assert words(told) == words(log)


def test_a_terminal_is_not_painted_where_colour_is_unwanted(folder: Path, log: str) -> None:
    """NO_COLOR changes no word."""
    told = shown(on_terminal(folder, 100, NO_COLOR="1"))
    assert "\x1b" not in told
    assert words(told) == words(log)


def test_a_log_is_plain_and_painted_where_it_is_asked_for(folder: Path, log: str) -> None:
    """100 columns, and FORCE_COLOR for jobs whose log shows colour."""
    assert "\x1b" not in log
    assert max(len(line) for line in log.splitlines() if not _VARYING.search(line)) <= 100
    painted = in_log(folder, FORCE_COLOR="1")
    assert "\x1b[31m" in painted
    assert words(painted) == words(log)
