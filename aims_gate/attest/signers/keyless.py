"""Keyless signing with Sigstore: a key for minutes, with a certificate for a CI job's identity.

Each statement gets an entry in a transparency log, which is public unless an instance of one's own
is named: names of models can be read there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization

from aims_gate.attest.keys import PublicKey, load_public
from aims_gate.attest.signers import TOKEN_VARIABLE
from aims_gate.errors import MissingExtraError, RecordError, UsageError
from aims_gate.redact import redact
from aims_gate.regular import read_regular

_MAX_CONFIGURATION = 1 << 20
_LEFT = timedelta(minutes=2)
"""A certificate that ends within this is not begun with."""


@dataclass(slots=True, kw_only=True)
class KeylessSigner:
    """A key of this process, whose certificate is asked for when it is needed."""

    certify: Callable[[], Any] = field(repr=False)
    """Makes a key and gets a certificate for it."""
    _current: Any = field(default=None, repr=False)

    @property
    def key(self) -> PublicKey:
        """Public half of the key in use; another one once its certificate is about to end."""
        pem = serialization.Encoding.PEM
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        public = self._certificate().public_key().public_bytes(pem, form)
        return load_public(public, where="the certificate")

    def sign(self, payload: bytes) -> bytes:  # noqa: ARG002  # as every signer takes it
        """Refuse: the certificate says nothing about signatures that no log has."""
        raise RecordError("a keyless signature is made of whole statements only")

    def seal(self, payload: bytes) -> tuple[bytes, bytes]:
        """Sign a statement and log it; its signature, and the Sigstore bundle that proves it."""
        from sigstore import dsse

        try:
            bundle = self._current.sign_dsse(dsse.Statement(payload))
            return bundle.signature, bundle.to_json().encode()
        except Exception as error:  # the clients of three services raise what they like
            raise RecordError(f"Sigstore did not sign: {_told(error)}") from error

    def _certificate(self) -> Any:
        try:
            if self._current is not None:
                certificate = self._current._signing_cert()  # noqa: SLF001  # it gives it nowhere else
                if datetime.now(UTC) + _LEFT < certificate.not_valid_after_utc:
                    return certificate
            self._current = self.certify()
            return self._current._signing_cert()  # noqa: SLF001  # as above
        except Exception as error:
            raise RecordError(f"Sigstore gave no certificate: {_told(error)}") from error


def open_signer(reference: str, *, environ: Mapping[str, str]) -> KeylessSigner:
    """Key with a certificate for the identity of this job.

    *reference* is empty for the public instance, or the file of another one's client trust
    configuration. The identity token is in SIGSTORE_ID_TOKEN, or the CI system is asked for one.

    Raises:
        UsageError: There is no identity, or Sigstore gives no certificate.
    """
    try:
        from sigstore.models import ClientTrustConfig
        from sigstore.oidc import IdentityToken, detect_credential
        from sigstore.sign import Signer, SigningContext
    except ImportError:
        raise MissingExtraError.for_library("sigstore", "sigstore", "keyless signing") from None
    given = environ.get(TOKEN_VARIABLE, "").strip()  # asked for again when the variable is gone

    def certify() -> Any:
        token = given or detect_credential()
        if not token:
            raise RecordError("the CI system gives this job no identity token")
        return Signer(IdentityToken(token), context)

    where = f"sigstore:{reference}"
    try:
        configuration = (
            ClientTrustConfig.from_json(read_regular(Path(reference), _MAX_CONFIGURATION).decode())
            if reference
            else ClientTrustConfig.production()
        )
        context = SigningContext.from_trust_config(configuration)
        signer = KeylessSigner(certify=certify)
        signer.key  # noqa: B018  # a run without an identity ends before it measures
    except Exception as error:
        hint = f"set {TOKEN_VARIABLE}, or permit the job an identity (GitHub: id-token: write)"
        raise UsageError(_told(error), where=where, hint=hint) from error
    return signer


def _told(error: Exception) -> str:
    """Error in a line, without tokens."""
    words = " ".join(redact(str(error)).split())[:200]
    return words if isinstance(error, RecordError) else f"{type(error).__name__}: {words}"
