"""Task -> statistics: the only module that runs a check, and that catches whatever one raises.

Whatever a check does - crash, measure nothing, give NaN - ends here as a judged cell that says so.
Nothing a check does can make a rule disappear.
"""

from __future__ import annotations

import logging
import math
import os
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from aims_gate.checks.ages import age_of, ahead
from aims_gate.checks.authored import inflated, once
from aims_gate.checks.column_roles import absent_column
from aims_gate.checks.contract import EXACT, Inputs, NoDataError, Resolution, StatisticSpec
from aims_gate.checks.parameters import columns_named
from aims_gate.engines import Engine, Engines
from aims_gate.engines.prefetch import Prefetch
from aims_gate.errors import GateError, MissingColumnError, stack
from aims_gate.facts import Interval, NoValue, Statistic
from aims_gate.frames.opening import keep_sorted
from aims_gate.plan import Task
from aims_gate.policy.model import Role
from aims_gate.sources.subject import Subject
from aims_gate.verdict import Result

_LOG = logging.getLogger(__name__)
_ROUNDED = 1e-9
_POLITE = 10
"""Niceness of what is measured ahead."""

AGE = "age_days"
"""The context statistic that carries how old a role's data are, for `judge`."""


def measure(
    task: Task,
    subject: Subject,
    *,
    now: datetime,
    engines: Engines | None = None,
    results: tuple[Result, ...] = (),
    resolution: Resolution = EXACT,
) -> tuple[Statistic, ...]:
    """Run a task's check; returns its statistics, with a reason for each missing value.

    There is at least one judged cell; each has a finite value or a lack with its reason. *engines*
    are those of the run; without them the task's own is opened for this one question. *results*
    are those of the first pass, for a check of the second. Below every value, the *resolution* is
    that of brackets.
    """
    if engines is None:
        with Engines() as own:
            return measure(
                task, subject, now=now, engines=own, results=results, resolution=resolution
            )
    name = task.judged.name
    empty = (*_emptiness(task, subject), *_ahead(task, subject, now))
    if empty:
        return empty
    try:
        inputs = _inputs(task, subject, now=now, engine=engines[task.engine], results=results)
        inputs = replace(inputs, resolution=resolution)
        measured = tuple(task.check.measure(inputs))
    except (NoDataError, MissingColumnError) as error:
        measured = (_lacking(name, NoValue.MISSING, str(error)),)
    except GateError as error:
        measured = (_lacking(name, NoValue.UNDEFINED, str(error)),)
    except Exception as error:  # noqa: BLE001  # a crash in a check is an outcome, never silence
        _LOG.error("%s: the check %s crashed\n%s", task.rule.id, task.rule.check, stack(error))
        measured = (_lacking(name, NoValue.UNDEFINED, f"the check crashed: {_crash(error)}"),)
    return (
        *_sealed(task.judged, measured),
        *_sizes(task, subject),
        *_ages(task, subject, now),
    )


def cache_shared_columns(task: Task, later: Iterable[Task], subject: Subject) -> None:
    """Cache sorted columns only while a *later* task needs the same ones.

    Of large data these take most of the memory, and most rules look at a few columns that differ.
    """
    keep = not task.judged.sorts or any(other.judged.sorts for other in later)
    for data in subject.data.values():
        keep_sorted(data.frame, keep=keep)


def prefetch_columns(
    tasks: Iterable[Task], subject: Subject, *, now: datetime, engines: Engines
) -> None:
    """Warm the caches: measure with our own engine while other libraries load.

    What takes long in large data, reading and sorting, is kept by the frames and done when a
    library is there to be asked.
    """
    asking = [task for task in tasks if type(task.check).about.asks]
    if all(engines[task.engine].ready for task in asking):
        return

    def work() -> None:
        for task in asking:
            engine = engines[task.engine]
            if not engine.ready:
                prefetch = Prefetch(engines["native"], engine)
                # whatever fails here fails again, and is reported, where it is measured
                with suppress(Exception):
                    tuple(task.check.measure(_inputs(task, subject, now=now, engine=prefetch)))

    with ThreadPoolExecutor(1, initializer=_step_back) as pool:
        pool.submit(work).result()


def _step_back() -> None:
    """Lower the priority (nice) of this thread and its children, in favour of loading libraries."""
    if sys.platform == "linux":  # where a thread has a priority of its own, and hands it down
        with suppress(OSError):  # a sandbox may forbid it
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _POLITE)


def _inputs(
    task: Task,
    subject: Subject,
    *,
    now: datetime,
    engine: Engine,
    results: tuple[Result, ...] = (),
) -> Inputs:
    return Inputs(
        subject=subject,
        engine=engine,
        alpha=task.alpha,
        alpha_alone=task.alpha_alone,
        now=now,
        on=task.rule.on,
        named=columns_named(task.rule.parameters),
        results=results,
    )


