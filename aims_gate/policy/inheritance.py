"""Tighten-only inheritance: merge a child policy into its parents, and find what it loosens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from aims_gate.errors import Problem
from aims_gate.policy.key_tightness import ALIAS, OWN, RULE, Orders
from aims_gate.policy.model import Place, Severity
from aims_gate.policy.read import Layer, Stated
from aims_gate.policy.tightness import LOOSENING, NOTHING, UNSET, change


def merge(
    name: str, parents: Sequence[Stated], child: Stated, orders: Orders
) -> tuple[Stated, tuple[Problem, ...]]:
    """Merge *child* into *parents*, key by key.

    A key that the child does not state is inherited, from the tightest parent where they differ.

    Args:
        name: What is merged, for messages: a rule's id, or empty for the policy's head.
        parents: What the parents state, at least one.
        child: What the child states; without values if it says nothing.
        orders: Of a rule's keys or of the head's.

    Returns:
        The merged values, and a problem for each key that loosens a parent or that the parents
        disagree about. A loosened key keeps the child's value, so a caller must refuse.
    """
    values: dict[str, Any] = {}
    places: dict[str, Place] = {}
    problems: list[Problem] = []
    keys = {key for stated in (child, *parents) for key in stated.values}
    for key in sorted(keys, key=lambda key: (key in child.values, key)):  # the child's places win
        source = child if key in child.values else _tightest(parents, key, orders)
        if source is None:
            problems.append(_disagreement(name, key, parents, child))
        elif key in source.values:
            values[key] = source.values[key]
            _adopt(places, source, key)
        if source is child:
            problems += _loosened(name, key, parents, child, orders)
    base = child if child.values else parents[0]
    merged = Stated(values=values, place=base.place, places=places, origin=child.origin)
    return merged, tuple(problems)


def allowed(stated: Stated, key: str) -> bool:
    """Tell whether *stated* lists *key*, or a key above it, as `overridable`."""
    listed = stated.values.get("overridable", ())
    return any(key == entry or key.startswith(f"{entry}.") for entry in listed)


def _tightest(parents: Sequence[Stated], key: str, orders: Orders) -> Stated | None:
    """Find the parent whose value of *key* is as tight as every other's."""
    values = [orders.value(parent.values, key) for parent in parents]
    for parent, value in zip(parents, values, strict=True):
        if all(change(orders.holds(key), other, value) not in LOOSENING for other in values):
            return parent
    return None


def _loosened(
    name: str, key: str, parents: Sequence[Stated], child: Stated, orders: Orders
) -> Iterator[Problem]:
    value = child.values[key]
    for parent in parents:
        before = orders.value(parent.values, key)
        if change(orders.holds(key), before, value) not in LOOSENING:
            continue
        if key != "overridable" and allowed(parent, key):
            continue
        at = child.at(key)
        where = f"{name}: {key}" if name else key
        has = f"has {written(before)}" if key in parent.values else _has(before)
        what = f"{where} {written(value)} loosens or changes {parent.at(key)}, which {has}"
        yield Problem(file=at.file, line=at.line, what=what, hint=_remedy(name, key))


def _disagreement(name: str, key: str, parents: Sequence[Stated], child: Stated) -> Problem:
    where = f"{name}: {key}" if name else key
    origins = " and ".join(parent.origin for parent in parents)
    what = f"{where}: {origins} differ, and neither is the tighter one"
    return Problem(file=child.place.file, line=child.place.line, what=what, hint=f"state {key}")


def _remedy(name: str, key: str) -> str:
    if key != "overridable" and (name or key.startswith("data.")):
        return f"a child may only tighten, unless its parent lists {key!r} under overridable"
    return "a child may only tighten what its parents state"


def _has(default: Any) -> str:
    if default in {UNSET, NOTHING}:
        return "leaves it out"
    return f"has {written(default)} by default"


def written(value: Any) -> str:
    """Write a value as a policy does."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(written, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _adopt(places: dict[str, Place], source: Stated, key: str) -> None:
    """Copy the line numbers of *key*, of everything below it, and of the mappings around it."""
    below = f"{key}."
    places |= {k: p for k, p in source.places.items() if k == key or k.startswith(below)}
    above = key.rpartition(".")[0]
    while above:
        if above in source.places:
            places[above] = source.places[above]
        above = above.rpartition(".")[0]


def inherited_head(parent: Layer) -> Stated:
    """Head of a parent as a child inherits it: without what a parent says of itself alone.

    A champion that one of its rules names is marked.
    """
    own = OWN | {"alpha_families"}
    values = {k: v for k, v in parent.head.values.items() if k not in own}
    if any("with.alias" in rule.values for rule in parent.rules.values()):
        values[ALIAS] = True
    return replace(parent.head, values=values)


def alpha_families(parents: Sequence[Layer]) -> list[list[str]]:
    """Alpha families: the blocking rules of each parent, whose alpha no child divides further."""
    found: dict[tuple[str, ...], None] = {}
    for parent in parents:
        found |= {tuple(ids): None for ids in parent.head.values.get("alpha_families", ())}
        blocking = [
            name
            for name, stated in parent.rules.items()
            if RULE.value(stated.values, "severity") == Severity.BLOCK
        ]
        found[tuple(blocking)] = None
    return [list(ids) for ids in found if ids]
