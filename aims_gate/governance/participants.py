"""Participants of an audit or review: each is somebody, and nobody audits own work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from aims_gate.governance.contract import LogEntry, RecordDocument
from aims_gate.governance.people import People

HELD = frozenset({"audit", "review"})
"""Types of entries that people hold together, and that count by who they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """Something that a person answers for."""

    owner: str
    what: str
    since: date | None
    """The day from which its record is in force; None where that is not known."""


def owners(documents: Iterable[RecordDocument], whose: str = "") -> Iterator[Owned]:
    """Everybody who owns a document, the risks of a system or a control, with what it is.

    Args:
        documents: Of the organisation, or of one system.
        whose: Id of that system; empty for the organisation.
    """
    for document in documents:
        since, values = document.effective, document.values
        if document.owner:
            what = f"{whose} {document.path}".strip()
            yield Owned(owner=document.owner, what=what, since=since)
        if isinstance(values.get("risk_owner"), str):
            what = f"the risks of {document.id}"
            yield Owned(owner=values["risk_owner"], what=what, since=since)
        rows = values.get("controls") if document.kind == "soa" else ()
        for row in rows if isinstance(rows, tuple) else ():
            if isinstance(row, Mapping) and isinstance(row.get("owner"), str):
                yield Owned(owner=row["owner"], what=f"control {row.get('id')}", since=since)


def objections(entry: LogEntry, people: People | None, owned: Iterable[Owned]) -> Iterator[str]:
    """Why an entry shows nothing by the people that it names; nothing where it does.

    Args:
        entry: Of any type.
        people: Everybody; None where that is not known.
        owned: Who answers for what; what is in force only since a later day does not count.
    """
    if people is None:
        yield "who took part is not known: org/people.yaml is missing or has a fault"
        return
    inside = entry.type == "audit" and entry.values.get("by") != "external"
    auditor = str(entry.values.get("auditor")) if inside else ""
    attended = entry.values.get("attendees")
    names = (auditor, *(attended if isinstance(attended, tuple) else ()))
    for name in (one for one in names if isinstance(one, str) and one):
        if people.find([name]) is None:
            yield f"org/people.yaml names nobody, or two people, as {name}"
    person = people.find([auditor]) if auditor else None
    for one in owned if person is not None else ():
        then = one.since is None or entry.opened is None or one.since <= entry.opened
        if then and person is not None and person.is_called(one.owner):
            yield f"{auditor} owns {one.what}, and audits no own work"
