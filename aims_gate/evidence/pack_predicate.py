"""Audit pack as a statement: who answers for the list of all its files, and over which days."""

from __future__ import annotations

from aims_gate.attest.statement import BASE, StatementKind
from aims_gate.attest.trust import KeyRole
from aims_gate.evidence.predicates import Said, Time, Word


class AuditPackSaid(Said):
    """What the pack is for; the manifest of its files is the subject, by its digest."""

    stage: Word
    begins: Word
    ends: Word
    files: int
    signed_on: Time


PACK_SUBJECT = "manifest.sha256"
"""What the manifest is called."""
AUDIT_PACK = StatementKind(
    name="audit-pack",
    predicate_type=f"{BASE}audit-pack/v1",
    predicate=AuditPackSaid,
    signed_by=KeyRole.RECORDS,
    subjects=(PACK_SUBJECT,),
)
