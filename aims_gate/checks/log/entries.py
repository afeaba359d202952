"""Open entries of the log: incidents, nonconformities and concerns that nobody has closed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.record_cells import COUNTS, counted, faults, records_of
from aims_gate.facts import Statistic
from aims_gate.governance.contract import UNWRITTEN, LogEntry, day
from aims_gate.governance.entry_grammar import SEVERITIES
from aims_gate.governance.kinds import ENTRY_TYPES

_NAME = "open_entries"


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """How many entries of the log are open, or are past their day."""

    about: ClassVar[About] = About(
        name="log.open",
        summary="Entries of the log that are open, or past their due day.",
        definition=COUNTS
        + (
            "A cell per entry. 1 if it is not closed by today, or if it says so and a field that "
            "its closing needs, such as cause or effect, is missing. With overdue only what is "
            "past its due day, or cannot be read as it is written, and an authority that was to "
            "be told by now and was not. An entry whose type or severity is none of those that "
            "there are counts as one of those asked for."
        ),
        controls=("iso42001:10.2", "iso42001:A.8.4"),
        beside=True,
        undecided=("there are no records at all",),
    )

    types: tuple[str, ...] = ()
    """Types of entries, such as `incident`; without them all."""
    severities: tuple[str, ...] = ()
    """Severities, such as `high`; without them all."""
    overdue: bool = False
    """Whether only what is past its day counts."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: 1 for each open entry."""
        return counted(_NAME)

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Refuse a type that no entry has."""
        for one in self.types:
            if one not in ENTRY_TYPES:
                yield "types", f"no entry has the type {one!r}", f"one of {', '.join(ENTRY_TYPES)}"

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Look at each entry of the log, and at what in its folder is none."""
        records, today = records_of(inputs), inputs.now.date()
        asked = [entry for entry in records.entries if self._asked(entry)]
        for entry in asked:
            yield faults(entry.path, self._wrong(entry, today), name=_NAME)
        stray = [str(one) for one in records.problems if "/log/" in f"/{one.path}/"]
        if stray or not asked:
            yield faults("log", stray, name=_NAME, sound="no such entry")

    def _asked(self, entry: LogEntry) -> bool:
        return _is_asked(entry.type, self.types, ENTRY_TYPES) and _is_asked(
            entry.severity, self.severities, SEVERITIES
        )

    def _wrong(self, entry: LogEntry, today: date) -> Iterator[str]:
        closed = entry.closed is not None and entry.closed <= today
        if closed:
            yield from map(str, entry.problems)
        elif self.overdue:
            if entry.due is not None and entry.due < today:
                yield f"due {entry.due}, and open for {(today - entry.due).days} days since"
            else:
                late = (one for one in entry.problems if not entry.due or one.kind not in UNWRITTEN)
                yield from map(str, late)
        else:
            since = f"open since {entry.opened}" if entry.opened else "open"
            yield "; ".join([since, *map(str, entry.problems)])
        if self.overdue:
            yield from _untold(entry, today)


def _is_asked(said: str, asked: Collection[str], known: Collection[str]) -> bool:
    """Whether a word is among those asked for, of which none are all; a strange one always is."""
    return not asked or said in asked or said not in known


def _untold(entry: LogEntry, today: date) -> Iterator[str]:
    """An authority that was to be told of an incident by now, and was not."""
    notify = entry.values.get("notify")
    if not isinstance(notify, Mapping):
        yield from map(str, entry.problems if notify is not None else ())
        return
    due, done = day(notify.get("due")), day(notify.get("done"))
    if due is not None and due < today and (done is None or done > today):
        yield f"{notify.get('authority', 'the authority')} was to be told by {due}"
