"""Time limits on what others do: a whole exchange, or a least rate for what is large.

A limit on each piece of an answer is none: a server that sends a byte a minute keeps every piece
within it, and holds a job for days. So work is done in a thread of its own, and given up on.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from aims_gate.errors import UsageError

VARIABLE = "MLFLOW_HTTP_REQUEST_TIMEOUT"
SECONDS = 60.0
LEAST = 1 << 20
"""Bytes that must come, or go, in each period of that many seconds."""
HINT = f"set {VARIABLE} to more seconds, or look at the server"

_GRACE = 10.0
"""Seconds in which work that was told to stop may do so."""

T = TypeVar("T")


def patiently(
    work: Callable[[], T],
    *,
    seconds: float,
    grown: Callable[[], int] = int,
    stop: Callable[[], object] | None = None,
) -> T:
    """Do *work*, unless it takes longer than *seconds* in which *grown* does not grow by `LEAST`.

    What was given up on is told to *stop*, again and again until it has, for some seconds: it may
    have been between two steps. What goes on all the same does so in a daemon thread until its own
    limits end it. Its answer is lost.

    Raises:
        TimeoutError: It is too slow; and whatever *work* raises.
    """
    answers: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def attempt() -> None:
        try:
            answers.put((work(), None))
        except BaseException as error:  # noqa: BLE001  # raised again where it is waited for
            answers.put((None, error))

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    before = grown()
    while True:
        try:
            answer, error = answers.get(timeout=seconds)
        except queue.Empty:
            now = grown()
            if now - before < LEAST:
                _end(thread, stop)
                what = f"no answer within {seconds:g} s"
                raise TimeoutError(f"{what}, or less than {LEAST:,} bytes of one") from None
            before = now
            continue
        if error is not None:
            raise error
        return answer  # type: ignore[return-value]  # None only if *work* gives None


def _end(thread: threading.Thread, stop: Callable[[], object] | None) -> None:
    end = time.monotonic() + _GRACE
    while stop is not None and thread.is_alive() and time.monotonic() < end:
        stop()
        thread.join(timeout=0.1)


def seconds_of(environ: Mapping[str, str]) -> float:
    """Time limit in seconds from MLflow's own variable; UsageError if that is no number."""
    text = environ.get(VARIABLE, "")
    if not text:
        return SECONDS
    if not text.isdigit() or int(text) < 1:
        raise UsageError(f"{VARIABLE} is not a number of seconds", where=f"{text!a}")
    return float(text)


def size_of(path: Path) -> int:
    """Size in bytes of a file, or of all files below a folder; 0 while there is nothing."""
    try:
        files = path.rglob("*") if path.is_dir() else [path]
        return sum(file.lstat().st_size for file in files)
    except OSError:  # a file was renamed meanwhile
        return 0
