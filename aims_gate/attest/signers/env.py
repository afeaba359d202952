"""Signing with a private key that an environment variable holds."""

from __future__ import annotations

from collections.abc import Mapping

from aims_gate.attest.keys import PASSWORD_VARIABLE, load_private
from aims_gate.attest.signers.file import LocalSigner
from aims_gate.errors import UsageError


def open_signer(reference: str, *, environ: Mapping[str, str]) -> LocalSigner:
    """Read the key in the variable *reference*, as PEM or PEM in base64.

    Raises:
        UsageError: The variable is unset or empty, or holds no usable key.
    """
    text = environ.get(reference, "")
    if not text.strip():
        raise UsageError("the variable holds no signing key", where=f"env:{reference}")
    password = environ.get(PASSWORD_VARIABLE, "")
    private = load_private(
        text.encode("utf-8", "replace"), password=password, where=f"env:{reference}"
    )
    return LocalSigner.of(private)
