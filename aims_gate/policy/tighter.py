"""Tighten-only inheritance: which stated values may stand over a parent's, and which loosen it.

Each key has an order of its own, and a key without one may not change at all. A key that is not
stated has the meaning of its default, so that leaving a key out of a pack never gives it away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

from aims_gate import canonical
from aims_gate.errors import Problem
from aims_gate.policy.model import STAGES, DecideOn, OnInsufficient, Place, Role, Severity
from aims_gate.policy.places import parse_allowed, permitted
from aims_gate.policy.read import Stated


class _Unset(Enum):
    UNSET = "unset"


UNSET = _Unset.UNSET
"""Stands for a key that is not stated."""

Holds = Callable[[Any, Any], bool]
"""Whether a child's value is at least as tight as the parent's; either may be UNSET."""


def _rising(*, absent: str = "") -> Holds:
    """Higher is tighter; *absent* says what UNSET is: `loosest`, `tightest`, or not comparable."""
    return _directed(lambda parent, child: bool(child >= parent), absent)


def _falling(*, absent: str = "") -> Holds:
    """Lower or earlier is tighter."""
    return _directed(lambda parent, child: bool(child <= parent), absent)


def _directed(compare: Holds, absent: str) -> Holds:
    def holds(parent: Any, child: Any) -> bool:
        if parent is UNSET:
            return absent == "loosest"
        if child is UNSET:
            return absent == "tightest"
        return compare(parent, child)

    return holds


def _ranked(words: Sequence[str], default: str) -> Holds:
    """Later in *words* is tighter; UNSET means *default*."""

    def rank(word: Any) -> int:
        return words.index(default if word is UNSET else word)

    return lambda parent, child: rank(child) >= rank(parent)


def _same(default: Any = UNSET) -> Holds:
    """Only equal values hold; UNSET means *default*."""

    def holds(parent: Any, child: Any) -> bool:
        return _equal(default if parent is UNSET else parent, default if child is UNSET else child)

    return holds


def _added(parent: Any, child: Any) -> bool:
    """A child may state what the parent left to it, and not change what it did not."""
    return parent is UNSET or (child is not UNSET and _equal(parent, child))


def _same_strictest(parent: Any, child: Any) -> bool:
    """As `_added`, and what is strictest by default is not overtaken: it decides what blocks."""
    return _added(parent, child) and (parent is not UNSET or STAGES[-1] not in child[:-1])


def _inside(parent: Any, child: Any) -> bool:
    if parent is UNSET or child is UNSET:
        return False
    return bool(parent[0] <= child[0] and child[1] <= parent[1])


def _wider(everything: str) -> Holds:
    """A scope that covers at least the parent's; UNSET, and *everything*, is all there is."""

    def holds(parent: Any, child: Any) -> bool:
        if child is UNSET or (everything and everything in child):
            return True
        return parent is not UNSET and set(parent) <= set(child)

    return holds


def _superset(parent: Any, child: Any) -> bool:
    return parent is UNSET or (child is not UNSET and set(parent) <= set(child))


def _subset(parent: Any, child: Any) -> bool:
    return child is UNSET or (parent is not UNSET and set(child) <= set(parent))


def _narrower(parent: Any, child: Any) -> bool:
    """Hold an allow-list inside the parent's; the first who states one may state any."""
    if parent is UNSET:
        return True
    return child is not UNSET and all(permitted(parse_allowed(uri), parent) for uri in child)


def _free(_parent: Any, _child: Any) -> bool:
    """Words for people, which decide nothing."""
    return True


RULE: Mapping[str, Holds] = {
    "require.at_least": _rising(),
    "require.at_most": _falling(),
    "require.between": _inside,
    "require.warn_below": _rising(),
    "require.warn_above": _falling(),
    "severity": _ranked([word.value for word in Severity], "block"),
    # what a check decides by is not known here; no check is stricter than `estimate` of itself
    "decide_on": _ranked([word.value for word in DecideOn], "estimate"),
    # unset is `block` at the last stage, where it counts
    "on_insufficient": _ranked([word.value for word in OnInsufficient], "block"),
    # what a rule leaves out is the policy's, which is not known here and may be the strictest
    "engine": _ranked(["native", "reference", "both"], "both"),
    "effective_from": _falling(absent="tightest"),
    "baseline.expires": _falling(),
    "max_age_days": _falling(absent="loosest"),
    "grace_days": _same(0.0),
    "applies_to.models": _wider("*"),
    "applies_to.stages": _wider(""),
    "controls": _superset,
    "overridable": _subset,
    "title": _free,
    "why": _free,
    "approved_by": _free,
}
"""Orders of a rule's keys; all others (`check`, `with`, `on`, `serious` …) may not change.

A baseline lets through what the rule refuses, so a child may not bring one, only end its parent's
earlier.
"""

_DATA: Mapping[str, Holds] = {
    "min_rows": _rising(absent="loosest"),
    "max_age_days": _falling(absent="loosest"),
    "max_null_labels": _falling(absent="loosest"),
}

