"""Cadences are the organisation's; a document asks for more than its own, never for less."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from aims_gate.checks.contract import NoDataError
from aims_gate.checks.records.cadence import cadences, due
from aims_gate.checks.records.fresh import Fresh
from aims_gate.governance.contract import Records
from tests.checks.records.written import cells, document, result, wrong

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
    ],
)
def test_a_malformed_cadence_changes_nothing(row: object) -> None:
    assert cadences(owned(row), "person")["risks"] == 92


@pytest.mark.parametrize(("review_every", "days"), [(None, 92), (30, 30), (400, 92)])
def test_a_document_may_ask_for_more_and_not_for_less(review_every: int | None, days: int) -> None:
    found = due(replace(RISKS, review_every=review_every), Records())
    assert found is not None
    assert (found - date(2026, 10, 1)).days == days


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
    for day in (None, date(2026, 11, 2)):
        found = cells(Fresh(kinds=("risks",)), Records(documents=(replace(RISKS, effective=day),)))
        assert wrong(found) == {"aims/risks.yaml": "MISSING"}


def test_without_records_nothing_is_fresh() -> None:
    with pytest.raises(NoDataError):
        cells(Fresh(), None)
