"""Everybody who answers for something in scope, in all systems and the organisation."""

from __future__ import annotations

from collections.abc import Iterator

from aims_gate.governance.kinds import KINDS, Area
from aims_gate.governance.participants import Owned, owners
from aims_gate.operations.aims.survey import Survey


def owned(found: Survey) -> Iterator[Owned]:
    """Who owns a record, the risks of a system or a control, with what it is."""
    yield from owners(found.org.documents)
    for system in found.systems:
        own = (one for one in system.records.documents if KINDS[one.kind].area is Area.SYSTEM)
        yield from owners(own, system.id)
