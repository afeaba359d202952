"""Kinds of records: one row a kind, with its place, its form and its keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aims_gate.documents import Kind
from aims_gate.documents.keys import Keys
from aims_gate.governance import organisation_grammar as organisation
from aims_gate.governance import system_grammar as system
from aims_gate.governance.entry_grammar import ENTRY_TYPES, EntryText

ENTRY = "entry"
LOG = "log"
"""The folder of entries, in both folders of records."""
FILES = (".yaml", ".yml", ".md")
"""How names of records' files end."""


class Area(StrEnum):
    """Whose records they are."""

    SYSTEM = "system"
    ORG = "org"


FOLDERS: Mapping[Area, str] = {Area.SYSTEM: "aims", Area.ORG: "org"}
"""What the folders of records are called unless a policy says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordKind:
    """A kind of record: where it lies, and which keys it has."""

    name: str
    """The value of `kind:`."""
    area: Area
    place: str
    """Its file, or `FOLDER/*.md` where there may be several."""
    keys: type[Keys]
    expected: bool = True
    """Whether it is missing where there is no such file."""
    generated: frozenset[str] | None = None
    """Keys that may stand in a generated block; None where it has no such block."""

    @property
    def folder(self) -> str:
        """The folder of its files below that of the records; empty for that folder itself."""
        return self.place.rpartition("/")[0]

    @property
    def markdown(self) -> bool:
        """Whether it is text with sections, below keys as front matter."""
        return self.place.endswith(".md")

    def schema(self) -> Mapping[str, Any]:
        """JSON Schema (draft 2020-12) of its keys, for editors."""
        written = dict(Kind(name=f"aims-{self.name}", model=self.keys).schema())
        written["properties"] = {**written["properties"], "kind": {"const": self.name}}
        return written


_S, _O = Area.SYSTEM, Area.ORG
_ROWS = (
    RecordKind(name="system", area=_S, place="system.yaml", keys=system.SystemText),
    RecordKind(name="risks", area=_S, place="risks.yaml", keys=system.RisksText),
    RecordKind(name="impact", area=_S, place="impact.md", keys=system.ImpactText),
    RecordKind(
        name="card", area=_S, place="card.md", keys=system.CardText, generated=system.GENERATED
    ),
    RecordKind(name="architecture", area=_S, place="architecture.md", keys=system.ArchitectureText),
    RecordKind(
        name="data-sheet",
        area=_S,
        place="data/*.md",
        keys=system.DataSheetText,
        generated=frozenset(),
    ),
    RecordKind(
        name="runbook", area=_S, place="runbooks/*.md", keys=system.RunbookText, expected=False
    ),
    RecordKind(
        name="organisation",
        area=_O,
        place="organisation.yaml",
        keys=organisation.OrganisationText,
    ),
    RecordKind(name="policy", area=_O, place="policy.md", keys=organisation.PolicyDocumentText),
    RecordKind(name="people", area=_O, place="people.yaml", keys=organisation.PeopleText),
    RecordKind(name="soa", area=_O, place="soa.yaml", keys=organisation.SoaText),
    RecordKind(name="suppliers", area=_O, place="suppliers.yaml", keys=organisation.SuppliersText),
)
KINDS: Mapping[str, RecordKind] = {row.name: row for row in _ROWS}
"""Documents: six of a system and its runbooks, five of the organisation."""
ENTRIES: Mapping[Area, RecordKind] = {
    area: RecordKind(name=ENTRY, area=area, place=f"{LOG}/*.md", keys=EntryText, expected=False)
    for area in Area
}
"""Entries lie in a log of the system and in one of the organisation."""
WRITTEN: Mapping[str, RecordKind] = {**KINDS, ENTRY: ENTRIES[Area.SYSTEM]}
"""All that people write, by the word that names it on the command line."""

__all__ = [
    "ENTRIES",
    "ENTRY",
    "ENTRY_TYPES",
    "FILES",
    "KINDS",
    "LOG",
    "WRITTEN",
    "Area",
    "RecordKind",
]
