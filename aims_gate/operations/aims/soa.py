"""Statement of Applicability: what people decided on each control, beside what was found of it.

It is never decided here: a control without a row is shown as undecided, whatever ran.
"""

from __future__ import annotations

from collections.abc import Sequence

from aims_gate.operations.aims.gap import GapRow
from aims_gate.operations.aims.gap_finding import Support
from aims_gate.operations.aims.gap_sheet import TONES
from aims_gate.operations.aims.survey import Survey, decisions, is_decided, words
from aims_gate.pages.sheet import Sheet, SheetRow, SheetTable

_UNDECIDED = "undecided"
_APPLIES = {"True": "yes", "False": "no"}


def soa_sheet(rows: Sequence[GapRow], found: Survey) -> Sheet:
    """All 38 controls: decided by people, found by the gap assessment."""
    decided = decisions(found.org)
    whole = {control for control, row in decided.items() if is_decided(row)}
    shown = []
    for one in rows:
        if not one.requirement.is_control:
            continue
        row = decided.get(one.requirement.id, {})
        cells = (
            one.requirement.id,
            one.requirement.title,
            _APPLIES.get(str(row.get("applicable")), _UNDECIDED),
            str(row.get("status", _UNDECIDED)),
            str(row.get("justification", "")),
            str(row.get("source", "")),
            ", ".join(words(row, "evidence")),
            str(row.get("owner", "")),
            str(row.get("last_review", "")),
            f"{one.support}: {one.findings[0].what}",
        )
        undecided = one.requirement.id not in whole
        shown.append(SheetRow(cells=cells, tone="bad" if undecided else TONES[one.support]))
    documents = found.org.of("soa")
    faults = [str(wrong) for one in documents for wrong in one.problems]
    excluded = sum(one.support is Support.EXCLUDED for one in rows)
    wrong = sum(one.support is Support.CONFLICT for one in rows)
    lead = f"{len(whole)} of {len(shown)} controls decided, {excluded} excluded with a reason"
    return Sheet(
        title=f"Statement of Applicability, {found.now:%Y-%m-%d}",
        lead=f"{lead}, {wrong} in conflict with what was found",
        tables=(
            SheetTable(
                title="Controls of ISO/IEC 42001, Annex A",
                heads=(
                    *("control", "title", "applies", "status", "justification", "source"),
                    *("evidence", "owner", "last review", "found"),
                ),
                narrow=1,
                rows=tuple(shown),
            ),
        ),
        notes=tuple(faults),
    )
