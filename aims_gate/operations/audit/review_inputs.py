"""Management review (9.3): the inputs that evidence, records and the log can tell, and no decision.

The inputs are those of clause 9.3.2 in our own words. What is decided, and by whom, is left empty.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from aims_gate.governance.kinds import KINDS
from aims_gate.governance.material import moved
from aims_gate.operations.aims.entry_days import is_open
from aims_gate.operations.aims.filled import DRAFTED_BY, filled
from aims_gate.operations.aims.gap import GapRow, assess
from aims_gate.operations.aims.gap_finding import Support
from aims_gate.operations.aims.gap_sheet import TONES
from aims_gate.operations.aims.log import system_id, write_entry
from aims_gate.operations.aims.quarter import quarters, told
from aims_gate.operations.aims.survey import Survey, listed
from aims_gate.operations.aims.todo import Duty, duties
from aims_gate.operations.audit import gate_tables, log_tables, record_tables
from aims_gate.operations.audit.approvals_then import ApprovalsThen
from aims_gate.operations.audit.entry_text import lines
from aims_gate.operations.audit.period import Period
from aims_gate.pages.sheet import Sheet, SheetRow, SheetTable

SHOWN = 12
"""Rows of a long table that the log's entry keeps; the page has all."""
_MATTERS = (
    "scope and context",
    "objectives and risk appetite",
    "what failed, and whether what was done is enough",
    "resources and competence",
    "what is to be improved",
)
_MEANT = "Filled from records and signed evidence. What it means, and what is decided, people say."


def review_sheet(found: Survey, when: Period) -> Sheet:
    """Inputs of the management review over a period, and a place for decisions."""
    rows, wanted = assess(found), duties(found)
    opened = sum(one.open for one in rows)
    late = sum(one.due < found.today for one in wanted)
    return Sheet(
        title=f"Management review, inputs over {when}",
        lead=f"{opened} of {len(rows)} requirements open, {late} duties overdue. {_MEANT} "
        f"{found.history.of_mlflow}".rstrip(),
        tables=(
            _earlier(found, when),
            _changes(found, when),
            _parties(found, when),
            replace(
                log_tables.corrections(found, when),
                title="Performance: nonconformities and corrective actions",
            ),
            _figures(found),
            replace(
                gate_tables.refusals(found, when),
                title="Performance: what monitoring and evaluation refused",
            ),
            _objectives(found),
            _audits(found, when),
            record_tables.accepted_risks(found, ApprovalsThen.on(when.ends, found)),
            _opportunities(rows, wanted, found.today),
            _decisions(),
        ),
    )


def open_review(
    found: Survey, when: Period, *, attendees: tuple[str, ...], owner: str, folder: Path
) -> Path:
    """Open the review in the log of *folder*: its inputs, and decisions that wait for people.

    Raises:
        UsageError: An entry of that day is there.
        RecordError: It cannot be written.
    """
    name = f"{found.today:%Y-%m-%d}-management-review"
    sheet = review_sheet(found, when)
    inputs = [line for table in sheet.tables[:-1] for line in lines(table, SHOWN)]
    text = filled(
        "review",
        marks={"id": f"{system_id(folder)}/{name}", "today": f"{found.today:%Y-%m-%d}"},
        keys={"owner": owner, "attendees": list(attendees), "drafted_by": DRAFTED_BY},
        sections={"Inputs": "\n".join((sheet.title, found.history.of_mlflow, *inputs))},
    )
    return write_entry(folder, name, text)


def _earlier(found: Survey, when: Period) -> SheetTable:
    """Decisions of earlier reviews, with the entries that came of them."""
    rows = []
    for _, review in found.entries:
        if review.type != "review" or review.opened is None or review.opened > when.ends:
            continue
        followed = [one for _, one in found.entries if review.id and review.id in one.links]
        state = "; ".join(
            f"{one.path} {'open' if is_open(one, when.ends) else 'closed'}" for one in followed
        )
        decided = log_tables.said(review, "Decisions")
        still = not state or any(is_open(one, when.ends) for one in followed)
        cells = (f"{review.opened:%Y-%m-%d}", decided, state or "no entry of the log links to it")
        rows.append(SheetRow(cells=cells, tone="warn" if still else "good"))
    return SheetTable(
        title="Earlier reviews, and what came of their decisions",
        heads=("day", "decided", "what came of it"),
        rows=tuple(rows),
        empty="there was no review before",
    )


