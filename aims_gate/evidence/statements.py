"""The three statements about a verdict, as the exact bytes that are signed.

`evaluation` says everything that was measured, `test-result` (in-toto) which rules passed, and
`vsa` (SLSA verification summary) what was decided, over the digests of the other two. Refusals are
stated like passes. Fields are listed here one by one: no environment, no host, no row of data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from aims_gate import canonical
from aims_gate.attest.manifest import Manifest
from aims_gate.attest.statement import Statement, StatementKind, encode, statement_file
from aims_gate.errors import RecordError
from aims_gate.evidence.layout import SIGNATURE
from aims_gate.evidence.predicates import EVALUATION, SUMMARY, TEST_RESULT, UNSIGNED
from aims_gate.evidence.written import dataset_said, end_said, result_said, time_said
from aims_gate.redact import redact_all
from aims_gate.verdict import Decision, Outcome, PolicyIdentity, Verdict, level, settled

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """The exact bytes of each statement."""

    evaluation: bytes
    test_result: bytes
    vsa: bytes


def state(
    verdict: Verdict,
    manifest: Manifest,
    policy_document: bytes,
    report: bytes,
    *,
    verifier_id: str,
    waivers: Mapping[str, bytes] = MappingProxyType({}),
) -> Statements:
    """State a verdict.

    Args:
        verdict: What was decided; its `evidence` carries the evaluation id.
        manifest: The judged model's files.
        policy_document: The fully resolved policy, as it is kept beside the statements.
        report: The bytes of `report.json`.
        verifier_id: URI of who ran the gate.
        waivers: The signed waivers that let rules through, by file name.

    Raises:
        RecordError: The parts contradict each other: then nothing may be signed.
    """
    _consistent(verdict, manifest, policy_document, verifier_id)
    said = _evaluation(verdict, report, verifier_id) | _waivers(waivers)
    evaluation = _bytes(EVALUATION, manifest, said)
    test_result = _bytes(TEST_RESULT, manifest, _test_result(verdict))
    inputs = {
        statement_file(EVALUATION.name): evaluation,
        statement_file(TEST_RESULT.name): test_result,
    }
    summary = _summary(verdict, inputs, verifier_id)
    return Statements(
        evaluation=evaluation, test_result=test_result, vsa=_bytes(SUMMARY, manifest, summary)
    )


def _consistent(
    verdict: Verdict, manifest: Manifest, policy_document: bytes, verifier_id: str
) -> None:
    blocked = any(result.blocking for result in verdict.results)
    wrong = (
        (manifest.digest != verdict.model.digest, "the manifest is of another model"),
        (
            canonical.sha256(policy_document) != verdict.policy.digest,
            "the resolved policy is another one than was applied",
        ),
        (verdict.passed and blocked, "it passed although a result blocks it"),
        (
            verdict.passed and not settled(verdict.results),
            "it passed although no blocking rule was decided",
        ),
        (
            verdict.decision is Decision.REFUSED and not blocked,
            "it was refused although no result blocks it",
        ),
        (not verdict.results, "no rule was decided"),
        (verdict.evidence is None, "it has no evaluation id"),
        (not verdict.stage, "it has no stage"),
        (
            not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:\S+", verifier_id),
            "its verifier id is no URI",
        ),
        (
            any(not _SHA256.fullmatch(data.digest) for data in verdict.datasets),
            "a dataset's digest is no SHA-256",
        ),
        (
            not all(map(_SHA256.fullmatch, _written(verdict.policy))),
            "the digest of a policy file is no SHA-256",
        ),
        (
            verdict.started.tzinfo is None or verdict.finished.tzinfo is None,
            "its times have no time zone",
        ),
    )
    for is_wrong, what in wrong:
        if is_wrong:
            raise RecordError(
                f"the verdict cannot be stated: {what}", hint="nothing was signed; please report it"
            )


def _written(policy: PolicyIdentity) -> tuple[str, ...]:
    """Digests of the files that the policy was written in."""
    return (policy.source_digest, *(ancestor.digest for ancestor in policy.extends))


def _bytes(kind: StatementKind[Any], manifest: Manifest, predicate: Mapping[str, Any]) -> bytes:
    try:
        return encode(
            Statement(
                predicate_type=kind.predicate_type,
                subject=manifest.digest,
                predicate=redact_all(predicate),
            )
        )
    except (ValueError, TypeError) as error:
        raise RecordError(f"the statement cannot be written: {error}") from error


def _evaluation(verdict: Verdict, report: bytes, verifier_id: str) -> dict[str, Any]:
    model = verdict.model
    return {
        "evaluationId": verdict.evidence.id if verdict.evidence else "",
        "startedOn": time_said(verdict.started),
        "finishedOn": time_said(verdict.finished),
        "verdict": verdict.decision.value,
        "stage": verdict.stage,
        "warnings": verdict.warnings,
        "evaluator": {"id": verifier_id, "version": dict(verdict.versions)},
        "policy": {
            "name": verdict.policy.id,
            "version": verdict.policy.version,
            "uri": verdict.policy.uri,
            "digest": {"sha256": verdict.policy.digest},
            "source": {"sha256": verdict.policy.source_digest},
            "extends": [
                {"uri": ancestor.uri, "digest": {"sha256": ancestor.digest}}
                for ancestor in verdict.policy.extends
            ],
            "expires": end_said(verdict.policy.expires),
            **({"limits": list(verdict.policy.limits)} if verdict.policy.limits else {}),
            **_signature(verdict.policy),
        },
        "model": {
            "uri": model.resource_uri,
            "digest": {"sha256": model.digest},
            "annotations": {
                "requested": model.uri,
                "resolved": model.resolved_uri,
                "modelId": model.model_id,
                "runId": model.run_id,
                "files": model.files,
                "bytes": model.bytes,
                "reader": model.reader,
            },
        },
        "datasets": [dataset_said(data) for data in verdict.datasets],
        "results": [result_said(result) for result in verdict.results],
        "report": _digest(report),
        **_measured_by(verdict),
    }


def _signature(policy: PolicyIdentity) -> dict[str, Any]:
    """Name the statement that signs the policy; nothing where none was demanded, as ever."""
    signed = policy.signature.get(statement_file(SIGNATURE))
    return {} if signed is None else {"signature": _digest(signed)}


def _measured_by(verdict: Verdict) -> dict[str, str]:
    unsigned = verdict.evidence is not None and verdict.evidence.measured_unsigned
    return {"measuredBy": UNSIGNED} if unsigned else {}


def _waivers(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Name the signed waivers beside the evidence; nothing where there are none, as ever."""
    named = [{"uri": name, "digest": _digest(data)} for name, data in sorted(files.items())]
    return {"waivers": named} if named else {}


