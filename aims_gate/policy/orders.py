"""What a change of a policy's key does: tighten, loosen or neither, by an order of its own.

`check`, `diff` and the floor of `verify` all ask `change`. A key without an order may not change at
all. A key that is not stated has the meaning of its default, so that leaving a key out of a pack
never gives it away; where the default is not known here, it counts as the strictest it may be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any

from aims_gate import canonical
from aims_gate.policy.model import STAGES, DecideOn, Role, Severity
from aims_gate.policy.places import parse_allowed, permitted


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
    """What became of a rule or of one of its keys."""

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
    """Say what became of a key whose order is *holds*; None if it means the same."""
    if _equal(before, after):
        return None
    if holds is _free:
        return Change.REWORDED
    tightens, loosens = holds(before, after), holds(after, before)
    if tightens and loosens:
        return None
    if tightens:
        return Change.TIGHTENED
    return Change.LOOSENED if loosens else Change.CHANGED


def _rising(absent: str = "") -> Holds:
    """Higher is tighter; *absent* says what UNSET is: `loosest`, `tightest`, or not comparable."""
    return _directed(lambda parent, child: bool(child >= parent), absent)


def _falling(absent: str = "") -> Holds:
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


def _ranked(words: Sequence[str], *, most: str = "") -> Holds:
    """Later in *words* is tighter; UNSET may be any of them, or none past *most*."""

    def holds(parent: Any, child: Any) -> bool:
        least = (most or words[-1]) if parent is UNSET else parent
        return words.index(words[0] if child is UNSET else child) >= words.index(least)

    return holds


def _added(parent: Any, child: Any) -> bool:
    """A child may state what the parent left to it, and not change what it did not."""
    return parent is UNSET or _equal(parent, child)


def _same_strictest(parent: Any, child: Any) -> bool:
    """As `_added`, and what is strictest by default is not overtaken: it decides what blocks."""
    return _added(parent, child) and (parent is not UNSET or STAGES[-1] not in child[:-1])


def _none_or_same(parent: Any, child: Any) -> bool:
    """None is the tightest, and one is neither tighter nor looser than another."""
    return child is UNSET or _equal(parent, child)


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


def _equal(first: Any, second: Any) -> bool:
    """Compare trees exactly: to Python, 1 == 1.0 == True."""
    if isinstance(first, _Unset | datetime) or isinstance(second, _Unset | datetime):
        return bool(first == second)
    return canonical.encode(first) == canonical.encode(second)


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """The orders of the keys of a rule, or of a policy's head, and their defaults."""

    keys: Mapping[str, Holds]
    defaults: Mapping[str, Any]
    """What a key that is not stated means, as far as that is known without its check."""

    def holds(self, key: str) -> Holds:
        """Give the order of *key*; without one, only equal values hold."""
        if key in self.keys:
            return self.keys[key]
        return _added if key.startswith("data.") else _equal

    def value(self, values: Mapping[str, Any], key: str) -> Any:
        """Give what *values* say about *key*: what is stated, its default, or that it is open."""
        if key in values:
            return values[key]
        if key == "decide_on" and values.get("check") in PROVEN_BY_DEFAULT:
            return DecideOn.PROVEN_PASS.value
        if key.startswith("data."):
            return _of_role(values, key)
        return self.defaults.get(key, UNSET)


PROVEN_BY_DEFAULT = frozenset({"performance.champion"})
"""Checks that ask for a proof unless the rule says otherwise; no other is stricter than `estimate`.

A test holds this against the checks, which stand on a higher floor.
"""
_REACTIONS = ("warn", LAST := "block at the last stage", "block")
_SEVERITIES = [word.value for word in Severity]
_ENGINES = ("native", "reference", "both")

RULE = Orders(
    keys={
        "require.at_least": _rising(),
        "require.at_most": _falling(),
        "require.between": _inside,
        "require.warn_below": _rising(),
        "require.warn_above": _falling(),
        "severity": _ranked(_SEVERITIES),
        "decide_on": _ranked([word.value for word in DecideOn], most="estimate"),
        "on_insufficient": _ranked(_REACTIONS),
        "engine": _ranked(_ENGINES),
        "effective_from": _falling("tightest"),
        "baseline.value": _none_or_same,
        "baseline.owner": _none_or_same,
        "baseline.expires": _falling("tightest"),
        "max_age_days": _falling("loosest"),
        "grace_days": _falling(),
        "applies_to.models": _wider("*"),
        "applies_to.stages": _wider(""),
        "controls": _superset,
        "overridable": _subset,
        "title": _free,
        "why": _free,
        "approved_by": _free,
    },
    defaults={"severity": "block", "grace_days": 0.0},
)
"""Orders of a rule's keys; all others (`check`, `with`, `on`, `serious` …) may not change.

A baseline lets through what the rule refuses, so a child may not bring one, only end its parent's
earlier.
"""

OWN = frozenset({"apiVersion", "kind", "metadata.id", "metadata.version", "metadata.owner"})
"""Keys that every file states for itself and no child inherits."""

_FLOORS: Mapping[str, Holds] = {
    "min_rows": _rising("loosest"),
    "max_age_days": _falling("loosest"),
    "sha256": _added,
}
"""Keys of a role that ask something of any data, and say nothing of what they are."""
ALIAS = f"data.{Role.CHAMPION}.alias"
"""Stands in a head where a rule names its champion by an alias: that is the source of its data."""
_DESCRIBING = ("source", "label", "prediction", "sensitive", "alias")
"""Keys that say which data are judged: who states one means the role as it then is."""
_ANSWERS = ("prediction", "predictions", "environment", "score", "threshold")
"""Keys that say together what the model answered, so that one of them settles the others."""
_OF_ROLE: Mapping[str, Any] = {"max_null_labels": 0.0, "environment": "gate"}

HEAD = Orders(
    keys={
        **dict.fromkeys(OWN, _free),
        "metadata.expires": _falling("loosest"),
        "sources.allow": _narrower,
        "stages": _same_strictest,
        "applies_to.models": _added,
        "applies_to.stages": _added,
        "declare": _superset,
        "engine": _ranked(_ENGINES),
        "on_insufficient": _ranked(_REACTIONS),
        "overridable": _subset,
        **{f"data.{role}.{key}": holds for role in Role for key, holds in _FLOORS.items()},
        **{f"data.{role}.max_null_labels": _falling("loosest") for role in Role},
    },
    defaults={"alpha": 0.05, "alpha_scope": "rule", "engine": "native", "on_insufficient": LAST},
)
"""Orders of a policy's keys; those of `data` may otherwise be added and not changed."""


def _of_role(values: Mapping[str, Any], key: str) -> Any:
    """Give a key of a role that is not stated: open, unless the policy says what the role is."""
    role, _, name = key.rpartition(".")
    stated = {other.rpartition(".")[2] for other in values if other.startswith(f"{role}.")}
    settling = {*_DESCRIBING, *(_ANSWERS if name in _ANSWERS else ())}
    if name == "max_null_labels":  # rows that are dropped would count as if they were labelled
        settling = stated
    if name in _FLOORS or not stated & settling:
        return UNSET
    return _OF_ROLE.get(name, NOTHING)
