"""Days that stand inside of records: assessments of suppliers, exercises, what comes again.

Each has a last day; without one it is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from aims_gate.checks.record_cells import keys_of
from aims_gate.checks.records.cadence import YEARLY, cadences
from aims_gate.governance.contract import RecordDocument, Records, day, day_count, plus_days

EXERCISE = "exercise"
"""What a cadence of the organisation calls trying a runbook, or the way back."""
CALENDAR = "calendar"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedPlace:
    """A place of a record, and until when it holds."""

    where: str
    last: date | None
    """None where nothing says when it was done."""
    what: str


def dated(document: RecordDocument, records: Records, today: date) -> Iterator[DatedPlace]:
    """Places of a document that hold until a day of their own."""
    if document.kind == "suppliers":
        for number, row in enumerate(_rows(document.values.get("suppliers"))):
            where = f"{document.path} {row.get('id') or number}"
            yield DatedPlace(where=where, last=day(row.get("until")), what="assessed")
    if document.kind == "runbook":
        mine = (one for one in records.entries if _is_of(document, one.values.get("runbook")))
        done = [day(document.values.get("exercised")), *_days(mine)]
        yield _exercised(f"{document.path} exercised", done, records, today)
    if document.kind == "system":
        done = [day(keys_of(document.values.get("rollback")).get("tested"))]
        yield _exercised(f"{document.path} rollback", done, records, today)


def calendar(records: Records, today: date) -> Iterator[DatedPlace]:
    """What the organisation's calendar asks for, by the last sound entry of its type."""
    for organisation in records.of("organisation"):
        for number, row in enumerate(_rows(organisation.values.get(CALENDAR))):
            every, what = day_count(row.get("every")), row.get("what")
            alike = (one for one in records.entries if one.type == row.get("type"))
            held = _latest(_days(alike), today)
            yield DatedPlace(
                where=f"{CALENDAR} {what or number}",
                last=plus_days(held, every) if held and every else None,
                what=f"entered in the log as {row.get('type')}",
            )


def _exercised(
    where: str, done: Iterable[date | None], records: Records, today: date
) -> DatedPlace:
    last, every = _latest(done, today), cadences(records, "person").get(EXERCISE, YEARLY)
    until = None if last is None else plus_days(last, every)
    return DatedPlace(where=where, last=until, what="tried")


def _days(entries: Iterable[Any]) -> Iterator[date | None]:
    return (one.closed or one.opened for one in entries if not one.problems)


def _latest(days: Iterable[date | None], today: date) -> date | None:
    """The latest day that has come."""
    return max((one for one in days if one is not None and one <= today), default=None)


def _is_of(document: RecordDocument, linked: object) -> bool:
    return isinstance(linked, str) and document.path.endswith(f"/{linked}")


def _rows(value: object) -> Iterator[Mapping[str, Any]]:
    return map(keys_of, value if isinstance(value, tuple) else ())
