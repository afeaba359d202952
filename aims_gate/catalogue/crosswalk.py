"""Crosswalk: where the EU AI Act, the NIST AI RMF and ISO/IEC 23894 ask for related things.

Related is not equal: meeting one is not meeting another, and ISO/IEC 42001 gives no presumption of
conformity with the AI Act. Paragraphs of the Act and of ISO/IEC 23894 are our reading; they were
not compared with the published texts, except 4a, 10(2)(f), 10(2)(g), 13(3)(b)(v), 15(4), 72, 73.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from aims_gate.catalogue.iso42001 import PREFIX, requirement
from aims_gate.catalogue.tables import rows

FRAMEWORKS = {
    "eu-ai-act": "EU AI Act, Regulation (EU) 2024/1689",
    "nist-ai-rmf": "NIST AI RMF 1.0",
    "iso23894": "ISO/IEC 23894:2023",
}
"""Names by the prefix that `controls:` of a rule write: `eu-ai-act:15(1)`; `IV(2)` is an annex."""
_MARK = "†"


class Basis(StrEnum):
    """On whose word two ids stand in one row."""

    LISTED = "listed"
    """A crosswalk of AI RMF and the final draft of 42001 (2023), which NIST lists, not endorses."""
    INTERPRETATION = "interpretation"
    """Ours alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """An id of another framework that is related to a requirement."""

    theme: str
    requirement: str
    """Id in ISO/IEC 42001, such as 6.1.2 or A.5.4."""
    framework: str
    id: str
    basis: Basis

    @property
    def control(self) -> str:
        """How `controls:` of a rule name it: `nist-ai-rmf:MEASURE-2.11`."""
        return f"{self.framework}:{self.id}"


def _relations() -> Iterator[Relation]:
    for row in rows("crosswalk"):
        theirs = [(name, id_) for name in FRAMEWORKS for id_ in row[name].split()]
        for ours, (framework, other) in product(row["iso42001"].split(), theirs):
            both = ours.endswith(_MARK) and other.endswith(_MARK)
            yield Relation(
                theme=row["theme"],
                requirement=ours.rstrip(_MARK),
                framework=framework,
                id=other.rstrip(_MARK),
                basis=Basis.LISTED if both else Basis.INTERPRETATION,
            )


RELATIONS = tuple(_relations())
_KNOWN = {one.control for one in RELATIONS}


def resolves(control: str) -> bool:
    """Whether an id of a rule's `controls:` is one of a framework that is known here."""
    return control in _KNOWN or (control.startswith(PREFIX) and requirement(control) is not None)


def related(name: str) -> tuple[Relation, ...]:
    """Relations of a requirement and of the clauses that share its row."""
    row = requirement(name)
    return tuple(one for one in RELATIONS if row and requirement(one.requirement) is row)
