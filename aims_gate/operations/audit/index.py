"""Pages of the audit pack: an index that answers an auditor's questions, a page a requirement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from aims_gate.catalogue.iso42001 import Grade, Requirement
from aims_gate.governance.kinds import KINDS
from aims_gate.operations.aims.gap import GapRow
from aims_gate.operations.aims.gap_sheet import TONES, requirement_sheet
from aims_gate.operations.aims.survey import Survey, decisions
from aims_gate.operations.audit import gate_tables, log_tables, record_tables
from aims_gate.operations.audit.approvals_then import ApprovalsThen
from aims_gate.operations.audit.period import Period
from aims_gate.operations.audit.population import (
    Population,
    disagreements,
    population,
    supporting,
)
from aims_gate.operations.audit.sample_sheet import HEADS, item_row
from aims_gate.operations.audit.stages import AuditStage
from aims_gate.pages.sheet import Sheet, SheetRow, SheetTable
from aims_gate.verdict import Decision

GRADES = {
    Grade.FULL: "its technical part is measured by rules",
    Grade.PARTLY: "records must be whole, fresh, approved and agree; rules measure a part",
    Grade.ATTESTED: "a person attests it in a record",
}
_MEANT = (
    "This is evidence for an audit, and not its result. Verdicts and promotions are those that a "
    "trusted key signed; bash annex/check.sh verifies them with openssl and jq. Records are as "
    "they are now, and their approvals as on the last day of the period, by git and by the day of "
    "each act."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditScope:
    """What a pack is about."""

    stage: AuditStage
    when: Period
    found: Survey
    rows: tuple[GapRow, ...]
    then: ApprovalsThen
    """Who had approved what on the last day of the period."""

    def population(self, row: Requirement) -> Population:
        """Of the period."""
        return population(row, self.found, self.when)


def page(row: Requirement) -> str:
    """Path of a requirement's page in the pack."""
    return f"controls/{row.id}.html"


def index_sheet(scope: AuditScope, files: SheetTable) -> Sheet:
    """The index: what is asked first, then each question with its answer."""
    found, when = scope.found, scope.when
    judged = gate_tables.within(found, when)
    refused = sum(one.decision is not Decision.PASSED for one in judged)
    apart = list(disagreements(found))
    count = sum(one.open for one in scope.rows)
    systems = f"{len(found.systems)} system{'' if len(found.systems) == 1 else 's'}"
    return Sheet(
        title=f"Audit pack for {scope.stage.name}, {when}",
        lead=f"{scope.stage.asks} {systems}; {len(judged)} verdicts in the "
        f"period, {refused} not met; {count} of {len(scope.rows)} requirements open. "
        f"{found.history.of_mlflow}".rstrip(),
        tables=(
            _scope(found),
            _requirements(scope),
            record_tables.accepted_risks(found, scope.then),
            gate_tables.limits(found, when),
            record_tables.approvals(found, scope.then),
            record_tables.people(found),
            gate_tables.refusals(found, when),
            log_tables.corrections(found, when),
            gate_tables.served_versions(found, when),
            gate_tables.waivers(found, when),
            record_tables.exclusions(found),
            record_tables.told_to_users(found),
            log_tables.happenings(found, when),
            gate_tables.verdicts(found, when),
            SheetTable(
                title="Where sources disagree, or were not counted",
                heads=("what",),
                rows=tuple(SheetRow(cells=(one,), tone="warn") for one in apart),
                empty="nowhere",
            ),
            files,
        ),
        notes=(_MEANT,),
    )


def _scope(found: Survey) -> SheetTable:
    rows = [
        SheetRow(cells=(one.path, key, str(one.values.get(key, "missing"))))
        for one in found.org.of("organisation")
        for key in ("scope", "context", "method")
    ]
    for system in found.systems:
        values = system.values
        live = ", ".join(f"{name} {version or 'none'}" for name, version in system.live.items())
        told = f"{values.get('title', 'not described')}; tier {values.get('tier', 'missing')}"
        told += f"; owner {values.get('owner', 'nobody')}; serves {live or 'nothing'}"
        rows.append(SheetRow(cells=("system.yaml", system.id, told)))
    rows += [
        SheetRow(cells=("-", one, "serves, and is not in the inventory"), tone="bad")
        for one in found.unlisted
    ]
    return SheetTable(
        title="Scope, and the systems in it",
        heads=("record", "of", "text"),
        rows=tuple(rows),
        empty="nothing is written down",
    )


def _requirements(scope: AuditScope) -> SheetTable:
    rows, judged = [], gate_tables.within(scope.found, scope.when)
    for one in scope.rows:
        row = one.requirement
        items = scope.population(row).items
        failed = sum(gate_tables.unmet(supporting(one, row)) for one in judged)
        rows.append(
            SheetRow(
                cells=(
                    row.id,
                    row.title,
                    "first" if row.id in scope.stage.first else "",
                    str(one.support),
                    one.findings[0].what,
                    str(len(items)),
                    str(failed),
                ),
                tone=TONES[one.support],
                link=page(row),
            )
        )
    return SheetTable(
        title="By clause and control",
        heads=("id", "title", "look", "found", "it rests on", "items", "rules not passed"),
        rows=tuple(rows),
    )


def control_sheet(one: GapRow, scope: AuditScope, files: SheetTable) -> Sheet:
    """One requirement: asked, found, run over the period, corrected, approved, excluded."""
    row, found, when = one.requirement, scope.found, scope.when
    rules = {
        result.rule for verdict in found.history.verdicts for result in supporting(verdict, row)
    }
    looked = requirement_sheet(row.id, scope.rows)
    kinds = {name.partition(".")[0] for names in row.records for name in names}
    every = set(KINDS) if "*" in kinds else kinds
    tables = [
        SheetTable(
            title="What is asked for", heads=("what", "text"), rows=tuple(_asked(row, rules))
        ),
        looked.tables[0],
        SheetTable(
            title="What ran and happened in the period",
            heads=HEADS,
            rows=tuple(
                item_row(replace(item, evidence=(item.id,))) for item in scope.population(row).items
            ),
            empty="nothing: there is no population, which is a finding itself",
        ),
        *(
            [
                gate_tables.limits(found, when, rules),
                log_tables.corrections(found, when, rules),
                gate_tables.waivers(found, when, rules),
            ]
            if rules
            else []
        ),
        record_tables.approvals(found, scope.then, every),
        _decided(row, found),
        files,
    ]
    shown = tuple(table for table in tables if table.rows or table.empty)
    return replace(looked, tables=shown, notes=(_MEANT,))


def _asked(row: Requirement, rules: Sequence[str] | set[str]) -> Iterator[SheetRow]:
    yield SheetRow(cells=("how far a machine can look (our grading)", GRADES[row.grade]))
    records = ["all documents" if one == ("*",) else " or ".join(one) for one in row.records]
    yield SheetRow(cells=("records", ", ".join(records) or "none"))
    yield SheetRow(cells=("rules that ran", ", ".join(sorted(rules)) or "none ever ran"))
    if row.parts:
        yield SheetRow(cells=("clauses in it", ", ".join(row.parts)))


def _decided(row: Requirement, found: Survey) -> SheetTable:
    decided = decisions(found.org).get(row.id)
    rows = (
        ()
        if decided is None
        else tuple(
            SheetRow(
                cells=(key, ", ".join(map(str, value)) if isinstance(value, tuple) else str(value))
            )
            for key, value in decided.items()
        )
    )
    return SheetTable(
        title="Statement of Applicability",
        heads=("key", "decided"),
        rows=rows,
        empty="nobody decided on it" if row.is_control else "clauses cannot be excluded",
    )
