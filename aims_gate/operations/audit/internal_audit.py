"""Internal audit (9.2): who may audit, the checklist from the clauses, and samples drawn.

Auditors do not audit their own work: whoever owns a record, a risk or a control in scope is
refused. Findings are left to people.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aims_gate.attest.trust import may_be
from aims_gate.catalogue.iso42001 import REQUIREMENTS, Grade, Requirement
from aims_gate.errors import UsageError
from aims_gate.governance.people import People, Person
from aims_gate.operations.aims.entry_people import owned
from aims_gate.operations.aims.filled import filled
from aims_gate.operations.aims.gap import assess
from aims_gate.operations.aims.log import system_id, write_entry
from aims_gate.operations.aims.survey import Survey
from aims_gate.operations.audit.entry_text import bullet, lines
from aims_gate.operations.audit.period import Period
from aims_gate.operations.audit.population import disagreements, draw, population
from aims_gate.operations.audit.sample_sheet import item_row
from aims_gate.pages.sheet import SheetRow, SheetTable

MEASURED = tuple(one for one in REQUIREMENTS if one.grade is Grade.FULL)
"""Requirements that are sampled where none is named: those that rules measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPlan:
    """What an audit looks at, and who does it."""

    auditor: str
    by: str
    """`internal` or `external`."""
    when: Period
    sampled: tuple[Requirement, ...] = MEASURED
    n: int
    """Items to draw for each of them."""
    seed: str
    folder: Path
    """Records of the organisation, whose log gets the entry."""


def start_audit(found: Survey, plan: AuditPlan) -> Path:
    """Open the entry of an audit, with its checklist and samples; gives its file.

    Raises:
        UsageError: The auditor owns something in scope, or is not known, here and competent.
        RecordError: The entry cannot be written.
    """
    against = [*dict.fromkeys(objections(found, plan.auditor, plan.by))]
    if against:
        told = "; ".join(against[:5]) + (f"; and {len(against) - 5} more" if against[5:] else "")
        hint = "an auditor does not audit own work: name somebody else in --auditor"
        raise UsageError(f"{plan.auditor} may not audit this: {told}", hint=hint)
    name = f"{found.today:%Y-%m-%d}-{plan.by}-audit"
    systems = ", ".join(one.id for one in found.systems) or "none"
    text = filled(
        "audit",
        marks={"id": f"{system_id(plan.folder)}/{name}", "today": f"{found.today:%Y-%m-%d}"},
        keys={
            "owner": plan.auditor,
            "by": plan.by,
            "auditor": plan.auditor,
            "scope": f"clauses 4 to 10 and Annex A, {plan.when}; systems: {systems}",
        },
        sections={"Plan": "\n".join(_plan(found, plan))},
    )
    return write_entry(plan.folder, name, text)


def objections(found: Survey, auditor: str, by: str) -> Iterator[str]:
    """Why a person may not audit what was surveyed; nothing where the person may."""
    people = People.of(found.org)
    person = None if people is None else people.find([auditor])
    if by == "internal":
        yield from _unfit(found, people, person)
    for one in owned(found):
        mine = may_be(one.owner, [auditor])
        if mine or (person is not None and person.is_called(one.owner)):
            yield f"owns {one.what}"


def _unfit(found: Survey, people: People | None, person: Person | None) -> Iterator[str]:
    if people is None:
        yield "org/people.yaml, which says who that is, is missing or has a fault"
    elif person is None:
        yield "org/people.yaml names nobody, or two people, so"
    elif not person.is_here(found.today):
        yield "is not in the organisation today"
    elif all(any(people.lacks(person, role, found.today)) for role in person.roles):
        yield "has no role whose competence holds today"


def _plan(found: Survey, plan: AuditPlan) -> Iterator[str]:
    yield f"Period {plan.when}. Samples of {plan.n} drawn with seed {bullet([plan.seed])[2:]};"
    yield "`aims-gate aims sample` draws them again."
    rows = assess(found)
    yield from lines(
        SheetTable(
            title="Checklist: what was found by the tool, to be looked at by a person",
            heads=(),
            rows=tuple(
                SheetRow(
                    cells=(
                        f"{one.requirement.id} {one.requirement.title}",
                        f"{one.support}: {one.findings[0].what}",
                    )
                )
                for one in rows
            ),
        )
    )
    for row in plan.sampled:
        of = population(row, found, plan.when)
        drawn = draw(of, plan.n, plan.seed)
        yield from lines(
            SheetTable(
                title=f"Sample for {row.id}, {len(drawn)} of {len(of.items)}",
                heads=(),
                rows=tuple(SheetRow(cells=(*item_row(one).cells, one.id)) for one in drawn),
                empty="no population in this period, which is a finding itself",
            )
        )
    apart = tuple(SheetRow(cells=(one,)) for one in disagreements(found))
    title = "Where sources disagree, or were not counted"
    yield from lines(SheetTable(title=title, heads=(), rows=apart, empty="nowhere"))
