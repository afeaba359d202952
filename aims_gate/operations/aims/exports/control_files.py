"""Files by control with a manifest: what Vanta, Drata and Probo take as evidence of a control.

Each is a few kilobytes of text: what was looked at, and which signed evaluations stand behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from aims_gate import canonical
from aims_gate.catalogue.iso42001 import Requirement
from aims_gate.operations.aims.exports import Exported
from aims_gate.operations.aims.gap import GapRow
from aims_gate.operations.aims.gap_sheet import requirement_sheet
from aims_gate.operations.aims.survey import Survey
from aims_gate.pages.sheet import SheetRow, SheetTable, csv_text, render_text

_HEADS = ("control", "title", "state", "file", "sha256", "as_of")


def export(rows: Sequence[GapRow], found: Survey) -> Exported:
    """A file for each of the 63 requirements, also where nothing was found."""
    files = {f"{one.requirement.id}.txt": _text(one, rows, found) for one in rows}
    manifest = [
        (
            one.requirement.id,
            one.requirement.title,
            str(one.support),
            name,
            canonical.sha256(text.encode()),
            f"{found.now:%Y-%m-%d}",
        )
        for one, (name, text) in zip(rows, files.items(), strict=True)
    ]
    return Exported(
        files={**files, "manifest.csv": csv_text((_HEADS, *manifest))},
        left_out=found.history.problems,
    )


def _text(row: GapRow, rows: Sequence[GapRow], found: Survey) -> str:
    sheet = requirement_sheet(row.requirement.id, rows)
    ran = SheetTable(
        title="Signed evaluations",
        heads=("day", "rule", "outcome", "system", "version", "evaluation", "signed by"),
        rows=tuple(_evaluations(row.requirement, found)),
        narrow=3,
        empty="no rule that supports it was measured on what serves",
    )
    lead = f"{sheet.lead}. As of {found.now:%Y-%m-%d}."
    return render_text(replace(sheet, lead=lead, tables=(*sheet.tables, ran)))


def _evaluations(row: Requirement, found: Survey) -> Iterator[SheetRow]:
    for system in found.systems:
        for one in system.ran(row):
            verdict, evidence = one.verdict, one.verdict.evidence
            version = f"{verdict.model.name} {verdict.model.version}"
            identity = ("", "") if evidence is None else (evidence.id, evidence.key)
            day = f"{verdict.finished:%Y-%m-%d}"
            yield SheetRow(
                cells=(day, one.result.rule, one.result.outcome, system.id, version, *identity)
            )
