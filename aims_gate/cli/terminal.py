"""Terminal output: colour, width and progress (one moving line, or a few lines in a log)."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Callable
from typing import Self, TextIO

from aims_gate.harmless import plain

WIDTH = 100
"""Columns where there is no terminal."""
_PAUSE = 10.0
"""Seconds between two rules that are written to a log."""
_CLEAR = "\r\x1b[K"


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether *stream* is an interactive terminal with cursor control."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def colour(stream: TextIO | None) -> bool:
    """Tell whether to use colour: NO_COLOR says no, FORCE_COLOR yes, else a terminal does."""
    if os.environ.get("NO_COLOR"):
        return False
    return os.environ.get("FORCE_COLOR", "0") not in {"", "0"} or is_terminal(stream)


def width(stream: TextIO | None) -> int:
    """Width of the terminal in columns; 100 where there is none."""
    return shutil.get_terminal_size((WIDTH, 24)).columns if is_terminal(stream) else WIDTH


class Progress:
    """Progress of a run on standard error; a context manager, which erases its line."""

    def __init__(self, *, quiet: bool, clock: Callable[[], float] = time.monotonic) -> None:
        """Write nothing if *quiet*."""
        self._quiet, self._clock = quiet, clock
        self._start = clock()
        self._told = -_PAUSE
        self._moves = is_terminal(sys.stderr)
        self._shown = False

    def __call__(self, text: str) -> None:
        """Write what begins now; in a log `rule 3 of 41` and the like only every ten seconds."""
        seconds = self._clock() - self._start
        counted = re.match(r"rule \d", text) is not None
        if self._quiet or (counted and not self._moves and seconds - self._told < _PAUSE):
            return
        self._told = seconds if counted else self._told
        line = f"aims-gate: {plain(text)}" + (f" ({seconds:.0f} s)" if counted else "")
        if self._moves:
            line, self._shown = f"{_CLEAR}{line[: width(sys.stderr) - 1]}", True
        _say(line + "\n" * (not self._moves))

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Erase the moving line, so that what follows begins on an empty one."""
        if self._shown:
            _say(_CLEAR)


def _say(text: str) -> None:
    if sys.stderr is not None:  # closed by the caller
        sys.stderr.write(text)
        sys.stderr.flush()
