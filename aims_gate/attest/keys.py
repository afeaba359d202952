"""Keys: ECDSA P-256 with SHA-256 (the default, known to every verifier and KMS) and Ed25519.

A key's name is its OpenSSH fingerprint, `SHA256:…`: cosign and sigstore-go skip a signature whose
key id is anything else, and a person checks it with `ssh-keygen -lf`.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from aims_gate import canonical
from aims_gate.errors import MissingExtraError, RecordError, UsageError

PASSWORD_VARIABLE = "AIMS_GATE_KEY_PASSWORD"  # noqa: S105  # the name of the variable
"""Environment variable with a private key's password."""
_MAX_KEY = 1 << 16
_KINDS_HINT = "use ECDSA P-256 (`aims-gate evidence key generate`) or Ed25519"
_PUBLIC_PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----")
_OPENSSH = b"-----BEGIN OPENSSH PRIVATE KEY-----"
_SSH_LINE = re.compile(rb"(?:ssh|ecdsa|sk)-[!-~]+ [A-Za-z0-9+/=]+(?: [^\r\n]*)?")
_FAILURES = (ValueError, UnsupportedAlgorithm, TypeError, NotImplementedError)

Private = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
"""A private key of one of the two kinds, as the cryptography library holds it."""


class Scheme(StrEnum):
    """How a key signs."""

    P256 = "ecdsa-sha2-nistp256"
    ED25519 = "ed25519"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public key that signatures are verified with."""

    fingerprint: str
    """OpenSSH fingerprint, `SHA256:` and 43 base64 characters."""
    scheme: Scheme
    pem: str
    """SubjectPublicKeyInfo as PEM, with a newline at the end."""

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Verify a signature (DER for P-256, 64 bytes for Ed25519); False if it does not hold."""
        key = serialization.load_pem_public_key(self.pem.encode())
        try:
            if isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
            elif isinstance(key, ed25519.Ed25519PublicKey):
                key.verify(signature, message)
            else:
                return False
        except InvalidSignature:
            return False
        return True


def load_public(data: bytes, *, where: str) -> PublicKey:
    """Read a public key: one PEM block, or one line as in `id_ed25519.pub`.

    Args:
        data: The text.
        where: The file's name, for error messages.

    Raises:
        UsageError: It is not exactly one public key, or of another kind than P-256 and Ed25519.
    """
    text = data.strip()
    try:
        if len(text) <= _MAX_KEY and _PUBLIC_PEM.fullmatch(text):
            return _public(serialization.load_pem_public_key(text), where)
        if len(text) <= _MAX_KEY and _SSH_LINE.fullmatch(text):
            return _public(serialization.load_ssh_public_key(text), where)
    except _FAILURES as error:
        raise UsageError("the public key cannot be read", where=where, hint=_KINDS_HINT) from error
    private = b"PRIVATE KEY" in text
    raise UsageError(
        "this is a private key, and a public one is needed" if private else "not a public key",
        where=where,
        hint="give one PEM block (BEGIN PUBLIC KEY) or one OpenSSH line",
    )


def load_private(data: bytes, *, password: str, where: str) -> Private:
    """Read a private key: PKCS#8 or SEC 1 PEM, OpenSSH, or any of them once more in base64.

    Args:
        data: The text.
        password: The key's password; empty if it has none.
        where: The file's or the variable's name, for error messages.

    Raises:
        UsageError: It is no private key of a supported kind, or the password does not fit.
    """
    text = data.strip()
    if len(text) > _MAX_KEY:
        raise UsageError("too long for a private key", where=where)
    if not text.startswith(b"-----"):
        text = _unwrapped(text, where)
    try:
        key = _read(text, password.encode() or None)
    except TypeError as error:  # the library's way to say that the password is missing, or idle
        if password:
            what, hint = (
                "a password is given, and the key is not encrypted",
                f"unset {PASSWORD_VARIABLE}",
            )
        else:
            what, hint = "the key is encrypted", f"put its password into {PASSWORD_VARIABLE}"
        raise UsageError(what, where=where, hint=hint) from error
    except UnsupportedAlgorithm as error:
        if text.startswith(_OPENSSH) and find_spec("bcrypt") is None:
            what = "an encrypted OpenSSH key"
            raise MissingExtraError.for_library("bcrypt", "ssh", what) from error
        raise UsageError(
            f"the private key is of a form that is not read: {error}", where=where, hint=_KINDS_HINT
        ) from error
    except ValueError as error:
        raise UsageError(
            "the private key cannot be read, or its password is wrong",
            where=where,
            hint=f"PKCS#8 PEM and OpenSSH keys are read; {_KINDS_HINT}",
        ) from error
    if isinstance(key, Private):
        _public(key.public_key(), where)
        return key
    raise UsageError("the key is of another kind", where=where, hint=_KINDS_HINT)


