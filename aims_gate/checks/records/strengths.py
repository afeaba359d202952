"""Strength of approvals by the words that policies use."""

from __future__ import annotations

from typing import Literal

from aims_gate.governance.contract import Strength

StrengthName = Literal["declared", "reviewed", "signed"]


def strength_of(name: str) -> Strength:
    """The strength called *name*; KeyError where there is none."""
    return Strength[name.upper()]
