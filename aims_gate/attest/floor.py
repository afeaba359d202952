"""A floor: the policy that an applied one must be or descend from, as people write it."""

from __future__ import annotations

import re

from aims_gate.errors import UsageError
from aims_gate.facts import Ancestor

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SCHEMES = ("pack:", "file:", "git+https:")


def parse(text: str) -> Ancestor:
    """Read `PACK@SHA256`, or the URI of a parent in the pack's place; UsageError if it is none."""
    name, _, digest = text.rpartition("@")
    digest = digest.removeprefix("sha256:")
    if not name or not _SHA256.fullmatch(digest):
        hint = "PACK@SHA256, such as release@1.1.0@5b1f…: the SHA-256 of the pack's file"
        raise UsageError(f"{text!r} is no floor", hint=hint)
    return Ancestor(uri=name if name.startswith(_SCHEMES) else f"pack:{name}", digest=digest)
