"""SSH signatures as OpenSSH itself makes them, and what must not pass for one."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.attest.keys import PublicKey, load_public
from aims_gate.attest.ssh_signature import open_signature
from aims_gate.errors import TrustError
from tests.support.laws import law

MESSAGE = b"tree 1\n\nApprove\n"
BEGIN, END = b"-----BEGIN SSH SIGNATURE-----\n", b"\n-----END SSH SIGNATURE-----\n"
pytestmark = pytest.mark.tool("ssh-keygen")


def made(folder: Path, kind: str) -> PublicKey:
    path = folder / kind
    if not path.exists():
        words = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(path)]
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
    return load_public(Path(f"{path}.pub").read_bytes(), where=kind)


def signed(folder: Path, kind: str, *, namespace: str = "git", digest: str = "sha512") -> bytes:
    """Sign as `git commit -S` has it signed."""
    words = ["ssh-keygen", "-Y", "sign", "-q", "-n", namespace, "-O", f"hashalg={digest}"]
    done = subprocess.run(
        [*words, "-f", str(folder / kind)], input=MESSAGE, check=True, capture_output=True
    )
    return done.stdout


@pytest.mark.parametrize("digest", ["sha256", "sha512"])
@pytest.mark.parametrize("kind", ["ed25519", "ecdsa"])
def test_a_signature_of_openssh_verifies(tmp_path: Path, kind: str, digest: str) -> None:
    key, other = made(tmp_path, kind), made(tmp_path, "ecdsa" if kind == "ed25519" else "ed25519")
    for _ in range(8):  # numbers of ECDSA come with and without a leading zero
        armored = signed(tmp_path, kind, digest=digest)
        assert open_signature(armored, MESSAGE, [other, key], namespace=b"git") == key
    armored = signed(tmp_path, kind, digest=digest)
    with pytest.raises(TrustError, match="is of something else"):
        open_signature(armored, MESSAGE + b" ", [key], namespace=b"git")
    with pytest.raises(TrustError, match="does not list"):
        open_signature(armored, MESSAGE, [other], namespace=b"git")


def test_a_signature_for_another_purpose_is_refused(tmp_path: Path) -> None:
    key = made(tmp_path, "ed25519")
    with pytest.raises(TrustError, match="is for 'file'"):
        open_signature(
            signed(tmp_path, "ed25519", namespace="file"), MESSAGE, [key], namespace=b"git"
        )
    # the purpose is signed, too
    blob = base64.b64decode(signed(tmp_path, "ed25519", namespace="got")[len(BEGIN) : -len(END)])
    forged = BEGIN + base64.b64encode(blob.replace(b"got", b"git")) + END
    with pytest.raises(TrustError, match="is of something else"):
        open_signature(forged, MESSAGE, [key], namespace=b"git")


def test_an_rsa_key_is_no_key_of_ours(tmp_path: Path) -> None:
    words = ["ssh-keygen", "-q", "-t", "rsa", "-N", "", "-f", str(tmp_path / "rsa")]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
    with pytest.raises(TrustError, match="of another kind"):
        open_signature(signed(tmp_path, "rsa"), MESSAGE, [], namespace=b"git")


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa"])
def test_no_altered_byte_verifies(tmp_path: Path, kind: str) -> None:
    key = made(tmp_path, kind)
    blob = base64.b64decode(signed(tmp_path, kind)[len(BEGIN) : -len(END)])
    whole = BEGIN + base64.b64encode(blob) + END
    assert open_signature(whole, MESSAGE, [key], namespace=b"git") == key
    for place in range(len(blob)):
        altered = blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1 :]
        with pytest.raises(TrustError):
            open_signature(
                BEGIN + base64.b64encode(altered) + END, MESSAGE, [key], namespace=b"git"
            )
        cut = BEGIN + base64.b64encode(blob[:place]) + END
        with pytest.raises(TrustError):
            open_signature(cut, MESSAGE, [key], namespace=b"git")
    longer = BEGIN + base64.b64encode(blob + b"\0\0\0\0") + END
    with pytest.raises(TrustError):
        open_signature(longer, MESSAGE, [key], namespace=b"git")


@law(200)
@given(st.binary(max_size=200))
def test_rubbish_is_refused(data: bytes) -> None:
    for text in (
        data,
        BEGIN + data + END,
        BEGIN + base64.b64encode(b"SSHSIG\0\0\0\1" + data) + END,
    ):
        with pytest.raises(TrustError):
            open_signature(text, MESSAGE, [], namespace=b"git")


def test_a_number_has_one_way_to_be_written(tmp_path: Path) -> None:
    """A zero before it, or none where one is due, would give one signature many texts."""
    key = made(tmp_path, "ecdsa")
    blob = base64.b64decode(signed(tmp_path, "ecdsa")[len(BEGIN) : -len(END)])
    for padded in (b"\0" * 40, b""):
        parts = len(padded).to_bytes(4, "big") + padded
        inner = ssh_string(b"ecdsa-sha2-nistp256") + ssh_string(parts + ssh_string(b"\1"))
        head = blob[: blob.rindex(ssh_string(b"ecdsa-sha2-nistp256")) - 4]
        forged = BEGIN + base64.b64encode(head + ssh_string(inner)) + END
        with pytest.raises(TrustError):
            open_signature(forged, MESSAGE, [key], namespace=b"git")


def ssh_string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data
