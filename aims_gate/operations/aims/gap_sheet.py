"""Gap assessment as tables, its plan, and one requirement with all that was looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aims_gate.catalogue.crosswalk import FRAMEWORKS, related
from aims_gate.catalogue.iso42001 import requirement
from aims_gate.errors import UsageError
from aims_gate.operations.aims.gap import GapRow
from aims_gate.operations.aims.gap_finding import DRAFTED, Support
from aims_gate.operations.aims.gap_plan import GapPlan
from aims_gate.operations.aims.survey import BEGIN, Survey
from aims_gate.pages.sheet import Sheet, SheetRow, SheetTable

TONES = {
    Support.CONFLICT: "bad",
    Support.MISSING: "bad",
    Support.STALE: "warn",
    Support.ATTESTED: "quiet",
    Support.RAN: "good",
    Support.EXCLUDED: "quiet",
}
_GRADED = (
    "The grading (F a machine checks its technical part, P partly, A a person attests) is ours, "
)
_GRADED += "not the standard's. This is support for an audit, and no audit's result."
_UNAPPROVED = (
    "A draft counts once somebody else than its owner approves it: aims-gate aims approve FILE "
    "--key KEY, or the review of the pull request that brings it."
)


def gap_sheet(rows: Sequence[GapRow], found: Survey, plan: GapPlan | None = None) -> Sheet:
    """All rows, the worst first, counts of them, and the plan if there is one."""
    order = tuple(Support)
    ordered = sorted(rows, key=lambda one: order.index(one.support))
    count = f"{len(found.systems)} system{'' if len(found.systems) == 1 else 's'}"
    tables = [
        SheetTable(
            title="Counts", heads=("of", *order), rows=tuple(_counts(rows)), narrow=1 + len(order)
        ),
        SheetTable(
            title="Requirements",
            heads=("state", "grade", "id", "title", "it rests on", "where"),
            narrow=3,
            rows=tuple(_row(one) for one in ordered),
            pressing=sum(one.open for one in rows),
        ),
    ]
    if plan is not None:
        tables += [_phases(plan), _tasks(plan)]
    lead = f"{count}, {len(rows)} requirements, {sum(one.open for one in rows)} open"
    if not found.written:
        lead += f"; {BEGIN}"
    unapproved = any(DRAFTED in one.findings[0].what for one in rows)
    notes = [*([_UNAPPROVED] if unapproved else []), _GRADED, *found.history.uncounted()]
    notes += [f"not in the inventory: {one}, which serves" for one in found.unlisted]
    return Sheet(
        title=f"ISO/IEC 42001, gap assessment of {found.now:%Y-%m-%d}",
        lead=lead,
        tables=tuple(tables),
        notes=tuple(notes),
        main=1,
    )


def requirement_sheet(name: str, rows: Sequence[GapRow]) -> Sheet:
    """One requirement: everything that was looked at, and what it is related to elsewhere.

    UsageError for an id that the standard does not have.
    """
    wanted = requirement(name)
    if wanted is None:
        raise UsageError(f"ISO/IEC 42001 has no {name!a}", hint="such as 9.2 or A.6.2.4")
    (row,) = (one for one in rows if one.requirement is wanted)
    looked = SheetTable(
        title="Looked at",
        heads=("state", "what", "where"),
        rows=tuple(
            SheetRow(cells=(one.support, one.what, one.where), tone=TONES[one.support])
            for one in row.findings
        ),
    )
    others = SheetTable(
        title="Related elsewhere, which is not to be equal",
        heads=("id", "framework", "theme", "on whose word"),
        rows=tuple(
            SheetRow(cells=(one.id, FRAMEWORKS[one.framework], one.theme, one.basis))
            for one in {other.control: other for other in related(wanted.id)}.values()
        ),
    )
    return Sheet(
        title=f"{wanted.id} {wanted.title}",
        lead=f"{row.support}: {row.findings[0].what}",
        tables=(looked, others),
        notes=(_GRADED,),
    )


def _row(one: GapRow) -> SheetRow:
    asked, rests = one.requirement, one.findings[0]
    alike = sum(other.support is one.support for other in one.findings[1:])
    what = f"{rests.what}, and {alike} more" if alike else rests.what
    cells = (one.support, asked.grade, asked.id, asked.title, what, rests.where)
    return SheetRow(cells=cells, tone=TONES[one.support])


def _counts(rows: Sequence[GapRow]) -> Iterator[SheetRow]:
    for name, controls in (("clauses 4-10", False), ("Annex A", True)):
        of = [one.support for one in rows if one.requirement.is_control is controls]
        counts = (str(of.count(state)) for state in Support)
        yield SheetRow(cells=(f"{name} ({len(of)})", *counts))


def _phases(plan: GapPlan) -> SheetTable:
    late = f"; {plan.late} days late at the shortest" if plan.late else ""
    return SheetTable(
        title=f"Plan for a certificate by {plan.by:%Y-%m-%d}{late}",
        heads=("phase", "begins", "ends", "open", "hours", "about"),
        narrow=3,
        rows=tuple(
            SheetRow(
                cells=(
                    one.name,
                    f"{one.begins:%Y-%m-%d}",
                    f"{one.ends:%Y-%m-%d}",
                    f"{len(one.rows)} open" if one.rows else "",
                    f"about {one.hours} h for one system" if one.rows else "",
                    one.about,
                ),
                tone="bad" if one.ends > plan.by else "quiet",
            )
            for one in plan.phases
        ),
    )


def _tasks(plan: GapPlan) -> SheetTable:
    return SheetTable(
        title="In this order, what is worth most an hour first",
        heads=("phase", "id", "hours", "what", "where"),
        narrow=3,
        rows=tuple(
            SheetRow(
                cells=(
                    phase.name,
                    one.requirement.id,
                    f"{one.requirement.hours} h",
                    f"{one.support}: {one.findings[0].what}",
                    one.findings[0].where,
                ),
                tone=TONES[one.support],
            )
            for phase in plan.phases
            for one in phase.rows
        ),
        empty="nothing is open",
    )
