"""Data sources of a model: data that come from one place, one data sheet for each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from aims_gate.policy.model import Role
from aims_gate.sources.subject import Data, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePart:
    """The data of one role, as the gate found them."""

    role: str
    uri: str
    digest: str
    """SHA-256, by *digest_kind*."""
    digest_kind: str
    rows: int
    columns: int
    logged: datetime | None
    """When they were logged or stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """Data that come from one place, whatever roles they play: one data sheet."""

    name: str
    parts: tuple[SourcePart, ...]


def data_sources(subject: Subject) -> Iterator[DataSource]:
    """Group roles by the place that their data lie in: what is logged together is one source."""
    by_place: dict[str, list[SourcePart]] = {}
    for role, data in subject.data.items():
        if role is Role.CHAMPION:
            continue  # what another version answered
        place = data.identity.uri.rpartition("/")[0]
        by_place.setdefault(place, []).append(_part(role, data))
    for place, parts in by_place.items():
        tail = place.rpartition("/")[2]
        named = tail if len(by_place) > 1 and tail != "aims_gate" else subject.model.name
        yield DataSource(name=slug(named), parts=tuple(parts))


def _part(role: Role, data: Data) -> SourcePart:
    return SourcePart(
        role=role.value,
        uri=data.identity.uri,
        digest=data.identity.digest,
        digest_kind=data.identity.digest_kind.value,
        rows=data.identity.rows,
        columns=len(data.frame.columns),
        logged=data.created,
    )


def slug(text: str) -> str:
    """Name of a file for *text*: lower case, digits and hyphens; `unnamed` for nothing."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "unnamed"
