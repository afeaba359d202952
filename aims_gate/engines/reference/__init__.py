"""The engine `reference`: Fairlearn for bias, Evidently for drift, scikit-learn for performance.

The libraries live in one child process, so that their seconds of imports hide behind reading and
sorting, and their crashes are a refusal. This process never imports them.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping

from aims_gate.engines import (
    OWN,
    Answer,
    DriftOfBins,
    Engine,
    Engines,
    Question,
    RateComparison,
    SampleMeans,
)
from aims_gate.engines.reference.process import Process
from aims_gate.engines.reference.requests import request
from aims_gate.errors import CheckError, MissingExtraError
from aims_gate.stats.samples import WRITTEN_ROWS
from aims_gate.version import __version__

MODULES = {"fairlearn": "fairlearn", "evidently": "evidently", "scikit-learn": "sklearn"}
"""Each library, and the module that it is imported as."""
TIMEOUT = 300.0
"""Seconds for one answer, the imports before the first one included."""


class Reference(Engine):
    """Asks the libraries in the child process; every failure is an answer with a problem."""

    def __init__(self, environ: Mapping[str, str], *, timeout: float = TIMEOUT) -> None:
        self._environ = environ
        self._timeout = timeout
        self._process: Process | None = None

    @property
    def label(self) -> str:
        """Name and version; what a library computed carries the library's own label."""
        return f"reference {__version__}"

    @property
    def ready(self) -> bool:
        """Whether the child has loaded its libraries, or has ended; also if there is none."""
        return self._process is None or self._process.ready

    def start(self, libraries: Iterable[str], /) -> tuple[str, ...]:
        """Start the child, once; MissingExtraError if a library is not installed."""
        wanted = tuple(libraries)
        if wanted:
            self._started(wanted)
        return wanted

    def close(self) -> None:
        """End the child."""
        if self._process is not None:
            self._process.close()

    def ask(self, question: Question) -> tuple[Answer, ...]:
        """Ask the child, once however many answers there are."""
        if isinstance(question, RateComparison) and not question.pairs:
            return ()
        if isinstance(question, SampleMeans) and not question.samples:
            return ()
        sent = request(question)
        if isinstance(question, DriftOfBins) and question.table.bins < 2:
            return (Answer(value=0.0, by=OWN, plain=0.0),)  # one bin: there is nothing to ask
        if sent.written > WRITTEN_ROWS:
            most = f"the library takes each row by itself, {WRITTEN_ROWS:,} of them at most"
            return (Answer.none(self.label, f"{sent.written:,} rows, and {most}"),)
        try:
            child = self._process or self._started([sent.library])
            library, found = child.ask(sent.ask, sent.arguments, many=sent.many)
        except CheckError as error:
            return (Answer.none(self.label, str(error)),) * sent.answers
        return tuple(
            Answer(value=_rounded(value), by=library, plain=plain)
            for value, plain in zip(sent.values(found), sent.plain(found), strict=True)
        )

    def _started(self, libraries: Iterable[str]) -> Process:
        wanted = tuple(libraries)
        for name in wanted:
            if importlib.util.find_spec(MODULES[name]) is None:
                raise MissingExtraError.for_library(name, "gate", "engine: reference or both")
        if self._process is None:
            self._process = Process(wanted, environ=self._environ, timeout=self._timeout)
        return self._process


def opened(peers: Engines) -> Reference:
    """Engine of this run; it starts no process before it is needed."""
    return Reference(peers.environ, timeout=TIMEOUT)


def _rounded(value: float) -> float:
    """Round to 12 significant digits, as evidence does: a rate on the limit stays on it."""
    return float(f"{value:.12g}")
