"""What a terminal is shown, and what a log: colour, width, and how far a run is."""

from __future__ import annotations

import io
import sys

import pytest

from aims_gate.cli.terminal import Progress, colour, width


class Screen(io.StringIO):
    """A stream at which somebody looks."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("environ", "screen", "log"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "0"}, True, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, False, False),
    ],
)
def test_colour_is_for_those_who_see_it(
    environ: dict[str, str],
    screen: bool,  # a case
    log: bool,  # a case
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert (colour(Screen()), colour(io.StringIO())) == (screen, log)
    assert not colour(None) or log


def test_a_log_has_100_columns_and_a_terminal_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    assert (width(Screen()), width(io.StringIO()), width(None)) == (72, 100, 100)


def told(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch, *, quiet: bool = False) -> str:
    """What a run of 100 rules, one a second, tells on standard error."""
    monkeypatch.setattr(sys, "stderr", stream)
    clock = iter(range(1_000))
    with Progress(quiet=quiet, clock=lambda: float(next(clock))) as progress:
        progress("reading the evaluation data, file:x.csv")
        for number in range(1, 101):
            progress(f"rule {number} of 100: A-{number} performance.score")
    return stream.getvalue()


def test_a_log_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = told(io.StringIO(), monkeypatch).splitlines()
    assert lines[:2] == [
        "aims-gate: reading the evaluation data, file:x.csv",
        "aims-gate: rule 1 of 100: A-1 performance.score (2 s)",
    ]
    assert lines[2] == "aims-gate: rule 11 of 100: A-11 performance.score (12 s)"
    assert len(lines) == 11


def test_a_terminal_has_one_line_that_moves_and_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    shown = told(Screen(), monkeypatch)
    assert "\n" not in shown
    pieces = shown.split("\r\x1b[K")
    assert len(pieces) == 103
    assert pieces[-1] == ""
    assert max(map(len, pieces)) < 40


def test_quiet_says_nothing_and_nobody_may_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(Screen(), monkeypatch, quiet=True) == ""
    monkeypatch.setattr(sys, "stderr", None)
    with Progress(quiet=False) as progress:
        progress("reading")
