"""Tables of the audit's index from the log: corrective actions, and what happened beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from aims_gate.governance import templates
from aims_gate.governance.contract import LogEntry
from aims_gate.governance.entry_grammar import PRIVATE_TYPES
from aims_gate.operations.aims.entry_days import is_open
from aims_gate.operations.aims.survey import Survey
from aims_gate.operations.audit.period import Period
from aims_gate.pages.sheet import SheetRow, SheetTable

CORRECTED = ("incident", "nonconformity")
LEFT_OUT = "left out: it may name who raised it"


def entries_of(
    found: Survey, when: Period, types: Collection[str]
) -> Iterator[tuple[str, LogEntry]]:
    """Entries of some types that were open at a time in the period; one without a day always."""
    for system, one in found.entries:
        begun = one.opened is None or one.opened <= when.ends
        over = one.closed is not None and one.closed < when.begins
        if one.type in types and begun and not over:
            yield system, one


def corrections(found: Survey, when: Period, rules: Collection[str] | None = None) -> SheetTable:
    """Incidents and nonconformities: cause, what was done, and whether it worked."""
    return SheetTable(
        title="Incidents and nonconformities: what was done, and did it work",
        heads=(
            *("opened", "of", "type", "what happened", "cause", "what was done"),
            *("did it work", "closed (declared)"),
        ),
        rows=tuple(
            SheetRow(
                cells=(
                    "no day" if one.opened is None else f"{one.opened:%Y-%m-%d}",
                    system or "organisation",
                    f"{one.type} {one.severity}".strip(),
                    *(
                        said(one, heading)
                        for heading in ("What happened", "Cause", "What was done", "Did it work")
                    ),
                    "open" if one.closed is None else f"{one.closed:%Y-%m-%d}",
                ),
                tone="warn" if is_open(one, when.ends) or one.problems else "quiet",
            )
            for system, one in entries_of(found, when, CORRECTED)
            if rules is None or one.values.get("rule") in rules
        ),
        empty="none was opened or open in this period",
    )


def happenings(found: Survey, when: Period) -> SheetTable:
    """Audits, reviews, decisions, certificates, trainings, exercises and concerns."""
    types = ("audit", "review", "decision", "certificate", "training", "exercise", "concern")
    return SheetTable(
        title="Audits, reviews, decisions, training and what else is in the log",
        heads=("opened", "of", "type", "who", "what", "closed (declared)"),
        rows=tuple(
            SheetRow(
                cells=(
                    "no day" if one.opened is None else f"{one.opened:%Y-%m-%d}",
                    system or "organisation",
                    one.type,
                    who(one),
                    text(one),
                    "open" if one.closed is None else f"{one.closed:%Y-%m-%d}",
                ),
                tone="warn" if one.problems else "quiet",
            )
            for system, one in entries_of(found, when, types)
        ),
        empty="nothing in this period",
    )


def said(one: LogEntry, heading: str) -> str:
    """What a person wrote below a heading, or that nobody did."""
    return templates.written(one.sections.get(heading)) or "not written"


def who(one: LogEntry) -> str:
    """Who did it, as its type says: auditor, attendees, body; else who sees to it."""
    for key in ("auditor", "attendees", "body"):
        said = one.values.get(key)
        if said:
            return ", ".join(map(str, said)) if isinstance(said, tuple) else str(said)
    return one.owner


def text(one: LogEntry) -> str:
    """What an entry says below its headings; nothing of one that may name a stranger."""
    if one.type in PRIVATE_TYPES:
        return LEFT_OUT
    scope = [f"scope: {one.values['scope']}"] if one.values.get("scope") else []
    return " ".join((*scope, *(f"{name}: {said(one, name)}" for name in one.sections)))
