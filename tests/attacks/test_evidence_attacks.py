"""Attacks on evidence and on its verification, by their rows in the threat model."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from aims_gate import canonical
from aims_gate.attest.envelope import PAYLOAD_TYPE, pae
from aims_gate.attest.statement import envelope_file, statement_file
from aims_gate.errors import TrustError
from aims_gate.operations.verify import Expectation, prove
from aims_gate.verdict import Decision
from tests.support.proofs import NOW, PLACE, SIGNED_AT, Lab, refused


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    lab = Lab.make(tmp_path)
    entry = {"person": "gate", "public_key": lab.signer.key.pem, "roles": ["gate"]}
    trust = {"apiVersion": "aims-gate/v1", "kind": "Trust", "keys": [entry]}
    (tmp_path / "trust.yaml").write_text(yaml.safe_dump(trust), encoding="utf-8")
    return lab


def _question(lab: Lab) -> Expectation:
    return Expectation(evidence=lab.evidence, trust=lab.folder / "trust.yaml", model=str(lab.model))


def _refused(lab: Lab) -> str:
    """Verify as a deployment would, and give the words of the refusal."""
    with pytest.raises(TrustError) as caught:
        prove(_question(lab), now=NOW)
    assert caught.value.exit_code == 4
    return str(caught.value)


# --- 2: the model is swapped after it was judged ---------------------------------------------


def test_row_02_a_model_swapped_after_evaluation(lab: Lab) -> None:
    """Other bytes under the same names, even of the same length and time of change."""
    assert prove(_question(lab), now=NOW).passed
    target = lab.model / "model.skops"
    before, content = target.stat(), bytearray(target.read_bytes())
    content[1000] ^= 1
    target.write_bytes(content)
    os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert "changed: model.skops" in _refused(lab)


def test_row_02_a_manifest_swapped_with_the_model(lab: Lab) -> None:
    """The attacker rewrites `model.sha256` as well."""
    (lab.model / "model.skops").write_bytes(b"evil")
    (lab.evidence / "model.sha256").write_bytes(lab.manifest.text)
    assert "is not the manifest that was signed" in _refused(lab)


# --- 3: files are renamed, added, linked -----------------------------------------------------


def _rename(model: Path) -> None:
    (model / "MLmodel").rename(model / "MLmodel.bak")


def _exchange(model: Path) -> None:
    one, other = model / "MLmodel", model / "model.skops"
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def _add(model: Path) -> None:
    (model / "sitecustomize.py").write_text("evil", encoding="utf-8")


def _link(model: Path) -> None:
    target = model / "model.skops"
    shutil.copy(target, model.parent / "outside")
    target.unlink()
    target.symlink_to(model.parent / "outside")


def _clash(model: Path) -> None:
    (model / "mlmodel").write_text("evil", encoding="utf-8")


def _newline(model: Path) -> None:
    (model / f"x\n{'0' * 64}  model.skops").touch()


def _tolerated_folder(model: Path) -> None:
    (model / "registered_model_meta").mkdir()
    (model / "registered_model_meta" / "evil.py").touch()


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        (_rename, "extra: MLmodel.bak"),
        (_exchange, "changed: MLmodel, changed: model.skops"),
        (_add, "extra: sitecustomize.py"),
        (_link, "neither a file nor a folder"),
        (_clash, "one name on some file systems"),
        (_newline, "unsafe file name"),
        (_tolerated_folder, "registered_model_meta cannot be read"),
        (shutil.rmtree, ""),
    ],
)
def test_row_03_renamed_added_linked_or_clashing_files(
    lab: Lab, attack: Callable[[Path], object], said: str
) -> None:
    """Names are part of what is signed, and nothing is followed out of the folder."""
    attack(lab.model)
    if attack is shutil.rmtree:
        lab.model.mkdir()
    assert said in _refused(lab)


# --- 4: old evidence is used again -----------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"resource_uri": PLACE.replace("@7", "@8")}, "the evidence is for credit-risk@7"),
        ({"resource_uri": PLACE.replace("mlflow.", "prod.")}, "the evidence is for credit-risk@7"),
        ({"policy_digest": "0" * 64}, "another policy was applied"),
        ({"stage": "staging"}, "is for stage 'production'"),
        ({"max_age": timedelta(hours=1)}, "is older than 1:00:00"),
    ],
)
def test_row_04_evidence_replayed_for_something_else(
    lab: Lab, how: dict[str, Any], said: str
) -> None:
    """Another version, server, policy, stage, or a week later: each has its own words."""
    with pytest.raises(TrustError, match=said):
        prove(replace(_question(lab), **how), now=NOW)


def test_row_04_evidence_of_another_model(lab: Lab, tmp_path: Path) -> None:
    """Genuine, passed, trusted, and about other bytes."""
    other = Lab.make(tmp_path / "other")
    shutil.rmtree(lab.evidence)
    (other.model / "MLmodel").write_text("another model", encoding="utf-8")
    other.signer = lab.signer
    other.write(lab.evidence)
    assert "changed: MLmodel" in _refused(lab)


def test_row_04_a_pass_and_a_refusal_of_one_model_are_mixed(lab: Lab) -> None:
    """The newer refusal is covered with the summary of an older pass."""
    refusal = lab.write(lab.folder / "refusal", **refused())
    for stem in ("evaluation", "test-result"):
        for name in (statement_file(stem), envelope_file(stem)):
            shutil.copy(refusal / name, lab.evidence / name)
    lab.drop_bundles()
    assert "over other statements" in _refused(lab)


# --- 20: algorithm and payload confusion -----------------------------------------------------


def _envelope(lab: Lab, **changes: object) -> None:
    path = lab.evidence / envelope_file("vsa")
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **changes}), encoding="utf-8")


def _signed(lab: Lab, message: bytes) -> list[dict[str, str]]:
    signature = base64.b64encode(lab.signer.sign(message)).decode()
    return [{"keyid": lab.signer.key.fingerprint, "sig": signature}]


def test_row_20_a_signature_over_the_raw_payload(lab: Lab) -> None:
    """Made by the gate's own key, for a protocol without a type."""
    payload = (lab.evidence / statement_file("vsa")).read_bytes()
    _envelope(lab, signatures=_signed(lab, payload))
    assert "does not fit the payload" in _refused(lab)


