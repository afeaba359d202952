"""DSSE envelopes (Dead Simple Signing Envelope, protocol version 1): bytes, a type, a signature.

What is signed is the pre-authentication encoding of exactly the payload's bytes, so nothing has to
be serialised again to verify, and nothing is parsed before it is verified. Opening is stricter
than the protocol: one signature, one payload type, canonical base64, no unknown or repeated key.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection
from dataclasses import dataclass

from aims_gate import canonical
from aims_gate.attest.keys import PublicKey
from aims_gate.attest.signers import Signer
from aims_gate.errors import RecordError, TrustError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_PAYLOAD = 32 * 2**20
"""Bytes of a statement."""
MAX_ENVELOPE = 44 * 2**20
"""Bytes of an envelope: a statement in base64, and room for the rest."""
_MAX_SIGNATURE = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedEnvelope:
    """A payload whose signature holds, and the key that made it."""

    payload: bytes
    key: PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeParts:
    """An envelope that was taken apart, and of which nothing is verified."""

    payload: bytes
    signature: bytes
    keyid: str


def pae(payload_type: str, payload: bytes) -> bytes:
    """Pre-authentication encoding (PAE): the bytes that a DSSE signature is made over."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(payload: bytes, signer: Signer) -> bytes:
    """Put *payload* into an envelope; the key id is the key's OpenSSH fingerprint.

    Raises:
        RecordError: The payload is too long, or the signature does not verify with the signer's
            own public key.
    """
    if len(payload) > MAX_PAYLOAD:
        raise RecordError(f"the statement has more than {MAX_PAYLOAD:,} bytes")
    return enclose(payload, signer.sign(pae(PAYLOAD_TYPE, payload)), signer.key)


def enclose(payload: bytes, signature: bytes, key: PublicKey) -> bytes:
    """Envelope of *payload* and its *signature*; RecordError if it is not the key's."""
    data = canonical.encode(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [
                {
                    "keyid": key.fingerprint,
                    "sig": base64.b64encode(signature).decode(),
                }
            ],
        }
    )
    try:
        open_envelope(data, [key])
    except TrustError as error:
        raise RecordError(f"the signing key made no valid signature: {error}") from error
    return data


def open_envelope(
    data: bytes, keys: Collection[PublicKey], *, where: str = "envelope", role: str | None = "gate"
) -> OpenedEnvelope:
    """Verify an envelope and give its payload.

    The key id is a hint only, as DSSE demands: every key is tried, and a missing or foreign key id
    costs nothing.

    Args:
        data: The envelope's bytes, JSON.
        keys: Keys that the signature may come from.
        where: The file's name, for error messages.
        role: As what its key should be trusted, for the hint where it is not; None is anything.

    Raises:
        TrustError: The envelope is malformed, or none of *keys* made its signature.
    """
    parts = take_apart(data, where)
    message = pae(PAYLOAD_TYPE, parts.payload)
    for key in keys:
        if key.verifies(parts.signature, message):
            return OpenedEnvelope(payload=parts.payload, key=key)
    if any(key.fingerprint == parts.keyid for key in keys):
        raise TrustError("the signature does not fit the payload", where=where)
    raise TrustError(
        f"signed by a key that is not trusted (key id {parts.keyid[:80]!a})",
        where=where,
        hint="if the key is right, add it to the trust file"
        + (f" with role {role}" if role else ""),
    )


def take_apart(data: bytes, where: str) -> EnvelopeParts:
    """Read an envelope without verifying it; TrustError if it is malformed."""
    if len(data) > MAX_ENVELOPE:
        raise TrustError(f"the envelope has more than {MAX_ENVELOPE:,} bytes", where=where)
    try:
        envelope = canonical.parse(data)
    except ValueError as error:
        raise TrustError(f"the envelope is not JSON: {error}", where=where) from error
    payload, kind, signatures = _fields(
        envelope, ("payload", "payloadType", "signatures"), (), where
    )
    if kind != PAYLOAD_TYPE:
        raise TrustError(f"the payload type is not {PAYLOAD_TYPE}", where=where)
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise TrustError("the envelope does not have exactly one signature", where=where)
    signature, keyid = _fields(signatures[0], ("sig",), ("keyid",), where)
    if not isinstance(keyid, str):
        raise TrustError("the key id is not text", where=where)
    return EnvelopeParts(
        payload=_base64(payload, MAX_PAYLOAD, where),
        signature=_base64(signature, _MAX_SIGNATURE, where),
        keyid=keyid,
    )


def _fields(
    value: object, required: tuple[str, ...], optional: tuple[str, ...], where: str
) -> list[object]:
    """Take an object apart that has the required and optional keys and no other."""
    known = (*required, *optional)
    if (
        not isinstance(value, dict)
        or any(key not in value for key in required)
        or any(key not in known for key in value)
    ):
        raise TrustError(f"an object with {' and '.join(known)} is expected", where=where)
    return [value.get(key, "") for key in known]


def _base64(text: object, most: int, where: str) -> bytes:
    """Decode canonical base64: one text for one value, so that no byte of it can be changed."""
    if not isinstance(text, str):
        raise TrustError("payload and signature must be base64", where=where)
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise TrustError("payload and signature must be base64", where=where) from None
    if base64.b64encode(data).decode() != text:
        raise TrustError("the base64 is not canonical", where=where)
    if len(data) > most:
        raise TrustError(f"payload or signature has more than {most:,} bytes", where=where)
    return data
