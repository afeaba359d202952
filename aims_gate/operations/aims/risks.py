"""Proposed risks: scenarios of a library, bound to the rules of the policy that treat them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from aims_gate.documents.strict_yaml import parse
from aims_gate.policy.model import Policy

_LIBRARY = Path(__file__).with_name("risk_library.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedRisk:
    """A scenario that a person scores: nobody has assessed it."""

    id: str
    category: str
    title: str
    stakeholders: tuple[str, ...]
    regulations: tuple[str, ...]
    rules: tuple[str, ...]
    """Rules of the policy that may treat it; none where the policy has none of such checks."""


def proposed_risks(policy: Policy | None) -> Iterator[ProposedRisk]:
    """One scenario a category: the first of the library that a rule of the policy treats."""
    tree: Any = parse(_LIBRARY.read_bytes(), _LIBRARY.name).tree
    by_category: dict[str, tuple[Any, tuple[str, ...]]] = {}
    for scenario in tree:
        rules = tuple(_treating(scenario["checks"], policy))
        held = by_category.get(scenario["category"])
        if held is None or (rules and not held[1]):
            by_category[scenario["category"]] = (scenario, rules)
    for number, (category, (scenario, rules)) in enumerate(by_category.items(), start=1):
        yield ProposedRisk(
            id=f"R-{number}",
            category=category,
            title=scenario["title"],
            stakeholders=tuple(scenario["stakeholders"]),
            regulations=tuple(scenario["regulations"]),
            rules=rules,
        )


def _treating(patterns: list[str], policy: Policy | None) -> Iterator[str]:
    for rule in policy.rules if policy is not None else ():
        if any(fnmatchcase(rule.check, pattern) for pattern in patterns):
            yield rule.id
