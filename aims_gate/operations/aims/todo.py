"""Duties of an AI management system, by person and date, derived from records and evidence anew.

Nothing is ticked off: a task is gone once what it asks for is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from aims_gate.checks.records.cadence import cadences, due
from aims_gate.checks.records.dated import dated
from aims_gate.governance import templates
from aims_gate.governance.approval import standing
from aims_gate.governance.contract import (
    RecordDocument,
    Records,
    Strength,
    day,
    day_count,
    has_come,
    plus_days,
)
from aims_gate.governance.kinds import KINDS
from aims_gate.governance.people import People
from aims_gate.operations.aims.entry_days import held, waits
from aims_gate.operations.aims.gap_finding import place_of
from aims_gate.operations.aims.risk_standing import risk_standings
from aims_gate.operations.aims.survey import Survey, SurveyedSystem, listed, words
from aims_gate.pages.sheet import Sheet, SheetRow, SheetTable
from aims_gate.verdict import Decision, Outcome

NOBODY = "nobody"
"""Whose the tasks are that no record gives to a person: the first thing to mend."""
_ON_RECORDS = frozenset({"records", "risks", "log", "aims"})
"""Families of checks whose refusals a person mends in a record, and not in a model."""
_OPEN = frozenset({Outcome.FAIL, Outcome.MISSING, Outcome.STALE, Outcome.WARN})
REFUSED = "refused"
"""Topic of the duty that comes before any other: what serves is refused."""
APPROVAL = "approval"
MACHINE = "ci"
"""Who does what a schedule does by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Something that a person is to do by a day."""

    due: date
    person: str
    where: str
    what: str
    system: str = ""
    topic: str = ""
    """What it is known by, where *what* changes from day to day."""

    @property
    def key(self) -> str:
        """What it is known by from one day to the next, however late and wherever in a file."""
        return f"{self.system} {self.where.partition(':')[0]} {self.topic or self.what}"

    @property
    def order(self) -> tuple[object, ...]:
        """By day and person; what is to be written comes before its approval, in order of lines."""
        file, _, line = self.where.partition(":")
        place = (file, int(line) if line.isdecimal() else 0)
        return self.due, self.person, self.topic == APPROVAL, place, self.what, self.system


def duties(found: Survey) -> tuple[Duty, ...]:
    """All duties, the first due first."""
    done = {*_documents(found), *_log(found), *_people(found)}
    for system in found.systems:
        done |= {*_evidence(system, found)}
    placed = {replace(one, where=found.place(one.system, one.where)) for one in done}
    return tuple(sorted(placed, key=lambda one: one.order))


def todo_sheet(wanted: tuple[Duty, ...], *, today: date, days: int) -> Sheet:
    """Tasks of the next *days*, overdue ones first, and when the next one after them is due."""
    end = plus_days(today, days)
    shown = [one for one in wanted if one.due <= end]
    later = [one for one in wanted if one.due > end]
    late = sum(one.due < today for one in shown)
    rest = f"nothing else until {later[0].due:%Y-%m-%d}" if later else "nothing else is known"
    return Sheet(
        title=f"To do, {today:%Y-%m-%d}",
        lead=f"{len(shown)} in the next {days} days, {late} of them overdue; {rest}",
        tables=(
            SheetTable(
                title="Tasks",
                heads=("due", "person", "system", "where", "what", "when"),
                narrow=3,
                rows=tuple(_row(one, today) for one in shown),
                empty="nothing",
            ),
        ),
    )


def _row(one: Duty, today: date) -> SheetRow:
    days = (one.due - today).days
    when = f"{-days} d late" if days < 0 else "today" if days == 0 else f"in {days} d"
    cells = (f"{one.due:%Y-%m-%d}", one.person, one.system or "-", one.where, one.what, when)
    return SheetRow(cells=cells, tone="bad" if days < 0 else "warn" if days <= 7 else "quiet")


def _documents(found: Survey) -> Iterator[Duty]:
    unapproved: dict[tuple[str, str], list[RecordDocument]] = {}
    refused: dict[tuple[str, str], list[str]] = {}
    kept = [row for kind in KINDS for row in found.documents(kind)]
    for system, records, one in ((whose, by, one) for whose, by, all_ in kept for one in all_):
        yield from _document(one, records, system, found)
        stands = standing(one, records, today=found.today)
        if not one.problems and stands.strength <= Strength.DECLARED:
            unapproved.setdefault((system, one.owner), []).append(one)
            refused.setdefault((system, one.owner), []).extend(stands.faults)
    for (system, owner), left in unapproved.items():
        names = ", ".join(one.path.partition("/")[2] for one in left)
        faults = [*dict.fromkeys(refused[system, owner])]
        reason = f" (such as {faults[0]})" if faults else ""
        yield Duty(
            due=found.today,
            person=owner,
            where=left[0].path.partition("/")[0],
            what=f"have approved by another person, for no act on them counts{reason}: {names}",
            system=system,
            topic=APPROVAL,
        )


def _document(one: RecordDocument, records: Records, system: str, found: Survey) -> Iterator[Duty]:
    owner = templates.written(one.owner) or NOBODY

    def task(what: str, by: date, where: str = one.path) -> Duty:
        return Duty(due=by, person=owner, where=where, what=what, system=system)

    for wrong in one.problems:
        yield task(wrong.message, found.today, place_of(wrong))
    if one.problems:
        return
    if one.effective is not None and not has_come(one.effective, found.today):
        yield task(f"in force only from {one.effective}: until then there is none", found.today)
    by = due(one, records)
    yield task("look through it, and approve it again", found.today if by is None else by)
    for place in dated(one, records, found.today):
        again = " again" if place.last else ": nothing says when it was"
        yield task(f"to be {place.what}{again}", place.last or found.today, place.where)
    for part in found.moved(system, one):
        yield task(f"assess it again: {part} changed since it was assessed", found.today)


def _log(found: Survey) -> Iterator[Duty]:
    for system, one in found.entries:
        owner = templates.written(one.owner) or NOBODY
        for wrong in one.problems:
            where = place_of(wrong)
            yield Duty(
                due=found.today, person=owner, where=where, what=wrong.message, system=system
            )
        if waits(one, found.today):
            what = f"{one.type}: close it with cause, action and whether it worked"
            yield Duty(
                due=one.due or found.today, person=owner, where=one.path, what=what, system=system
            )
        if one.type == "certificate" and (ends := day(one.values.get("until"))):
            what = "the certificate ends: plan the next audit"
            yield Duty(due=ends, person=owner, where=one.path, what=what, system=system)
    yield from _calendar(found)


def _calendar(found: Survey) -> Iterator[Duty]:
    """What comes again, counted from the last sound entry of its type."""
    for one in found.org.of("organisation"):
        for item in listed(one.values, "calendar"):
            what, kind, every = (item.get(key) for key in ("what", "type", "every"))
            step = day_count(every)
            if step is None:
                continue  # a fault, which is a duty of its own
            entered = [
                held(entry, found.today) or date.min
                for _, entry in found.entries
                if entry.type == kind and not entry.problems
            ]
            by = plus_days(max(entered), step) if entered else found.today
            person = templates.written(item.get("owner")) or NOBODY
            yield Duty(due=by, person=person, where=one.path, what=str(what))


def _people(found: Survey) -> Iterator[Duty]:
    """Competence that ends, deputies who are nobody, and roles that nobody fills."""
    known = People.of(found.org)
    for one in found.org.of("people"):
        filled: set[str] = set()
        for person in listed(one.values, "people"):
            left = day(person.get("left"))
            if left is None or left > found.today:
                filled |= set(words(person, "roles"))
                yield from _competence(person, one.path)
            deputy = templates.written(person.get("deputy"))
            if deputy and known is not None and known.find([deputy]) is None:
                what = f"{person.get('id')} has the deputy {deputy!a}, who is nobody here"
                owner = templates.written(one.owner) or NOBODY
                yield Duty(due=found.today, person=owner, where=one.path, what=what)
        for role in listed(one.values, "roles"):
            if role.get("id") not in filled:
                what, owner = f"the role {role.get('id')} is vacant", one.owner or NOBODY
                yield Duty(due=found.today, person=owner, where=one.path, what=what)


def _competence(person: Mapping[str, Any], path: str) -> Iterator[Duty]:
    who = str(person.get("id") or NOBODY)
    for proof in listed(person, "competence"):
        ends = day(proof.get("until"))
        if ends is not None:
            what = f"competence in {proof.get('subject')} ends, and what {who} approves with it"
            yield Duty(due=ends, person=who, where=path, what=what)


def _evidence(system: SurveyedSystem, found: Survey) -> Iterator[Duty]:
    """The next run of the gate, and waivers that end."""
    owner = templates.written(system.values.get("owner")) or NOBODY
    judged = [one.finished.date() for one in system.verdicts]
    if any(system.live.values()):
        limit = cadences(found.org, "measured")["performance"]
        by = plus_days(max(judged), limit) if judged else found.today
        what = "measure what serves; a schedule does it by itself"
        yield Duty(due=by, person=MACHINE, where="aims-gate run", what=what, system=system.id)
    risk_owner = templates.written(system.values.get("risk_owner")) or NOBODY
    for risk in risk_standings(system, found.today):
        asked = not risk.scored and risk.register.problems  # a duty of its own: to score it
        for fault in () if asked else risk.faults:
            yield Duty(
                due=found.today,
                person=risk_owner,
                where=risk.register.path,
                what=f"{risk.id}: {fault}",
                system=system.id,
            )
    for verdict in system.verdicts:
        if verdict.decision is Decision.REFUSED and system.live.get(verdict.model.name):
            rules = ", ".join(one.rule for one in verdict.results if one.blocking)
            yield Duty(
                due=verdict.finished.date(),
                person=owner,
                where=f"{verdict.model.name} {verdict.model.version}",
                what=f"what serves is refused by {rules or 'its policy'}: go back, or mend it",
                system=system.id,
                topic=REFUSED,
            )
        where = f"{verdict.model.name} {verdict.model.version}"
        for result in verdict.results:
            what, by = "", found.today
            if result.outcome is Outcome.WAIVED and result.expires is not None:
                what = f"waiver {result.waiver} of {result.rule} ends: mend what it lets through"
                by = result.expires.date()
            elif result.check.partition(".")[0] in _ON_RECORDS and result.outcome in _OPEN:
                what = f"{result.rule}: {result.reason}"
            if what:
                yield Duty(due=by, person=owner, where=where, what=what, system=system.id)
