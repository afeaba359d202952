"""Canonical JSON and SHA-256 digests.

Keys are sorted; there is no white space, NaN or infinity; the encoding is UTF-8. So equal values
have equal bytes (`parse(encode(v)) == v`). Parsing refuses duplicate keys, because `json.loads`
silently keeps the last one: `{"result": "FAILED", "result": "PASSED"}` would read as PASSED.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

_CHUNK = 1 << 20


def encode(value: Any) -> bytes:
    """Encode *value* as canonical JSON; ValueError for NaN, infinity and unknown types."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False
    ).encode()


def parse(data: bytes) -> Any:
    """Parse JSON strictly; ValueError for duplicate keys, NaN, infinity and non-JSON."""
    try:
        return json.loads(data, object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None


def sha256(data: bytes) -> str:
    """SHA-256 of *data* as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_stream(read: Callable[[int], bytes]) -> str:
    """SHA-256 of a stream, read with *read* one megabyte at a time."""
    digest = hashlib.sha256()
    while chunk := read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return sha256_stream(file.read)


def decimal(value: float | None) -> str | None:
    """Write a measured number as a decimal string of 12 significant digits; None if not finite.

    Statements carry numbers as strings, so that no JSON reader can round them.
    """
    if value is None or not math.isfinite(value):
        return None
    return f"{value:.12g}"


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"duplicate key {key!r}")
        found[key] = value
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
