"""Tables of the audit's index from records: approvals, accepted risks, people, exclusions, users.

Who approved is weighed for the last day of the period and for the day of the act.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date

from aims_gate.governance.approval import ApprovalStanding
from aims_gate.governance.contract import Records, Strength
from aims_gate.governance.kinds import KINDS
from aims_gate.governance.people import People, Person
from aims_gate.operations.aims.gap_finding import strength_told
from aims_gate.operations.aims.risk_standing import RiskStanding, risk_standings
from aims_gate.operations.aims.survey import Survey, SurveyedSystem, decisions, words
from aims_gate.operations.audit.approvals_then import ApprovalsThen, ApprovedThen
from aims_gate.pages.sheet import SheetRow, SheetTable


def approvals(
    found: Survey, then: ApprovalsThen, kinds: Collection[str] = tuple(KINDS)
) -> SheetTable:
    """Each document: how strongly it was approved, by whom, and whether they were competent."""
    rows = []
    for kind in (one for one in KINDS if one in kinds):
        for system, records, documents in found.documents(kind):
            whose = system or "organisation"
            rows += [_approved(whose, then.of(system, one, records), found) for one in documents]
            for gone in then.removed(system, kind, documents):
                rows.append(_approved(f"{whose}, removed since", gone, found))
    return SheetTable(
        title="Who approved which document, and were they competent on that day; "
        f"as of {then.day:%Y-%m-%d}",
        heads=(
            *("document", "of", "strength", "approved by", "on"),
            *("competence on that day", "what does not count"),
        ),
        rows=tuple(rows),
        empty="no document is there",
    )


def _approved(whose: str, one: ApprovedThen, found: Survey) -> SheetRow:
    stands, path = one.stands, one.document.path
    if one.unknown:
        return SheetRow(cells=(path, whose, "not known", "", "", "", one.unknown), tone="warn")
    strong = stands.strength > Strength.DECLARED
    return SheetRow(
        cells=(
            path,
            whose,
            strength_told(stands.strength, one.document, found),
            ", ".join(stands.by) or "nobody",
            "" if stands.day is None else f"{stands.day:%Y-%m-%d}",
            competent(stands, one.records),
            "; ".join(stands.faults),
        ),
        tone="good" if strong and not one.document.problems else "warn",
    )


def competent(stands: ApprovalStanding, records: Records) -> str:
    """Competence that each person who approved held on the day of the latest act."""
    people = People.of(records)
    if people is None or stands.day is None:
        return ""
    told = []
    for name in stands.by:
        person = people.find([name])
        held = [] if person is None else list(_held(person, stands.day))
        told.append(f"{name}: {', '.join(held) or 'none'}")
    return "; ".join(told)


def _held(person: Person, on: date) -> Iterator[str]:
    for one in person.competence:
        if one.holds(on) and one.until is not None:
            yield f"{one.subject} until {one.until:%Y-%m-%d}, by {one.proof}"


def accepted_risks(found: Survey, then: ApprovalsThen) -> SheetTable:
    """Each residual risk: what treats it, and who had accepted it."""
    rows = [
        _risk_row(risk, system, then.of(system.id, risk.register, system.records))
        for system in found.systems
        for risk in risk_standings(system, found.today)
    ]
    return SheetTable(
        title=f"Which risks remain, and who had accepted them on {then.day:%Y-%m-%d}",
        heads=(
            *("risk", "category", "what may happen", "residual, as written now"),
            *("treated by, with the newest outcome", "accepted by"),
        ),
        rows=tuple(rows),
        empty="no risk is written down",
    )


def _risk_row(risk: RiskStanding, system: SurveyedSystem, approved: ApprovedThen) -> SheetRow:
    stands, against = approved.stands, "; ".join(risk.faults)
    signed = f"not known: {approved.unknown}" if approved.unknown else _accepted(stands, system)
    if approved.document.human_digest != risk.register.human_digest:
        signed += ", of an earlier register, which had other risks or levels"
    cells = (
        f"{system.id} {risk.id}",
        str(risk.values.get("category", "")),
        str(risk.values.get("title", "")),
        f"{risk.level} of 25",
        "; ".join(_treated(risk.rules, system)) or "no rule",
        f"nobody: {against}; the register: {signed}" if against else signed,
    )
    good = stands.strength > Strength.DECLARED and not against and not approved.unknown
    return SheetRow(cells=cells, tone="good" if good else "bad")


def _accepted(stands: ApprovalStanding, system: SurveyedSystem) -> str:
    """Who approved the register, held against the risk owner that the inventory names."""
    owner = str(system.values.get("risk_owner") or "nobody")
    if not stands.by or stands.day is None:
        return f"nobody yet ({stands.strength.name.lower()}); the risk owner is {owner}"
    told = f"{', '.join(stands.by)} on {stands.day:%Y-%m-%d} ({stands.strength.name.lower()})"
    people = People.of(system.records)
    found = None if people is None else people.find([owner])
    if found is None or found.id not in stands.by:
        told += f"; not by the risk owner, {owner}"
    return told


def _treated(rules: Collection[str], system: SurveyedSystem) -> Iterator[str]:
    """Each rule with its outcome in the newest verdicts on what serves."""
    for rule in rules:
        ran = [
            f"{result.outcome}: {result.reason}"
            for verdict in system.verdicts
            for result in verdict.results
            if result.rule == rule
        ]
        yield f"{rule} {' and '.join(ran) or 'did not run on what serves'}"


def people(found: Survey) -> SheetTable:
    """People, their roles, and competence from a day to a day."""
    known = People.of(found.org)
    rows = []
    for one in known.persons if known is not None else ():
        here = [f"since {one.joined:%Y-%m-%d}"] if one.joined else []
        here += [f"left {one.left:%Y-%m-%d}"] if one.left else []
        held = "; ".join(
            f"{have.subject} {have.since} to {have.until}, by {have.proof}"
            for have in one.competence
        )
        cells = (one.id, ", ".join(one.roles), held or "none", ", ".join(here) or "here")
        rows.append(SheetRow(cells=cells))
    return SheetTable(
        title="People, and the days for which they are competent",
        heads=("person", "roles", "competence", "in the organisation"),
        rows=tuple(rows),
        empty="org/people.yaml is missing or has a fault, so that nobody's approval counts",
    )


def exclusions(found: Survey) -> SheetTable:
    """Controls that the Statement of Applicability excludes, with the reason."""
    rows = tuple(
        SheetRow(
            cells=(
                control,
                str(row.get("justification") or "no reason"),
                str(row.get("owner", "")),
                str(row.get("last_review", "")),
            ),
            tone="quiet" if row.get("justification") else "bad",
        )
        for control, row in decisions(found.org).items()
        if row.get("applicable") is False
    )
    return SheetTable(
        title="What is excluded, and why",
        heads=("control", "reason", "owner", "last review"),
        rows=rows,
        empty="no control is excluded",
    )


def told_to_users(found: Survey) -> SheetTable:
    """What customers and affected people are told of each system."""
    rows = [row for system in found.systems for row in _told(system)]
    rows += [
        SheetRow(cells=("organisation", key, str(one.values.get(key, "missing"))))
        for one in found.org.of("organisation")
        for key in ("customers", "communication")
    ]
    return SheetTable(
        title="What customers and affected people see",
        heads=("of", "what", "text"),
        rows=tuple(rows),
    )


def _told(system: SurveyedSystem) -> Iterator[SheetRow]:
    use = system.values.get("intended_use")
    if isinstance(use, Mapping):
        text = str(use.get("text", ""))
        less = ", ".join(words(use, "not_for"))
        text = f"{text.removesuffix('.')}. Not for: {less}." if less else text
        yield SheetRow(cells=(system.id, "intended use", text))
    yield SheetRow(cells=(system.id, "contact", str(system.values.get("contact", "none"))))
    for card in system.records.of("card"):
        yield from (
            SheetRow(cells=(system.id, f"card, {heading}", text))
            for heading, text in card.sections.items()
        )