def _changes(found: Survey, when: Period) -> SheetTable:
    """Documents, policies and material facts that changed in the period."""
    every = [
        (system or "organisation", records, one)
        for kind in KINDS
        for system, records, documents in found.documents(kind)
        for one in documents
    ]
    effective: dict[tuple[str, str], list[str]] = {}
    for whose, _, one in every:
        if when.holds(one.effective):
            effective.setdefault((f"{one.effective}", whose), []).append(one.path)
    rows = [(*key, f"took effect: {', '.join(paths)}") for key, paths in effective.items()]
    rows += [
        ("since assessed", whose, f"{part} moved, and {one.path} depends on it")
        for whose, records, one in every
        for part in moved(one, records) or ()
    ]
    first: dict[tuple[str, str, str], date] = {}
    for verdict in found.history.verdicts:
        known = (verdict.policy.id, verdict.policy.version, verdict.policy.digest)
        first.setdefault(known, verdict.finished.date())
    rows += [
        (f"{day}", name, f"policy {version} was applied for the first time")
        for (name, version, _), day in first.items()
        if when.holds(day)
    ]
    return SheetTable(
        title="Changes inside and outside",
        heads=("day", "of", "what"),
        rows=tuple(SheetRow(cells=cells) for cells in sorted(rows)),
        empty="no record says that anything changed; people may know more",
    )


def _parties(found: Survey, when: Period) -> SheetTable:
    """What interested parties expect, and how fast they were answered."""
    rows = [
        SheetRow(cells=(str(row.get("who", "")), str(row.get("expects", ""))))
        for one in found.org.of("organisation")
        for row in listed(one.values, "parties")
    ]
    for system, one in log_tables.entries_of(found, when, ("concern",)):
        late = one.due is not None and (one.closed or found.today) > one.due
        state = "open" if is_open(one, when.ends) else f"answered {one.closed}"
        text = f"concern of {one.opened}: {state}{', late' if late else ''}"
        rows.append(
            SheetRow(cells=(system or "organisation", text), tone="bad" if late else "quiet")
        )
    return SheetTable(
        title="What interested parties expect, and their concerns",
        heads=("who", "what"),
        rows=tuple(rows),
        empty="no party is named",
    )


def _figures(found: Survey) -> SheetTable:
    this, last = quarters(found)
    pairs = zip(told(this), told(last), strict=True)
    return SheetTable(
        title="Performance: figures of the gate",
        heads=("figure", f"since {this.begins:%Y-%m-%d}", "quarter before"),
        rows=tuple(SheetRow(cells=(name, now, before)) for (name, now), (_, before) in pairs),
    )


def _objectives(found: Survey) -> SheetTable:
    """Each objective with what its rule gave on what serves, or that nothing measures it."""
    rows = []
    every = tuple(verdict for one in found.systems for verdict in one.verdicts)
    sets = [("organisation", found.org.of("organisation"), every)]
    sets += [(one.id, one.records.of("system"), one.verdicts) for one in found.systems]
    for whose, documents, verdicts in sets:
        for row in (row for one in documents for row in listed(one.values, "objectives")):
            ran = [
                f"{result.outcome}: {result.reason}"
                for verdict in verdicts
                for result in verdict.results
                if result.rule == row.get("rule")
            ]
            how = row.get("measured_in") or row.get("unmeasured")
            state = "; ".join(ran) or (f"by people: {how}" if how else "its rule did not run")
            met = all(one.startswith("PASS") for one in ran) if ran else bool(how)
            tone = "quiet" if met else "bad"
            rows.append(SheetRow(cells=(whose, str(row.get("text", "")), state), tone=tone))
    return SheetTable(
        title="Objectives, and whether they are met",
        heads=("of", "objective", "measured"),
        rows=tuple(rows),
        empty="no objective is written down",
    )


def _audits(found: Survey, when: Period) -> SheetTable:
    return SheetTable(
        title="Performance: results of audits",
        heads=("opened", "by", "findings", "follow-up", "closed"),
        rows=tuple(
            SheetRow(
                cells=(
                    f"{one.opened}",
                    log_tables.who(one),
                    log_tables.said(one, "Findings"),
                    log_tables.said(one, "Follow-up"),
                    "open" if one.closed is None else f"{one.closed}",
                ),
                tone="warn" if is_open(one, when.ends) else "quiet",
            )
            for _, one in log_tables.entries_of(found, when, ("audit",))
        ),
        empty="there was no audit in the period",
    )


def _opportunities(rows: tuple[GapRow, ...], wanted: tuple[Duty, ...], today: date) -> SheetTable:
    shown = [
        SheetRow(
            cells=(one.requirement.id, f"{one.support}: {one.findings[0].what}"),
            tone=TONES[one.support],
        )
        for one in sorted(rows, key=lambda row: tuple(Support).index(row.support))
        if one.open
    ]
    shown += [
        SheetRow(
            cells=(f"{one.due:%Y-%m-%d}", f"{one.person}: {one.what} ({one.where})"), tone="bad"
        )
        for one in wanted
        if one.due < today
    ]
    return SheetTable(
        title="What may be improved: open requirements and overdue duties",
        heads=("requirement, or day", "what"),
        rows=tuple(shown),
        empty="nothing is open",
    )


def _decisions() -> SheetTable:
    return SheetTable(
        title="Decisions, which people write",
        heads=("about", "decided", "by whom", "until"),
        rows=tuple(SheetRow(cells=(one, "", "", "")) for one in _MATTERS),
    )
