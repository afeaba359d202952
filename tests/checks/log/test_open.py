"""Whatever is open, late, or closed without saying how, is counted; what cannot be read as well."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from aims_gate.checks.contract import NoDataError
from aims_gate.checks.log.entries import Open
from aims_gate.governance.contract import ProblemKind, Records, frozen
from tests.checks.records.written import cells, entry, problem, wrong

LATE = Open(overdue=True)
TODAY = date(2026, 11, 1)
TODO = problem("Did it work", ProblemKind.TODO)
MISSPELT = problem("severity", ProblemKind.UNREADABLE)


@pytest.mark.parametrize(
    ("check", "parts", "counts"),
    [
        (Open(), {}, False),
        (Open(), {"closed": None}, True),
        (Open(), {"closed": date(2026, 11, 2)}, True),  # it says that it will be
        (Open(), {"closed": TODAY}, False),
        (Open(), {"problems": (TODO,)}, True),  # closed, and nobody says whether it worked
        (Open(types=("concern",)), {"closed": None}, False),
        (Open(types=("concern",)), {"closed": None, "type": ""}, True),
        (Open(severities=("critical",)), {"closed": None}, False),
        (Open(severities=("critical",)), {"closed": None, "severity": ""}, True),
        (Open(types=("concern",)), {"closed": None, "type": "Incident"}, True),
        (Open(severities=("critical",)), {"closed": None, "severity": "High"}, True),
        (LATE, {"closed": None, "due": TODAY}, False),
        (LATE, {"closed": None, "due": TODAY, "problems": (TODO,)}, False),
        (LATE, {"closed": None, "due": TODAY, "problems": (MISSPELT,)}, True),
        (LATE, {"closed": None, "due": date(2026, 10, 31)}, True),
        (LATE, {"closed": None, "due": None}, False),
        (LATE, {"closed": None, "due": None, "problems": (TODO,)}, True),
    ],
)
def test_an_entry_counts_until_it_is_closed(
    check: Open, parts: dict[str, Any], *, counts: bool
) -> None:
    found = cells(check, Records(entries=(entry(**parts),)))
    assert bool(wrong(found)) is counts


@pytest.mark.parametrize(
    ("notify", "counts"),
    [
        ({"authority": "none", "reason": "no serious incident"}, False),
        ({"authority": "the regulator", "due": "2026-11-01"}, False),
        ({"authority": "the regulator", "due": "2026-10-31"}, True),
        ({"authority": "the regulator", "due": "2026-10-31", "done": "2026-11-02"}, True),
        ({"authority": "the regulator", "due": "2026-10-31", "done": "2026-10-30"}, False),
        ("soon", True),
    ],
)
def test_an_authority_that_was_to_be_told_and_was_not_is_overdue(
    notify: object, *, counts: bool
) -> None:
    """A closed incident does not end the clock of its notification."""
    problems = () if isinstance(notify, dict) else (problem("notify", ProblemKind.UNREADABLE),)
    told = entry(values=frozen({"notify": notify}), problems=problems)
    assert bool(wrong(cells(LATE, Records(entries=(told,))))) is counts


def test_an_empty_log_has_nothing_open_and_an_unreadable_one_has() -> None:
    assert not wrong(cells(Open(), Records()))
    gone = problem("", ProblemKind.UNREADABLE, "aims/log")
    assert wrong(cells(Open(), Records(problems=(gone,)))) == {"log": "1"}
    with pytest.raises(NoDataError):
        cells(Open(), None)


def test_a_type_that_no_entry_has_is_a_fault_of_the_policy() -> None:
    ((field, what, _hint),) = Open(types=("incidents",)).problems()
    assert (field, what) == ("types", "no entry has the type 'incidents'")
