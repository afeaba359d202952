"""Keys of two kinds, named as OpenSSH names them; everything else is refused with a hint."""

from __future__ import annotations

import base64
import contextlib
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.attest import keys
from aims_gate.attest.keys import Scheme
from aims_gate.errors import RecordError, UsageError
from tests.support.laws import law

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
CLEAR = serialization.NoEncryption()


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | dsa.DSAPrivateKey) -> bytes:
    return key.private_bytes(PEM, PKCS8, CLEAR)


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize("password", [None, "correct horse"])
def test_a_generated_pair_is_read_back(
    tmp_path: Path, scheme: Scheme, password: str | None
) -> None:
    """The private half has mode 0600, the public half is its own, and the kind is as asked."""
    path = tmp_path / "gate.key"
    public = keys.generate(path, password=password, scheme=scheme)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    beside = keys.public_path(path)
    assert beside.name == "gate.key.pub"
    assert keys.load_public(beside.read_bytes(), where="x") == public
    private = keys.load_private(path.read_bytes(), password=password or "", where="x")
    assert keys.public_of(private) == public
    assert public.scheme is scheme
    assert (b"ENCRYPTED" in path.read_bytes()) == (password is not None)


@pytest.mark.tool("ssh-keygen")
@pytest.mark.parametrize(("kind", "bits"), [("ecdsa", "256"), ("ed25519", "256")])
def test_openssh_keys_are_read_and_named_as_openssh_names_them(
    tmp_path: Path, kind: str, bits: str
) -> None:
    """The fingerprint is the one `ssh-keygen -l` prints, from the private and the public file."""
    path = tmp_path / "id"
    made = ["ssh-keygen", "-q", "-t", kind, "-b", bits, "-N", "", "-C", "a b@c", "-f", str(path)]
    subprocess.run(made, check=True)
    shown = subprocess.run(
        ["ssh-keygen", "-lf", f"{path}.pub"], check=True, capture_output=True, text=True
    ).stdout
    public = keys.load_public(Path(f"{path}.pub").read_bytes(), where="x")
    private = keys.load_private(path.read_bytes(), password="", where="x")
    assert public.fingerprint == shown.split()[1]
    assert keys.public_of(private) == public


@pytest.mark.tool("ssh-keygen")
@pytest.mark.parametrize("kind", ["ecdsa", "ed25519"])
def test_encrypted_openssh_keys_are_read(tmp_path: Path, kind: str) -> None:
    """With their password and no other, and not without it."""
    pytest.importorskip("bcrypt")
    path = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "pw", "-f", str(path)], check=True)
    private = keys.load_private(path.read_bytes(), password="pw", where="id")
    public = keys.load_public(Path(f"{path}.pub").read_bytes(), where="x")
    assert keys.public_of(private) == public
    for password, match in (("not it", "password is wrong"), ("", "is encrypted")):
        with pytest.raises(UsageError, match=match):
            keys.load_private(path.read_bytes(), password=password, where="id")


@pytest.mark.tool("ssh-keygen")
def test_a_cipher_that_is_not_read_is_refused(tmp_path: Path) -> None:
    """OpenSSH still encrypts with ciphers of its past, if it is told to."""
    pytest.importorskip("bcrypt")
    path = tmp_path / "id"
    old = ["-Z", "3des-cbc", "-N", "pw"]
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", *old, "-f", str(path)], check=True)
    with pytest.raises(UsageError, match="of a form that is not read"):
        keys.load_private(path.read_bytes(), password="pw", where="id")


@pytest.mark.tool("ssh-keygen")
def test_an_encrypted_openssh_key_says_what_it_needs(tmp_path: Path) -> None:
    """Where the library that unlocks it is missing; PKCS#8 needs none."""
    path = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "pw", "-f", str(path)], check=True)
    script = (
        "import sys; sys.modules['bcrypt'] = None\n"
        "from aims_gate.attest import keys\n"
        "from aims_gate.errors import MissingExtraError\n"
        "try: keys.load_private(open(sys.argv[1], 'rb').read(), password='pw', where='id')\n"
        "except MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], check=True, capture_output=True, text=True
    )
    assert "needs bcrypt" in done.stdout
    assert "aims-gate[ssh]" in done.stdout


def test_keys_are_never_overwritten(tmp_path: Path) -> None:
    """Neither half is touched if either of the two files exists."""
    path = tmp_path / "gate.key"
    keys.generate(path, password=None)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="never overwritten"):
        keys.generate(path, password=None)
    keys.public_path(path).unlink()
    with pytest.raises(UsageError, match="never overwritten"):
        keys.generate(path, password=None)
    assert path.read_bytes() == before
    assert not keys.public_path(path).exists()


def test_an_empty_password_is_refused(tmp_path: Path) -> None:
    """A secret that is unset arrives as empty text, and must not mean "in the clear"."""
    with pytest.raises(UsageError, match="password is empty"):
        keys.generate(tmp_path / "gate.key", password="")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """The place is named."""
    with pytest.raises(RecordError, match="cannot write the key"):
        keys.generate(tmp_path / "nowhere" / "gate.key", password=None)


