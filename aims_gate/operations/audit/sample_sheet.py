"""Sample of an audit as a sheet: the population counted, what disagrees, and each drawn item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from aims_gate.operations.audit.population import AuditItem, Population
from aims_gate.pages.sheet import Sheet, SheetRow, SheetTable

HEADS = ("day", "kind", "about", "what", "evidence")


def sample_sheet(
    drawn: Sequence[AuditItem], of: Population, *, n: int, seed: str, apart: Sequence[str]
) -> Sheet:
    """The sample, then what it was drawn from."""
    total, row = len(of.items), of.requirement
    less = f"; {n} were asked for, there are no more" if n > total else ""
    return Sheet(
        title=f"Sample for {row.id} {row.title}",
        lead=f"{len(drawn)} of {total} drawn with seed {seed}, {of.period}{less}",
        tables=(
            SheetTable(
                title="Drawn",
                heads=HEADS,
                narrow=3,
                rows=tuple(map(item_row, drawn)),
                empty="nothing: there is no population in this period, which is a finding itself",
            ),
            SheetTable(
                title="Population",
                heads=("kind", "count"),
                narrow=2,
                rows=tuple(
                    SheetRow(cells=(kind, str(count)))
                    for kind, count in sorted(Counter(one.kind for one in of.items).items())
                ),
                empty="empty",
            ),
            SheetTable(
                title="Where sources disagree, or were not counted",
                heads=("what",),
                narrow=0,
                rows=tuple(SheetRow(cells=(one,), tone="warn") for one in apart),
                empty="nowhere",
            ),
        ),
        notes=(
            "Anybody can draw it again: the smallest SHA-256 of the seed, a line feed and the id "
            "of an item win. Ids: " + ", ".join(one.id for one in drawn),
        ),
    )


def item_row(one: AuditItem) -> SheetRow:
    """Cells of an item below `HEADS`."""
    bad = one.kind == "evaluation" and not one.what.startswith("policy met")
    cells = (f"{one.day:%Y-%m-%d}", one.kind, one.about or "-", one.what, ", ".join(one.evidence))
    return SheetRow(cells=cells, tone="bad" if bad else "quiet")
