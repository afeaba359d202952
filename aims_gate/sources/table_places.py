"""Tables by name: what a policy, a caller or a run may say of where one lies, and no more."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from aims_gate.documents.store_uris import parse_allowed
from aims_gate.errors import DataError
from aims_gate.policy.model import DataSpec
from aims_gate.policy.scalars import TABLE
from aims_gate.registry.entities import DatasetInput

SCHEME = "table"
_SHAPE = "table:CONNECTION/NAME, such as table:warehouse/main.loans"


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePlace:
    """A table by the name of its connection and its own."""

    connection: str
    name: str
    version: int | None = None
    """Which of its snapshots a run says that it used; None where it says nothing."""

    def __str__(self) -> str:
        """Write the place as in evidence."""
        return f"{SCHEME}:{self.connection}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> TablePlace:
        """Read `table:CONNECTION/NAME`; DataError for anything else."""
        connection, slash, name = text.removeprefix(f"{SCHEME}:").partition("/")
        if not (slash and connection and re.fullmatch(TABLE, name)):
            raise DataError(f"{text!a} names no table", hint=f"write {_SHAPE}")
        return cls(connection=connection, name=name)


def named_place(spec: DataSpec) -> TablePlace | None:
    """The table that a policy names for a role, if it names one."""
    if spec.table is None or spec.connection is None:
        return None
    return TablePlace(connection=spec.connection, name=spec.table)


def parsed_place(text: str) -> TablePlace | None:
    """The table that a caller names; None if *text* names no table. DataError if it is not one."""
    return TablePlace.parse(text) if text.startswith(f"{SCHEME}:") else None


def claimed(found: DatasetInput, allow: tuple[str, ...], *, where: str) -> TablePlace | None:
    """The table that a run says it used, at the connection that the policy allows for it.

    Args:
        found: MLflow's description of a Delta or Spark data set, as hostile as its author.
        allow: The policy's `sources.allow`; `table://CONNECTION/SCHEMA/` holds what is below.
        where: What it is called in errors.

    Raises:
        DataError: No entry holds the table, or those of several connections do.
    """
    try:
        source = json.loads(found.source)
    except ValueError:
        return None
    name = None
    if isinstance(source, dict):
        name = source.get("delta_table_name", source.get("table_name"))
    if not isinstance(name, str) or not re.fullmatch(TABLE, name):
        return None
    entries = [place for entry in allow if (place := parse_allowed(entry)).scheme == SCHEME]
    parts = tuple(name.split("."))
    inside = {
        place.host
        for place in entries
        if parts[: len(place.path)] == place.path and len(parts) > len(place.path)
    }
    if len(inside) != 1:
        what = f"the run names the table {name!a}, which sources.allow does not permit"
        if inside:
            what = f"sources.allow has the table {name!a} at several connections"
        hint = f"write one {SCHEME}://CONNECTION/SCHEMA/ for it under sources.allow"
        raise DataError(what, where=where, hint=hint)
    version = source.get("delta_table_version")
    known = version if isinstance(version, int) and not isinstance(version, bool) else None
    return TablePlace(connection=inside.pop(), name=name, version=known)
