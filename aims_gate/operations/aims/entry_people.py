"""People of a log entry: whoever held or attended it is somebody, and audits no own work."""

from __future__ import annotations

from collections.abc import Iterator

from aims_gate.governance.contract import LogEntry
from aims_gate.governance.kinds import KINDS
from aims_gate.governance.people import People
from aims_gate.operations.aims.survey import Survey, decisions, words


def objections_to(entry: LogEntry, found: Survey) -> Iterator[str]:
    """Why an entry shows nothing by the people that it names; nothing where it does."""
    people = People.of(found.org)
    if people is None:
        yield "who took part is not known: org/people.yaml is missing or has a fault"
        return
    inside = entry.values.get("by") != "external"
    auditor = str(entry.values.get("auditor")) if entry.type == "audit" and inside else ""
    for name in filter(None, (auditor, *words(entry.values, "attendees"))):
        if people.find([name]) is None:
            yield f"org/people.yaml names nobody, or two people, as {name}"
    person = people.find([auditor]) if auditor else None
    for owner, what in owners(found) if person else ():
        if person is not None and person.is_called(owner):
            yield f"{auditor} owns {what}, and audits no own work"


def owners(found: Survey) -> Iterator[tuple[str, str]]:
    """Everybody who answers for something in scope, with what it is."""
    for kind in KINDS:
        for whose, _, documents in found.documents(kind):
            named = [one for one in documents if one.owner]
            yield from ((one.owner, f"{whose} {one.path}".strip()) for one in named)
    for system in found.systems:
        risk_owner = system.values.get("risk_owner")
        if isinstance(risk_owner, str):
            yield risk_owner, f"the risks of {system.id}"
    for control, row in decisions(found.org).items():
        if isinstance(row.get("owner"), str):
            yield row["owner"], f"control {control}"
