"""The values of groups and slices in words."""

from __future__ import annotations

from aims_gate.frames import MISSING, Scalar


def text(value: Scalar | None) -> str:
    """Write a value that rows are grouped by: 1.0 is `1`, True `true`, null `(missing)`."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
