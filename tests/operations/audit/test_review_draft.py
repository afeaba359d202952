"""Inputs of the management review come from what is there, and decisions from nobody but people."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aims_gate.__main__ import guarded
from aims_gate.governance.reader import read
from aims_gate.operations.audit.review_inputs import open_review, review_sheet
from aims_gate.pages.sheet import SheetTable, render_html
from aims_gate.verdict import Outcome
from tests.operations.aims.test_gap import NOW, Company
from tests.operations.audit.conftest import PERIOD
from tests.support.gated import measured
from tests.support.records import edit

REVIEW = """\
---
kind: entry
type: review
id: acme/2026-09-15-review
owner: bo@acme.example
opened: 2026-09-15
closed: 2026-09-15
attendees: [bo@acme.example]
---
## Inputs
Figures of the quarter.
## Decisions
Ada gets a deputy.
"""


def table(company: Company, begins: str) -> SheetTable:
    tables = review_sheet(company.survey(), PERIOD).tables
    (found,) = (one for one in tables if one.title.startswith(begins))
    return found


def text(company: Company, begins: str) -> str:
    return " | ".join("; ".join(row.cells) for row in table(company, begins).rows)


def test_each_input_of_the_clause_has_a_table_and_decisions_are_empty(audited: Company) -> None:
    titles = [one.title.partition(":")[0] for one in review_sheet(audited.survey(), PERIOD).tables]
    for begins in ("Earlier", "Changes", "What interested", "Performance", "What may be improved"):
        assert any(one.startswith(begins) for one in titles)
    assert all(row.cells[1:] == ("", "", "") for row in table(audited, "Decisions").rows)


def test_a_decision_that_nothing_came_of_stays_open(audited: Company) -> None:
    assert table(audited, "Earlier").rows == ()
    log = audited.org / "log"
    log.mkdir()
    (log / "2026-09-15-review.md").write_text(REVIEW, encoding="utf-8")
    (row,) = table(audited, "Earlier").rows
    assert (row.tone, row.cells[2]) == ("warn", "no entry of the log links to it")
    followed = audited.aims / "log" / "2026-10-21-income.md"
    edit(followed, "links: [R-2]", "links: [acme/2026-09-15-review]")
    (row,) = table(audited, "Earlier").rows
    assert (row.tone, row.cells[1]) == ("good", "Ada gets a deputy.")
    edit(followed, "closed: 2026-10-24\n", "")
    assert table(audited, "Earlier").rows[0].tone == "warn"


def test_what_failed_and_what_was_done_are_inputs(audited: Company) -> None:
    assert "Income is nominal." in text(audited, "Performance: nonconformities")
    assert "BIAS-02 (Groups are selected at similar rates); a candidate" in text(
        audited, "Performance: what monitoring"
    )
    assert "candidates judged; 2" in text(audited, "Performance: figures")
    audited.gated.judge("credit", "7", NOW - timedelta(days=1), passed=False)
    assert "it was serving; no entry of the log tells" in text(audited, "Performance: what mon")


def test_an_objective_is_as_its_rule_was_measured(audited: Company) -> None:
    assert "PASS: " in text(audited, "Objectives")
    assert "by people: counted by hand" in text(audited, "Objectives")
    lost = measured("PERF-01", "9.1", outcome=Outcome.MISSING)
    audited.gated.judge("credit", "7", NOW - timedelta(days=1), lost, measured("X", "9.1"))
    (bad,) = (row for row in table(audited, "Objectives").rows if row.tone == "bad")
    assert "MISSING" in bad.cells[2]


def test_a_concern_is_told_without_its_text_and_late_ones_stand_out(audited: Company) -> None:
    front = "---\nkind: entry\ntype: concern\nid: credit/c\nowner: ada@acme.example\n"
    more = "opened: 2026-11-01\ndue: 2026-11-10\n---\n## What was said\nMs Gray was refused.\n"
    (audited.aims / "log" / "2026-11-01-c.md").write_text(front + more, encoding="utf-8")
    assert "concern of 2026-11-01: open, late" in text(audited, "What interested")
    assert "Ms Gray" not in render_html(review_sheet(audited.survey(), PERIOD))


def test_an_empty_organisation_has_an_honest_draft(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(str(tmp_path))
    assert guarded(["aims", "review", "draft"]) == 0
    told = capsys.readouterr().out
    assert "there was no review before" in told
    assert "63 of 63 requirements open" in told


def test_the_entry_waits_for_decisions(audited: Company) -> None:
    path = open_review(
        audited.survey(),
        PERIOD,
        attendees=("bo@acme.example",),
        owner="bo@acme.example",
        folder=audited.org,
    )
    (entry,) = (one for one in read(None, audited.org).entries if one.type == "review")
    assert "Earlier reviews" in entry.sections["Inputs"]
    assert entry.problems == ()
    assert guarded(["aims", "log", "close", str(path)]) == 2


def test_the_command_writes_a_page_and_opens_an_entry(
    audited: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(audited.folder)
    edit(audited.aims / "risks.yaml", "title: Income shifts", "title: <script>alert(1)</script>")
    read_from = ["--evidence", "evidence", "--trust", "lab/trust.yaml", "--as-of", "2026-11-29"]
    ask = ["aims", "review", "draft", *read_from, "--html", "--out", "review.html"]
    assert guarded([*ask, "--open"]) == 2
    assert guarded([*ask, "--open", "--attendee", "bo@acme.example"]) == 0
    assert "<script" not in (audited.folder / "review.html").read_text("utf-8")
    assert [one.name for one in (audited.org / "log").iterdir()] == [
        "2026-11-29-management-review.md"
    ]


def test_what_took_effect_on_a_day_is_one_line(audited: Company) -> None:
    rows = [row.cells for row in table(audited, "Changes").rows if "took effect" in row.cells[2]]
    assert [cells[:2] for cells in rows] == [
        ("2026-11-03", "credit"),
        ("2026-11-03", "organisation"),
    ]
    assert "aims/impact.md, aims/card.md" in rows[0][2]
