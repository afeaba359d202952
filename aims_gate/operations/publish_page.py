"""The public page of a verdict, signed: for customers, from evidence that holds today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aims_gate import canonical
from aims_gate.attest.signers import Signer
from aims_gate.attest.statement import Statement
from aims_gate.attest.statement_files import write_statement
from aims_gate.errors import RecordError, TrustError, UsageError
from aims_gate.evidence.public_predicate import PUBLIC, PUBLIC_SUBJECT
from aims_gate.evidence.written import end_said, time_said
from aims_gate.harmless import plain
from aims_gate.operations.report_evidence import EvidenceQuestion, read_past
from aims_gate.pages.public_page import badge, holds_until, public_rows, render
from aims_gate.regular import create
from aims_gate.verdict import Authenticity, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """What the system is called in public, where its evidence can be had, and who signs."""

    name: str
    url: str = ""
    """Empty where evidence is shown on request."""
    signer: Signer
    folder: Path
    """Made anew."""


def publish(asked: EvidenceQuestion, how: Publishing, *, now: datetime) -> Verdict:
    """Write page, badge, public key and the statement that signs the page.

    Raises:
        UsageError: (2) There is no such evidence, something is in the folder, or the address of
            the evidence is no https.
        SourceError: (3) MLflow could not be read.
        RecordError: (3) The files cannot be written, or the key cannot sign.
        TrustError: (4) The evidence was not verified, or does not hold today.
    """
    if how.url and not how.url.startswith("https://"):
        raise UsageError("the address of the evidence is no https", where=plain(how.url))
    verdict = read_past(asked, now=now)
    standing = verdict.standing
    if standing is None or standing.authenticity is not Authenticity.VERIFIED:
        told = "nothing is known of it" if standing is None else standing.told
        raise TrustError(f"nothing is published of evidence that does not hold: {told}")
    page = render(verdict, how.name, how.url, now).encode()
    statement = _statement(verdict, how, page, now)
    try:
        how.folder.mkdir(parents=True, exist_ok=True)
        if any(how.folder.iterdir()):
            hint = "name another with --out, or empty it"
            raise UsageError("there is something in this folder", where=str(how.folder), hint=hint)
        create(how.folder / PUBLIC_SUBJECT, page)
        create(how.folder / "badge.svg", badge(verdict).encode())
        create(how.folder / "public.key.pub", how.signer.key.pem.encode())
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise RecordError(what, where=str(how.folder)) from error
    write_statement(how.folder, PUBLIC.name, PUBLIC, statement, how.signer)
    return verdict


def _statement(verdict: Verdict, how: Publishing, page: bytes, now: datetime) -> Statement:
    evidence = verdict.evidence
    named = evidence.id if evidence else ""
    return Statement(
        predicate_type=PUBLIC.predicate_type,
        subject=canonical.sha256(page),
        subject_name=PUBLIC_SUBJECT,
        predicate={
            "name": plain(how.name),
            "decision": verdict.decision.value,
            "judgedOn": time_said(verdict.finished),
            "issuedOn": time_said(now),
            "holdsUntil": end_said(holds_until(verdict)),
            "model": {"sha256": verdict.model.digest},
            "evidence": {
                "uri": how.url or f"urn:aims-gate:evaluation:{named}",
                "digest": {"sha256": evidence.digest if evidence else ""},
            },
            "claims": [
                {
                    "about": one.about,
                    "outcome": one.outcome,
                    "measured": one.measured,
                    "asked": one.asked,
                    "result": one.place,
                }
                for one in public_rows(verdict)
            ],
        },
    )
