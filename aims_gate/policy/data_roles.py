"""Roles of data by their names, as callers write them."""

from __future__ import annotations

from collections.abc import Mapping

from aims_gate.errors import UsageError, near
from aims_gate.policy.model import Role


def roles_of(data: Mapping[str, object]) -> Mapping[Role, object]:
    """Turn role names into roles; UsageError for a name that is none."""
    if not isinstance(data, Mapping):
        raise UsageError("data is no mapping", hint="write data={'evaluation': frame}")
    known = [role.value for role in Role]
    for name in data:
        if name not in known:
            raise UsageError(f"unknown data role {name!r}", hint=near(name, known))
    return {Role(name): source for name, source in data.items()}
