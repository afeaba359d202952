"""Strength of an approval on a day: declared, reviewed or signed, by whom, of which bytes.

Git authorship proves nothing, and only forbids. An act counts if it is of the very bytes, by
another person than the owner and the author (separation of duties), who is there and competent on
the day that is asked about, and was on the day of the act.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time

from aims_gate.governance.contract import RecordAct, RecordDocument, Records, Strength
from aims_gate.governance.people import People, Person

PEOPLE = "people"
"""Kind of the document that says who may approve."""
_ALONE = "alone approved it, and has the power to by this very list: another person must, too"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalStanding:
    """How strongly a document is approved, and what was done about it that does not count."""

    strength: Strength
    by: tuple[str, ...] = ()
    """Ids of the people whose acts count, in order."""
    day: date | None = None
    """Day of the latest act that counts."""
    faults: tuple[str, ...] = ()


def standing(
    document: RecordDocument, records: Records, *, today: date, roles: Collection[str] = ()
) -> ApprovalStanding:
    """Weigh what people did about a document.

    Args:
        document: One of *records*.
        records: With the acts, and with the people who may act.
        today: The day that is asked about.
        roles: Of which the person must have one; any role where none is named.
    """
    if not document.human_digest:
        return ApprovalStanding(strength=Strength.NONE)  # there are no bytes to approve
    asked = _Asked(document=document, people=People.of(records), today=today, roles=roles)
    counted: list[tuple[RecordAct, str]] = []
    faults: list[str] = []
    for act in records.approvals:
        if act.digest != document.human_digest and (act.record or None) != document.id:
            continue
        who = act.names[0] if act.names else "somebody"
        person = None if asked.people is None else asked.people.find(act.names)
        fault = act.problem or asked.stranger(act, person)
        if person is not None:
            fault = fault or next(asked.objections(act, person), "")
            who = person.id
        if fault:
            faults.append(f"{act.where}: {fault if act.problem else f'{who} {fault}'}")
        else:
            counted.append((act, who))
    if not (counted or document.effective):
        return ApprovalStanding(strength=Strength.NONE, faults=tuple(faults))
    unseen = Strength.NONE if document.drafted_by else Strength.DECLARED
    if document.kind == PEOPLE and counted:
        alone, counted = _vouched(counted)
        unseen = Strength.DECLARED
        faults += [f"{alone} {_ALONE}"] if alone else []
    return ApprovalStanding(
        strength=max((act.strength for act, _ in counted), default=unseen),
        by=tuple(sorted({person for _, person in counted})),
        day=max((act.when.date() for act, _ in counted), default=None),
        faults=tuple(faults),
    )


def _vouched(
    counted: Sequence[tuple[RecordAct, str]],
) -> tuple[str, list[tuple[RecordAct, str]]]:
    """The one person by whom alone the list of people is approved; or what another vouches for.

    The list says who may approve, itself included: it is as strong as its second person's act.
    """
    best: dict[str, Strength] = {}
    for act, who in counted:
        best[who] = max(act.strength, best.get(who, Strength.NONE))
    if len(best) == 1:
        return next(iter(best)), []
    second = sorted(best.values())[-2]
    return "", [(replace(act, strength=min(act.strength, second)), who) for act, who in counted]


def own_work(
    document: RecordDocument, authors: Iterable[str], person: Person, people: People | None
) -> bool:
    """Tell whether a person owns, drafted or wrote a document, by any name of theirs.

    Args:
        document: With its owner and drafter.
        authors: Names of who wrote its bytes, as git and the forge have them.
        person: Who would approve it.
        people: Everybody, by whose other names a name is told; None where that is not known.
    """
    found = people or People(asked={})
    names = filter(None, (document.owner, document.drafted_by, *authors))
    return any(found.find([name]) == person or person.is_called(name) for name in names)


def who_may(
    document: RecordDocument, authors: Iterable[str], people: People, *, today: date
) -> tuple[str, ...]:
    """Ids of the people whose approval of a document would count today, in any role."""
    act = RecordAct(
        record=document.id,
        digest=document.human_digest,
        names=(),
        strength=Strength.SIGNED,
        when=datetime.combine(today, time()),
        where="",
        authors=(*authors,),
    )
    asked = _Asked(document=document, people=people, today=today, roles=())
    return tuple(one.id for one in people.persons if not any(asked.objections(act, one)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A document on a day, and who may approve it."""

    document: RecordDocument
    people: People | None
    today: date
    roles: Collection[str]

    def stranger(self, act: RecordAct, person: Person | None) -> str:
        """Why an act is of no known person, or of other bytes; empty where it is not so."""
        if act.digest != self.document.human_digest:
            return f"approved other bytes, on {act.when:%Y-%m-%d}"
        if self.people is None:
            return "approved it, and org/people.yaml, which says who that is, is not sound"
        return "" if person else "approved it, and org/people.yaml names nobody, or two people, so"

    def objections(self, act: RecordAct, person: Person) -> Iterator[str]:
        """Why a person's act does not count."""
        if own_work(self.document, act.authors, person, self.people):
            yield "approved it, and owns or wrote it"
        days = (act.when.date(), self.today)
        if not all(map(person.is_here, days)):
            yield "approved it, and is not in the organisation on that day or today"
        able = [role for role in person.roles if not self.roles or role in self.roles]
        if not able:
            yield f"approved it, and has not the role {' or '.join(sorted(self.roles))}"
        lacking = [self._lacking(person, role, days) for role in able]
        if all(lacking):
            gaps = ", ".join(dict.fromkeys(gap for some in lacking for gap in some))
            yield f"approved it, without competence on that day or today: {gaps}"

    def _lacking(self, person: Person, role: str, days: Iterable[date]) -> list[str]:
        people = self.people
        return (
            [] if people is None else [gap for on in days for gap in people.lacks(person, role, on)]
        )
