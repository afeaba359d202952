"""Does this evidence prove that a model passed? Every reason to say no has its own words.

Bytes are verified before anything is parsed; then signatures, people and times, then that the
three statements, the manifest, the policy and the report belong together, then that they are about
the model, the place, the stage and the policy that were asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aims_gate import canonical
from aims_gate.attest import manifest, resource
from aims_gate.attest.bundle import Proof, at, open_evidence
from aims_gate.attest.manifest import Manifest
from aims_gate.attest.statement import MODEL_FILE, POLICY_FILE, level, statement_file
from aims_gate.attest.trust import Trust, TrustedKey
from aims_gate.errors import PolicyError, SourceError, TrustError
from aims_gate.facts import MEMORY
from aims_gate.policy import text
from aims_gate.policy.model import STAGES, Ancestor

MAX_SKEW = timedelta(minutes=5)
"""How far a signing machine's clock may be ahead of ours."""
_SHOWN = 5
ORIGIN = "origin"
"""Key of an evaluation's `evaluator.version`: the evidence is local, made by what it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the evidence must be about; None leaves a question out, except for the stage."""

    model: Manifest | None
    """The bytes that are to be used; None checks signatures and consistency only."""
    stage: str | None = None
    """None is the last and strictest stage of the policy that was applied, as for `run`."""
    policy_digest: str | None = None
    """SHA-256 of the resolved policy."""
    floor: Ancestor | None = None
    """The policy that the applied one must be, or descend from; a pack by its URI, or by its name
    alone, as `pack:release`."""
    resource_uri: str | None = None
    """Package URL of the model's place."""
    max_age: timedelta | None = None


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


def verify_evidence(folder: Path, *, trust: Trust, expected: Expected, now: datetime) -> Verified:
    """Verify an evidence directory.

    Args:
        folder: The directory that `run` wrote.
        trust: Whose signatures count.
        expected: What it must be about.
        now: The present moment, with time zone.

    Returns:
        What was proved; it may be an authentic refusal.

    Raises:
        TrustError: Something is unsigned, forged, altered, missing, too old, signed by somebody
            who may not, or about something else.
    """
    proof = open_evidence(folder, trust, now)
    _local(proof.predicate("evaluation"))
    verified = _agree(proof, model_given=expected.model is not None)
    _verifier(verified, proof.signer)
    _times(verified, proof.signer, expected.max_age, now)
    _place(verified, expected.resource_uri, trust)
    _model(proof, expected.model)
    _stage_and_policy(verified, proof.policy, expected)
    _floor(verified, proof.predicate("evaluation"), expected.floor)
    return verified


def _local(evaluation: Mapping[str, Any]) -> None:
    """Refuse what was made where the model's author controls the process, whoever signed it."""
    origin = at(evaluation, "evaluator", "version", ORIGIN)
    if origin is not None:
        raise TrustError(
            f"the evidence is local: it was made by {origin!a}, which proves nothing elsewhere",
            hint="run the gate itself, in a job of its own",
        )
    if at(evaluation, "model", "annotations", "reader") == MEMORY:
        raise TrustError(
            "the evidence is about an estimator in memory, which has no files",
            hint="log the model, and run the gate on what was logged",
        )


def _agree(proof: Proof, *, model_given: bool) -> Verified:
    """Make sure that all three statements say the same, and say what it is."""
    vsa, evaluation = proof.predicate("vsa"), proof.predicate("evaluation")
    test_result = proof.predicate("test-result")
    failed = test_result.get("failedTests")
    if not isinstance(failed, list) or not all(isinstance(rule, str) for rule in failed):
        raise TrustError("its failed tests are not rule ids", where=statement_file("test-result"))
    verified = Verified(
        decision=_text(evaluation, "verdict"),
        stage=_text(evaluation, "stage"),
        policy=f"{_text(evaluation, 'policy', 'name')}@{_text(evaluation, 'policy', 'version')}",
        policy_digest=canonical.sha256(proof.policy),
        extends=_ancestors(evaluation),
        model_digest=proof.statements["vsa"].subject,
        resource_uri=_text(vsa, "resourceUri"),
        person=proof.signer.person,
        fingerprint=proof.signer.key.fingerprint,
        verifier_id=_text(vsa, "verifier", "id"),
        at=_moment(_text(vsa, "timeVerified")),
        failed=tuple(failed),
        bytes_verified=model_given,
    )
    passed_level = level(_text(evaluation, "policy", "name"), verified.stage)
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


def _verifier(verified: Verified, signer: TrustedKey) -> None:
    allowed = signer.verifier_ids
    if allowed and verified.verifier_id not in allowed:
        raise TrustError(
            f"key {verified.fingerprint} may not sign as verifier {verified.verifier_id!a}",
            hint=f"the trust file allows {', '.join(allowed)}",
        )


