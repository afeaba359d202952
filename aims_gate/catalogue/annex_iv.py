"""Field map: which records and rules are evidence for the points of Annex IV of the EU AI Act.

The points' words are ours, and what is mapped to them is our reading. Having all of it is no
technical documentation by law: that is drawn up, kept and signed by the provider.
"""

from __future__ import annotations

from dataclasses import dataclass

from aims_gate.catalogue.crosswalk import RELATIONS
from aims_gate.catalogue.iso42001 import requirement
from aims_gate.catalogue.tables import rows

_OUTSIDE = "outside"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnexPoint:
    """A point of the technical documentation, and the records that it is written in."""

    id: str
    """Such as `IV(2)(d)`."""
    title: str
    records: tuple[str, ...]
    """Kinds of documents, or their keys; empty where the provider writes it elsewhere."""
    measured: bool
    """Whether records are not enough: something must have been measured."""

    def shown_by(self, control: str) -> bool:
        """Whether a rule's control is this point, or what the crosswalk relates to it."""
        name = f"eu-ai-act:{self.id}"
        if control == name:
            return True
        row = requirement(control)
        related = (one.requirement for one in RELATIONS if one.control == name)
        return row is not None and any(requirement(one) is row for one in related)


ANNEX_IV = tuple(
    AnnexPoint(
        id=row["point"],
        title=row["title"],
        records=() if row["records"] == _OUTSIDE else tuple(row["records"].split()),
        measured=bool(row["measured"]),
    )
    for row in rows("annex_iv")
)
