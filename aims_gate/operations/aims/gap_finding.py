"""Findings: what a record, a log or a measurement says in support of one requirement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from aims_gate.catalogue.iso42001 import Requirement
from aims_gate.checks.records.approved import tier_of
from aims_gate.checks.records.cadence import cadences, due
from aims_gate.checks.records.strengths import strength_of
from aims_gate.governance.approval import standing
from aims_gate.governance.contract import (
    RecordDocument,
    RecordProblem,
    Records,
    Strength,
    has_come,
)
from aims_gate.governance.kinds import KINDS
from aims_gate.governance.participants import objections
from aims_gate.governance.people import People
from aims_gate.governance.wording import says
from aims_gate.operations.aims.entry_days import held, is_open
from aims_gate.operations.aims.entry_people import owned
from aims_gate.operations.aims.pack_rules import closing
from aims_gate.operations.aims.risk_standing import risk_standings
from aims_gate.operations.aims.survey import Survey, SurveyedSystem, words
from aims_gate.verdict import Authenticity, Outcome, Verdict

YEAR = timedelta(days=365)
"""Age at which what happens once a year is due again: an audit, a review, a training."""
INVENTORY = "system.registry"
MENDED = ("nonconformity", "incident")
"""Types of entries that are closed with cause, action and effect."""
DRAFTED = "nobody has approved it"
"""What makes a draft count for nothing; `gap` says once how that is mended."""
DECLARED = "declared"
"""Strength of every entry of a log: whoever may commit wrote it, and nobody approves one."""
LOG, EVERY, SECTION = "log:", "*", "#"
"""How a requirement asks for an entry of a type, for all documents, and for a section of one."""


class Support(StrEnum):
    """What there is in support of a requirement, from worst to best."""

    CONFLICT = "conflict"
    """A rule of it refuses what serves, a risk is more than the organisation bears, or the
    Statement of Applicability says what is not so."""
    MISSING = "missing"
    STALE = "stale"
    ATTESTED = "attested"
    """A person says so, in a record that is whole and fresh."""
    RAN = "ran"
    """Rules measured it, and the records that it asks for are there."""
    EXCLUDED = "excluded"
    """By the Statement of Applicability, with a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GapFinding:
    """What was found at one place."""

    support: Support
    what: str
    where: str = ""
    """The file, or the command, that a person turns to."""


def worst(found: Iterable[GapFinding]) -> GapFinding:
    """The worst finding, the first of several; there must be one."""
    return min(found, key=lambda one: tuple(Support).index(one.support))


def of_records(names: tuple[str, ...], found: Survey) -> list[GapFinding]:
    """Findings on a record that a requirement asks for, of the best of its alternatives."""
    each = [list(_named(name, found)) for name in names]
    return max(each, key=lambda one: tuple(Support).index(worst(one).support))


def of_run(row: Requirement, system: SurveyedSystem, found: Survey) -> GapFinding:
    """What of a requirement was measured on what serves in a system."""
    ran = list(system.ran(row))
    if not ran:
        what = f"{system.id}: no rule that supports it was measured on what serves"
        if would := closing(row):
            what += f"; {would}"
        return GapFinding(support=Support.MISSING, what=what, where="aims-gate run")
    newest = max(one.verdict.finished for one in ran)
    rules = ", ".join(dict.fromkeys(_rule(one.result.rule, one.result.outcome) for one in ran))
    age = (found.now - newest).days
    limit = cadences(found.org, "measured")[row.cadence] if row.cadence else None
    told = f"{system.id}: {rules} on {newest:%Y-%m-%d}"
    if failed := [
        one.result for one in ran if one.result.blocking and one.result.outcome is not Outcome.STALE
    ]:
        what = f"{told}: {failed[0].rule} refuses what serves"
        return GapFinding(support=Support.CONFLICT, what=what, where="aims-gate explain")
    if limit is not None and age > limit:
        what = f"{told}, {age} d ago; at most {limit} d were agreed"
        return GapFinding(support=Support.STALE, what=what, where="aims-gate run")
    if any(one.result.outcome is Outcome.STALE for one in ran):
        return GapFinding(support=Support.STALE, what=told, where="aims-gate run")
    if any(_ended(one.verdict) for one in ran):
        what = f"{told}, by a policy or a waiver that has ended"
        return GapFinding(support=Support.STALE, what=what, where="aims-gate run")
    return GapFinding(support=Support.RAN, what=told)


