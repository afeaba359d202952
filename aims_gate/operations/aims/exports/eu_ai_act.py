"""EU AI Act: for each system, what there is for each point of Annex IV, and what is not.

A field map, and no technical documentation by law: whether a system is of high risk, and whether
the documentation is enough, is for the provider and its lawyers to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aims_gate.catalogue.annex_iv import ANNEX_IV, AnnexPoint
from aims_gate.operations.aims.exports import Exported, system_folder
from aims_gate.operations.aims.gap import GapRow
from aims_gate.operations.aims.gap_finding import GapFinding, Support, of_records, worst
from aims_gate.operations.aims.gap_sheet import TONES
from aims_gate.operations.aims.survey import Survey, SurveyedSystem
from aims_gate.pages.sheet import Sheet, SheetRow, SheetTable, render_csv, render_html
from aims_gate.policy.adoption import legal_status

PACK = "eu-ai-act-high-risk@1.0.0"
_OUTSIDE = GapFinding(
    support=Support.MISSING, what="the provider writes and signs it, outside of these records"
)

_UNMEASURED = GapFinding(
    support=Support.MISSING, what="nothing that serves was measured for it", where="aims-gate run"
)


def export(rows: Sequence[GapRow], found: Survey) -> Exported:
    """A page and a table for each system."""
    del rows  # by system, and not by requirement
    files: dict[str, str] = {}
    for place, system in enumerate(found.systems, 1):
        sheet, name = _sheet(system, found), system_folder(place, system)
        files |= {f"{name}/annex-iv.html": render_html(sheet)}
        files |= {f"{name}/annex-iv.csv": render_csv(sheet)}
    none = () if found.systems else ("no system is described: aims-gate aims init drafts one",)
    return Exported(files=files, left_out=(*none, *found.history.problems))


def _sheet(system: SurveyedSystem, found: Survey) -> Sheet:
    alone = replace(found, systems=(system,))
    points = [_point(one, system, alone) for one in ANNEX_IV]
    is_open = sum(row.tone in {"bad", "warn"} for row in points)
    return Sheet(
        title=f"EU AI Act, Annex IV: {system.id}, {found.now:%Y-%m-%d}",
        lead=f"{len(points)} points, {is_open} open. Evidence for them, and no conformity.",
        tables=(
            SheetTable(
                title="Points of the technical documentation",
                heads=("point", "what is asked", "state", "found", "where", "measured by"),
                rows=tuple(points),
            ),
        ),
        notes=(
            f"{legal_status(PACK)}.",
            "ISO/IEC 42001 gives no presumption of conformity. The points are in our words.",
        ),
    )


def _point(one: AnnexPoint, system: SurveyedSystem, alone: Survey) -> SheetRow:
    """A point is as good as its worst record; what ran stands beside it, and makes up for none."""
    named = [found for name in one.records for found in of_records((name,), alone)]
    ran = [
        f"{result.rule} {result.outcome} on {verdict.finished:%Y-%m-%d}"
        for verdict in system.verdicts
        for result in verdict.results
        if result.decided and any(map(one.shown_by, result.controls))
    ]
    if one.measured and not ran:
        named.append(_UNMEASURED)
    rests = worst(named or [_OUTSIDE])
    cells = (one.id, one.title, str(rests.support), rests.what, rests.where, ", ".join(ran))
    return SheetRow(cells=cells, tone=TONES[rests.support])
