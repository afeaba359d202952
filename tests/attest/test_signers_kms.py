"""Keys in services and devices: their own public half, one probe, and nothing signed in doubt."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from aims_gate.attest import keys
from aims_gate.attest.envelope import open_envelope, sign
from aims_gate.attest.keys import Scheme, public_of
from aims_gate.attest.signers import SIGNERS, load_signer
from aims_gate.errors import MissingExtraError, RecordError, UsageError
from tests.support.command_line import call
from tests.support.key_services import PIN, KeyService, SoftHsm

CASES = Path(__file__).parents[1] / "contract"
P256, OTHER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
ED25519, STRANGER = (ed25519.Ed25519PrivateKey.generate() for _ in range(2))


@pytest.fixture
def services(key_services: KeyService, monkeypatch: pytest.MonkeyPatch) -> KeyService:
    """The stand-ins with a key each, and the environment that leads there."""
    pytest.importorskip("hvac")
    key_services.shown |= {"arn:aws:kms:eu-central-1:1:key/gate": P256, "gate": ED25519}
    for name, value in key_services.environ().items():
        monkeypatch.setenv(name, value)
    return key_services


@pytest.fixture
def token(hsm: SoftHsm, monkeypatch: pytest.MonkeyPatch) -> SoftHsm:
    """SoftHSM, and the environment that leads there."""
    pytest.importorskip("pkcs11")
    for name, value in hsm.environ.items():
        monkeypatch.setenv(name, value)
    return hsm


AWS = "awskms:arn:aws:kms:eu-central-1:1:key/gate"


# --- services ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "private"),
    [(AWS, P256), ("hv:gate", ED25519), ("hv:gate/2", ED25519)],
)
def test_a_service_s_key_signs_envelopes(
    services: KeyService, uri: str, private: keys.Private
) -> None:
    """Under the OpenSSH fingerprint of the public half that the service itself gives."""
    signer = load_signer(uri, os.environ)
    assert signer.key == public_of(private)
    assert signer.key.fingerprint.startswith("SHA256:")
    opened = open_envelope(sign(b"{}", signer), [public_of(private)])
    assert (opened.payload, opened.key) == (b"{}", signer.key)


@pytest.mark.parametrize("uri", [AWS, "hv:gate"])
def test_a_service_that_signs_with_another_key_is_refused_before_the_run(
    services: KeyService, uri: str
) -> None:
    services.signing = {"gate": STRANGER, AWS.partition(":")[2]: OTHER}
    with pytest.raises(UsageError, match="signed, and it does not verify"):
        load_signer(uri, os.environ)


@pytest.mark.parametrize("uri", [AWS, "hv:gate"])
def test_a_key_that_is_swapped_during_the_run_signs_nothing(services: KeyService, uri: str) -> None:
    """Every envelope is opened with the announced key before anything is written."""
    signer = load_signer(uri, os.environ)
    services.signing = {"gate": STRANGER, AWS.partition(":")[2]: OTHER}
    with pytest.raises(RecordError, match="no valid signature"):
        sign(b"{}", signer)


def test_moto_hashes_twice_and_is_refused(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A KMS that is not the real one: the probe finds out what no error says."""
    boto3 = pytest.importorskip("boto3")
    for name, value in KeyService(url=s3_url).environ().items():
        monkeypatch.setenv(name, value)
    made = boto3.client("kms").create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")
    with pytest.raises(UsageError, match="signed, and it does not verify"):
        load_signer(f"awskms:{made['KeyMetadata']['KeyId']}", os.environ)


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("awskms:rsa", "of another kind"),
        ("awskms:p384", "of another kind"),
        ("awskms:nowhere", "NotFoundException"),
        ("awskms:", "not reached"),
        ("hv:nowhere", "not reached"),
        ("hv:gate/1", "version 1 is not the newest"),
        ("hv:gate/x", "version x is not the newest"),
        ("azurekms://vault.azure.net/key/x", "no key is named"),
    ],
)
def test_what_is_no_usable_key_of_a_service(services: KeyService, uri: str, words: str) -> None:
    services.shown |= {
        "rsa": rsa.generate_private_key(65537, 2048),
        "p384": ec.generate_private_key(ec.SECP384R1()),
    }
    with pytest.raises(UsageError, match=words) as caught:
        load_signer(uri, os.environ)
    assert caught.value.where == uri


