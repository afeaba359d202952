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


def is_open(entry: LogEntry, today: date) -> bool:
    """Whether an entry is not closed on a day; a day to come closes nothing."""
    return entry.closed is None or entry.closed > today


def waits(entry: LogEntry, today: date) -> bool:
    """Whether an entry is open that somebody is to close, or is at fault."""
    closes = entry.type in {"incident", "nonconformity", "concern"} or entry.due is not None
    return is_open(entry, today) and (closes or bool(entry.problems))


def held(entry: LogEntry, today: date) -> date | None:
    """Day on which something was held or done: when it was closed, or else opened."""
    return entry.opened if is_open(entry, today) else entry.closed
