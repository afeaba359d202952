"""The trust file's keys and the form of their values; what they mean is read in `trust_file`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from aims_gate.attest import ages, floor
from aims_gate.documents import Kind
from aims_gate.documents.keys import (
    INSTANT,
    NOT_EMPTY,
    TEXT_SCHEMA,
    ApiVersion,
    Keys,
    Text,
    Words,
    as_instant,
    as_words,
    choice,
    describe,
    one_of,
    optional,
    pattern,
    refuse,
    string,
    words,
)
from aims_gate.documents.roots import RootsText
from aims_gate.errors import UsageError
from aims_gate.facts import Ancestor

ROLES = ("gate", "approver", "policy", "records")
_SERVER = "[a-z0-9-]+"


def _age(value: object) -> timedelta:
    try:
        return ages.age(str(value))
    except ValueError as error:
        raise refuse(f"must be an age, not {describe(value)}", str(error)) from None


def _floor(value: object) -> Ancestor:
    try:
        return floor.parse(str(value))
    except UsageError as error:
        raise refuse(f"is no floor: {describe(value)}", error.hint) from None


_Roles = Annotated[
    list[str],
    PlainValidator(lambda value: [one_of(word, ROLES) for word in as_words(value)]),
    WithJsonSchema({"type": "array", "items": {"enum": list(ROLES)}, "minItems": 1}),
]
# waivers, approvals and policies are signed by people, with keys
_IdentityRoles = Annotated[
    list[str],
    PlainValidator(lambda value: [one_of(word, ROLES[:1]) for word in as_words(value)]),
    WithJsonSchema({"type": "array", "items": {"enum": list(ROLES[:1])}, "minItems": 1}),
]
# absent is None; a null that was written is refused by the reader, it could mean anything
_Moment = Annotated[datetime | None, PlainValidator(as_instant), string(INSTANT)]
_Age = Annotated[timedelta | None, PlainValidator(_age), string("[1-9][0-9]{0,5}[smhd]")]
_Floor = Annotated[Ancestor | None, PlainValidator(_floor), WithJsonSchema(TEXT_SCHEMA)]
_Server = Annotated[
    str, pattern(_SERVER, "must be small letters, digits and '-'", "such as prod"), string(_SERVER)
]


class KeyText(Keys):
    """A key and what it may sign."""

    person: Text
    public_key: Text
    fingerprint: Text = ""
    roles: _Roles
    verifier_ids: Words = optional(absent=[])
    valid_from: _Moment = optional()
    valid_until: _Moment = optional()
    revoked_at: _Moment = optional()
    known_as: Words = optional(absent=[])
    approves: Words = optional(absent=[])


class IdentityText(Keys):
    """An identity that Sigstore certifies, and what it may sign."""

    person: Text
    issuer: Text
    subject: Text
    job_workflow_ref: Text = ""
    roles: _IdentityRoles
    verifier_ids: Words = optional(absent=[])
    valid_from: _Moment = optional()
    valid_until: _Moment = optional()
    revoked_at: _Moment = optional()


class DeploymentText(Keys):
    """What is expected of the evidence of some models."""

    server: Text = ""
    models: Words = optional(absent=[])
    stage: Text = ""
    max_age: _Age = optional()
    floor: _Floor = optional()
    approvals: list[Text] = optional(absent=[])
    signed_policy: bool = optional(absent=False)


class TrustText(Keys):
    """The whole file."""

    api_version: ApiVersion = Field(alias="apiVersion")
    kind: Annotated[str, choice("Trust"), words("Trust")]
    keys: list[KeyText] = optional(absent=[])
    identities: Annotated[list[IdentityText], NOT_EMPTY, Field(min_length=1)] = optional(absent=[])
    trusted_root: Text = ""
    servers: dict[_Server, Words] = optional(absent={})
    copies: list[Text] = optional(absent=[])
    sources: RootsText = RootsText()
    deploy: Annotated[list[DeploymentText], NOT_EMPTY, Field(min_length=1)] = optional(absent=[])


TRUST = Kind(
    name="Trust",
    model=TrustText,
)
