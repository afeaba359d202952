"""Signing with a private key in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aims_gate.attest.keys import (
    PASSWORD_VARIABLE,
    Private,
    PublicKey,
    load_private,
    public_of,
    signature_of,
)
from aims_gate.errors import UsageError
from aims_gate.regular import is_stream, read_regular

_MAX_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSigner:
    """A private key in this process's memory."""

    key: PublicKey
    private: Private = field(repr=False)

    @classmethod
    def of(cls, private: Private) -> LocalSigner:
        """Take a private key that was read already."""
        return cls(key=public_of(private), private=private)

    def sign(self, payload: bytes) -> bytes:
        """Sign *payload*: DER for P-256, 64 bytes for Ed25519."""
        return signature_of(self.private, payload)


def open_signer(reference: str, *, environ: Mapping[str, str]) -> LocalSigner:
    """Read the key file *reference*, with the password of AIMS_GATE_KEY_PASSWORD if it has one.

    Raises:
        UsageError: The file cannot be read, or holds no usable key.
    """
    try:
        if is_stream(reference):  # a pipe of the shell may hand a key over: --key <(…)
            with Path(reference).open("rb") as file:
                data = file.read(_MAX_BYTES)
        else:
            data = read_regular(Path(reference), _MAX_BYTES)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot read the signing key: {getattr(error, 'strerror', None) or error}",
            where=reference,
            hint="make one with `aims-gate evidence key generate`",
        ) from error
    password = environ.get(PASSWORD_VARIABLE, "")
    return LocalSigner.of(load_private(data, password=password, where=reference))