def _rule(rule: str, outcome: Outcome) -> str:
    return rule if outcome is Outcome.PASS else f"{rule} {outcome}"


def _ended(verdict: Verdict) -> bool:
    return verdict.standing is None or verdict.standing.authenticity is not Authenticity.VERIFIED


def _named(name: str, found: Survey) -> Iterator[GapFinding]:
    if name.startswith(LOG):
        yield _entry(name.removeprefix(LOG), found)
        return
    if name == EVERY:
        yield from (one for kind in KINDS if kind != "runbook" for one in _named(kind, found))
        return
    name, _, heading = name.partition(SECTION)
    kind, _, key = name.partition(".")
    sets = list(found.documents(kind))
    if not sets:
        where = f"aims/{KINDS[kind].place}"
        yield GapFinding(support=Support.MISSING, what="not there", where=where)
    for whose, records, documents in sets:
        told = f"{whose}: " if whose else ""
        if not documents:
            yield GapFinding(
                support=Support.MISSING, what=f"{told}not there", where=KINDS[kind].place
            )
        for one in documents:
            looked = (
                *_moved(one, whose, found),
                *_of_section(one, heading.replace("_", " "), told),
                _document(one, key, records, told, found),
            )
            yield from (replace(said, where=found.place(whose, said.where)) for said in looked)
    if name == INVENTORY:
        yield from _unlisted(found)
    if kind == "risks":
        yield from _risks(found)


def _moved(document: RecordDocument, whose: str, found: Survey) -> Iterator[GapFinding]:
    """Say that a system's document was assessed before what it rests on changed."""
    moved = found.moved(whose, document)
    if moved and not document.problems:
        what = f"{whose}: {document.path}: assessed before {', '.join(moved)} changed"
        yield GapFinding(support=Support.STALE, what=what, where=document.path)


def _of_section(document: RecordDocument, heading: str, told: str) -> Iterator[GapFinding]:
    """Say that a section which a requirement asks for is not there."""
    if heading and document.digest and not says(document.sections.get(heading, "")):
        what = f"{told}no section '## {heading}', which alone answers it"
        yield GapFinding(support=Support.MISSING, what=what, where=document.path)


def _unlisted(found: Survey) -> Iterator[GapFinding]:
    """Models that serve without being in the inventory, or that are in it and not in scope."""
    for model in found.unlisted:
        what = f"{model} serves, and no system.yaml names it"
        yield GapFinding(support=Support.CONFLICT, what=what, where="aims/system.yaml")
    for organisation in found.org.of("organisation"):
        scope = words(organisation.values, "systems")
        left = [name for one in found.systems for name in one.live if scope and name not in scope]
        if left:
            what = f"{', '.join(left)}: not among the systems in scope"
            where = found.place("", organisation.path)
            yield GapFinding(support=Support.MISSING, what=what, where=where)


def _risks(found: Survey) -> Iterator[GapFinding]:
    """Risks that are more than the organisation bears."""
    for system in found.systems:
        for risk in risk_standings(system, found.today):
            for fault in risk.faults:
                what, where = f"{system.id}: {risk.id}: {fault}", risk.register.path
                support = Support.CONFLICT if risk.scored else Support.MISSING
                yield GapFinding(support=support, what=what, where=found.place(system.id, where))


def _document(
    document: RecordDocument, key: str, records: Records, told: str, found: Survey
) -> GapFinding:
    about = document.path + (f", {key}" if key else "")
    wrong = [one for one in document.problems if not key or _touches(one.key, key)]
    if not document.digest:
        return GapFinding(support=Support.MISSING, what=f"{told}not there", where=document.path)
    if wrong:
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        what = f"{told}{wrong[0].message}{more}"
        return GapFinding(support=Support.MISSING, what=what, where=place_of(wrong[0]))
    if key and not document.values.get(key):
        return GapFinding(support=Support.MISSING, what=f"{told}no {key}", where=document.path)
    if document.effective is not None and not has_come(document.effective, found.today):
        what = f"{told}{about}: in force only from {document.effective}"
        return GapFinding(support=Support.MISSING, what=what, where=document.path)
    day = due(document, records)
    if day is None or day < found.today:
        when = "never" if day is None else f"due {day:%Y-%m-%d}"
        what = f"{told}{about}: review {when}"
        return GapFinding(support=Support.STALE, what=what, where=document.path)
    asking = [records] if told else [one.records for one in found.systems]
    return _approved(document, f"{told}{about}", records, asking, found)


