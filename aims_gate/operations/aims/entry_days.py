"""Entries of a log on a day: those opened by then; one of a day to come is a fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from aims_gate.governance.contract import LogEntry, ProblemKind, RecordProblem, has_come


def opened_by(entries: Iterable[LogEntry], today: date, *, past: bool) -> Iterator[LogEntry]:
    """Entries of a day: later ones are left out of a day that is past, and else a fault."""
    for one in entries:
        if one.opened is None or (one.opened <= today if past else has_come(one.opened, today)):
            yield one
        elif not past:
            fault = RecordProblem(
                path=one.path,
                line=0,
                key="opened",
                kind=ProblemKind.UNREADABLE,
                message=f"opened on {one.opened:%Y-%m-%d}, a day to come",
            )
            yield replace(one, problems=(*one.problems, fault))
