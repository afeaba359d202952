"""Ways to sign; one file per kind of key.

Adding a way is one file and one row in `SIGNERS`; `tests/conformance/test_signer.py` holds every
one to this contract.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from aims_gate.attest.keys import PASSWORD_VARIABLE, PublicKey
from aims_gate.errors import UsageError
from aims_gate.plugin_table import Table

KEY_VARIABLE = "AIMS_GATE_SIGNING_KEY"
"""Environment variable that holds a private key itself, as PEM or PEM in base64."""
PIN_VARIABLE = "AIMS_GATE_HSM_PIN"
"""Environment variable with the PIN of a device that holds a key."""
TOKEN_VARIABLE = "SIGSTORE_ID_TOKEN"  # noqa: S105  # the name of the variable
"""Environment variable with the identity token of a CI job, for keyless signing."""
_KEY_ITSELF = re.compile("PRIVATE KEY|^LS0tLS1CRUdJTi")
"""In a reference: a private key as PEM, or as PEM in base64."""
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):(.*)", re.DOTALL)


class Signer(Protocol):
    """Holds, or reaches, one private key."""

    @property
    def key(self) -> PublicKey:
        """The public half."""
        ...

    def sign(self, payload: bytes) -> bytes:
        """Sign *payload* as it is: DER for P-256, 64 bytes for Ed25519.

        RecordError if the key cannot be used.
        """
        ...


@runtime_checkable
class Sealer(Protocol):
    """A signer whose signatures need a bundle of their own to be verified."""

    def seal(self, payload: bytes) -> tuple[bytes, bytes]:
        """Sign a statement: the signature, and the Sigstore bundle that proves it.

        RecordError if that fails.
        """
        ...


class Opener(Protocol):
    """Finds the key that a reference names."""

    def __call__(self, reference: str, *, environ: Mapping[str, str]) -> Signer:
        """Open *reference*; UsageError if there is no usable key."""
        ...


SIGNERS: Table[Opener] = Table(
    "kind of signing key",
    {
        "file": "aims_gate.attest.signers.file:open_signer",
        "env": "aims_gate.attest.signers.env:open_signer",
        "awskms": "aims_gate.attest.signers.kms:aws",
        "gcpkms": "aims_gate.attest.signers.kms:google",
        "azurekms": "aims_gate.attest.signers.kms:azure",
        "hv": "aims_gate.attest.signers.kms:vault",
        "hsm": "aims_gate.attest.signers.kms:device",
        "sigstore": "aims_gate.attest.signers.keyless:open_signer",
    },
)


def names_scheme(reference: str) -> bool:
    """Whether *reference* says which kind of key it is: `hsm:2` does, a path does not."""
    return _SCHEME.fullmatch(reference) is not None


def load_signer(uri: str | None, environ: Mapping[str, str]) -> Signer:
    """Open the key that *uri* names, else the one in AIMS_GATE_SIGNING_KEY.

    Args:
        uri: `gate.key`, `file:gate.key`, `env:VARIABLE`, or a key in a service or a device:
            `awskms:`, `gcpkms:`, `azurekms:`, `hv:`, `hsm:`; `sigstore:` for a keyless signature;
            None asks the environment.
        environ: The process's environment.

    Raises:
        UsageError: There is no key, or it cannot be used.
    """
    if not uri:
        if not environ.get(KEY_VARIABLE, "").strip():
            raise UsageError(
                "there is no key to sign the evidence with",
                hint=f"give --key FILE, or set {KEY_VARIABLE}; only run can be --unsigned; "
                "aims-gate evidence key generate makes a key",
            )
        return SIGNERS["env"](KEY_VARIABLE, environ=environ)
    if _KEY_ITSELF.search(uri):  # an error that names its place would print it
        raise UsageError(
            "the private key itself was given in the place of its name",
            hint="give the file's name; the key is in this machine's list of processes: replace it",
        )
    named = _SCHEME.fullmatch(uri)
    scheme, reference = (named[1], named[2]) if named else ("file", uri)
    return SIGNERS[scheme](reference, environ=environ)


def without_keys(environ: Mapping[str, str], uri: str | None = None) -> dict[str, str]:
    """Environment without private keys and their passwords, for all that is not signing.

    Args:
        environ: The process's environment.
        uri: The key's reference: a variable that it names is left out, too.
    """
    scheme, _, name = (uri or "").partition(":")
    named = {"env": {name}, "hv": {"VAULT_TOKEN"}, "sigstore": {TOKEN_VARIABLE}}.get(scheme, set())
    secret = {KEY_VARIABLE, PASSWORD_VARIABLE, PIN_VARIABLE, *named}
    return {key: value for key, value in environ.items() if key not in secret}
