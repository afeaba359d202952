"""Sigstore bundles, version 0.3, of signed envelopes.

The bundle of a key says nothing new: it is the envelope in the form that cosign and the Sigstore
libraries read, so it is made from envelope and key alone, the same bytes each time, and verifying
it is making it again. A keyless one has what no envelope has: a certificate, and a log's entry.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives import serialization

from aims_gate import canonical
from aims_gate.attest.envelope import enclose, sign
from aims_gate.attest.keyless import has_certificate
from aims_gate.attest.keys import PublicKey
from aims_gate.attest.signers import Sealer, Signer
from aims_gate.errors import TrustError

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def bundle_file(stem: str) -> str:
    """Name the file with the bundle of a statement."""
    return f"{stem}.sigstore.json"


def wrap(envelope: bytes, key: PublicKey) -> bytes:
    """Sigstore bundle of *envelope*, which *key* verifies.

    The hint, by which a verifier finds the key, is the SHA-256 of its SubjectPublicKeyInfo. There
    is no entry of a transparency log and no timestamp.
    """
    public = serialization.load_pem_public_key(key.pem.encode())
    info = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    hint = base64.b64encode(hashlib.sha256(info).digest()).decode()
    return canonical.encode(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {
                "publicKey": {"hint": hint},
                "tlogEntries": [],
                "timestampVerificationData": {"rfc3161Timestamps": []},
            },
            "dsseEnvelope": canonical.parse(envelope),
        }
    )


def seal(payload: bytes, signer: Signer) -> tuple[bytes, bytes]:
    """Sign a statement: its envelope and its bundle.

    RecordError if it cannot be signed, or if the signature is not of the signer's own key.
    """
    if not isinstance(signer, Sealer):
        envelope = sign(payload, signer)
        return envelope, wrap(envelope, signer.key)
    key = signer.key
    signature, bundle = signer.seal(payload)
    return enclose(payload, signature, key), bundle


def hold(bundle: bytes, envelope: bytes, key: PublicKey, *, where: str) -> None:
    """Make sure that *bundle* is the one of *envelope* and *key*; TrustError if it is another.

    A keyless one was verified before; what it is about must be what the envelope holds.
    """
    if has_certificate(bundle):
        if _signed(bundle, "dsseEnvelope") == _signed(envelope):
            return
    elif bundle == wrap(envelope, key):
        return
    raise TrustError(
        "the bundle is not the one of the envelope beside it",
        where=where,
        hint="a bundle of a key is made from the envelope alone: without it the envelope counts",
    )


def _signed(data: bytes, *path: str) -> tuple[object, ...] | None:
    """Payload, type and signature of an envelope; the key's id is a hint that nobody signed."""
    tree = canonical.parse(data)
    for step in path:
        tree = tree.get(step)
    match tree:
        case {"payload": payload, "payloadType": kind, "signatures": [{"sig": signature}]}:
            return payload, kind, signature
        case _:
            return None
