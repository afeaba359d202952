"""A verdict of the past: evidence of any version, read, verified if asked, and rebuilt."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from aims_gate.attest import trust_file
from aims_gate.attest.trust import Trust
from aims_gate.errors import SourceError, StaleError, TrustError, UsageError
from aims_gate.evidence.agreement import Verified
from aims_gate.evidence.predicates import FORM
from aims_gate.evidence.reader import Contents, Proof, open_evidence, open_unverified
from aims_gate.evidence.rebuild import rebuild, unrecorded
from aims_gate.operations.evidence import fetch, is_uri
from aims_gate.operations.verify import Expectation, prove
from aims_gate.verdict import Authenticity, Verdict, VerificationStatus

_NO_MODEL = "the model's bytes were not compared"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceQuestion:
    """Which evidence is to be read, and by whose keys it is to be believed."""

    evidence: str
    """A directory, `runs:/RUN_ID/aims_gate/ID`, `models:/NAME/VERSION` or `models:/NAME@ALIAS`."""
    trust: Path | None = None
    """None verifies no signature, which the verdict then says."""
    stage: str | None = None
    """Whose evidence, of a model version."""
    deploying: bool = True
    """False asks what happened, whatever the trust file requires of a deployment."""
    copy: Path | None = None
    """An empty folder where what MLflow has is copied and stays; None is one that is gone again."""
    environ: Mapping[str, str]


def read_past(asked: EvidenceQuestion, *, now: datetime) -> Verdict:
    """Read the verdict that evidence states, with what is known of its authenticity.

    Raises:
        UsageError: (2) There is no such evidence, or no usable trust file.
        SourceError: (3) MLflow could not be read.
        TrustError: (4) The files are malformed or contradict each other; or a trust file is named,
            and no trusted key signed them. What such files say is not shown at all.
    """
    trust = None if asked.trust is None else trust_file.load(asked.trust)
    with ExitStack() as stack:
        folder, place, version = Path(asked.evidence), "", ""
        if is_uri(asked.evidence):
            folder = asked.copy or Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="aims-gate-"))
            )
            copied = fetch(
                asked.evidence, folder, stage=asked.stage, environ=asked.environ, trust=trust
            )
            place, version = copied.place, copied.resource_uri
        elif not folder.is_dir():
            raise UsageError("there is no such evidence directory", where=asked.evidence)
        contents, key, standing = _read(folder, asked, trust, version, now)
        standing = replace(standing, unrecorded=tuple(unrecorded(contents)))
        where = "" if place else os.fspath(folder)
        return rebuild(contents, key=key, place=where, published=place, standing=standing)


def _read(
    folder: Path, asked: EvidenceQuestion, trust: Trust | None, version: str, now: datetime
) -> tuple[Contents, str, VerificationStatus]:
    """Contents, the key that signed or is said to have, and what was found of it."""
    told, key = open_unverified(folder)
    if trust is None or asked.trust is None:
        why = f"no signature was verified (it names key {key})" if key else "it is unsigned"
        why += ", so anybody could have written it"
        return (
            told,
            key,
            VerificationStatus(authenticity=Authenticity.UNVERIFIED, told=why, read=now),
        )
    # as of its own day: a key that has expired since signed it all the same, and verify says so
    proof = open_evidence(folder, trust, told.summary.time_verified)
    key = proof.signer.key.fingerprint
    signed = f"signed by {proof.signer.person} with {key}, as {asked.trust} knows it"
    try:
        verified = _proved(asked, proof, folder, version, now)
    except TrustError as error:
        why = f"{signed}, but verify refuses it: {error.what}"
        stale = isinstance(error, StaleError)
        worth = Authenticity.EXPIRED if stale else Authenticity.REFUSED
        return proof, key, VerificationStatus(authenticity=worth, told=why, read=now)
    until = [f"{one.end:{FORM}}, {one.what}" for one in verified.terms]
    return (
        proof,
        key,
        VerificationStatus(
            authenticity=Authenticity.VERIFIED,
            told=f"{signed}; {_NO_MODEL}",
            read=now,
            until=(*until, *(f"waived: {line}" for line in verified.waived)),
        ),
    )


def _proved(
    asked: EvidenceQuestion, proof: Proof, folder: Path, version: str, now: datetime
) -> Verified:
    """What `verify` says of it today, of the very files that are shown."""
    question = Expectation(
        # of a version, its tags name revocations too
        evidence=asked.evidence if asked.evidence.startswith("models:/") else folder,
        trust=asked.trust or Path(),
        model=None,
        signature_only=True,
        stage=proof.evaluation.stage,
        resource_uri=version or None,  # tags point where anybody likes: it must be about this one
        deploying=asked.deploying,
        environ=asked.environ,
    )
    verified = prove(question, now=now)
    if verified.digest != proof.digest:
        hint = "new evidence was published meanwhile: run it again"
        raise SourceError("the version's tags name other evidence now", hint=hint)
    return verified
