"""What three statements say together; they are evidence only if they say the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aims_gate import canonical
from aims_gate.errors import TrustError
from aims_gate.evidence.reader import Contents, Proof
from aims_gate.evidence.terms import Term, terms
from aims_gate.facts import Ancestor
from aims_gate.verdict import level


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """Authentic evidence; whether the policy was met is a question of its own."""

    decision: str
    """`passed`, `refused` or `undecided`."""
    stage: str
    policy: str
    """Id and version."""
    policy_digest: str
    extends: tuple[Ancestor, ...]
    """The files and packs that it was merged from."""
    model_digest: str
    digest: str
    """SHA-256 of the summary, by which the verdict is referred to."""
    resource_uri: str
    person: str
    fingerprint: str
    verifier_id: str
    at: datetime
    """When it was signed; the signer's claim, not attested by a third party."""
    failed: tuple[str, ...]
    """Rules that blocked."""
    terms: tuple[Term, ...]
    """What the decision rests on and what ends."""
    waived: tuple[str, ...]
    """Rules that were let through, each with its waiver: whose, for whom, until when and why."""
    measured_by: str
    """`unsigned` where another job measured, whose word the numbers are; else empty."""
    bytes_verified: bool
    """Whether the model's bytes were compared with it."""

    @property
    def passed(self) -> bool:
        """Whether the policy was met."""
        return self.decision == "passed"

    @property
    def exit_code(self) -> int:
        """0 policy met, 1 not met; what is not authentic raises TrustError instead (4)."""
        return 0 if self.passed else 1


def agree(proof: Proof, *, model_given: bool) -> Verified:
    """Cross-check the three statements, and give what all of them say.

    Raises:
        TrustError: A statement lacks something, or they contradict each other.
    """
    vsa, evaluation, test_result = proof.summary, proof.evaluation, proof.test_result
    policy, failed = evaluation.policy, test_result.failed_tests
    verified = Verified(
        decision=evaluation.verdict,
        stage=evaluation.stage,
        policy=f"{policy.name}@{policy.version}",
        policy_digest=canonical.sha256(proof.policy),
        extends=tuple(Ancestor(uri=one.uri, digest=one.digest.sha256) for one in policy.extends),
        model_digest=proof.subject,
        digest=proof.digest,
        resource_uri=vsa.resource_uri,
        person=proof.signer.person,
        fingerprint=proof.signer.key.fingerprint,
        verifier_id=vsa.verifier.id,
        at=vsa.time_verified,
        failed=tuple(failed),
        terms=terms(evaluation, proof.policy),
        waived=(),
        measured_by=evaluation.measured_by,
        bytes_verified=model_given,
    )
    refuse_contradiction(proof)
    return verified


def refuse_contradiction(told: Contents) -> None:
    """Refuse three statements of which not all say the same; TrustError."""
    vsa, evaluation, test_result = told.summary, told.evaluation, told.test_result
    consistent = {
        "passed": ("PASSED", [level(evaluation.policy.name, evaluation.stage)]),
        "refused": ("FAILED", ["FAILED"]),
        "undecided": ("FAILED", ["FAILED"]),
    }
    passed = evaluation.verdict == "passed"
    tested = ("PASSED", "WARNED") if passed else ("FAILED",)
    said = (vsa.resource_uri, vsa.time_verified, vsa.verifier.id, told.subject)
    alike = (
        evaluation.model.uri,
        evaluation.finished_on,
        evaluation.evaluator.id,
        evaluation.model.digest.sha256,
    )
    if (
        (vsa.verification_result, vsa.verified_levels) != consistent.get(evaluation.verdict)
        or test_result.result not in tested
        or (passed and test_result.failed_tests)
        or said != alike
    ):
        raise TrustError("the three statements contradict each other")
