"""Tightness order of each policy key, from the grammar, and the meaning of absent keys.

A key without an order may not change at all. A key that is not stated has the meaning of its
default, so that leaving a key out of a pack never gives it away; where the default is not known
here, it counts as the strictest it may be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from aims_gate.policy.grammar import DESCRIBING, FLOORS, PROVEN_BY_DEFAULT, PolicyText, RuleText
from aims_gate.policy.model import DecideOn, Role
from aims_gate.policy.tightness import NOTHING, UNSET, Holds, Order, added, equal

OWN = frozenset(
    {
        *("apiVersion", "kind", "metadata.id", "metadata.version", "metadata.owner"),
        *("metadata.legal_status", "metadata.as_of", "metadata.source", "adopted"),
    }
)
"""Keys that every file states for itself and no child inherits."""
ALIAS = f"data.{Role.CHAMPION}.alias"
"""Stands in a head where a rule names its champion by an alias: that is the source of its data."""
_ANSWERS = ("prediction", "predictions", "environment", "score", "threshold")
"""Keys that say together what the model answered, so that one of them settles the others."""


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders of the keys of a rule, or of a policy's head."""

    keys: Mapping[str, Order]

    def holds(self, key: str) -> Holds:
        """Order of *key*; a key without one may only keep an equal value."""
        if key in self.keys:
            return self.keys[key].holds
        return added if key.startswith("data.") else equal

    def value(self, values: Mapping[str, Any], key: str) -> Any:
        """Effective value of *key*: as stated, else its default, else `UNSET` (open)."""
        if key in values:
            return values[key]
        if key == "decide_on" and values.get("check") in PROVEN_BY_DEFAULT:
            return DecideOn.PROVEN_PASS
        if key.startswith("data."):
            return self._of_role(values, key)
        return self.keys[key].default if key in self.keys else UNSET

    def _of_role(self, values: Mapping[str, Any], key: str) -> Any:
        """Effective value of an absent key of a role: open unless the policy describes the role."""
        role, _, name = key.rpartition(".")
        stated = {other.rpartition(".")[2] for other in values if other.startswith(f"{role}.")}
        settling = {*DESCRIBING, "alias", *(_ANSWERS if name in _ANSWERS else ())}
        if name == "max_null_labels":  # rows that are dropped would count as if they were labelled
            settling = stated
        if name in FLOORS or not stated & settling:
            return UNSET
        default = self.keys[key].default if key in self.keys else UNSET
        return NOTHING if default is UNSET else default


def _orders(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, Order]]:
    """Order of each key of *model*, nested mappings included, by dotted name."""
    for name, info in model.model_fields.items():
        key = above + (info.alias or name)
        yield from ((key, order) for order in info.metadata if isinstance(order, Order))
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from _orders(info.annotation, f"{key}.")


RULE = Orders(dict(_orders(RuleText)))
HEAD = Orders(dict(_orders(PolicyText)))
