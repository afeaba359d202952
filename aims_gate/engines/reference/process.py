"""Parent side of the child process: start it, send questions, time out, stop it.

However it ends - a crash, a kill, an answer that never comes - every later question is a CheckError
and so a refusal; no call is ever repeated.
"""

from __future__ import annotations

import itertools
import logging
import os
import select
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping
from typing import IO

from aims_gate.engines.reference import wire
from aims_gate.errors import CheckError

_LOG = logging.getLogger(__name__)
_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")
_QUIET = {"DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}


class Process:
    """One child that holds the reference libraries."""

    def __init__(
        self, libraries: Iterable[str], *, environ: Mapping[str, str], timeout: float
    ) -> None:
        """Start the child; it loads *libraries* while the parent goes on.

        It sees nothing of *environ* but where programs and temporary folders are: no keys, no
        tokens. `-P` keeps the folder that the gate runs in out of its imports.
        """
        self._timeout = timeout
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._ended = ""
        self._ready = False
        command = [sys.executable, "-P", "-W", "ignore", "-m", f"{__package__}.server"]
        self._child = subprocess.Popen(
            [*command, *libraries],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=tempfile.gettempdir(),
            env=environment(environ),
        )

    @property
    def ready(self) -> bool:
        """Whether a question would be answered, or refused, without waiting for imports."""
        if not self._ready and not self._ended:
            # nothing is read here: `ask` does, once there is something or the child has ended
            poll = select.poll()
            poll.register(self._pipes[1], select.POLLIN)
            return bool(poll.poll(0))
        return True

    def ask(
        self, ask: str, arguments: Mapping[str, object], *, many: int
    ) -> tuple[str, list[float]]:
        """Send a question to the child; returns the answering library's label and *many* values.

        Raises:
            CheckError: It failed, ended, took too long, or answered something else.
        """
        with self._lock:
            if self._ended:
                raise CheckError(self._ended)
            number = next(self._numbers)
            line = self._exchange(wire.question(number, ask, arguments))
        return wire.read_answer(line, number, many=many)

    def close(self) -> None:
        """End the child: its input ends, and if that is not enough it is killed."""
        self._ended = self._ended or "the reference process was closed"
        for pipe in self._pipes:
            try:
                pipe.close()
            except OSError:  # what was still to be written has no reader any more
                _LOG.debug("the reference process had ended before its pipe was closed")
        try:
            self._child.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _exchange(self, question: Iterable[bytes | memoryview]) -> bytes:
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._child.kill()

        timer = threading.Timer(self._timeout, give_up)
        timer.daemon = True
        timer.start()
        answer = b""
        try:
            sink, source = self._pipes
            if not self._ready:
                self._ready = source.readline() == wire.READY
            if self._ready:
                sink.writelines(question)
                sink.flush()
                answer = source.readline()
        except OSError:
            answer = b""
        finally:
            timer.cancel()
        if not answer.endswith(b"\n"):
            self._ended = (
                f"the reference process did not answer within {self._timeout:g} s"
                if late.is_set()
                else f"the reference process ended with exit code {self._code()}"
            )
            raise CheckError(self._ended, hint="or measure with engine: native, if the policy may")
        return answer

    @property
    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        """The child's input and its output."""
        sink, source = self._child.stdin, self._child.stdout
        if sink is None or source is None:
            raise CheckError("the reference process has no pipes")
        return sink, source

    def _code(self) -> int:
        self._child.kill()
        return self._child.wait()


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Environment variables of the child: our import path, and a few harmless ones."""
    kept = {name: environ[name] for name in _KEPT if name in environ}
    return {**kept, **_QUIET, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
