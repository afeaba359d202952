"""Redaction of secrets in text: user information in URIs, tokens in queries, known token formats.

Statements are written from an allow-list of fields, yet reasons and URIs are free text that may
carry what a stranger put into a tracking URI or an exception. Patterns are bounded, so that no
text makes them slow.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_GONE = "[redacted]"
_RULES = (
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,30}://)[^/?#\s\"'<>]*@"), r"\1"),
    (re.compile(r"(?i)(%3A%2F%2F)(?:(?!%2F|&)\S)*%40"), r"\1"),
    (
        re.compile(
            r"(?i)([?&;](?:[a-z0-9_.-]{0,60}(?:token|secret|signature|password|passwd|credential)"
            r"|sig|api[_-]?key|access[_-]?key)=)[^&#;\s\"'<>]+"
        ),
        rf"\1{_GONE}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{16,}"), rf"\1 {_GONE}"),
    (re.compile(r"\b(?:gh[pousr]_|github_pat_|glpat-|dapi|hf_)[A-Za-z0-9_-]{20,}"), _GONE),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), _GONE),
    (
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*KEY-----|\Z)", re.DOTALL
        ),
        _GONE,
    ),
)


@lru_cache(maxsize=4096)  # names, methods and reasons come again and again
def redact(text: str) -> str:
    """Take user information, tokens and private keys out of *text*."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def redact_all(value: Any) -> Any:
    """Take secrets out of every text in a tree of dict, list and scalars; keys stay as they are."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: redact_all(item) for key, item in value.items()}
    if isinstance(value, list):
        return [redact_all(item) for item in value]
    return value