HEAD: Mapping[str, Holds] = {
    "metadata.expires": _falling(absent="loosest"),
    "sources.allow": _narrower,
    "stages": _same_strictest,
    "applies_to.models": _added,
    "applies_to.stages": _added,
    "alpha": _same(0.05),
    "alpha_scope": _same("rule"),
    "engine": _ranked(["native", "reference", "both"], "native"),
    "on_insufficient": _ranked([word.value for word in OnInsufficient], "block"),
    **{f"data.{role}.{key}": holds for role in map(str, Role) for key, holds in _DATA.items()},
}
"""Orders of a policy's keys; those of `data` may otherwise be added and not changed."""

_DEFAULTS = {"severity": "block", "alpha": "0.05", "alpha_scope": "rule", "grace_days": "0"}

OWN = frozenset({"apiVersion", "kind", "metadata.id", "metadata.version", "metadata.owner"})
"""Keys that every file states for itself and no child inherits."""


def rule_order(key: str) -> Holds:
    """Give the order of a rule's *key*."""
    return RULE.get(key, _same())


def head_order(key: str) -> Holds:
    """Give the order of a policy's *key*."""
    if key in OWN:
        return _free
    return HEAD.get(key, _added if key.startswith("data.") else _same())


def merge(
    name: str, parents: Sequence[Stated], child: Stated, order: Callable[[str], Holds]
) -> tuple[Stated, tuple[Problem, ...]]:
    """Lay *child* over *parents*, key by key.

    A key that the child does not state is inherited, from the tightest parent where they differ.

    Args:
        name: What is merged, for messages: a rule's id, or empty for the policy's head.
        parents: What the parents state, at least one.
        child: What the child states; without values if it says nothing.
        order: Gives the order of a key.

    Returns:
        The merged values, and a problem for each key that loosens a parent or that the parents
        disagree about. A loosened key keeps the child's value, so a caller must refuse.
    """
    values: dict[str, Any] = {}
    places: dict[str, Place] = {}
    problems: list[Problem] = []
    keys = {key for stated in (child, *parents) for key in stated.values}
    for key in sorted(keys, key=lambda key: (key in child.values, key)):  # the child's places win
        source = child if key in child.values else _tightest(parents, key, order(key))
        if source is None:
            problems.append(_disagreement(name, key, parents, child))
        elif key in source.values:
            values[key] = source.values[key]
            _adopt(places, source, key)
        if source is child:
            problems += _loosened(name, key, parents, child, order(key))
    base = child if child.values else parents[0]
    merged = Stated(values=values, place=base.place, places=places, origin=child.origin)
    return merged, tuple(problems)


def allowed(stated: Stated, key: str) -> bool:
    """Tell whether *stated* lists *key*, or a key above it, as `overridable`."""
    listed = stated.values.get("overridable", ())
    return any(key == entry or key.startswith(f"{entry}.") for entry in listed)


def _tightest(parents: Sequence[Stated], key: str, holds: Holds) -> Stated | None:
    """Find the parent whose value of *key* is as tight as every other's."""

    def covers(candidate: Stated) -> bool:
        value = candidate.values.get(key, UNSET)
        return all(_holds(holds, other.values.get(key, UNSET), value) for other in parents)

    return next((parent for parent in parents if covers(parent)), None)


def _loosened(
    name: str, key: str, parents: Sequence[Stated], child: Stated, holds: Holds
) -> Iterator[Problem]:
    value = child.values[key]
    for parent in parents:
        before = parent.values.get(key, UNSET)
        if _holds(holds, before, value) or (key != "overridable" and allowed(parent, key)):
            continue
        at = child.at(key)
        where = f"{name}: {key}" if name else key
        has = _has(key, before)
        what = f"{where} {written(value)} loosens or changes {parent.at(key)}, which {has}"
        yield Problem(file=at.file, line=at.line, what=what, hint=_remedy(name, key))


def _disagreement(name: str, key: str, parents: Sequence[Stated], child: Stated) -> Problem:
    where = f"{name}: {key}" if name else key
    origins = " and ".join(parent.origin for parent in parents)
    what = f"{where}: {origins} differ, and neither is the tighter one"
    return Problem(file=child.place.file, line=child.place.line, what=what, hint=f"state {key}")


def _remedy(name: str, key: str) -> str:
    if name and key != "overridable":
        return f"a child may only tighten, unless its parent lists {key!r} under overridable"
    return "a child may only tighten what its parents state"


def _has(key: str, before: Any) -> str:
    if before is not UNSET:
        return f"has {written(before)}"
    return f"has {_DEFAULTS[key]} by default" if key in _DEFAULTS else "leaves it out"


def written(value: Any) -> str:
    """Write a value as a policy does."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(written, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _holds(holds: Holds, parent: Any, child: Any) -> bool:
    return (parent is UNSET and child is UNSET) or holds(parent, child)


def _equal(first: Any, second: Any) -> bool:
    """Compare trees exactly: to Python, 1 == 1.0 == True."""
    if first is UNSET or second is UNSET:
        return first is second
    return canonical.encode(first) == canonical.encode(second)


def _adopt(places: dict[str, Place], source: Stated, key: str) -> None:
    """Take over the places of *key*, of everything below it, and of the mappings it stands in."""
    below = f"{key}."
    places |= {k: p for k, p in source.places.items() if k == key or k.startswith(below)}
    above = key.rpartition(".")[0]
    while above:
        if above in source.places:
            places[above] = source.places[above]
        above = above.rpartition(".")[0]