def test_a_service_that_falls_silent_ends_the_run(
    services: KeyService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After it was reached once: nothing could be recorded, which is exit code 3."""
    signer = load_signer("hv:gate", os.environ)
    services.shown.clear()
    with pytest.raises(RecordError, match="did not sign: InvalidPath"):
        signer.sign(b"x")


def test_libraries_that_are_missing_are_named() -> None:
    """The one extra that brings all of them, and the smaller one that is enough."""
    hidden = [
        *("google.cloud.kms", "azure.identity", "hvac", "pkcs11", "boto3", "botocore.exceptions")
    ]
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({hidden!r}))\n"
        "from aims_gate.attest.signers import load_signer\n"
        "for uri in sys.argv[1:]:\n"
        "    try: load_signer(uri, {})\n"
        "    except Exception as error: print(type(error).__name__, error)\n"
    )
    uris = ["awskms:a", "gcpkms:a", "azurekms://a.vault.azure.net/keys/a", "hv:a", "hsm:2"]
    command = [sys.executable, "-c", script, *uris]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert len(lines) == len(uris)
    for line, extra in zip(lines, ("awskms", "gcpkms", "azurekms", "vault", "hsm"), strict=True):
        assert line.startswith("MissingExtraError")
        assert f"'aims-gate[kms]', or only 'securesystemslib[{extra}]'" in line


def test_without_the_library_itself_it_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "securesystemslib", None)
    with pytest.raises(MissingExtraError, match=r"aims-gate\[kms\]"):
        load_signer("hsm:", {})


# --- devices -------------------------------------------------------------------------------------


def test_a_device_s_key_signs_envelopes(token: SoftHsm) -> None:
    signer = load_signer("hsm:2?label=gate", os.environ)
    assert signer.key.scheme is Scheme.P256
    assert PIN not in repr(signer)
    assert open_envelope(sign(b"{}", signer), [signer.key]).payload == b"{}"


@pytest.mark.parametrize(
    ("uri", "environ", "words"),
    [
        ("hsm:2?label=gate", {"AIMS_GATE_HSM_PIN": "0000"}, "PinIncorrect"),
        ("hsm:2?label=gate", {"AIMS_GATE_HSM_PIN": ""}, "asks for its PIN; .*AIMS_GATE_HSM_PIN"),
        ("hsm:2?label=nowhere", {}, "No PKCS#11 token found"),
        ("hsm:2", {}, "Multiple PKCS#11 tokens"),
        ("hsm:3?label=gate", {}, "could not find"),
        ("hsm:2?label=p384", {}, "of another kind"),
        ("hsm:2?label=rsa", {}, "could not find"),
        ("hsm:2?label=ed25519", {}, "could not find"),
        ("hsm:two", {}, "no key of a device is named"),
        ("hsm:2?", {}, "Multiple PKCS#11 tokens"),
        ("hsm:2?label", {}, "no key of a device is named"),
    ],
)
def test_what_is_no_usable_key_of_a_device(
    token: SoftHsm, uri: str, environ: dict[str, str], words: str
) -> None:
    """Wrong PINs, tokens and kinds, before anything is measured; the PIN is never told."""
    with pytest.raises(UsageError, match=words) as caught:
        load_signer(uri, {**os.environ, **environ})
    assert caught.value.where == uri
    assert PIN not in str(caught.value)


def test_no_module_and_one_that_is_none(
    token: SoftHsm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYKCS11LIB")
    with pytest.raises(UsageError, match="PYKCS11LIB environment variable must be set"):
        load_signer("hsm:2?label=gate", os.environ)
    (tmp_path / "no.so").write_bytes(b"no module")
    monkeypatch.setenv("PYKCS11LIB", str(tmp_path / "no.so"))
    with pytest.raises(UsageError, match="not reached"):
        load_signer("hsm:2?label=gate", os.environ)


def test_a_device_s_key_that_is_swapped_signs_nothing(token: SoftHsm) -> None:
    """Between the reading of the public half and the signature, under the same id."""
    import pkcs11
    from pkcs11.util.ec import encode_named_curve_parameters

    signer = load_signer("hsm:2?label=swapped", os.environ)
    device = pkcs11.lib(token.module).get_token(token_label="swapped")
    with device.open(rw=True, user_pin=PIN) as session:
        for old in list(session.get_objects()):
            old.destroy()
    with pytest.raises(RecordError, match="could not find"):
        sign(b"{}", signer)
    with device.open(rw=True, user_pin=PIN) as session:
        curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
        made = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
        made.generate_keypair(id=b"\x02", store=True)
    with pytest.raises(RecordError, match="no valid signature"):
        sign(b"{}", signer)


def test_a_run_signed_by_a_device_verifies(token: SoftHsm, tmp_path: Path) -> None:
    """From the command line: the public half for the trust file, the gate, and the door."""
    folder = tmp_path / "met"
    shutil.copytree(CASES / "met", folder)
    uri = "hsm:2?label=gate"
    shown = call(folder, "evidence", "key", "show", uri, "--pem", **token.environ)
    assert shown.code == 0, shown.err
    (folder / "gate.pub").write_text(shown.out, encoding="utf-8")
    (folder / "trust.yaml").write_text(
        "apiVersion: aims-gate/v1\nkind: Trust\n"
        "keys: [{person: gate@acme.example, public_key: gate.pub, roles: [gate]}]\n",
        encoding="utf-8",
    )
    command = ["run", "--model", "file:model", "--data", "evaluation=evaluation.csv", "--key", uri]
    done = call(folder, *command, "--out", "e", **token.environ)
    assert done.code == 0, done.err
    verified = call(folder, "verify", "e", "--model", "model", "--trust", "trust.yaml")
    assert verified.code == 0, verified.err
    fingerprint = call(folder, "evidence", "key", "show", "gate.pub").out.split()[0]
    assert fingerprint in (folder / "e" / "vsa.dsse.json").read_text(encoding="utf-8")
    wrong = {**token.environ, "AIMS_GATE_HSM_PIN": "0000"}
    assert call(folder, *command, "--out", "f", **wrong).code == 2
    assert not (folder / "f").exists()


def test_every_kind_of_remote_key_is_in_the_table() -> None:
    """What can be run here is; Google's and Azure's services speak protocols with no stand-in."""
    assert set(SIGNERS) == {"file", "env", "awskms", "gcpkms", "azurekms", "hv", "hsm", "sigstore"}
