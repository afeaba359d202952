"""Prefetch: our own engine fills the caches while another one loads its libraries.

A check that is measured with it has read, sorted and compared its columns, which frames keep, when
the requested engine is ready.
"""

from __future__ import annotations

from aims_gate.engines import Answer, Engine, Question
from aims_gate.errors import CheckError


class Prefetch(Engine):
    """Answers as *own* does, and with a CheckError from then on that *other* is ready."""

    def __init__(self, own: Engine, other: Engine) -> None:
        self._own = own
        self._other = other

    @property
    def label(self) -> str:
        """Name and version, which no evidence ever shows."""
        return self._own.label

    def ask(self, question: Question) -> tuple[Answer, ...]:
        """Answer, or end the check."""
        if self._other.ready:
            raise CheckError(f"{self._other.label} is ready")
        return self._own.ask(question)