def public_of(private: Private) -> PublicKey:
    """Public half of a private key."""
    return _public(private.public_key(), "the key")


def signature_of(private: Private, message: bytes) -> bytes:
    """Sign *message* as `PublicKey.verifies` reads it: DER for P-256, 64 bytes for Ed25519."""
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.sign(message, ec.ECDSA(hashes.SHA256()))
    return private.sign(message)


def generate(path: Path, *, password: str | None, scheme: Scheme = Scheme.P256) -> PublicKey:
    """Generate a key pair: the private key at *path*, the public one at *path* plus `.pub`.

    The private half is PKCS#8 PEM and only its owner can read it.

    Args:
        path: File to make, such as `gate.key`.
        password: Encrypts the private half; None writes it in the clear.
        scheme: The kind of key.

    Raises:
        UsageError: One of the files exists, or the password is empty.
        RecordError: A file cannot be written; then neither is left behind.
    """
    if password == "":
        raise UsageError(
            "the key's password is empty", hint=f"unset {PASSWORD_VARIABLE}, or fill it"
        )
    private: Private
    if scheme is Scheme.P256:
        private = ec.generate_private_key(ec.SECP256R1())
    else:
        private = ed25519.Ed25519PrivateKey.generate()
    secrecy: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        secrecy = serialization.BestAvailableEncryption(password.encode())
    secret = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secrecy
    )
    public = public_of(private)
    beside = public_path(path)
    _create(beside, public.pem.encode(), 0o644)
    try:
        _create(path, secret, 0o600)
    except BaseException:
        beside.unlink()
        raise
    return public


def public_path(path: Path) -> Path:
    """Path of the public half of the key at *path*: `gate.key.pub` for `gate.key`."""
    return path.with_name(f"{path.name}.pub")


def _create(path: Path, data: bytes, mode: int) -> None:
    """Create a file that does not exist, and fsync it."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    except FileExistsError:
        raise UsageError(
            "the file exists, and keys are never overwritten",
            where=str(path),
            hint="name another file",
        ) from None
    except OSError as error:
        raise RecordError(f"cannot write the key: {error.strerror}", where=str(path)) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        path.unlink()
        raise RecordError(f"cannot write the key: {error.strerror}", where=str(path)) from error


def _public(key: object, where: str) -> PublicKey:
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        scheme = Scheme.P256
    elif isinstance(key, ed25519.Ed25519PublicKey):
        scheme = Scheme.ED25519
    else:
        raise UsageError("the key is of another kind", where=where, hint=_KINDS_HINT)
    line = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    wire = base64.b64decode(line.split(b" ")[1])
    digest = base64.b64encode(bytes.fromhex(canonical.sha256(wire))).decode().rstrip("=")
    pem = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return PublicKey(fingerprint=f"SHA256:{digest}", scheme=scheme, pem=pem.decode())


def _unwrapped(text: bytes, where: str) -> bytes:
    """Undo the base64 that some CI systems need to keep the lines of a secret together."""
    try:
        return base64.b64decode(b"".join(text.split()), validate=True).strip()
    except binascii.Error:
        raise UsageError(
            "not a private key", where=where, hint="PEM is expected, or PEM in base64"
        ) from None


def _read(text: bytes, password: bytes | None) -> object:
    if text.startswith(_OPENSSH):
        return serialization.load_ssh_private_key(text, password)
    return serialization.load_pem_private_key(text, password)
