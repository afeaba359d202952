"""A verdict to the files of its evidence, signed or not; writing them is a sink's work."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from aims_gate.attest.manifest import MODEL_FILE, Manifest
from aims_gate.attest.signers import Signer
from aims_gate.attest.sigstore_bundle import bundle_file, seal
from aims_gate.attest.statement import (
    envelope_file,
    statement_file,
)
from aims_gate.errors import RecordError
from aims_gate.evidence.layout import POLICY_FILE, REPORT_FILE
from aims_gate.evidence.predicates import EVALUATION, SUMMARY, TEST_RESULT
from aims_gate.evidence.statements import state
from aims_gate.verdict import Verdict


def record(
    verdict: Verdict,
    manifest: Manifest,
    policy_document: bytes,
    report: bytes,
    *,
    signer: Signer | None,
    verifier_id: str,
    waivers: Mapping[str, bytes] = MappingProxyType({}),
) -> Mapping[str, bytes]:
    """Evidence of a verdict: the name and the bytes of every file.

    Args:
        verdict: What was decided; its `evidence` carries the evaluation id and the signing key.
        manifest: The judged model's files.
        policy_document: The fully resolved policy.
        report: The bytes of `report.json`.
        signer: The gate's key; None leaves the statements unsigned, which never verify.
        verifier_id: URI of who ran the gate.
        waivers: The signed waivers that let rules through, by file name.

    Raises:
        RecordError: The parts contradict each other, or signing failed; nothing is half signed.
    """
    statements = state(
        verdict, manifest, policy_document, report, verifier_id=verifier_id, waivers=waivers
    )
    claimed = verdict.evidence.key if verdict.evidence and verdict.evidence.signed else ""
    if claimed != (signer.key.fingerprint if signer else ""):
        raise RecordError(
            "the report names another signing key than signs",
            hint="nothing was signed; please report it",
        )
    payloads = {
        EVALUATION.name: statements.evaluation,
        TEST_RESULT.name: statements.test_result,
        SUMMARY.name: statements.vsa,
    }
    files = {MODEL_FILE: manifest.text, POLICY_FILE: policy_document, REPORT_FILE: report}
    files |= {**waivers, **verdict.policy.signature}
    files |= {statement_file(stem): payload for stem, payload in payloads.items()}
    if signer is not None:
        for stem, data in payloads.items():
            files[envelope_file(stem)], files[bundle_file(stem)] = seal(data, signer)
    return files
