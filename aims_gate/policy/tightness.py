"""Partial orders of a key's values, by which a change of it tightens, loosens or does neither.

`grammar` gives each key its order; `check`, `diff` and the floor of `verify` all ask `change`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any

from aims_gate import canonical
from aims_gate.documents.store_uris import parse_allowed, permitted
from aims_gate.policy.model import STAGES


class _Unset(Enum):
    UNSET = "unset"
    NOTHING = "nothing"


UNSET = _Unset.UNSET
"""Stands for a key that is not stated and left to others."""
NOTHING = _Unset.NOTHING
"""Stands for a key that is not stated where that says something: there is none."""

Holds = Callable[[Any, Any], bool]
"""Whether the second value is at least as tight as the first; either may be UNSET."""


class Change(StrEnum):
    """How a rule or one of its keys changed."""

    TIGHTENED = "tightened"
    LOOSENED = "loosened"
    CHANGED = "changed"
    """Neither is tighter, or nothing says which."""
    ADDED = "added"
    """A rule that was not there."""
    REMOVED = "removed"
    """A rule that is gone, which loosens."""
    REWORDED = "reworded"
    """Words for people, which decide nothing."""


LOOSENING = frozenset({Change.LOOSENED, Change.CHANGED, Change.REMOVED})
"""What a child may not do, and what `diff --fail-on-loosen` refuses."""


def change(holds: Holds, before: Any, after: Any) -> Change | None:
    """How a key whose order is *holds* changed; None if it means the same."""
    if equal(before, after):
        return None
    if holds is free:
        return Change.REWORDED
    tightens, loosens = holds(before, after), holds(after, before)
    if tightens and loosens:
        return None
    if tightens:
        return Change.TIGHTENED
    return Change.LOOSENED if loosens else Change.CHANGED


def rising(absent: str = "") -> Holds:
    """Higher is tighter; *absent* says what UNSET is: `loosest`, `tightest`, or not comparable."""
    return _directed(lambda parent, child: bool(child >= parent), absent)


def falling(absent: str = "") -> Holds:
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


def ranked(words: Sequence[str], *, most: str = "") -> Holds:
    """Later in *words* is tighter; UNSET may be any of them, or none past *most*."""

    def holds(parent: Any, child: Any) -> bool:
        least = (most or words[-1]) if parent is UNSET else parent
        return words.index(words[0] if child is UNSET else child) >= words.index(least)

    return holds


def added(parent: Any, child: Any) -> bool:
    """A child may state what the parent left to it, and not change what it did not."""
    return parent is UNSET or equal(parent, child)


def same_strictest(parent: Any, child: Any) -> bool:
    """As `added`, and what is strictest by default is not overtaken: it decides what blocks."""
    return added(parent, child) and (parent is not UNSET or STAGES[-1] not in child[:-1])


def none_or_same(parent: Any, child: Any) -> bool:
    """None is the tightest, and one is neither tighter nor looser than another."""
    return child is UNSET or equal(parent, child)


def inside(parent: Any, child: Any) -> bool:
    """A range in the parent's is tighter; without one nothing compares."""
    if parent is UNSET or child is UNSET:
        return False
    return bool(parent[0] <= child[0] and child[1] <= parent[1])


def wider(everything: str) -> Holds:
    """A scope that covers at least the parent's; UNSET, and *everything*, is all there is."""

    def holds(parent: Any, child: Any) -> bool:
        if child is UNSET or (everything and everything in child):
            return True
        return parent is not UNSET and set(parent) <= set(child)

    return holds


def superset(parent: Any, child: Any) -> bool:
    """More is tighter."""
    return parent is UNSET or (child is not UNSET and set(parent) <= set(child))


def subset(parent: Any, child: Any) -> bool:
    """Less is tighter, and nothing the tightest."""
    return child is UNSET or (parent is not UNSET and set(child) <= set(parent))


def among(parent: Any, child: Any) -> bool:
    """Fewer of those named is tighter, and all that there are, which UNSET is, the loosest."""
    return parent is UNSET or (child is not UNSET and set(child) <= set(parent))


def kept(tightest: str) -> Holds:
    """One word is tighter than every other; what the parent leaves out the child may choose."""
    return lambda parent, child: parent is UNSET or child == tightest or equal(parent, child)


def narrower(parent: Any, child: Any) -> bool:
    """An allow list inside the parent's is tighter; the first who states one may state any."""
    if parent is UNSET:
        return True
    return child is not UNSET and all(permitted(parse_allowed(uri), parent) for uri in child)


def free(_parent: Any, _child: Any) -> bool:
    """Words for people, which decide nothing."""
    return True


def equal(first: Any, second: Any) -> bool:
    """Compare trees exactly: to Python, 1 == 1.0 == True."""
    if isinstance(first, _Unset | datetime) or isinstance(second, _Unset | datetime):
        return bool(first == second)
    return canonical.encode(first) == canonical.encode(second)


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a key's values, and what the key means where it is not stated."""

    holds: Holds
    default: Any = UNSET
