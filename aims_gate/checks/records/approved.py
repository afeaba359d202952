"""Approval of documented information: strong enough, by another person, able and present."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.record_cells import (
    COUNTS,
    chosen,
    counted,
    faults,
    keys_of,
    kind_problems,
    missing,
    records_of,
    texts,
)
from aims_gate.checks.records.strengths import StrengthName, strength_of
from aims_gate.facts import Statistic
from aims_gate.governance.approval import standing
from aims_gate.governance.contract import RecordDocument, Records, Strength
from aims_gate.governance.people import People


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedRecords:
    """Whether people who may stand behind each record, and its owner is still there."""

    about: ClassVar[About] = About(
        name="records.approved",
        summary="Whether another person, able and present, reviewed or signed each record's bytes.",
        definition=COUNTS
        + (
            "Per document: 0 if an act of at least this strength is of these very bytes, by a "
            "person of people.yaml who is neither its owner nor its author, has the role and, on "
            "the day of the act and today, belongs to the organisation and has the competence "
            "that the role asks for; MISSING otherwise, with what does not count and why. Git "
            "authorship is no act. owner: 1 if people.yaml does not name the owner, or the owner "
            "left. role: each role that the system's tier asks for is filled by somebody present."
        ),
        controls=("iso42001:5.3", "iso42001:7.2", "iso42001:7.5.2", "iso42001:A.3.2"),
        beside=True,
        undecided=(
            "nobody approved these very bytes, or only who may not",
            "a record, or people.yaml, is not there or not sound",
        ),
    )

    kinds: tuple[str, ...] = ()
    """Kinds of records; without them all."""
    strength: StrengthName | None = None
    """The least strength; without it the one of the system's tier, or else `reviewed`."""
    roles: tuple[str, ...] = ()
    """Roles of which the approver must have one; without them any."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: the number of faults."""
        return counted()

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Refuse a kind that there is not."""
        return kind_problems(self.kinds)

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Weigh what people did about each document, and look for its owner among them."""
        records, today = records_of(inputs), inputs.now.date()
        people, asked = People.of(records), tier_of(records)
        least = strength_of(self.strength or asked.get("strength", "reviewed"))
        for found in chosen(records, self.kinds):
            if isinstance(found, Statistic):
                yield found
                continue
            yield self._approval(found, records, least, today)
            yield _owner(found, people, today)
        for role in texts(asked.get("roles")):
            yield _filled(role, people, today)

    def _approval(
        self, document: RecordDocument, records: Records, least: Strength, today: date
    ) -> Statistic:
        stood = standing(document, records, today=today, roles=self.roles)
        told = stood.strength.name.lower()
        if stood.strength >= least:
            since = f" on {stood.day}" if stood.day else ""
            return faults(document.path, (), sound=f"{told}{since}")
        needed = f"{told}, not {least.name.lower()}"
        return missing(document.path, "; ".join([needed, *stood.faults]))


def _owner(document: RecordDocument, people: People | None, today: date) -> Statistic:
    where = f"{document.path} owner"
    if people is None:
        return missing(where, "people.yaml is not there, or not sound")
    owner = people.find([document.owner])
    if owner is None:
        return faults(where, [f"people.yaml names nobody, or two people, as {document.owner}"])
    return faults(where, [] if owner.is_here(today) else [f"{document.owner} is not there today"])


def _filled(role: str, people: People | None, today: date) -> Statistic:
    held = people is not None and any(
        role in one.roles and one.is_here(today) for one in people.persons
    )
    where = f"role {role}"
    return faults(where, ()) if held else missing(where, "nobody who is there today has it")


def tier_of(records: Records) -> Mapping[str, Any]:
    """What the organisation asks for at the system's tier; an empty mapping where nothing."""
    wanted = [system.values.get("tier") for system in records.of("system")]
    for organisation in records.of("organisation"):
        listed = organisation.values.get("tiers")
        for tier in map(keys_of, listed if isinstance(listed, tuple) else ()):
            if tier.get("id") in wanted:
                return tier
    return {}
