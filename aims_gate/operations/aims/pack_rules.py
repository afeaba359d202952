"""Rules of shipped packs by requirement: what would measure a row of which nothing is measured."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from aims_gate.catalogue.iso42001 import Requirement, requirement
from aims_gate.policy.adoption import PACK
from aims_gate.policy.packs import names
from aims_gate.policy.resolve import load

BASELINE = "iso42001-baseline"
"""The pack with a rule for every requirement that only measuring answers."""


def closing(row: Requirement) -> str:
    """Name the first rule of the newest baseline that supports a requirement; empty for none."""
    pack, rules = _baseline()
    rule = rules.get(row.id)
    return f"{rule} of {pack} would measure it" if rule else ""


@cache
def _baseline() -> tuple[str, Mapping[str, str]]:
    pack = [one for one in names() if one.startswith(f"{BASELINE}@")][-1]
    first: dict[str, str] = {}
    for rule in load(f"{PACK}{pack}", environ={}).rules:
        for control in rule.controls:
            row = requirement(control)
            if row is not None:
                first.setdefault(row.id, rule.id)
    return pack, first
