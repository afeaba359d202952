"""Keys of the documents of the organisation."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from aims_gate.attest.trust import plain_name
from aims_gate.documents import keys as k
from aims_gate.documents.keys import Keys, choice, optional, refuse, words
from aims_gate.governance.entry_grammar import ENTRY_TYPES
from aims_gate.governance.fields import Day, Days, ObjectiveText, RecordId, RecordKeys, Truth
from aims_gate.governance.wording import Telling, Tellings

STATUS = ("implemented", "partial", "planned", "excluded")
SUPPLIED = ("model", "dataset", "api", "service", "library")
STRENGTHS = ("declared", "reviewed", "signed")
_CONTROL = r"A\.[0-9]{1,2}\.[0-9]{1,2}(\.[0-9]{1,2})?"
_LOGIN = re.compile(r"github[a-z0-9][a-z0-9-]*")
"""The plain form of `github:LOGIN`, in which names are compared."""


def _local(name: str) -> str:
    """A name that no login at GitHub is told by: only the key `github` gives one."""
    if _LOGIN.fullmatch(plain_name(name)):
        raise refuse(f"must be no login at GitHub, as {name} is", "it has a key: github: LOGIN")
    return name


def _all_local(names: list[str]) -> list[str]:
    return [*map(_local, names)]


_Level = Annotated[int, Field(strict=True, ge=1, le=25)]


class PartyText(Keys):
    """An interested party, and what it expects."""

    who: Telling
    expects: Telling


class AppetiteText(Keys):
    """Risk appetite: levels (likelihood times severity), 1 to 25."""

    accept: _Level
    """A residual risk up to here needs no more than its treatment."""
    refuse: _Level
    """From here on nobody bears it; between the two the risk owner must accept it."""


class TierText(Keys):
    """A tier of systems by what is at stake, and how strong its approvals must be."""

    id: RecordId
    means: Telling
    strength: Annotated[str, choice(*STRENGTHS), words(*STRENGTHS)] = optional()
    roles: k.Words = optional()
    """Roles that must be filled for a system of this tier."""


class CadenceText(Keys):
    """How often something is looked at, by a measurement or by a person."""

    of: k.Text
    days: Days
    by: Annotated[str, choice("measured", "person"), words("measured", "person")]


class CalendarText(Keys):
    """Something that comes again, and the type of entry that shows that it was done."""

    what: Telling
    type: Annotated[str, choice(*ENTRY_TYPES), words(*ENTRY_TYPES)]
    every: Days
    owner: k.Text


class OrganisationText(RecordKeys):
    """Scope and context of the AI management system."""

    scope: Telling
    systems: k.Words
    """Registered models in scope: each `registry` of a `system.yaml` is a part of it."""
    context: Telling
    parties: Annotated[list[PartyText], Field(min_length=1)]
    objectives: Annotated[list[ObjectiveText], Field(min_length=1)]
    method: Telling
    appetite: AppetiteText
    tiers: Annotated[list[TierText], Field(min_length=1)]
    cadences: list[CadenceText] = optional()
    calendar: list[CalendarText] = optional()
    resources: Telling
    communication: Telling
    obligations: Tellings
    customers: Telling


class PolicyDocumentText(RecordKeys):
    """The AI policy; what it says stands in its sections."""


class CompetenceText(Keys):
    """A competence with its proof, and until when it holds (that day included)."""

    subject: k.Text
    proof: Telling
    since: Day
    until: Day


class PersonText(Keys):
    """A person: roles, deputy, competence, and the names that others know them by."""

    id: Annotated[k.Text, AfterValidator(_local)]
    name: k.Text
    roles: k.Words
    deputy: k.Text = optional()
    hours: k.Number = optional()
    """A week."""
    competence: list[CompetenceText] = optional()
    known_as: Annotated[k.Words, AfterValidator(_all_local)] = optional()
    """Other names, such as that in the trust file."""
    github: k.Text = optional()
    """The login there, by which reviews are told; no other name is taken for it."""
    joined: Day = optional()
    left: Day = optional()
    """The first day on which this person approves nothing."""


class RoleText(Keys):
    """A role that the organisation needs, and the competence that it asks for."""

    id: k.Text
    does: Telling
    competence: k.Words = optional()


class PeopleText(RecordKeys):
    """Roles and the people who fill them."""

    roles: Annotated[list[RoleText], Field(min_length=1)]
    people: Annotated[list[PersonText], Field(min_length=1)]


class ControlText(Keys):
    """A row of the Statement of Applicability."""

    id: Annotated[
        str, k.pattern(_CONTROL, "must be a control", "such as A.6.2.4"), k.string(_CONTROL)
    ]
    applicable: Truth
    justification: Telling
    source: Telling = optional()
    status: Annotated[str, choice(*STATUS), words(*STATUS)]
    owner: k.Text
    evidence: k.Words = optional()
    risks: k.Words = optional()
    last_review: Day = optional()


class SoaText(RecordKeys):
    """The Statement of Applicability."""

    controls: Annotated[list[ControlText], Field(min_length=1)]


class SupplierText(Keys):
    """A supplier of a model, data or a service, and when it was assessed."""

    id: RecordId
    name: k.Text
    provides: Annotated[str, choice(*SUPPLIED), words(*SUPPLIED)]
    used_by: k.Words
    version: k.Text = optional()
    sha256: k.Digest = optional()
    licence: Telling
    assessed: Day
    until: Day
    security_assessed: Day = optional()
    responsibilities: Telling
    contact: Telling = optional()


class SuppliersText(RecordKeys):
    """Suppliers; none only with the reason."""

    suppliers: list[SupplierText]
    none: Telling = optional()

    @model_validator(mode="after")
    def _none_with_a_reason(self) -> SuppliersText:
        if not (self.suppliers or self.none):
            raise refuse("an empty list needs a reason", "such as none: we train on our own data")
        return self
