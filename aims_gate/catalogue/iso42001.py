"""ISO/IEC 42001:2023: requirements of clauses 4 to 10, and the 38 controls of Annex A.

Ids and titles are facts; the grading is ours, and no prose of the standard is here. The titles were
compared over public listings, which differ in words, and not with a bought copy: match by id.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from aims_gate.catalogue.tables import rows

PREFIX = "iso42001:"
"""How `controls:` of a rule name it: `iso42001:A.6.2.4`."""


class Grade(StrEnum):
    """How far a machine can check a requirement; whether a criterion is adequate stays human."""

    FULL = "F"
    """Its technical part wholly."""
    PARTLY = "P"
    """That a record is there, whole, fresh and approved, and agrees with others."""
    ATTESTED = "A"
    """Only that a person attests it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One of 63 rows: a clause of the gap assessment, or a control of Annex A."""

    id: str
    title: str
    grade: Grade
    parts: tuple[str, ...] = ()
    """Ids of the clauses that share its row: the row of 9.2 answers 9.2.1 and 9.2.2."""
    records: tuple[tuple[str, ...], ...] = ()
    """What must be written down, each with its alternatives: a kind of document, one of its keys
    as `system.oversight`, one of its sections as `architecture#Event_logs`, an entry as
    `log:audit`, `*` for all; empty where only measuring does."""
    cadence: str = ""
    """Whose measured cadence limits the age of what ran; empty: it is as old as the version."""
    phase: str
    """Phase of the project in which an organisation that begins meets it."""
    hours: int
    """Effort of a first time for one system: our estimate, to order by and to add up."""

    @property
    def is_control(self) -> bool:
        """Whether it is of Annex A, so that the Statement of Applicability may exclude it."""
        return self.id.startswith("A.")


def _requirements() -> Iterator[Requirement]:
    """Each clause of two numbers is a row; the impact assessment of 6.1.4 keeps its own."""
    table = list(rows("iso42001"))
    for row in table:
        if row["id"] == row["row"]:
            parts = tuple(one["id"] for one in table if one["row"] == row["id"] != one["id"])
            yield Requirement(
                id=row["id"],
                title=row["title"],
                grade=Grade(row["grade"]),
                parts=parts,
                records=tuple(tuple(one.split("|")) for one in row["records"].split()),
                cadence=row["cadence"],
                phase=row["phase"],
                hours=int(row["hours"]),
            )


REQUIREMENTS = tuple(_requirements())
"""The 25 clauses, then the 38 controls."""
_BY_ID = {name: one for one in REQUIREMENTS for name in (one.id, *one.parts)}


def requirement(name: str) -> Requirement | None:
    """Row that an id belongs to, with `iso42001:` or without; None if the standard has no such."""
    return _BY_ID.get(name.removeprefix(PREFIX))
