"""Cadences are the organisation's; a document asks for more than its own, never for less."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from aims_gate.checks.contract import NoDataError
from aims_gate.checks.records.cadence import cadences, due
from aims_gate.checks.records.fresh import Fresh
from aims_gate.governance.contract import ProblemKind, Records, frozen, plus_days
from tests.checks.records.written import cells, document, entry, problem, result, wrong

RISKS = document("risks")
YEAR = replace(document("policy", "org/policy.md"), effective=date(2025, 11, 2))


def owned(*rows: object) -> Records:
    return Records(documents=(document("organisation", cadences=list(rows)), RISKS))


def test_the_organisation_s_own_cadence_replaces_the_seed_longer_or_shorter() -> None:
    assert cadences(Records(), "person")["risks"] == 92
    records = owned({"of": "risks", "days": 180, "by": "person"})
    assert cadences(records, "person")["risks"] == 180
    assert cadences(records, "measured") == {"data-sheet": 31, "performance": 7}


@pytest.mark.parametrize(
    "row",
    [
        "risks",
        {"of": "risks"},
        {"of": "risks", "days": True, "by": "person"},
        {"of": "risks", "days": 0, "by": "person"},
        {"of": "risks", "days": 10**11, "by": "person"},
    ],
)
def test_a_malformed_cadence_changes_nothing(row: object) -> None:
    assert cadences(owned(row), "person")["risks"] == 92


@pytest.mark.parametrize(("review_every", "days"), [(None, 92), (30, 30), (400, 92)])
def test_a_document_may_ask_for_more_and_not_for_less(review_every: int | None, days: int) -> None:
    found = due(replace(RISKS, review_every=review_every), Records())
    assert found is not None
    assert (found - date(2026, 10, 1)).days == days


def test_no_day_that_a_record_says_lies_beyond_the_calendar() -> None:
    last = replace(RISKS, effective=date(9999, 12, 31))
    assert due(last, Records()) == date.max
    assert plus_days(date.min, -1) == date.min
    assert plus_days(date(2026, 10, 1), 10**11) == date.max


def test_the_earlier_of_its_day_and_the_act_on_its_bytes_counts() -> None:
    """Neither a new date on an old act nor a new act on an old date is a review of today."""
    assert due(RISKS, Records(), date(2026, 9, 1)) == date(2026, 12, 2)
    assert due(RISKS, Records(), date(2026, 10, 20)) == date(2027, 1, 1)
    assert due(replace(RISKS, effective=None), Records(), date(2026, 9, 1)) is None


def test_what_has_no_cadence_is_looked_at_once_a_year() -> None:
    declared = Fresh(strength="declared", kinds=("policy",))
    assert not wrong(
        cells(declared, Records(documents=(replace(YEAR, effective=date(2025, 11, 1)),)))
    )
    late = replace(YEAR, effective=date(2025, 10, 30))
    assert wrong(cells(declared, Records(documents=(late,)))) == {"org/policy.md": "2"}


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("PASS", None),
        ("FAIL", None),
        ("INSUFFICIENT", None),
        ("ERROR", "MISSING"),
        ("MISSING", "MISSING"),
    ],
)
def test_performance_is_fresh_where_a_rule_measured_it_in_this_run(
    outcome: str, expected: str | None
) -> None:
    """A refusal is the measurement's business: it was measured all the same."""
    found = wrong(cells(Fresh(kinds=("performance",)), Records(), result("PERF-01", outcome)))
    assert found == ({} if expected is None else {"performance (measured)": expected})


def test_a_day_that_is_not_there_or_not_yet_is_missing() -> None:
    for day in (None, date(2026, 11, 3)):
        found = cells(Fresh(kinds=("risks",)), Records(documents=(replace(RISKS, effective=day),)))
        assert wrong(found) == {"aims/risks.yaml": "MISSING"}


def test_without_records_nothing_is_fresh() -> None:
    with pytest.raises(NoDataError):
        cells(Fresh(), None)


AUDIT = {"what": "internal audit", "type": "audit", "every": 365}
HELD = entry("org/log/1.md", type="audit", closed=date(2026, 10, 9))


@pytest.mark.parametrize(
    ("row", "held", "expected"),
    [
        (AUDIT, {}, None),
        (AUDIT, {"closed": date(2025, 10, 30)}, "2"),
        (AUDIT, {"closed": None, "opened": date(2025, 10, 30)}, "2"),
        (AUDIT, {"closed": date(2026, 11, 2)}, "MISSING"),  # it is to come
        (AUDIT, {"type": "review"}, "MISSING"),
        (AUDIT, {"problems": (problem("Findings", ProblemKind.TODO),)}, "MISSING"),
        ({**AUDIT, "every": "yearly"}, {}, "MISSING"),
        ({**AUDIT, "every": 10**11}, {}, "MISSING"),
        ({**AUDIT, "every": -(10**8)}, {}, "MISSING"),
    ],
)
def test_what_comes_again_is_in_the_log_in_time(
    row: dict[str, object], held: dict[str, Any], expected: str | None
) -> None:
    records = replace(owned(), documents=(document("organisation", calendar=[row]),))
    found = cells(Fresh(kinds=("calendar",)), replace(records, entries=(replace(HELD, **held),)))
    assert wrong(found) == ({} if expected is None else {"calendar internal audit": expected})


def test_no_calendar_where_one_is_asked_for_is_missing() -> None:
    assert wrong(cells(Fresh(kinds=("calendar",)), owned())) == {"calendar": "MISSING"}


@pytest.mark.parametrize(
    ("runbook", "expected"),
    [
        ("runbooks/stop.md", None),
        ("stop.md", None),
        ("runbooks/bias.md", "MISSING"),
        (None, "MISSING"),
    ],
)
def test_an_exercise_in_the_log_tries_its_runbook(runbook: object, expected: str | None) -> None:
    records = Records(
        documents=(document("runbook", "aims/runbooks/stop.md"),),
        entries=(entry(type="exercise", values=frozen({"runbook": runbook})),),
    )
    found = wrong(cells(Fresh(kinds=("runbook",), strength="declared"), records))
    assert found == ({} if expected is None else {"aims/runbooks/stop.md exercised": expected})