def test_a_full_disk_leaves_no_half_key(tmp_path: Path) -> None:
    """Bytes that do not fit are an error, and no file stays behind."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (9, usual[1]))
    try:
        with pytest.raises(RecordError, match="cannot write the key"):
            keys.generate(tmp_path / "gate.key", password=None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert not list(tmp_path.iterdir())


def test_a_key_of_another_kind_verifies_nothing() -> None:
    """Even one that was put together without the reader."""
    private = rsa.generate_private_key(65537, 2048)
    pem = private.public_key().public_bytes(PEM, SPKI).decode()
    public = keys.PublicKey(fingerprint="SHA256:x", scheme=Scheme.P256, pem=pem)
    signature = private.sign(b"m", padding.PKCS1v15(), hashes.SHA256())
    assert not public.verifies(signature, b"m")


def test_base64_around_a_pem_is_undone() -> None:
    """Some CI systems cannot keep the lines of a secret together."""
    private = ec.generate_private_key(ec.SECP256R1())
    wrapped = base64.encodebytes(_pem(private))
    read = keys.load_private(wrapped, password="", where="x")
    assert keys.public_of(read) == keys.public_of(private)


def test_passwords_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    """Missing, wrong and idle passwords each have their own words."""
    keys.generate(tmp_path / "a", password="right")
    encrypted = (tmp_path / "a").read_bytes()
    for password, match in (("", "is encrypted"), ("wrong", "password is wrong")):
        with pytest.raises(UsageError, match=match):
            keys.load_private(encrypted, password=password, where="a")
    clear = _pem(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(UsageError, match="is not encrypted"):
        keys.load_private(clear, password="idle", where="a")


@pytest.mark.parametrize(
    "generate",
    [
        lambda: rsa.generate_private_key(65537, 2048),
        lambda: ec.generate_private_key(ec.SECP384R1()),
        lambda: ec.generate_private_key(ec.SECP256K1()),
        lambda: dsa.generate_private_key(2048),
    ],
    ids=["rsa", "p384", "secp256k1", "dsa"],
)
def test_other_kinds_of_keys_are_refused(
    generate: Callable[[], ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | dsa.DSAPrivateKey],
) -> None:
    """RSA has two paddings that DSSE does not tell apart; the others no common verifier knows."""
    private = generate()
    with pytest.raises(UsageError, match="another kind"):
        keys.load_private(_pem(private), password="", where="x")
    with pytest.raises(UsageError, match="another kind"):
        keys.load_public(private.public_key().public_bytes(PEM, SPKI), where="x")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"hello",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        b"ssh-ed25519 AAAA",
    ],
)
def test_what_is_no_public_key_is_refused(text: bytes) -> None:
    """With the kinds that are read in the hint."""
    with pytest.raises(UsageError, match=r"OpenSSH line|P-256"):
        keys.load_public(text, where="x")


def test_exactly_one_public_key_is_read() -> None:
    """Of two keys one would be ignored; a private key must not be handed around."""
    private = ec.generate_private_key(ec.SECP256R1())
    public = keys.public_of(private).pem.encode()
    with pytest.raises(UsageError, match="not a public key"):
        keys.load_public(public + public, where="x")
    with pytest.raises(UsageError, match="this is a private key"):
        keys.load_public(_pem(private), where="x")
    with pytest.raises(UsageError, match="not a public key"):
        keys.load_public(b" " * 9 + public + b"A" * (1 << 17), where="x")


@pytest.mark.parametrize("text", [b"", b"hello", b"aGVsbG8=", b"A" * (1 << 17), b"-----BEGIN "])
def test_what_is_no_private_key_is_refused(text: bytes) -> None:
    """Without repeating the text, which may be half a secret."""
    with pytest.raises(UsageError) as caught:
        keys.load_private(text, password="", where="x")
    assert b"hello" not in str(caught.value).encode()


@law(150)
@given(
    st.one_of(
        st.binary(max_size=80),
        st.binary(max_size=60).map(
            lambda body: (
                b"-----BEGIN PUBLIC KEY-----\n"
                + base64.b64encode(body)
                + b"\n-----END PUBLIC KEY-----\n"
            )
        ),
        st.binary(max_size=60).map(lambda body: b"ssh-ed25519 " + base64.b64encode(body)),
        st.binary(max_size=60).map(
            lambda body: (
                b"-----BEGIN OPENSSH PRIVATE KEY-----\n"
                + base64.b64encode(body)
                + b"\n-----END OPENSSH PRIVATE KEY-----\n"
            )
        ),
    )
)
def test_any_bytes_are_a_key_or_a_usage_error(text: bytes) -> None:
    """No text of a stranger makes the readers crash."""
    for read in (
        lambda: keys.load_public(text, where="x"),
        lambda: keys.load_private(text, password="", where="x"),
    ):
        with contextlib.suppress(UsageError):
            read()


def test_signatures_of_another_key_or_message_do_not_verify() -> None:
    """Both kinds; garbage in the place of a signature is no crash either."""
    for private in (ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()):
        public = keys.public_of(private)
        signature = (
            private.sign(b"m", ec.ECDSA(hashes.SHA256()))
            if isinstance(private, ec.EllipticCurvePrivateKey)
            else private.sign(b"m")
        )
        other = keys.public_of(ec.generate_private_key(ec.SECP256R1()))
        assert public.verifies(signature, b"m")
        assert not public.verifies(signature, b"n")
        assert not other.verifies(signature, b"m")
        assert not public.verifies(os.urandom(70), b"m")
        assert not public.verifies(b"", b"m")
