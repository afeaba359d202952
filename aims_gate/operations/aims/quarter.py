"""Figures of a quarter: what the gate judged and stopped, what got through, how long it took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from aims_gate.governance.contract import LogEntry, plus_days
from aims_gate.governance.kinds import ENTRY_TYPES
from aims_gate.operations.aims.entry_days import is_open
from aims_gate.operations.aims.gate_history import CHAMPION, GateHistory
from aims_gate.operations.aims.survey import Survey
from aims_gate.verdict import Decision, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarter:
    """Outcome measures of the days from *begins* up to *ends*, that day excluded."""

    begins: date
    ends: date
    judged: int
    """Candidates: versions that were judged while they did not serve."""
    refused: int
    """Candidates whose last verdict is a refusal, and that nobody promoted since."""
    escaped: int
    """Incidents in what served that no refusal of the gate detected: what got through."""
    escaped_open: int
    """Those of them that are not closed yet."""
    detected: int
    """Incidents in what served that a refusal of the gate detected."""
    apart: int
    """Incidents that count in neither: with a fault, or of nothing that served then."""
    failing: int
    """Refusals of a version while it served."""
    resolved: tuple[int, ...]
    """Days from opened to closed, of incidents and nonconformities closed in it."""
    waits: tuple[timedelta, ...]
    """From the first evaluation of a version to its promotion."""
    gate: tuple[timedelta, ...]
    """How long of each of these the gate itself took; the rest was waiting for people."""

    @property
    def people(self) -> float | None:
        """Median share of the wait that was not the gate's, in [0, 1]; None without promotions."""
        shares = [1 - gate / wait for wait, gate in zip(self.waits, self.gate, strict=True) if wait]
        return median(shares) if shares else None


def quarters(found: Survey) -> tuple[Quarter, Quarter]:
    """The calendar quarter so far, and the one before it."""
    begins = date(found.today.year, found.today.month - (found.today.month - 1) % 3, 1)
    last = plus_days(begins, -1)
    before = date(last.year, last.month - (last.month - 1) % 3, 1)
    return _quarter(found, begins, plus_days(found.today, 1)), _quarter(found, before, begins)


def _quarter(found: Survey, begins: date, ends: date) -> Quarter:
    history = found.history

    def within(at: date | None) -> bool:
        return at is not None and begins <= at < ends

    candidates: dict[tuple[str, str], Verdict] = {}
    failing = 0
    for verdict in history.verdicts:  # the oldest first
        if not within(verdict.finished.date()):
            continue
        if served(history, verdict):
            failing += verdict.decision is Decision.REFUSED
        else:
            candidates[verdict.model.name, verdict.model.version] = verdict
    promoted = {(one.model, one.version) for one in history.moves}
    waited = [
        pair
        for move in history.moves
        if within(move.at.date()) and move.alias == CHAMPION and not move.rollback
        if (pair := _waited(history, move.model, move.version, move.at)) is not None
    ]
    log = [one for _, one in found.entries if one.type in {"incident", "nonconformity"}]
    refusals = {
        one.evidence.id
        for one in history.verdicts
        if one.evidence is not None and one.decision is Decision.REFUSED
    }
    opened = [
        (system, one)
        for system, one in found.entries
        if (one.type == "incident" or one.type not in ENTRY_TYPES)
        and within(one.opened or found.today)
    ]
    served_then = [
        one for system, one in opened if not one.problems and _in_service(system, one, found)
    ]
    escaped = [one for one in served_then if not _names_one(one, refusals)]
    return Quarter(
        begins=begins,
        ends=ends,
        judged=len(candidates),
        refused=sum(
            one.decision is Decision.REFUSED and version not in promoted
            for version, one in candidates.items()
        ),
        escaped=len(escaped),
        escaped_open=sum(is_open(one, found.today) for one in escaped),
        detected=len(served_then) - len(escaped),
        apart=len(opened) - len(served_then),
        failing=failing,
        resolved=tuple(
            (one.closed - one.opened).days
            for one in log
            if one.closed is not None and one.opened is not None and within(one.closed)
        ),
        waits=tuple(wait for wait, _ in waited),
        gate=tuple(gate for _, gate in waited),
    )


def _in_service(system: str, entry: LogEntry, found: Survey) -> bool:
    """Whether a version of the entry's system served on the day on which it was opened.

    Where an alias serves and no promotion tells since when, it is taken to have.
    """
    names = [name for one in found.systems if one.id == system for name in one.live]
    for name in names:
        days = [
            one.at.date()
            for one in found.history.moves
            if (one.model, one.alias) == (name, CHAMPION)
        ]
        if any(entry.opened and day <= entry.opened for day in days):
            return True
        if not days and found.history.live(name):
            return True
    return False


def _names_one(entry: LogEntry, evidence: Iterable[str]) -> bool:
    """Whether `detected_by` names one of these evaluations."""
    told = str(entry.values.get("detected_by", ""))
    return any(one in told for one in evidence)


def served(history: GateHistory, verdict: Verdict) -> bool:
    """Whether the version was the champion when it was judged."""
    name, served = verdict.model.name, ""
    for move in history.moves:
        if (move.model, move.alias) == (name, CHAMPION) and move.at <= verdict.finished:
            served = move.version
    return served == verdict.model.version != ""


def _waited(
    history: GateHistory, model: str, version: str, at: datetime
) -> tuple[timedelta, timedelta] | None:
    """Time from the first evaluation of a version to its promotion, and the gate's part of it."""
    own = [
        one
        for one in history.verdicts
        if (one.model.name, one.model.version) == (model, version) and one.finished <= at
    ]
    if not own:
        return None
    gate = sum((one.finished - one.started for one in own), timedelta())
    return at - own[0].started, gate


def told(found: Quarter) -> Iterator[tuple[str, str]]:
    """Name and value of each figure, for people."""
    yield "candidates judged", str(found.judged)
    yield "refused before production", str(found.refused)
    still = f", {found.escaped_open} still open" if found.escaped_open else ""
    yield "escaped (incidents that no refusal detected)", f"{found.escaped}{still}"
    yield "incidents that a refusal detected", str(found.detected)
    yield "incidents at fault, or of nothing served", str(found.apart)
    yield "refusals of what serves", str(found.failing)
    yield "days to resolve, median", str(median(found.resolved)) if found.resolved else "-"
    yield "evaluation to promotion, median", _span(found.waits)
    yield "of which the gate, median", _span(found.gate)
    share = found.people
    yield "share spent waiting for people", "-" if share is None else f"{share:.0%}"


def _span(found: tuple[timedelta, ...]) -> str:
    if not found:
        return "-"
    seconds = round(median(one.total_seconds() for one in found))
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60} s"