def _sealed(of: StatisticSpec, measured: Iterable[Statistic]) -> Iterator[Statistic]:
    """Pass statistics on; a judged one without a usable value gets a reason."""
    judged, name = 0, of.name
    for statistic in measured:
        if not statistic.judged:
            yield statistic
            continue
        judged += 1
        if statistic.name != name:
            reason = f"the check judged {statistic.name!r}, not {name!r}"
            yield replace(statistic, name=name, value=None, lack=NoValue.UNDEFINED, reason=reason)
        elif statistic.lack is None and (
            statistic.value is None or not math.isfinite(statistic.value)
        ):
            reason = statistic.reason or f"{name} is not a number here"
            yield replace(statistic, value=None, lack=NoValue.UNDEFINED, reason=reason)
        elif statistic.lack is None and _impossible(statistic.value, of):
            reason = f"{statistic.engine} gives {statistic.value:g}, which no {name} can be"
            yield replace(
                statistic, value=None, interval=None, lack=NoValue.UNDEFINED, reason=reason
            )
        elif statistic.lack is None and any(
            _unbounded(interval) for interval in (statistic.interval, statistic.alone)
        ):
            reason = f"the interval of {name} is not a number here"
            yield replace(
                statistic,
                value=None,
                interval=None,
                alone=None,
                lack=NoValue.UNDEFINED,
                reason=reason,
            )
        else:
            yield statistic
    if not judged:
        yield _lacking(name, NoValue.UNDEFINED, "the check measured nothing")


def _impossible(value: float | None, of: StatisticSpec) -> bool:
    """Tell whether a value is out of its statistic's range by more than rounding."""
    return value is not None and not of.low - _ROUNDED <= value <= of.high + _ROUNDED


def _unbounded(interval: Interval | None) -> bool:
    """Tell whether a bound is NaN, with which every comparison is false."""
    return interval is not None and (math.isnan(interval.low) or math.isnan(interval.high))


def _emptiness(task: Task, subject: Subject) -> Iterator[Statistic]:
    for role in task.roles:
        if role in subject.data and subject.data[role].frame.rows == 0:
            reason = f"the {role} data have no rows ({subject.data[role].identity.uri})"
            yield _lacking(task.judged.name, NoValue.MISSING, reason)


def _ahead(task: Task, subject: Subject, now: datetime) -> Iterator[Statistic]:
    """Refuse a time window that is shifted by a row with a future time."""
    for role in task.roles:
        data = subject.data.get(role)
        if data is None or data.spec.window_days is None or data.newest is None:
            continue
        if ahead(data.newest, now):
            reason = f"the window of the {role} data ends on {data.newest:%Y-%m-%d}, in the future"
            yield _lacking(task.judged.name, NoValue.UNDEFINED, reason)


def unreported_columns(
    subject: Subject, results: Iterable[Result]
) -> dict[Role, tuple[Statistic, ...]]:
    """Columns that the policy names and the data lack, for which no rule is MISSING.

    A policy that names such a column is about other data than these. Where a blocking rule that
    reads it says so, the others are about what is there; where none does, none of them passes.
    """
    blocking = [result for result in results if result.blocking]
    told = {
        cell.reason
        for result in blocking
        for cell in result.statistics
        if cell.lack is NoValue.MISSING
    }
    found: dict[Role, tuple[Statistic, ...]] = {}
    for role, data in subject.data.items():
        absent = [(k, c) for k, c in data.spec.columns() if c not in data.frame.columns]
        found[role] = tuple(
            _lacking("", NoValue.MISSING, str(absent_column(column, data, named_as=key)))
            for key, column in absent
            if not any(f"{role} data" in text and f"no column {column!r}" in text for text in told)
        )
    return {role: lacks for role, lacks in found.items() if lacks}


def _sizes(task: Task, subject: Subject) -> Iterator[Statistic]:
    for role, least in task.min_rows.items():
        data = subject.data.get(role)
        rows = once(data).frame.rows if data else 0
        if rows < least:
            reason = f"the {role} data have {rows:,} rows, fewer than min_rows {least:,}"
            if data and rows < data.frame.rows:
                reason += "; a weight counts here only if the policy names it"
            yield replace(_lacking(task.judged.name, NoValue.INSUFFICIENT, reason), rows=rows)
    for role in task.roles:
        if role in subject.data:
            reasons: list[str] = []
            with suppress(GateError):  # the check met it too, and says so
                reasons += inflated(task.check, subject.data[role])
            yield from (_lacking(task.judged.name, NoValue.INSUFFICIENT, told) for told in reasons)


def _ages(task: Task, subject: Subject, now: datetime) -> Iterator[Statistic]:
    for role in task.max_age_days:
        age = age_of(subject.data.get(role), role, now)
        yield Statistic(name=AGE, slice=role, value=age.days, lack=age.lack, reason=age.reason)


def _crash(error: Exception) -> str:
    """A crash by type and location: its message may hold a row, and this goes into evidence."""
    *_, frame = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {frame.name}, {Path(frame.filename).name}:{frame.lineno}"


def _lacking(name: str, lack: NoValue, reason: str) -> Statistic:
    return Statistic(name=name, judged=True, lack=lack, reason=reason)
