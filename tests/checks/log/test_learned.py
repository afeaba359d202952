"""An incident that became a rule: later releases must pass it, and both name each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aims_gate.checks.contract import NoDataError
from aims_gate.checks.log.learned import Learned
from aims_gate.checks.parameters import problems_of
from aims_gate.facts import UNSEEN
from aims_gate.governance.contract import LogEntry, Records, frozen
from aims_gate.plan import build
from aims_gate.policy.model import Severity
from aims_gate.verdict import Outcome
from tests.checks.records.written import cells, entry, result, statistics, wrong

ID = "credit/2026-10-21-income-drift"
RULE = result("DATA-09", why=f"after {ID}: income is nominal")
WHERE = "aims/log/1.md DATA-09"


def incident(**values: Any) -> LogEntry:
    return replace(entry(), id=ID, values=frozen(values))


LOG = Records(entries=(incident(became="DATA-09"),))


def test_an_incident_and_its_rule_that_name_each_other_hold() -> None:
    found = cells(Learned(), LOG, RULE, result("PERF-01"))
    assert list(found) == ["log", WHERE, f"DATA-09 {ID}"]
    assert not wrong(found)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"why": "income is nominal"}, {WHERE: "1"}),
        ({"why": f"after {ID}x"}, {WHERE: "1", f"DATA-09 {ID}x": "1"}),
        ({"severity": Severity.WARN}, {WHERE: "1"}),
        ({"outcome": Outcome.FAIL, "raw_outcome": Outcome.FAIL}, {WHERE: "1"}),
        ({"outcome": Outcome.WAIVED, "raw_outcome": Outcome.FAIL, "waiver": "W-1"}, {WHERE: "1"}),
    ],
)
def test_a_rule_that_forgets_its_incident_or_lets_it_pass_is_found(
    change: dict[str, Any], expected: dict[str, str]
) -> None:
    assert wrong(cells(Learned(), LOG, replace(RULE, **change))) == expected


def test_a_rule_that_was_taken_out_again_is_missing() -> None:
    assert wrong(cells(Learned(), LOG, result("PERF-01"))) == {WHERE: "MISSING"}
    said = statistics(Learned(elsewhere=("DATA-*",)), LOG)
    assert [one.slice for one in said if one.name == UNSEEN] == ["aims/log/1.md"]


def test_a_rule_that_names_an_entry_which_is_gone_or_knows_nothing_of_it_is_found() -> None:
    expected = {f"DATA-09 {ID}": "1"}
    assert wrong(cells(Learned(), Records(), RULE)) == expected
    assert wrong(cells(Learned(), Records(entries=(incident(),)), RULE)) == expected
    other = Records(entries=(incident(became="DATA-10"),))
    assert wrong(cells(Learned(elsewhere=("DATA-10",)), other, RULE)) == expected


def test_without_records_nothing_is_learned() -> None:
    with pytest.raises(NoDataError, match="no records"):
        statistics(Learned(), None)
    assert not wrong(cells(Learned(), Records(), result("PERF-01")))
    assert list(problems_of(build("log.learned", {"elsewhere": ["*"]})))