def _times(
    verified: Verified, signer: TrustedKey, max_age: timedelta | None, now: datetime
) -> None:
    when = f"{verified.at:%Y-%m-%dT%H:%M:%SZ}"
    if verified.at > now + MAX_SKEW:
        raise TrustError(
            f"the evidence is from the future: {when}", hint="one of the two clocks is wrong"
        )
    if signer.valid_from is not None and verified.at < signer.valid_from:
        raise TrustError(f"the evidence of {when} is older than the validity of its key")
    if max_age is not None and now - verified.at > max_age:
        raise TrustError(
            f"the evidence of {when} is older than {max_age}", hint="run the gate again"
        )


def _place(verified: Verified, wanted: str | None, trust: Trust) -> None:
    evidence = resource.parse(verified.resource_uri, servers=trust.servers, where="resourceUri")
    names = set(trust.servers.values())
    if names and evidence.kind == "mlflow" and evidence.server not in names:
        raise TrustError(
            f"the evidence is for a server that the trust file does not name: {evidence.server!a}"
        )
    if wanted is None:
        return
    asked = resource.parse(wanted, servers=trust.servers, where=wanted)
    if not resource.stands_for(evidence, asked, trust.copies):
        raise TrustError(
            f"the evidence is for {evidence}, not for {asked}",
            hint="run the gate for it, or name the server and the copy in the trust file",
        )


def _model(proof: Proof, model: Manifest | None) -> None:
    if model is None or model.digest == proof.statements["vsa"].subject:
        return
    try:
        signed = manifest.parse(proof.manifest)
    except SourceError as error:
        raise TrustError(f"is no manifest: {error}", where=MODEL_FILE) from error
    found = manifest.compare(signed, model)
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise TrustError(
        f"the model is not the one that was judged: {', '.join(map(str, found[:_SHOWN]))}{more}",
        hint="deploy the files that were judged, or run the gate on these",
    )


def _stage_and_policy(verified: Verified, policy: bytes, expected: Expected) -> None:
    stage = expected.stage or _strictest(policy)
    if verified.stage != stage:
        raise TrustError(
            f"the evidence is for stage {verified.stage!a}, not for {stage!a}",
            hint="name the stage with --stage, or run the gate for this one",
        )
    if expected.policy_digest not in {None, verified.policy_digest}:
        raise TrustError(
            f"another policy was applied: {verified.policy} sha256:{verified.policy_digest}",
            hint="run the gate with the policy that is in force",
        )


def _floor(verified: Verified, evaluation: Mapping[str, Any], floor: Ancestor | None) -> None:
    """Make sure that the applied policy is the floor, or was laid over its very bytes.

    What a policy says of itself, in its text or in comments, proves nothing: only the gate's own
    list of the files that it read counts.
    """
    if floor is None:
        return
    own = Ancestor(
        uri=_text(evaluation, "policy", "uri"),
        digest=_text(evaluation, "policy", "source", "sha256"),
    )
    line = (own, *verified.extends)
    alike = [one for one in line if one.uri == floor.uri or _pack(one.uri) == floor.uri]
    if any(one.digest == floor.digest for one in alike):
        return
    if alike:
        digests = ", ".join(one.digest for one in alike)
        what = f"the policy descends from {floor.name!a} with sha256:{digests}"
        raise TrustError(f"{what}, not {floor.digest}", hint="run the gate over the floor in force")
    known = ", ".join(ascii(one.name) for one in verified.extends) or "nothing"
    raise TrustError(
        f"the policy {verified.policy} does not descend from {floor.name!a}; it extends {known}",
        hint="let the policy extend the floor, and run the gate again",
    )


def _pack(uri: str) -> str:
    """Give a pack's URI without its version; nothing for everything else."""
    return uri.partition("@")[0] if uri.startswith("pack:") else ""


def _ancestors(evaluation: Mapping[str, Any]) -> tuple[Ancestor, ...]:
    listed = at(evaluation, "policy", "extends")
    if not isinstance(listed, list):
        raise TrustError("a statement lacks policy.extends")
    return tuple(
        Ancestor(uri=_text(one, "uri"), digest=_text(one, "digest", "sha256")) for one in listed
    )


def _strictest(policy: bytes) -> str:
    """Give the last stage of the policy that was applied."""
    try:
        tree = text.parse(policy, POLICY_FILE).tree
    except PolicyError as error:
        raise TrustError(f"the policy cannot be read: {error}") from error
    stages = tree.get("stages", list(STAGES)) if isinstance(tree, dict) else None
    if not isinstance(stages, list) or not stages or not isinstance(stages[-1], str):
        raise TrustError(
            "the policy has no order of stages", where=POLICY_FILE, hint="name one with --stage"
        )
    return stages[-1]


def _text(tree: object, *path: str | int) -> str:
    found = at(tree, *path)
    if not isinstance(found, str) or not found:
        raise TrustError(f"a statement lacks {'.'.join(map(str, path))}")
    return found


def _moment(written: str) -> datetime:
    try:
        return datetime.strptime(written, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise TrustError(f"{written[:40]!a} is not a UTC time", where="timeVerified") from None
