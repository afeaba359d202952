"""Is a version proven? The verification of `verify` and `promote`, and its answer as a value."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from aims_gate.errors import NoEvidenceError, StaleError, TrustError
from aims_gate.evidence import live
from aims_gate.evidence.exceptions import excepted
from aims_gate.evidence.live import Served
from aims_gate.operations.verify import Expectation, prove
from aims_gate.reconcile.case import Case
from aims_gate.signoffs import BREAK_GLASS
from aims_gate.sources.mlflow.evidence import EVIDENCE, tag
from aims_gate.sources.mlflow.model import fetch
from aims_gate.sources.subject import Workspace


class ProofState(StrEnum):
    """How a version stands by the evidence for its very bytes."""

    PROVEN = "proven"
    EXCEPTED = "excepted"
    """There is no evidence that holds, and a signed list or order lets the alias be here."""
    REFUSED = "refused"
    """There is authentic evidence that the policy is not met."""
    FORGED = "forged"
    """There is evidence, and it does not hold for these bytes."""
    MISSING = "missing"
    UNDECIDED = "undecided"
    """The gate could not decide: too few rows, or an error."""
    STALE = "stale"
    """All holds, and it is too old, or has ended, or is not yet."""


HOLDS = frozenset({ProofState.PROVEN, ProofState.EXCEPTED})
"""What may be live."""
FAILS = frozenset({ProofState.REFUSED, ProofState.FORGED, ProofState.MISSING})
"""What takes a new move back; nothing else ever does."""
ANSWERS = frozenset({ProofState.PROVEN, ProofState.REFUSED, ProofState.UNDECIDED})
"""What answers a request for an evaluation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionProof:
    """What verification says of a version."""

    state: ProofState
    reason: str = ""
    sha256: str = ""
    """Digest of the model's manifest; empty unless the evidence is authentic."""
    evidence: str = ""
    """`sha256:DIGEST`, and where it lies if the version's tag says so, or the exception; empty
    unless the version may be live."""


def prove_version(
    case: Case, number: str, *, alias: str = "", deployed_before: bool = False
) -> VersionProof:
    """Verify a version's bytes and evidence now, as `aims-gate verify` does.

    Args:
        case: The judgement.
        number: The version.
        alias: What points at it, or is to: exceptions are signed for an alias.
        deployed_before: It is a return to what was deployed, which a greatest age does not hinder.

    Raises:
        SourceError: MLflow does not answer, or with something that cannot be read: no verdict.
        UsageError: The set-up is wrong.
    """
    proof = _proven(case, number, deployed_before=deployed_before)
    if not alias or proof.state is ProofState.PROVEN:
        return proof
    return _excepted(case, number, alias) or proof


def _proven(case: Case, number: str, *, deployed_before: bool) -> VersionProof:
    stage, uri = case.guarded.stage, case.uri(number)
    question = Expectation(
        evidence=uri,
        trust=case.controller.file.trust,
        model=uri,
        stage=stage,
        deployed_before=deployed_before,
        environ=case.controller.environ,
    )
    try:
        verified = prove(question, now=case.now)
    except NoEvidenceError as error:
        return VersionProof(state=ProofState.MISSING, reason=error.what)
    except StaleError as error:
        return VersionProof(state=ProofState.STALE, reason=error.what)
    except TrustError as error:
        return VersionProof(state=ProofState.FORGED, reason=error.what)
    if not verified.passed:
        refused = ProofState.REFUSED if verified.decision == "refused" else ProofState.UNDECIDED
        rules = f": {', '.join(verified.failed)}" if verified.failed else ""
        reason = f"the policy {verified.policy} was not met ({verified.decision}){rules}"
        return VersionProof(state=refused, reason=reason, sha256=verified.model_digest)
    digest = f"sha256:{verified.digest}"
    pointer = case.version(number).tags.get(tag(stage, EVIDENCE), "")
    return VersionProof(
        state=ProofState.PROVEN,
        reason=f"the policy {verified.policy} was met",
        sha256=verified.model_digest,
        evidence=pointer if pointer.startswith(f"{digest} ") else digest,
    )


def _excepted(case: Case, number: str, alias: str) -> VersionProof | None:
    """What a signed list of what was live, or a break-glass order, lets the alias be at."""
    folder = case.controller.file.trust.parent
    if not any((folder / one).is_dir() for one in (live.FOLDER, BREAK_GLASS)):
        return None  # the bytes need not be read
    with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
        place = Workspace(
            folder=Path(private), environ=case.controller.environ, allow=case.trust.sources_allow
        )
        digest = fetch(case.uri(number), place).manifest.digest
    served = Served(
        server=case.key.server,
        name=case.key.model,
        version=number,
        sha256=digest,
        aliases=(alias,),
    )
    try:
        found = excepted(served, trust=case.trust, folder=folder, now=case.now)
    except TrustError:
        return None
    if not found:
        return None
    return VersionProof(
        state=ProofState.EXCEPTED,
        reason=found.grounds,
        sha256=digest,
        evidence=f"exception: {found.grounds}",
    )
