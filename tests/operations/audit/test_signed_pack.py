"""Signature of the manifest, and evidence signed by certificates, as openssl and jq check them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from aims_gate.__main__ import guarded
from aims_gate.attest import trust_file
from aims_gate.operations.aims.gate_history import GateHistoryQuestion
from aims_gate.operations.aims.survey import SurveyQuestion, survey
from aims_gate.operations.audit.pack import audit_pack, write_pack
from aims_gate.operations.audit.stages import STAGES
from tests.evidence.test_keyless import signer_of
from tests.operations.aims.test_gap import NOW, Company
from tests.operations.audit.conftest import PERIOD
from tests.operations.audit.test_audit_pack import check, resign, words
from tests.support.gated import Gated
from tests.support.sigstore_lab import ISSUER, SUBJECT, WORKFLOW, sigstore_lab

pytestmark = [pytest.mark.tool(name) for name in ("bash", "openssl", "jq")]


@pytest.fixture
def signed(audited: Company, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pack that Dora signed, whose key is for records; Bo's is for approvals."""
    monkeypatch.chdir(audited.folder)
    assert guarded(["evidence", "key", "generate", "--out", "dora.key"]) == 0
    trust = yaml.safe_load(audited.gated.trust.read_text("utf-8"))
    key = Path("dora.key.pub").read_text("utf-8")
    trust["keys"].append({"person": "dora@acme.example", "public_key": key, "roles": ["records"]})
    audited.gated.trust.write_text(yaml.safe_dump(trust), encoding="utf-8")
    read = ["--evidence", "evidence", "--trust", "lab/trust.yaml", "--as-of", f"{NOW:%Y-%m-%d}"]
    asked = ["aims", "audit-pack", "--for", "stage2", "--key", "dora.key", *read]
    assert guarded([*asked, "--out", "pack"]) == 0
    return audited.folder / "pack"


def test_a_signed_manifest_is_verified_and_an_unsigned_one_is_said(signed: Path) -> None:
    done = check(signed)
    assert done.returncode == 0, done.stderr
    assert "signed manifest\n" in done.stdout
    assert "unsigned" not in done.stdout
    (signed / "index.html").write_text("<p>nothing failed</p>", encoding="utf-8")
    resign(signed)
    assert "another manifest is signed" in check(signed).stderr
    for one in signed.glob("manifest.*.json"):
        one.unlink()
    done = check(signed)  # whoever strips the signature is told of
    assert (done.returncode, "unsigned manifest" in done.stdout) == (0, True)


def test_no_other_key_and_no_other_statement_signs_a_manifest(
    signed: Path, audited: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    """A gate's own evidence in its place, or a key that the trust file has for something else."""
    gate = next(signed.rglob("vsa.dsse.json"))
    shutil.copy(gate, signed / "manifest.dsse.json")
    shutil.copy(gate.with_name("vsa.statement.json"), signed / "manifest.statement.json")
    (signed / "manifest.sigstore.json").unlink()
    assert "by no key for records" in check(signed).stderr
    (audited.folder / "other.key").write_bytes(Path("dora.key").read_bytes())
    trust = yaml.safe_load(audited.gated.trust.read_text("utf-8"))
    trust["keys"][-1]["roles"] = ["approver"]
    audited.gated.trust.write_text(yaml.safe_dump(trust), encoding="utf-8")
    asked = ["aims", "audit-pack", "--for", "stage2", "--trust", "lab/trust.yaml"]
    assert guarded([*asked, "--key", "dora.key", "--out", "other"]) == 4
    assert not Path("other").exists()
    assert "may not sign as records" in capsys.readouterr().err


@pytest.fixture
def keyless(tmp_path: Path) -> Path:
    """A pack with the evidence of a job that has an identity, and no key."""
    pytest.importorskip("sigstore")
    gated = Gated(tmp_path)
    with sigstore_lab() as lab:
        gated.lab.signer = signer_of(lab, tmp_path)
        gated.judge("credit", "7", datetime.now(UTC).replace(microsecond=0))
        root = json.dumps(lab.trusted_root())
    (gated.trust.parent / "root.json").write_text(root, encoding="utf-8")
    job = {"person": "job@acme.example", "issuer": ISSUER, "subject": SUBJECT, "roles": ["gate"]}
    job["job_workflow_ref"] = WORKFLOW
    trust = {"apiVersion": "aims-gate/v1", "kind": "Trust", "identities": [job], "keys": []}
    gated.trust.write_text(yaml.safe_dump({**trust, "trusted_root": "root.json"}), "utf-8")
    history = GateHistoryQuestion(folders=(gated.folder,), trust=gated.trust)
    found = survey(SurveyQuestion(history=history, now=datetime.now(UTC)))
    assert found.history.problems == ()
    when = replace(PERIOD, ends=found.today)
    files = audit_pack(found, STAGES["stage2"], when, trust_file.load(gated.trust))
    write_pack(files, tmp_path / "pack")
    return tmp_path / "pack"


def test_what_a_certificate_signed_is_taken_and_checked_as_far_as_it_can(keyless: Path) -> None:
    assert "sigstore.json" not in words(keyless)
    done = check(keyless)
    assert done.returncode == 0, done.stderr
    assert "3 signatures are by certificates: chain, identity, signature" in done.stdout
    assert "are not checked here" in done.stdout


def test_another_root_identity_or_signature_is_no_certificate(keyless: Path) -> None:
    """Each alone, with all digests listed anew."""

    def refused(file: str, old: str, new: str) -> bool:
        copy = keyless.with_name("copy")
        shutil.copytree(keyless, copy)
        (path,) = copy.rglob(file)
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
        resign(copy)
        said = check(copy)
        shutil.rmtree(copy)
        return (said.returncode, "no identity of annex/identities.json" in said.stderr) == (1, True)

    with sigstore_lab() as other:
        theirs = other.trusted_root()["certificateAuthorities"][0]["certChain"]
    root = json.loads((keyless / "annex" / "trusted_root.json").read_bytes())
    mine = root["certificateAuthorities"][0]["certChain"]
    raw = [one["certificates"][0]["rawBytes"] for one in (mine, theirs)]
    assert refused("trusted_root.json", *raw)
    assert refused("identities.json", ISSUER, "https://other.example")
    assert refused("identities.json", '"subject":"https', '"subject":"http')
    assert refused("identities.json", '"acme/ml', '"acme/mp')
    envelope = json.loads(next(keyless.rglob("vsa.dsse.json")).read_bytes())
    signature = envelope["signatures"][0]["sig"]
    assert refused("vsa.sigstore.json", signature, signature[::-1])
