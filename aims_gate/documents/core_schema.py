"""YAML 1.2 core schema (section 10.3.2) of plain scalars: no, on and dates are text."""

from __future__ import annotations

import re

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {w: b for b in (True, False) for w in (str(b), str(b).lower(), str(b).upper())}
_WHOLE = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"([-+]?\.(inf|Inf|INF))|\.(nan|NaN|NAN)")


def resolve(text: str) -> str | int | float | bool | None:
    """Read a plain scalar by the YAML 1.2 core schema (YAML 1.2.2, section 10.3.2)."""
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    for pattern, base in ((_WHOLE, 10), (_OCTAL, 8), (_HEXADECIMAL, 16)):
        if pattern.fullmatch(text):
            return _whole(text, base)
    if _REAL.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def _whole(text: str, base: int) -> int:
    # int() of thousands of digits is slow, then refused; 2**64 is already too much
    digits = text.lstrip("+-").lower().removeprefix("0o").removeprefix("0x").lstrip("0")
    return 2**64 if len(digits) > 30 else int(text, base)
