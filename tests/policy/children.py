"""Policies that extend the packs of the tests."""

from __future__ import annotations

from pathlib import Path

from aims_gate.policy.model import Policy, Rule
from aims_gate.policy.resolve import resolve

PACKS = Path(__file__).parent / "packs"
HEAD = 'apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: child, version: "1"}\n'


def child(rest: str, *, of: str = "base@1.0.0") -> tuple[Policy | None, list[str]]:
    pins = ", ".join(f"{{pack: {pin}}}" for pin in of.split())
    text = f"{HEAD}extends: [{pins}]\n{rest}"
    policy, found = resolve(text.encode(), uri="p.yaml", packs=PACKS)
    return policy, [str(problem) for problem in found]


def sound(rest: str, *, of: str = "base@1.0.0") -> Policy:
    policy, found = child(rest, of=of)
    assert found == []
    assert policy is not None
    return policy


def parents(policy: Policy) -> tuple[str, ...]:
    return tuple(ancestor.name for ancestor in policy.extends)


def rule(policy: Policy, name: str) -> Rule:
    return next(r for r in policy.rules if r.id == name)
