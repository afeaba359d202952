"""Private data kept out of an audit pack: identifiers with check digits, and secrets.

Names of the organisation's own people stay: an auditor must see who approved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from aims_gate.checks.data.identifiers import IDENTIFIERS
from aims_gate.pages.sheet import Sheet, SheetRow
from aims_gate.redact import redact

_SURE = {
    name: one
    for name, one in IDENTIFIERS.items()
    if one.valid is not None and (one.chance < 0.05 or name == "card")
}
"""Kinds that other numbers are seldom taken for: ids and digests are full of digits."""


def held(text: str) -> Iterator[str]:
    """Kinds of what must not leave the house that a text holds; never the values."""
    for name, one in _SURE.items():
        if any(proven for _, proven in one.found(text)):
            yield name
    if redact(text) != text:
        yield "secret"


def without_private(sheet: Sheet) -> Sheet:
    """A sheet in which whatever text holds such a thing says so in its place."""
    return replace(
        sheet,
        title=_cell(sheet.title),
        lead=_cell(sheet.lead),
        tables=tuple(
            replace(
                table,
                title=_cell(table.title),
                rows=tuple(replace(row, cells=_cells(row)) for row in table.rows),
            )
            for table in sheet.tables
        ),
        notes=tuple(map(_cell, sheet.notes)),
    )


def _cells(row: SheetRow) -> tuple[str, ...]:
    return tuple(map(_cell, row.cells))


def _cell(text: str) -> str:
    kinds = list(held(text))
    return f"left out: it holds a {' and a '.join(kinds)}" if kinds else text
