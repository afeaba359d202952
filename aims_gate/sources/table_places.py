"""Tables by name: what a policy, a caller or a run may say of where one lies, and no more."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aims_gate.documents.store_uris import parse_allowed
from aims_gate.errors import DataError
from aims_gate.policy.model import DataSpec
from aims_gate.policy.scalars import TABLE
from aims_gate.registry.entities import DatasetInput

SCHEME = "table"
VERSION = "delta_table_version"
"""How MLflow calls the version of a Delta table in a data set's source."""
_PLACES = ("uri", "path", "delta_table_name", "table_name", "sql", "url")
"""Keys of a source by each of which a place is named."""
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
        DataError: No entry holds the table, or those of several connections do; or the run names
            more than one place, or a version that is none.
    """
    source = described(found.source, where=where)
    name = source.get("delta_table_name", source.get("table_name"))
    if not isinstance(name, str) or not re.fullmatch(TABLE, name):
        return None
    entries = [place for entry in allow if (place := parse_allowed(entry)).scheme == SCHEME]
    parts = tuple(name.split("."))
    inside = {
        place.host
        for place in entries
        if parts[:-1] == place.path  # what lies deeper may be another catalog's
    }
    if len(inside) != 1:
        what = f"the run names the table {name!a}, which sources.allow does not permit"
        if inside:
            what = f"sources.allow has the table {name!a} at several connections"
        hint = f"write one {SCHEME}://CONNECTION/SCHEMA/ for it under sources.allow"
        raise DataError(what, where=where, hint=hint)
    return TablePlace(connection=inside.pop(), name=name, version=source[VERSION])


def described(text: str, *, where: str) -> Mapping[str, Any]:
    """Read what a run says of a data set's place: JSON as hostile as its author.

    Returns:
        Its keys, and `VERSION` as a whole number or None; nothing else of what is no object.

    Raises:
        DataError: It names more than one place, or a version that is none.
    """
    try:
        source = json.loads(text)
    except (ValueError, RecursionError):
        source = None
    if not isinstance(source, dict):
        source = {}
    if sum(source.get(key) is not None for key in _PLACES) > 1:
        what = "the run says of these data that they lie in more than one place"
        raise DataError(what, where=where, hint="log them again, from one source")
    version = source.get(VERSION)
    number = re.fullmatch("[0-9]{1,18}", str(version))
    if version is not None and number is None:
        what = "the run says which version of a table it used, and that is no number"
        raise DataError(what, where=where, hint="log the data again")
    return {**source, VERSION: number and int(number[0])}