def _approved(
    document: RecordDocument, about: str, by: Records, asking: Iterable[Records], found: Survey
) -> GapFinding:
    """Whether a sound document is approved as strongly as the tiers of systems ask."""
    stands = standing(document, by, today=found.today)
    what = f"{about} ({strength_told(stands.strength, document, found)})"
    least = asked_strength(asking)
    if stands.strength >= max(least, Strength.DECLARED):
        return GapFinding(support=Support.ATTESTED, what=what)
    what += f", less than {least.name.lower()}, which its tier asks for"
    if stands.strength is Strength.NONE:
        what = f"{about}: {document.drafted_by or 'nobody'} wrote it, and {DRAFTED}"
    if stands.faults:
        what += f"; {stands.faults[0]}"
    return GapFinding(support=Support.MISSING, what=what, where=document.path)


def strength_told(strength: Strength, document: RecordDocument, found: Survey) -> str:
    """Strength of an approval in a word, and that what is declared was never committed."""
    told = strength.name.lower()
    bare = strength is Strength.DECLARED and document.digest in found.uncommitted
    return f"{told}, not committed to git" if bare else told


def asked_strength(records: Iterable[Records]) -> Strength:
    """The most that a tier of these systems asks of an approval; declared where none asks."""
    said = [strength_of(tier_of(one).get("strength", "declared")) for one in records]
    return max(said, default=Strength.DECLARED)


def place_of(problem: RecordProblem) -> str:
    """File of a fault, with its line if it is about one."""
    return f"{problem.path}:{problem.line}" if problem.line else problem.path


def _touches(problem: str, key: str) -> bool:
    """Whether a fault is about a key, or about the whole file."""
    return not problem or problem.partition(".")[0].partition("[")[0] == key


def _entry(kind: str, found: Survey) -> GapFinding:
    kinds = MENDED if kind in MENDED else (kind,)
    entries = [
        replace(one, path=found.place(whose, one.path))
        for whose, one in found.entries
        if one.type in kinds
    ]
    if not entries:
        what, where = f"no {kind} is in any log", f"aims-gate aims log new {kind}"
        if kind in MENDED:  # which nobody is to invent
            what = (
                f"no {' and no '.join(kinds)} is in any log yet: the first that is closed shows it"
            )
            where = "aims-gate aims log find"
        return GapFinding(support=Support.MISSING, what=what, where=where)
    newest = max(entries, key=lambda one: one.opened or date.min)
    if kind in MENDED:
        waiting = [one for one in entries if is_open(one, found.today)]
        late = [one for one in waiting if (one.due or found.today) < found.today]
        closed = [one for one in entries if one not in waiting]
        if late or not closed:
            one = (late or [newest])[0]
            why = f"due {one.due}" if late else "none is closed with cause, action and effect yet"
            what = f"{one.path}: open; {why}"
            return GapFinding(support=Support.MISSING, what=what, where=one.path)
        newest = max(closed, key=lambda one: (bool(one.problems), one.closed or date.min))
    day = held(newest, found.today)
    against = [
        *(one.message for one in newest.problems),
        *objections(newest, People.of(found.org), owned(found)),
    ]
    if against or day is None:
        what = f"{newest.path}: {next(iter(against), 'it says no day')}"
        return GapFinding(support=Support.MISSING, what=what, where=newest.path)
    what = f"{newest.path}, {day:%Y-%m-%d} ({DECLARED})"
    too_old = day + YEAR < found.today and kind not in MENDED  # a mishap is no yearly duty
    return GapFinding(
        support=Support.STALE if too_old else Support.ATTESTED, what=what, where=newest.path
    )
