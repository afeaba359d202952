"""Statements that people sign, beside those of the gate: waivers, approvals, break-glass orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aims_gate.attest.manifest import MODEL_FILE
from aims_gate.attest.statement import BASE, Statement, StatementKind
from aims_gate.attest.trust import KeyRole
from aims_gate.signoffs.grammar import (
    ApprovalSaid,
    BreakGlassSaid,
    RecordSaid,
    Said,
    WaiverSaid,
)

RULE_FILE = "rule.json"
"""Name of the subject of a waiver that is bound to no bytes: the rule in canonical JSON."""
RECORD_FILE = "record"
"""Name of the subject of a document's approval: what people wrote in it."""

WAIVER = StatementKind(
    name="waiver",
    predicate_type=f"{BASE}waiver/v1",
    predicate=WaiverSaid,
    signed_by=KeyRole.APPROVER,
    subjects=(MODEL_FILE, RULE_FILE),
)
APPROVAL = StatementKind(
    name="approval",
    predicate_type=f"{BASE}approval/v1",
    predicate=ApprovalSaid,
    signed_by=KeyRole.APPROVER,
)
BREAK_GLASS = StatementKind(
    name="break-glass",
    predicate_type=f"{BASE}break-glass/v1",
    predicate=BreakGlassSaid,
    signed_by=KeyRole.APPROVER,
)
RECORD = StatementKind(
    name="record-approval",
    predicate_type=f"{BASE}record-approval/v1",
    predicate=RecordSaid,
    signed_by=KeyRole.APPROVER,
    subjects=(RECORD_FILE,),
)


def statement_of(kind: StatementKind[Any], predicate: Mapping[str, object]) -> Statement:
    """Make the statement of a predicate: about the model's manifest, or about the rule.

    TrustError if the predicate is not of its kind.
    """
    said = kind.read(predicate, where=kind.name)
    name, subject = subject_of(said)
    return Statement(
        predicate_type=kind.predicate_type, subject_name=name, subject=subject, predicate=predicate
    )


def subject_of(said: Said) -> tuple[str, str]:
    """Name and SHA-256 of what is signed for."""
    if isinstance(said, RecordSaid):
        return RECORD_FILE, said.sha256
    if isinstance(said, WaiverSaid) and said.model.by_name:
        return RULE_FILE, said.rule_sha256
    return MODEL_FILE, said.model.sha256
