"""Field map: which records and rules are evidence for the points of Annex IV of the EU AI Act.

The points' words are ours, and what is mapped to them is our reading. Having all of it is no
technical documentation by law: that is drawn up, kept and signed by the provider.
"""

from __future__ import annotations

from dataclasses import dataclass

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

    def shown_by(self, control: str) -> bool:
        """Whether a rule's control is this point."""
        return control == f"eu-ai-act:{self.id}"


ANNEX_IV = tuple(
    AnnexPoint(
        id=row["point"],
        title=row["title"],
        records=() if row["records"] == _OUTSIDE else tuple(row["records"].split()),
    )
    for row in rows("annex_iv")
)
