"""The public page of a verdict, signed: for customers, from evidence that holds today."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from aims_gate.operations.aims.gate_history import LAST
from aims_gate.operations.evidence import is_uri
from aims_gate.operations.records_key import refuse_other_keys
from aims_gate.operations.report_evidence import EvidenceQuestion, read_past
from aims_gate.pages.public_page import badge, holds_until, public_rows, render
from aims_gate.registry.choose import open_registry
from aims_gate.regular import create
from aims_gate.sinks.mlflow import TAG_MODEL
from aims_gate.sources.mlflow.evidence import EXPERIMENT, FOLDER, SUMMARY, TAG_EVALUATION
from aims_gate.verdict import Authenticity, Decision, Verdict

_SIGNED = {Authenticity.VERIFIED, Authenticity.EXPIRED}


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
        TrustError: (4) The evidence was not verified, does not hold today, or is a pass of bytes
            that newer evidence beside it refused; or the key may not sign records.
    """
    if how.url and not how.url.startswith("https://"):
        raise UsageError("the address of the evidence is no https", where=plain(how.url))
    verdict = read_past(asked, now=now)
    standing = verdict.standing
    if standing is None or standing.authenticity is not Authenticity.VERIFIED:
        told = "nothing is known of it" if standing is None else standing.told
        raise TrustError(f"nothing is published of evidence that does not hold: {told}")
    refuse_other_keys(how.signer, asked.trust, now=now)
    newer = _refused_since(asked, verdict, now)
    if newer and verdict.decision is Decision.PASSED:
        what = f"nothing is published of a pass that newer evidence takes back: {newer}"
        hint = "publish that one, or evaluate again what was mended"
        raise TrustError(what, hint=hint)
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


def _refused_since(asked: EvidenceQuestion, verdict: Verdict, now: datetime) -> str:
    """Place of newer signed evidence that refused the same bytes, whatever the stage; or nothing.

    That a refusal has expired since makes it none the less one.
    """
    for place in _beside(asked, verdict.model.digest):
        try:
            other = read_past(replace(asked, evidence=place, stage=None, deploying=False), now=now)
        except (TrustError, UsageError):
            continue  # of nobody whom we trust, or nothing yet
        known = other.standing is not None and other.standing.authenticity in _SIGNED
        same = other.model.digest == verdict.model.digest and other.finished > verdict.finished
        if known and same and other.decision is Decision.REFUSED:
            return place
    return ""


def _beside(asked: EvidenceQuestion, digest: str) -> Iterator[str]:
    """Places of other evidence: in MLflow about the same bytes, or in the folder around it."""
    if not is_uri(asked.evidence):
        around = Path(asked.evidence).resolve().parent
        yield from (str(one.parent) for one in sorted(around.glob(f"*/{SUMMARY}")))
        return
    for run in open_registry(asked.environ).runs(EXPERIMENT, last=LAST):
        if run.tags.get(TAG_MODEL) == f"sha256:{digest}":
            yield f"runs:/{run.run_id}/{FOLDER}/{run.tags.get(TAG_EVALUATION, '')}"


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
