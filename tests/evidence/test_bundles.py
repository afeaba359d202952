"""Sigstore bundles beside the envelopes: what Sigstore's own readers take, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from aims_gate import canonical
from aims_gate.attest.envelope import sign
from aims_gate.attest.signers.file import LocalSigner
from aims_gate.attest.sigstore_bundle import hold, wrap
from aims_gate.errors import TrustError
from tests.support import sigstore_js
from tests.support.proofs import Lab, new_signer

STEMS = ("evaluation", "test-result", "vsa")
VECTORS = Path(__file__).parents[1] / "vectors"


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab.make(tmp_path)


def bundle(lab: Lab, stem: str = "vsa") -> dict[str, Any]:
    text = (lab.evidence / f"{stem}.sigstore.json").read_text(encoding="utf-8")
    read: dict[str, Any] = json.loads(text)
    return read


def put(lab: Lab, tree: object, stem: str = "vsa") -> None:
    (lab.evidence / f"{stem}.sigstore.json").write_bytes(canonical.encode(tree))


# --- who reads them ------------------------------------------------------------------------------


def test_a_bundle_of_a_fixed_key_has_fixed_bytes() -> None:
    """Made from the envelope and the key alone, the same each time."""
    vector = json.loads((VECTORS / "dsse_ed25519.json").read_text(encoding="utf-8"))
    private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(vector["seed"]))
    signer = LocalSigner.of(private)
    made = wrap(sign(vector["payload"].encode(), signer), signer.key)
    assert canonical.sha256(made) == vector["bundle_sha256"]
    spki = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    hint = json.loads(made)["verificationMaterial"]["publicKey"]["hint"]
    assert base64.b64decode(hint) == hashlib.sha256(spki).digest()


def test_another_reader_of_envelopes_takes_what_is_in_them(lab: Lab) -> None:
    """securesystemslib, with the key's fingerprint for its name."""
    public = serialization.load_pem_public_key(lab.signer.key.pem.encode())
    key = SSlibKey.from_crypto(public, keyid=lab.signer.key.fingerprint)
    for stem in STEMS:
        envelope = Envelope.from_dict(bundle(lab, stem)["dsseEnvelope"])
        envelope.verify([key], 1)
        assert envelope.payload == (lab.evidence / f"{stem}.statement.json").read_bytes()


@pytest.mark.tool("openssl")
@pytest.mark.tool("jq")
def test_openssl_and_jq_take_them(lab: Lab, tmp_path: Path) -> None:
    """The hint leads to the key, and the signature is its own."""
    (tmp_path / "gate.key.pub").write_text(lab.signer.key.pem, encoding="utf-8")
    script = """
    b=evidence/vsa.sigstore.json
    test "$(jq -r .mediaType $b)" = application/vnd.dev.sigstore.bundle.v0.3+json
    test "$(jq -r .verificationMaterial.publicKey.hint $b)" = \
      "$(openssl pkey -pubin -in gate.key.pub -outform DER | openssl dgst -sha256 -binary | base64)"
    t=$(jq -r .dsseEnvelope.payloadType $b); jq -r .dsseEnvelope.payload $b | base64 -d > payload
    { printf 'DSSEv1 %d %s %d ' "${#t}" "$t" "$(stat -c %s payload)"; cat payload; } > signed
    jq -r '.dsseEnvelope.signatures[0].sig' $b | base64 -d > signature
    openssl dgst -sha256 -verify gate.key.pub -signature signature signed
    """
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "Verified OK\n"), done.stderr


@pytest.mark.parametrize("ed", [False, True], ids=["p256", "ed25519"])
def test_sigstores_javascript_takes_them(lab: Lab, ed: bool, tmp_path: Path) -> None:
    """All three, with keys of both kinds; not with a payload of another, nor by another key."""
    if ed:
        lab.signer = LocalSigner.of(ed25519.Ed25519PrivateKey.generate())
        shutil.rmtree(lab.evidence)
        lab.write(lab.evidence)
    key = tmp_path / "gate.key.pub"
    key.write_text(lab.signer.key.pem, encoding="utf-8")
    files = [lab.evidence / f"{stem}.sigstore.json" for stem in STEMS]
    done = sigstore_js.verify(key, *files)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[2] == "https://slsa.dev/verification_summary/v1"
    tree = bundle(lab)
    tree["dsseEnvelope"]["payload"] = bundle(lab, "evaluation")["dsseEnvelope"]["payload"]
    put(lab, tree)
    assert "SIGNATURE_ERROR" in sigstore_js.verify(key, files[2]).stderr
    key.write_text(new_signer().key.pem, encoding="utf-8")
    assert "key not found" in sigstore_js.verify(key, files[0]).stderr


# --- what verify takes ---------------------------------------------------------------------------


def test_evidence_without_bundles_verifies(lab: Lab) -> None:
    """They say nothing that the envelopes do not say."""
    for stem in STEMS:
        (lab.evidence / f"{stem}.sigstore.json").unlink()
    assert lab.verify().passed


@pytest.mark.parametrize("stem", STEMS)
def test_a_bundle_of_another_statement_is_refused(lab: Lab, tmp_path: Path, stem: str) -> None:
    """Of the same key, of another key, and of the same statement signed once more."""
    genuine = bundle(lab, stem)
    other = bundle(lab, "vsa" if stem != "vsa" else "evaluation")
    stranger = bundle(Lab.make(tmp_path / "stranger"), stem)
    again = lab.write(tmp_path / "again") / f"{stem}.sigstore.json"
    for tree in (other, stranger, json.loads(again.read_text(encoding="utf-8"))):
        put(lab, tree, stem)
        with pytest.raises(TrustError, match="not the one of the envelope") as caught:
            lab.verify()
        assert caught.value.where == f"{stem}.sigstore.json"
    put(lab, genuine, stem)
    assert lab.verify().passed


def test_any_change_of_a_bundle_is_refused(lab: Lab) -> None:
    """A payload, a hint, an entry of a log, another form of the same JSON, and no JSON at all."""
    genuine = bundle(lab)
    path = lab.evidence / "vsa.sigstore.json"
    payload = bundle(lab, "evaluation")["dsseEnvelope"]["payload"]
    material = genuine["verificationMaterial"]
    changed = (
        {**genuine, "dsseEnvelope": {**genuine["dsseEnvelope"], "payload": payload}},
        {**genuine, "verificationMaterial": {**material, "publicKey": {"hint": "x"}}},
        {**genuine, "verificationMaterial": {**material, "tlogEntries": [{}]}},
        {**genuine, "more": 1},
    )
    for data in (*map(canonical.encode, changed), json.dumps(genuine).encode(), b"", b"\xff"):
        path.write_bytes(data)
        with pytest.raises(TrustError, match="not the one of the envelope"):
            lab.verify()
    path.unlink()
    path.mkdir()
    with pytest.raises(TrustError, match="cannot be read"):
        lab.verify()


def test_a_bundle_with_a_certificate_and_no_envelope_is_refused(lab: Lab) -> None:
    """Whoever calls it without having verified it first."""
    envelope = (lab.evidence / "vsa.dsse.json").read_bytes()
    for tree in ({}, {"dsseEnvelope": 5}, {"dsseEnvelope": {"payload": "a"}}):
        data = canonical.encode({**tree, "verificationMaterial": {"certificate": {}}})
        with pytest.raises(TrustError, match="not the one of the envelope"):
            hold(data, envelope, lab.signer.key, where="b")
