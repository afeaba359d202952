"""Measure, judge, measure finer: a table elsewhere is counted as finely as the outcome needs.

The frames of this process answer exactly, and are measured once. Others count rows in cells, from
which brackets are proven; the cells of a rule that these leave undecided are measured again, at
last by every value. So the outcome is that of all rows, and what it costs is what it needs.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from aims_gate.checks.contract import EXACT, Resolution
from aims_gate.engines import Engines
from aims_gate.facts import NoValue, Statistic
from aims_gate.frames.opening import in_memory
from aims_gate.judge import straddling
from aims_gate.measure import measure
from aims_gate.plan import Task
from aims_gate.sources.subject import Subject
from aims_gate.verdict import Result

LADDER: tuple[int | None, ...] = (0, 1, 2, 3, None)
"""Rounds in which cells that keep a rule undecided are counted closer, and at last every value."""
_REFUSED = "and no closer look was possible: "
FIRST = Resolution(rounds=LADDER[0])
"""What every rule is looked at with."""


def measure_finely(
    task: Task,
    subject: Subject,
    *,
    now: datetime,
    engines: Engines | None = None,
    results: tuple[Result, ...] = (),
    first: Resolution = FIRST,
) -> tuple[Statistic, ...]:
    """Measure a rule until its outcome is the one of all rows, or the engine gives no more.

    Then the statistics keep the bracket that leaves it undecided, with the reason.
    """
    elsewhere = _elsewhere(task, subject)
    resolution, undecided = first if elsewhere else EXACT, frozenset[str]()
    found: tuple[Statistic, ...] = ()
    for step in LADDER if elsewhere else (None,):
        finer = {**resolution.finer, **dict.fromkeys(undecided, step)}
        resolution = replace(resolution, finer=finer)
        again = measure(
            task, subject, now=now, engines=engines, results=results, resolution=resolution
        )
        found = _kept(found, again, undecided) if found else again
        undecided = straddling(task, found)
        if not undecided:
            break
    return found


def _elsewhere(task: Task, subject: Subject) -> bool:
    """Whether a frame of the rule is not in this process; libraries are asked with all values."""
    frames = [subject.data[role].frame for role in task.roles if role in subject.data]
    return task.engine == "native" and any(in_memory(frame) is None for frame in frames)


def _kept(
    before: tuple[Statistic, ...], after: tuple[Statistic, ...], undecided: frozenset[str]
) -> tuple[Statistic, ...]:
    """What is known now: brackets with the reason, where the engine refused to look closer."""
    refused = [
        one.reason
        for one in after
        if one.judged and one.lack is NoValue.UNDEFINED and one.slice in {*undecided, ""}
    ]
    if not refused:
        return after
    # of looks that were refused one after the other, the last: it asked for every value
    told = f"{_REFUSED}{refused[0]}"
    known = [one.reason.partition(_REFUSED)[0].removesuffix("; ") for one in before]
    return tuple(
        replace(one, reason="; ".join(filter(None, (reason, told))))
        if one.bracket is not None and one.slice in undecided
        else one
        for one, reason in zip(before, known, strict=True)
    )
