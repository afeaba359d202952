"""Gap assessment: for each of 63 requirements what ran, what people attest, and what is missing.

There is no percentage: a row is as good as its worst record in its worst system. A rule counts if
it was measured on what serves; that a candidate was refused is the control at work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aims_gate.catalogue.iso42001 import REQUIREMENTS, Requirement
from aims_gate.governance.wording import says
from aims_gate.operations.aims.gap_finding import GapFinding, Support, of_records, of_run, worst
from aims_gate.operations.aims.survey import Survey, decisions, is_decided


@dataclass(frozen=True, slots=True, kw_only=True)
class GapRow:
    """A requirement and what there is in support of it."""

    requirement: Requirement
    support: Support
    findings: tuple[GapFinding, ...]
    """Everything that was looked at; the first is what the state rests on."""

    @property
    def counted(self) -> tuple[GapFinding, ...]:
        """Findings that bear on the state; a worse one does not: nothing asks for it here."""
        order = tuple(Support)
        known = order.index(self.support)
        return tuple(one for one in self.findings if order.index(one.support) >= known)

    @property
    def open(self) -> bool:
        """Whether somebody has something to do."""
        return self.support in {Support.CONFLICT, Support.MISSING, Support.STALE}


def assess(found: Survey) -> tuple[GapRow, ...]:
    """Every requirement, in the standard's order."""
    decided = decisions(found.org)
    return tuple(_row(row, found, decided.get(row.id)) for row in REQUIREMENTS)


def _row(row: Requirement, found: Survey, decided: Mapping[str, Any] | None) -> GapRow:
    runs = [of_run(row, one, found) for one in found.serving]
    ran = [one for one in runs if one.support is not Support.MISSING]
    needed = [one for names in row.records for one in of_records(names, found)]
    needed += ran if row.records else runs
    rests = worst(needed or [GapFinding(support=Support.MISSING, what="no system is described")])
    if rests.support is Support.ATTESTED and len(ran) == len(runs) > 0:
        rests = worst(ran)  # each system's rules ran, and the records are there
    if row.is_control and decided is not None:
        rests = _held(decided, rests, row, found)
    others = [one for one in (*needed, *runs) if one is not rests]
    return GapRow(requirement=row, support=rests.support, findings=(rests, *dict.fromkeys(others)))


def _held(
    decided: Mapping[str, Any], rests: GapFinding, row: Requirement, found: Survey
) -> GapFinding:
    """What the Statement of Applicability says, held against what was found."""
    (soa,) = {one.path for one in found.org.of("soa")} or {""}
    ran = [(system, one.result) for system in found.serving for one in system.ran(row)]

    def conflict(what: str) -> GapFinding:
        return GapFinding(support=Support.CONFLICT, what=what, where=soa)

    excludes = decided.get("status") == "excluded"
    if decided.get("applicable") is excludes:
        applies = "applies" if excludes else "does not apply"
        return conflict(f"it {applies}, and its status is {decided.get('status')}")
    if decided.get("applicable") is False:
        reason = str(decided.get("justification", "")).strip()
        if ran:
            return conflict(f"excluded, and {ran[0][1].rule} of {ran[0][0].id} measures it")
        if not says(reason):
            return conflict("excluded without a reason")
        return GapFinding(support=Support.EXCLUDED, what=reason, where=soa)
    shown = rests.support in {Support.ATTESTED, Support.RAN}
    if shown and decided.get("status") == "planned" and is_decided(decided):
        return conflict(f"planned, it says; {rests.support}: {rests.what}")
    unshown = rests.support in {Support.MISSING, Support.STALE}
    if unshown and decided.get("status") == "implemented":
        return conflict(f"implemented, it says; {rests.support}: {rests.what}")
    return rests