def test_row_20_a_second_signature(lab: Lab) -> None:
    """Appended, in whichever order, good or bad."""
    payload = (lab.evidence / statement_file("vsa")).read_bytes()
    good = _signed(lab, pae(PAYLOAD_TYPE, payload))
    bad = [{"keyid": "", "sig": "AAAA"}]
    for signatures in (good + good, good + bad, bad + good):
        _envelope(lab, signatures=signatures)
        assert "exactly one signature" in _refused(lab)


def test_row_20_another_payload_type(lab: Lab) -> None:
    """Signed genuinely as another type of document."""
    payload = (lab.evidence / statement_file("vsa")).read_bytes()
    other = "application/json"
    _envelope(lab, payloadType=other, signatures=_signed(lab, pae(other, payload)))
    assert "the payload type is not" in _refused(lab)


def test_row_20_another_predicate_type(lab: Lab) -> None:
    """The gate's own key signed a statement that is not a summary."""
    tree = lab.payload("vsa")
    tree["predicateType"] = "https://example.com/verification_summary/v1"
    lab.resign("vsa", tree)
    assert "the predicate type is not" in _refused(lab)


def test_row_20_a_statement_in_the_place_of_another(lab: Lab) -> None:
    """Each file has one type."""
    lab.resign("vsa", lab.payload("test-result"))
    assert "the predicate type is not https://slsa.dev/" in _refused(lab)


def test_row_20_two_results_in_one_statement(tmp_path: Path) -> None:
    """A duplicate key, of which JSON readers keep the last in silence."""
    lab = Lab.make(tmp_path, decision=Decision.REFUSED, results=refused()["results"])
    payload = canonical.encode(lab.payload("vsa")).replace(
        b'"verificationResult":"FAILED"',
        b'"verificationResult":"FAILED","verificationResult":"PASSED"',
    )
    assert json.loads(payload)["predicate"]["verificationResult"] == "PASSED"
    (lab.evidence / statement_file("vsa")).write_bytes(payload)
    tree = json.loads((lab.evidence / envelope_file("vsa")).read_bytes())
    tree["payload"] = base64.b64encode(payload).decode()
    tree["signatures"] = _signed(lab, pae(PAYLOAD_TYPE, payload))
    (lab.evidence / envelope_file("vsa")).write_bytes(canonical.encode(tree))
    lab.drop_bundles()
    with pytest.raises(TrustError, match="duplicate key"):
        lab.verify()


# --- 21: the verifier is used wrongly --------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--model", "model", "--trust", "nowhere.yaml"], 2, "cannot read the trust file"),
        (["--trust", "trust.yaml"], 2, "name the model"),
        (["--model", "", "--trust", "trust.yaml"], 2, "name the model"),
        (["--model", "nowhere", "--trust", "trust.yaml"], 2, "no such model folder"),
    ],
)
def test_row_21_verifying_without_trust_or_bytes(
    lab: Lab, options: list[str], code: int, said: str
) -> None:
    """There is no trust on first use, and no blessing of bytes that were not looked at."""
    done = subprocess.run(
        [sys.executable, "-m", "aims_gate", "verify", "evidence", *options],
        cwd=lab.folder,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_row_21_a_trust_file_that_trusts_nobody(lab: Lab) -> None:
    """An empty list of keys is legal, as for a guard that refuses everything; it proves nothing."""
    text = "apiVersion: aims-gate/v1\nkind: Trust\nkeys: []\n"
    (lab.folder / "trust.yaml").write_text(text, encoding="utf-8")
    assert "not trusted" in _refused(lab)


def test_row_21_another_role_does_not_sign_verdicts(lab: Lab) -> None:
    """The key of an approver is trusted, and not for this."""
    path = lab.folder / "trust.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("- gate\n", "- approver\n"), encoding="utf-8"
    )
    assert "may not sign as gate" in _refused(lab)


# --- 22: games with the clock ----------------------------------------------------------------


@pytest.mark.parametrize("days", [-1, 1])
def test_row_22_a_wrong_clock_of_the_verifier(lab: Lab, days: int) -> None:
    """A day early the evidence is from the future; a day late it is too old for one day."""
    question = replace(_question(lab), max_age=timedelta(hours=23))
    with pytest.raises(TrustError, match="from the future" if days < 0 else "is older than"):
        prove(question, now=SIGNED_AT + timedelta(days=days))
