"""Findings: what a record, a log or a measurement says in support of one requirement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from aims_gate.catalogue.iso42001 import Requirement
from aims_gate.checks.records.cadence import cadences, due
from aims_gate.governance.approval import standing
from aims_gate.governance.contract import RecordDocument, RecordProblem, Records, Strength
from aims_gate.governance.kinds import KINDS
from aims_gate.operations.aims.survey import Survey, SurveyedSystem, held
from aims_gate.verdict import Authenticity, Outcome, Verdict

YEAR = timedelta(days=365)
"""Age at which what happens once a year is due again: an audit, a review, a training."""
INVENTORY = "system.registry"
LOG, EVERY = "log:", "*"
"""How a requirement asks for an entry of a type, and for all documents."""


class Support(StrEnum):
    """What there is in support of a requirement, from worst to best."""

    CONFLICT = "conflict"
    """A rule of it refuses what serves, or the Statement of Applicability says what is not so."""
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
            moved = found.moved(whose, one)
            if moved and not one.problems:
                what = f"{told}{one.path}: assessed before {', '.join(moved)} changed"
                yield GapFinding(support=Support.STALE, what=what, where=one.path)
            yield _document(one, key, records, told, found)
    if name == INVENTORY:
        for model in found.unlisted:
            what = f"{model} serves, and no system.yaml names it"
            yield GapFinding(support=Support.CONFLICT, what=what, where="aims/system.yaml")


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
    if document.effective is not None and document.effective > found.today:
        what = f"{told}{about}: in force only from {document.effective}"
        return GapFinding(support=Support.MISSING, what=what, where=document.path)
    day = due(document, records)
    if day is None or day < found.today:
        when = "never" if day is None else f"due {day:%Y-%m-%d}"
        what = f"{told}{about}: review {when}"
        return GapFinding(support=Support.STALE, what=what, where=document.path)
    stands = standing(document, records, today=found.today)
    if stands.strength is Strength.NONE:
        what = (
            f"{told}{about}: {document.drafted_by or 'nobody'} wrote it, and no person acted on it"
        )
        return GapFinding(support=Support.MISSING, what=what, where=document.path)
    what = f"{told}{about} ({stands.strength.name.lower()})"
    return GapFinding(support=Support.ATTESTED, what=what)


def place_of(problem: RecordProblem) -> str:
    """File of a fault, with its line if it is about one."""
    return f"{problem.path}:{problem.line}" if problem.line else problem.path


def _touches(problem: str, key: str) -> bool:
    """Whether a fault is about a key, or about the whole file."""
    return not problem or problem.partition(".")[0].partition("[")[0] == key


def _entry(kind: str, found: Survey) -> GapFinding:
    entries = [one for _, one in found.entries if one.type == kind]
    if not entries:
        what, where = f"no {kind} is in any log", f"aims-gate aims log new {kind}"
        return GapFinding(support=Support.MISSING, what=what, where=where)
    newest = max(entries, key=lambda one: one.opened or date.min)
    day = held(newest, found.today)
    if newest.problems or day is None:
        what = next((one.message for one in newest.problems), "it says no day")
        return GapFinding(support=Support.MISSING, what=what, where=newest.path)
    what = f"{newest.path}, {day:%Y-%m-%d}"
    late = found.today - day > YEAR
    return GapFinding(
        support=Support.STALE if late else Support.ATTESTED, what=what, where=newest.path
    )
