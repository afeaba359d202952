"""Which value of a key is the tighter one: each key has an order of its own.

A key without one may not change at all. A key that is not stated has the meaning of its default,
so that leaving a key out of a pack never gives it away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

from aims_gate import canonical
from aims_gate.policy.model import STAGES, DecideOn, OnInsufficient, Role, Severity
from aims_gate.policy.places import parse_allowed, permitted


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


def _equal(first: Any, second: Any) -> bool:
    """Compare trees exactly: to Python, 1 == 1.0 == True."""
    if first is UNSET or second is UNSET:
        return first is second
    return canonical.encode(first) == canonical.encode(second)
