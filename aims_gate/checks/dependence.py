"""Rows that depend on each other: what the parameter `design_effect` may be."""

from __future__ import annotations

import math
from collections.abc import Iterator


def design_effect_problems(value: float) -> Iterator[tuple[str, str, str]]:
    """Say why a number is no design effect: rows per independent row, at least 1 and finite."""
    if not 1 <= value < math.inf:
        yield "design_effect", f"{value:g} is not at least 1", "below 1 it would invent rows"
