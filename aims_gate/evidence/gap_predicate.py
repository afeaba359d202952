"""Gap assessment as a statement: what was found of each requirement, and from which files."""

from __future__ import annotations

from typing import Literal

from aims_gate.attest.statement import BASE, StatementKind
from aims_gate.attest.trust import KeyRole
from aims_gate.evidence.predicates import FileSaid, Said, Time, Word


class GapRowSaid(Said):
    """A requirement of ISO/IEC 42001, and what there was in support of it."""

    id: Word
    support: Literal["conflict", "missing", "stale", "attested", "ran", "excluded"]
    rests_on: str


class GapPhaseSaid(Said):
    """A phase of the plan, with the requirements that are met in it."""

    name: Word
    begins: Word
    ends: Word
    requirements: list[Word]


class GapAssessment(Said):
    """All rows, by whom nothing is decided."""

    standard: Literal["ISO/IEC 42001:2023"]
    assessed_on: Time
    systems: list[Word]
    rows: list[GapRowSaid]
    plan: list[GapPhaseSaid]
    records: list[FileSaid]
    """Every document and entry that was read, by the digest of its bytes."""


GAP_SUBJECT = "gap.json"
"""What the rows are called, in canonical JSON."""
GAP = StatementKind(
    name="gap",
    predicate_type=f"{BASE}gap/v1",
    predicate=GapAssessment,
    signed_by=KeyRole.RECORDS,
    subjects=(GAP_SUBJECT,),
)
