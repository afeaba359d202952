"""Strength of approvals by the words that policies use."""

from __future__ import annotations

from typing import Literal

from aims_gate.governance.contract import Strength

StrengthName = Literal["declared", "reviewed", "signed"]


def strength_of(name: object) -> Strength:
    """The strength called *name*; the strongest for a word that nobody knows."""
    return Strength.__members__.get(str(name).upper(), Strength.SIGNED)
