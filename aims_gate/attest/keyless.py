"""Keyless verification with Sigstore: a certificate for minutes, in two logs, names who signed.

Everything is verified offline, against the trusted root that the trust file names: the chain, its
time from the log's promise, the certificate's own log, the inclusion in the log, the signature.
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.x509 import SubjectAlternativeName

from aims_gate import canonical
from aims_gate.attest.keys import load_public
from aims_gate.attest.trust import Trust, TrustedIdentity, TrustedKey
from aims_gate.errors import MissingExtraError, TrustError, UsageError


def has_certificate(bundle: bytes) -> bool:
    """Whether a Sigstore bundle names its signer by a certificate; nothing is verified."""
    try:
        tree = canonical.parse(bundle)
    except ValueError:
        return False
    material = tree.get("verificationMaterial") if isinstance(tree, dict) else None
    return isinstance(material, dict) and "certificate" in material


def key_of_certificate(bundle: bytes, trust: Trust, *, where: str) -> TrustedKey:
    """Verify a keyless bundle, and give its key with the rights of the identity that it is of.

    Raises:
        TrustError: It does not verify, or no identity of the trust file made it.
        MissingExtraError: The library is not installed.
    """
    if not trust.identities or trust.trusted_root is None:
        hint = "name it under identities, and Sigstore's trusted root under trusted_root"
        what = f"signed by an identity, and {trust.file} names none"
        raise TrustError(what, where=where, hint=hint)
    try:
        from sigstore.models import Bundle, TrustedRoot
        from sigstore.verify import Verifier, policy
    except ImportError:
        what = "verifying a keyless signature"
        raise MissingExtraError.for_library("sigstore", "sigstore", what) from None
    try:
        root = TrustedRoot.from_file(str(trust.trusted_root))
        verifier = Verifier(trusted_root=root)
    except Exception as error:  # the library has no error of its own for a file that is none
        what = f"is no trusted root of Sigstore: {type(error).__name__}"
        raise UsageError(what, where=trust.trusted_root.name) from error
    try:
        found = Bundle.from_json(bundle)
        verifier.verify_dsse(found, policy.UnsafeNoOp())  # whose it is, is looked at below
        certificate = found.signing_certificate
        text = certificate.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        key = load_public(text, where=where)
    except Exception as error:  # whatever a stranger's file makes it raise, it is not verified
        words = " ".join(str(error).split())[:200]
        raise TrustError(f"the keyless signature does not hold: {words!a}", where=where) from error
    for one in trust.identities:
        if _is(one, certificate, policy):
            return TrustedKey(
                key=key,
                person=one.person,
                roles=one.roles,
                verifier_ids=one.verifier_ids,
                valid_from=one.valid_from,
                valid_until=one.valid_until,
                revoked_at=one.revoked_at,
            )
    raise TrustError(
        f"signed by an identity that {trust.file} does not name: {_shown(certificate)}",
        where=where,
        hint="if it is the right one, name its issuer, subject and job_workflow_ref",
    )


def _is(one: TrustedIdentity, certificate: Any, policy: Any) -> bool:
    """Whether a certificate is of an identity: issuer and subject, and the workflow if named."""
    wanted = [policy.Identity(identity=one.subject, issuer=one.issuer)]
    if one.job_workflow_ref:
        # Fulcio writes the claim as a URL (Build Signer URI)
        wanted.append(policy.OIDCBuildSignerURI(f"https://github.com/{one.job_workflow_ref}"))
    try:
        policy.AllOf(wanted).verify(certificate)
    except Exception:  # noqa: BLE001  # extensions that are missing or malformed are no match
        return False
    return True


def _shown(certificate: Any) -> str:
    """Name in a certificate that was verified, which has one."""
    names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    return ascii(", ".join(str(name.value) for name in names)[:300])
