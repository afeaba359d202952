"""Records that are not there, not written yet, or hold what nobody knows never pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aims_gate.checks.contract import NoDataError
from aims_gate.checks.records.complete import Complete
from aims_gate.governance.contract import ProblemKind, RecordDocument, Records
from tests.checks.records.written import cells, document, entry, problem, wrong

SOUND = Records(documents=(document("system"), document("card")), entries=(entry(),))


def test_whole_records_have_a_cell_each_and_no_fault() -> None:
    found = cells(Complete(), SOUND)
    assert list(found) == ["aims/system.yaml", "aims/card.yaml", "aims/log/1.md"]
    assert not wrong(found)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (ProblemKind.MISSING, "MISSING"),
        (ProblemKind.TODO, "MISSING"),
        (ProblemKind.TEMPLATE, "MISSING"),
        (ProblemKind.UNKNOWN, "1"),
        (ProblemKind.UNREADABLE, "1"),
    ],
)
def test_each_kind_of_fault_is_a_cell_of_its_field(kind: ProblemKind, expected: str) -> None:
    """What is not written yet is MISSING; an untouched sentence of the template is not written."""
    faulty = replace(document("card"), problems=(problem("intended_use", kind),))
    found = cells(Complete(), Records(documents=(document("system"), faulty)))
    assert wrong(found) == {"aims/card.yaml intended_use": expected}
    assert (
        f"aims/card.yaml:3: intended_use is {kind}" in found["aims/card.yaml intended_use"].reason
    )


def test_a_document_that_is_not_there_is_missing() -> None:
    """The reader gives it without id; a kind that it does not know of at all is missing, too."""
    gone = RecordDocument(
        kind="card", id="", path="aims/card.md", problems=(problem("", ProblemKind.MISSING),)
    )
    assert wrong(cells(Complete(), Records(documents=(gone,)))) == {"aims/card.md": "MISSING"}
    assert wrong(cells(Complete(kinds=("impact",)), SOUND)) == {"impact": "MISSING"}
    assert wrong(cells(Complete(), Records())) == {"": "MISSING"}


def test_without_kinds_the_log_and_stray_files_count_and_with_kinds_only_theirs() -> None:
    stray = problem("", ProblemKind.UNKNOWN, "aims/crad.md")
    bad = entry("aims/log/2.md", problems=(problem("Cause", ProblemKind.TODO, "aims/log/2.md"),))
    records = replace(SOUND, entries=(entry(), bad), problems=(stray,))
    assert wrong(cells(Complete(), records)) == {
        "aims/log/2.md Cause": "MISSING",
        "aims/crad.md": "1",
    }
    assert not wrong(cells(Complete(kinds=("card",)), records))


def test_no_records_at_all_is_missing() -> None:
    with pytest.raises(NoDataError, match="no records"):
        cells(Complete(), None)


def test_a_kind_that_there_is_not_is_a_fault_of_the_policy() -> None:
    told = list(Complete(kinds=("crad", "card", "card")).problems())
    assert told == [
        ("kinds", "no record is of the kind 'crad'", "did you mean 'card'?"),
        ("kinds", "names a kind twice", ""),
    ]
