"""SSH signatures (SSHSIG, OpenSSH's PROTOCOL.sshsig), as git makes them of commits.

The key in a signature is a claim. It counts only where it is one of those that are trusted.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from aims_gate.attest.keys import PublicKey, Scheme, load_public
from aims_gate.errors import TrustError, UsageError

MAX_SIGNATURE = 1 << 14
_MAGIC = b"SSHSIG"
_VERSION = (1).to_bytes(4, "big")
_HASHES = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}
_ARMOR = re.compile(
    rb"-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)\n-----END SSH SIGNATURE-----\n?"
)
_TYPES = {Scheme.P256: b"ecdsa-sha2-nistp256", Scheme.ED25519: b"ssh-ed25519"}


def open_signature(
    armored: bytes, message: bytes, keys: Collection[PublicKey], *, namespace: bytes
) -> PublicKey:
    """Verify an SSH signature of *message*; gives the trusted key that made it.

    Args:
        armored: The text between and with its BEGIN and END lines.
        message: What must have been signed.
        keys: Those that may have made it.
        namespace: What it must have been made for, such as `git`.

    Raises:
        TrustError: It is malformed, for another purpose, of another key or of another message.
    """
    found = _ARMOR.fullmatch(armored) if len(armored) <= MAX_SIGNATURE else None
    if found is None:
        raise TrustError("it has no SSH signature", hint="git config gpg.format ssh")
    try:
        key, purpose, reserved, name, signed = _parts(found[1].replace(b"\n", b""))
    except (ValueError, UsageError) as error:
        raise TrustError(f"its SSH signature cannot be read: {error}") from error
    if purpose != namespace:
        raise TrustError(f"its SSH signature is for {purpose.decode(errors='replace')!a}")
    if name not in _HASHES:
        raise TrustError("its SSH signature uses another hash than SHA-256 and SHA-512")
    if key not in keys:
        raise TrustError(f"it is signed by {key.fingerprint}, which the trust file does not list")
    digest = _HASHES[name](message).digest()
    parts = (purpose, reserved, name, digest)
    if not key.verifies(signed, _MAGIC + b"".join(map(_string, parts))):
        raise TrustError("its SSH signature is of something else, or was altered")
    return key


def _parts(text: bytes) -> tuple[PublicKey, bytes, bytes, bytes, bytes]:
    """Read key, namespace, reserved, hash and signature; ValueError or UsageError if malformed."""
    head = _MAGIC + _VERSION
    blob = base64.b64decode(text, validate=True)
    if not blob.startswith(head):
        raise ValueError("it is of another version")
    public, purpose, reserved, name, signature = _strings(blob[len(head) :], 5)
    key = load_public(_strings(public)[0] + b" " + base64.b64encode(public), where="")
    kind, signed = _strings(signature, 2)
    if kind != _TYPES[key.scheme]:
        raise ValueError("key and signature are of two kinds")
    if key.scheme is Scheme.P256:
        signed = encode_dss_signature(*map(_positive, _strings(signed, 2)))
    return key, purpose, reserved, name, signed


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _strings(data: bytes, count: int | None = None) -> list[bytes]:
    """Read length-prefixed strings, exactly *count* of them; ValueError otherwise."""
    found = []
    while data:
        size = int.from_bytes(data[:4], "big")
        if len(data) < 4 + size:
            raise ValueError("it ends too early")
        found.append(data[4 : 4 + size])
        data = data[4 + size :]
    if not found or count not in {None, len(found)}:
        raise ValueError("it has another number of parts")
    return found


def _positive(data: bytes) -> int:
    """Read an `mpint` of SSH, which is signed and as short as can be; ValueError otherwise."""
    number = int.from_bytes(data, "big", signed=True)
    if number <= 0 or number.to_bytes(number.bit_length() // 8 + 1, "big") != data:
        raise ValueError("a number of it is not as SSH writes it")
    return number
