"""Signing with a private key that never leaves a key service (KMS) or a device (HSM, PKCS#11).

The public half is asked of the service itself, and a probe is signed at once: a wrong PIN, a
missing permission or a service that signs with another key ends the run before it measures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from aims_gate.attest.keys import PublicKey, load_public
from aims_gate.attest.signers import PIN_VARIABLE
from aims_gate.errors import GateError, MissingExtraError, RecordError, UsageError
from aims_gate.redact import redact

_PROBE = b"aims-gate: may this key sign?"
_Ask = Callable[[str], str]
"""Secrets handler of securesystemslib: a secret by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSigner:
    """A private key that another machine or a device holds."""

    key: PublicKey
    uri: str
    service: Any = field(repr=False)

    def sign(self, payload: bytes) -> bytes:
        """Let the service sign *payload*; RecordError if it does not."""
        try:
            return bytes.fromhex(self.service.sign(payload).signature)
        except GateError:
            raise
        except Exception as error:  # each service raises what it likes
            raise RecordError(f"the key did not sign: {_told(error)}", where=self.uri) from error


def _aws(library: Any, reference: str, _ask: _Ask) -> tuple[str, Any]:
    return cast("tuple[str, Any]", library.AWSSigner.import_(reference))


def _google(library: Any, reference: str, _ask: _Ask) -> tuple[str, Any]:
    return cast("tuple[str, Any]", library.GCPSigner.import_(reference))


def _azure(library: Any, reference: str, _ask: _Ask) -> tuple[str, Any]:
    place = urlsplit(f"https:{reference}")
    match place.path.split("/"):
        case ["", "keys", name, *version] if name and len(version) <= 1:
            vault = place.netloc.partition(".")[0]
            return _newest(library.AzureSigner.import_(vault, name), version)
    raise UsageError("no key is named", hint="write azurekms://VAULT.vault.azure.net/keys/NAME")


def _vault(library: Any, reference: str, _ask: _Ask) -> tuple[str, Any]:
    name, *version = reference.split("/")
    return _newest(library.VaultSigner.import_(name), version)


def _device(library: Any, reference: str, ask: _Ask) -> tuple[str, Any]:
    number, _, query = reference.partition("?")
    try:
        label = parse_qs(query, strict_parsing=True).get("label", [""])[0] if query else ""
        keyid = int(number) if number else None
    except ValueError:
        hint = "write hsm:NUMBER?label=TOKEN, both optional; the number is the key's id"
        raise UsageError("no key of a device is named", hint=hint) from None
    return cast("tuple[str, Any]", library.HSMSigner.import_(keyid, label or None, ask))


def _newest(found: tuple[str, Any], version: list[str]) -> tuple[str, Any]:
    """Refuse an older version: the service gives the public half of the newest one only."""
    newest = found[0].rpartition("/")[2]
    if version not in ([], [newest]):
        hint = f"name version {newest}, or none"
        raise UsageError(f"version {version[0]} is not the newest of this key", hint=hint)
    return found


_SERVICES: Mapping[str, tuple[str, Callable[[Any, str, _Ask], tuple[str, Any]]]] = {
    "awskms": ("awskms", _aws),
    "gcpkms": ("gcpkms", _google),
    "azurekms": ("azurekms", _azure),
    "hv": ("vault", _vault),
    "hsm": ("hsm", _device),
}
"""Scheme, the library's own extra, and how it finds the public half."""


def _open(scheme: str, reference: str, *, environ: Mapping[str, str]) -> RemoteSigner:
    """Open the key *reference* in its service, and verify a test signature with its public key.

    Credentials are those of the environment, as the service's own tools read them; the PIN of a
    device is in AIMS_GATE_HSM_PIN and its PKCS#11 module in PYKCS11LIB.

    Raises:
        UsageError: There is no such key, it is of another kind, or it may not be used.
    """
    uri = f"{scheme}:{reference}"
    extra, find = _SERVICES[scheme]
    lacks = MissingExtraError(
        f"a key of {scheme}: needs a library that is not installed",
        hint=f"pip install 'aims-gate[kms]', or only 'securesystemslib[{extra}]'",
    )

    pin = environ.get(PIN_VARIABLE, "")  # it is asked for again after the variable is gone

    def ask(_name: str) -> str:
        if pin:
            return pin
        hint = f"put it into {PIN_VARIABLE}"
        raise UsageError("the device asks for its PIN", where=uri, hint=hint)

    try:
        from securesystemslib import signer as library
        from securesystemslib.exceptions import UnsupportedLibraryError
    except ImportError:
        raise lacks from None
    try:
        found, public = find(library, reference, ask)
        key = _public(public)
        service = library.Signer.from_priv_key_uri(found, public, ask)
    except UnsupportedLibraryError:
        raise lacks from None
    except GateError as error:
        error.where = uri
        raise
    except Exception as error:  # each service raises what it likes
        hint = "are the name of the key, the credentials and the address of the service right?"
        raise UsageError(f"the key is not reached: {_told(error)}", where=uri, hint=hint) from error
    signer = RemoteSigner(key=key, uri=uri, service=service)
    _probe(signer)
    return signer


def _probe(signer: RemoteSigner) -> None:
    """Sign a test message, and verify it with the public key."""
    try:
        good = signer.key.verifies(signer.sign(_PROBE), _PROBE)
    except RecordError as error:
        hint = "are the PIN, and the permission to sign, right?"
        raise UsageError(error.what, where=signer.uri, hint=hint) from error
    if not good:
        hint = "its public half and what signs are not a pair, or it hashes in its own way"
        raise UsageError("the key signed, and it does not verify", where=signer.uri, hint=hint)


def _public(found: Any) -> PublicKey:
    """Take the public half out of the library's own form: PEM, or hexadecimal for Ed25519."""
    text = found.keyval["public"]
    if found.keytype == "ed25519":
        raw = Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        text = raw.public_bytes(serialization.Encoding.PEM, form).decode()
    return load_public(text.encode(), where="")


def _told(error: Exception) -> str:
    """Error of a service in a line: its kind, and its words without secrets."""
    words = " ".join(redact(str(error)).split())[:200]
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


aws, google, azure, vault, device = (partial(_open, scheme) for scheme in _SERVICES)
