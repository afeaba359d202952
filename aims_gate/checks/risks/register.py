"""The risk register, risk by risk, as it was written: what is malformed is no risk that passes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aims_gate.checks.record_cells import chosen, faults, keys_of, missing
from aims_gate.facts import Statistic
from aims_gate.governance.contract import RecordDocument, Records

CATEGORIES = ("privacy", "bias", "failure", "security")
"""Categories that a register covers, or leaves out with a reason."""
_SCALE = range(1, 6)
MOST = 25
"""The highest level of risk: likelihood times severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """One risk of a register."""

    id: str
    """Its id, or its place where it has none."""
    values: Mapping[str, Any]

    def part(self, key: str) -> Mapping[str, Any]:
        """A mapping below the risk; an empty one where something else stands there."""
        return keys_of(self.values.get(key))

    def level(self, key: str) -> int | None:
        """Level of risk: likelihood times severity, 1 to 25; None unless both are 1 to 5."""
        likelihood, severity = (self.part(key).get(of) for of in ("likelihood", "severity"))
        if type(likelihood) is not int or type(severity) is not int:
            return None
        return likelihood * severity if likelihood in _SCALE and severity in _SCALE else None


def registers(records: Records, name: str) -> Iterator[RecordDocument | Statistic]:
    """Risk registers; a judged cell called *name* where there is none, or it cannot be read."""
    return chosen(records, ("risks",), name)


def risks(register: RecordDocument, name: str) -> Iterator[Risk | Statistic]:
    """Risks of a register; a judged cell called *name* where it lists none, or one twice."""
    listed = register.values.get("risks")
    if not isinstance(listed, tuple) or not listed:
        yield missing(register.path, "it lists no risk", name=name)
        return
    seen: set[str] = set()
    for number, found in enumerate(listed):
        values = keys_of(found)
        known, place = values.get("id"), f"risks[{number}]"
        its = known if isinstance(known, str) else place
        if its in seen:
            yield faults(place, [f"the id {its} is another risk's too"], name=name)
            continue
        seen.add(its)
        yield Risk(id=its, values=values)
