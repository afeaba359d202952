"""Sigstore bundles, version 0.3, of envelopes that were signed with a key.

A bundle says nothing new: it is the envelope in the form that cosign and the Sigstore libraries
read, so it is made from envelope and key alone, the same bytes each time, and verifying it is
making it again.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives import serialization

from aims_gate import canonical
from aims_gate.attest.keys import PublicKey
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


def hold(bundle: bytes, envelope: bytes, key: PublicKey, *, where: str) -> None:
    """Make sure that *bundle* is the one of *envelope* and *key*; TrustError if it is another."""
    if bundle != wrap(envelope, key):
        raise TrustError(
            "the bundle is not the one of the envelope beside it",
            where=where,
            hint="it is made from the envelope alone: without the file the envelope still counts",
        )
