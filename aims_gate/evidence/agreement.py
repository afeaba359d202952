"""What three statements say together; they are evidence only if they say the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aims_gate import canonical
from aims_gate.attest.statement import statement_file
from aims_gate.errors import TrustError
from aims_gate.evidence.reader import Proof, at, text_of
from aims_gate.evidence.terms import Term, moment, terms
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
    resource_uri: str
    person: str
    fingerprint: str
    verifier_id: str
    at: datetime
    """When it was signed; the signer's claim, not attested by a third party."""
    failed: tuple[str, ...]
    """Rules that stood in the way."""
    terms: tuple[Term, ...]
    """What the decision rests on and what ends."""
    bytes_verified: bool
    """Whether the model's bytes were held against it."""

    @property
    def passed(self) -> bool:
        """Whether the policy was met."""
        return self.decision == "passed"

    @property
    def exit_code(self) -> int:
        """0 policy met, 1 not met; what is not authentic raises TrustError instead (4)."""
        return 0 if self.passed else 1


def agree(proof: Proof, *, model_given: bool) -> Verified:
    """Make sure that all three statements say the same, and say what it is.

    Raises:
        TrustError: A statement lacks something, or they contradict each other.
    """
    vsa, evaluation = proof.predicate("vsa"), proof.predicate("evaluation")
    test_result = proof.predicate("test-result")
    failed = test_result.get("failedTests")
    if not isinstance(failed, list) or not all(isinstance(rule, str) for rule in failed):
        raise TrustError("its failed tests are not rule ids", where=statement_file("test-result"))
    name, version = (text_of(evaluation, "policy", key) for key in ("name", "version"))
    verified = Verified(
        decision=text_of(evaluation, "verdict"),
        stage=text_of(evaluation, "stage"),
        policy=f"{name}@{version}",
        policy_digest=canonical.sha256(proof.policy),
        extends=_ancestors(evaluation),
        model_digest=proof.statements["vsa"].subject,
        resource_uri=text_of(vsa, "resourceUri"),
        person=proof.signer.person,
        fingerprint=proof.signer.key.fingerprint,
        verifier_id=text_of(vsa, "verifier", "id"),
        at=moment(text_of(vsa, "timeVerified"), where="timeVerified"),
        failed=tuple(failed),
        terms=terms(evaluation, proof.policy),
        bytes_verified=model_given,
    )
    passed_level = level(name, verified.stage)
    said = (
        verified.decision,
        vsa.get("verificationResult"),
        vsa.get("verifiedLevels"),
    )
    consistent = {
        "passed": ("passed", "PASSED", [passed_level]),
        "refused": ("refused", "FAILED", ["FAILED"]),
        "undecided": ("undecided", "FAILED", ["FAILED"]),
    }
    tested = ("PASSED", "WARNED") if verified.passed else ("FAILED",)
    if (
        said != consistent.get(verified.decision)
        or test_result.get("result") not in tested
        or (verified.passed and failed)
        or at(evaluation, "model", "digest") != {"sha256": verified.model_digest}
        or _unlike(vsa, evaluation)
    ):
        raise TrustError("the three statements contradict each other")
    return verified


def _unlike(vsa: Mapping[str, Any], evaluation: Mapping[str, Any]) -> bool:
    """Tell whether summary and evaluation name different models, times or verifiers."""
    pairs = (
        (("resourceUri",), ("model", "uri")),
        (("timeVerified",), ("finishedOn",)),
        (("verifier", "id"), ("evaluator", "id")),
        (("policy", "digest"), ("policy", "digest")),
    )
    return any(at(vsa, *one) != at(evaluation, *other) for one, other in pairs)


def _ancestors(evaluation: Mapping[str, Any]) -> tuple[Ancestor, ...]:
    listed = at(evaluation, "policy", "extends")
    if not isinstance(listed, list):
        raise TrustError("a statement lacks policy.extends")
    return tuple(
        Ancestor(uri=text_of(one, "uri"), digest=text_of(one, "digest", "sha256")) for one in listed
    )
