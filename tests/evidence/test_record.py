"""The files of the evidence: complete and signed, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from aims_gate import canonical
from aims_gate.attest import manifest
from aims_gate.attest.envelope import open_envelope
from aims_gate.errors import RecordError
from aims_gate.evidence.record import record
from tests.support.proofs import POLICY, REPORT, VERIFIER, make_model, new_signer, verdict_of

PLAIN = {
    "model.sha256",
    "policy.resolved.yaml",
    "report.json",
    "evaluation.statement.json",
    "test-result.statement.json",
    "vsa.statement.json",
}
SIGNED = {"evaluation.dsse.json", "test-result.dsse.json", "vsa.dsse.json"}


@pytest.fixture
def model(tmp_path: Path) -> manifest.Manifest:
    return manifest.scan(make_model(tmp_path / "model"))


def test_signed_evidence_has_twelve_files(model: manifest.Manifest) -> None:
    """Each envelope holds exactly the bytes of its statement."""
    signer = new_signer()
    files = record(
        verdict_of(model, signer), model, POLICY, REPORT, signer=signer, verifier_id=VERIFIER
    )
    assert files.keys() == PLAIN | SIGNED | {name.replace("dsse", "sigstore") for name in SIGNED}
    assert files["model.sha256"] == model.text
    assert (files["policy.resolved.yaml"], files["report.json"]) == (POLICY, REPORT)
    for name in SIGNED:
        payload = files[name.replace("dsse", "statement")]
        assert open_envelope(files[name], [signer.key]).payload == payload


def test_unsigned_evidence_has_no_envelopes(model: manifest.Manifest) -> None:
    """And the same statements."""
    verdict = verdict_of(model, None)
    files = record(verdict, model, POLICY, REPORT, signer=None, verifier_id=VERIFIER)
    assert files.keys() == PLAIN
    assert canonical.parse(files["vsa.statement.json"])["predicate"]["verifier"]["id"] == VERIFIER


def test_the_report_must_name_the_key_that_signs(model: manifest.Manifest) -> None:
    """Said to be signed and is not, is signed and not said to be, and signed by another key."""
    one, other = new_signer(), new_signer()
    for claimed, signer in ((one, None), (None, one), (one, other)):
        with pytest.raises(RecordError, match="another signing key"):
            record(
                verdict_of(model, claimed),
                model,
                POLICY,
                REPORT,
                signer=signer,
                verifier_id=VERIFIER,
            )
