"""Webhook signatures: HMAC-SHA256 of id, time and body, as MLflow and Standard Webhooks make them.

`v1,` and the base64 of HMAC(secret, `ID.TIMESTAMP.BODY`), over the body's bytes as they came.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from aims_gate.errors import UsageError
from aims_gate.regular import read_regular

VARIABLE = "AIMS_GATE_WEBHOOK_SECRET"
"""Holds the secret; with `_FILE` at its end, names the file that does."""
PREVIOUS = f"{VARIABLE}_PREVIOUS"
"""Holds a second secret that counts as well, while senders change to the first."""
TOLERANCE = 300
"""Seconds that a timestamp may be off: what is older may be a replay."""
_SHORTEST = 16
_LONGEST = 4096
_SECONDS = re.compile(r"[0-9]{1,12}")


def sign(secret: bytes, identity: str, timestamp: str, body: bytes) -> str:
    """Signature of a delivery."""
    signed = b".".join((identity.encode(), timestamp.encode(), body))
    code = hmac.digest(secret, signed, hashlib.sha256)
    return f"v1,{base64.b64encode(code).decode()}"


def is_signed(
    signature: str, secrets: Sequence[bytes], identity: str, timestamp: str, body: bytes
) -> bool:
    """Whether one of *secrets* made a signature; takes as long whichever it is, and if none is."""
    made = [sign(secret, identity, timestamp, body).encode() for secret in secrets]
    return sum(hmac.compare_digest(each, signature.encode()) for each in made) > 0


def is_fresh(timestamp: str, now: float) -> bool:
    """Whether a timestamp, in whole seconds since 1970, is at most `TOLERANCE` from now."""
    return bool(_SECONDS.fullmatch(timestamp)) and abs(now - int(timestamp)) <= TOLERANCE


def read_secrets(environ: Mapping[str, str]) -> tuple[bytes, ...]:
    """The secret, and the previous one if there is one.

    Raises:
        UsageError: There is none, or one is too short, or cannot be read.
    """
    first = _secret(environ, VARIABLE)
    if first is None:
        hint = f"set {VARIABLE}, or {VARIABLE}_FILE to a file with it"
        raise UsageError("there is no secret to check deliveries by", hint=hint)
    second = _secret(environ, PREVIOUS)
    return (first,) if second is None else (first, second)


def _secret(environ: Mapping[str, str], name: str) -> bytes | None:
    file, text = environ.get(f"{name}_FILE", ""), environ.get(name, "")
    if file and text:
        raise UsageError(f"{name} and {name}_FILE are both set", hint="set one of them")
    if not file and not text:
        return None
    secret = text.encode()
    if file:
        try:
            secret = read_regular(Path(file), _LONGEST).rstrip(b"\r\n")
        except (OSError, ValueError) as error:
            what = getattr(error, "strerror", None) or str(error)
            raise UsageError(f"cannot read the secret: {what}", where=f"{name}_FILE") from error
    if not _SHORTEST <= len(secret) <= _LONGEST:
        hint = "make one: openssl rand -base64 32"
        raise UsageError(
            f"the secret has not {_SHORTEST} to {_LONGEST} bytes", where=name, hint=hint
        )
    return secret