def _digest(data: bytes) -> dict[str, str]:
    return {"sha256": canonical.sha256(data)}


def _test_result(verdict: Verdict) -> dict[str, Any]:
    """in-toto test result; rules that do not apply are in the evaluation only."""
    failed = [result.rule for result in verdict.results if result.blocking]
    passed = [result.rule for result in verdict.results if result.outcome is Outcome.PASS]
    left = (Outcome.PASS, Outcome.NOT_APPLICABLE)
    warned = [r.rule for r in verdict.results if not r.blocking and r.outcome not in left]
    result = "FAILED" if not verdict.passed else "WARNED" if warned else "PASSED"
    policy = verdict.policy
    return {
        "result": result,
        "configuration": [
            {"name": policy.id, "uri": policy.uri, "digest": {"sha256": policy.digest}}
        ],
        "passedTests": passed,
        "warnedTests": warned,
        "failedTests": failed,
    }


def _summary(verdict: Verdict, inputs: Mapping[str, bytes], verifier_id: str) -> dict[str, Any]:
    """SLSA verification summary, with the fields of its strict protocol buffer and no others."""
    passed = verdict.decision is Decision.PASSED
    return {
        "verifier": {"id": verifier_id},
        "timeVerified": time_said(verdict.finished),
        "resourceUri": verdict.model.resource_uri,
        "policy": {"uri": verdict.policy.uri, "digest": {"sha256": verdict.policy.digest}},
        "inputAttestations": [
            {"uri": name, "digest": _digest(data)} for name, data in inputs.items()
        ],
        "verificationResult": "PASSED" if passed else "FAILED",
        "verifiedLevels": [level(verdict.policy.id, verdict.stage)] if passed else ["FAILED"],
    }
