"""Public page as a statement: what customers are told of a verdict, and which evidence shows it."""

from __future__ import annotations

from aims_gate.attest.statement import BASE, StatementKind
from aims_gate.attest.trust import KeyRole
from aims_gate.evidence.predicates import DigestSaid, End, FileSaid, Said, Time, Word


class PublicClaim(Said):
    """What became of one rule, without a name that only the company knows."""

    about: Word
    outcome: Word
    measured: str
    asked: str
    result: int
    """Place of the rule among the results of the evidence, from 1."""


class PublicPage(Said):
    """All rules of one verdict, the page's bytes by their digest being the subject."""

    name: Word
    decision: Word
    judged_on: Time
    issued_on: Time
    holds_until: End = None
    model: DigestSaid
    evidence: FileSaid
    """The signed summary of the verdict."""
    claims: list[PublicClaim]


PUBLIC_SUBJECT = "index.html"
"""What the page is called."""
PUBLIC = StatementKind(
    name="public",
    predicate_type=f"{BASE}public/v1",
    predicate=PublicPage,
    signed_by=KeyRole.RECORDS,
    subjects=(PUBLIC_SUBJECT,),
)
