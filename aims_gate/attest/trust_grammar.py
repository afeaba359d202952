"""The trust file's keys and the form of their values; what they mean is read in `trust_file`."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from aims_gate.attest import ages, floor
from aims_gate.errors import UsageError
from aims_gate.policy.model import Ancestor
from aims_gate.policy.places import parse_allowed_root

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _moment(value: object) -> datetime:
    """Read a UTC moment: a bare date is 00:00Z of that day, a time needs its offset."""
    written = f"{value}T00:00Z" if _DAY.fullmatch(str(value)) else str(value)
    with contextlib.suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(written)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    raise PydanticCustomError(
        "moment", "not a date (2027-06-30) or UTC time (2027-06-30T12:00:00Z)"
    )


def _age(value: object) -> timedelta:
    try:
        return ages.age(str(value))
    except ValueError as error:
        raise PydanticCustomError("age", "not an age: {how}", {"how": str(error)}) from None


def _floor(value: object) -> Ancestor:
    try:
        return floor.parse(str(value))
    except UsageError as error:
        raise PydanticCustomError("floor", "no floor: {how}", {"how": error.hint}) from None


_Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
_Moment = Annotated[datetime | None, BeforeValidator(_moment)]
_Age = Annotated[timedelta | None, BeforeValidator(_age)]
_Floor = Annotated[Ancestor | None, BeforeValidator(_floor)]
# absent is None; a null that was written is refused, it could mean anything


class Closed(BaseModel):
    """A mapping of known keys only."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class KeyText(Closed):
    """A key and what it may sign."""

    person: _Text
    public_key: _Text
    fingerprint: _Text = ""
    roles: Annotated[list[Literal["gate", "approver", "policy", "records"]], Field(min_length=1)]
    verifier_ids: Annotated[list[_Text], Field(min_length=1)] = []
    valid_from: _Moment = None
    valid_until: _Moment = None
    revoked_at: _Moment = None


def _root(value: str) -> str:
    try:
        parse_allowed_root(value)
    except ValueError as error:
        raise PydanticCustomError("place", "{what}", {"what": f"{value!a} {error}"}) from None
    return value


class SourcesText(Closed):
    """Where a model's files may lie."""

    allow: list[Annotated[str, AfterValidator(_root)]] = []


class DeploymentText(Closed):
    """What is expected of the evidence of some models."""

    server: _Text = ""
    models: Annotated[list[_Text], Field(min_length=1)] = []
    stage: _Text = ""
    max_age: _Age = None
    floor: _Floor = None
    approvals: list[_Text] = []


class FileText(Closed):
    """The whole file."""

    apiVersion: Literal["aims-gate/v1"]  # noqa: N815  # the file's spelling
    kind: Literal["Trust"]
    keys: Annotated[list[KeyText], Field(min_length=1)]
    servers: dict[
        Annotated[str, Field(pattern=r"^[a-z0-9-]+$")], Annotated[list[_Text], Field(min_length=1)]
    ] = {}
    copies: list[_Text] = []
    sources: SourcesText = SourcesText()
    deploy: Annotated[list[DeploymentText], Field(min_length=1)] = []


_ENTRIES: Mapping[str, type[Closed]] = {
    "keys": KeyText,
    "deploy": DeploymentText,
    "sources": SourcesText,
}


def fields_of(place: tuple[object, ...]) -> Collection[str]:
    """Give the keys that are known where the unknown one of *place* stands."""
    return (FileText if len(place) == 1 else _ENTRIES[str(place[0])]).model_fields
