"""Each duty has a person and a day, and goes once what it asks for is there."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from aims_gate.operations.aims.approve import approve
from aims_gate.operations.aims.todo import MACHINE, NOBODY, Duty, duties, todo_sheet
from aims_gate.pages.sheet import render_csv, render_text
from aims_gate.verdict import Outcome
from tests.operations.aims.test_gap import NOW, Company, company
from tests.reports.cases import BIAS
from tests.support.github_api import BOT, TOKEN, GitHub
from tests.support.proofs import new_signer
from tests.support.records import edit

__all__ = ["company"]


def about(found: tuple[Duty, ...], words: str) -> list[Duty]:
    return [one for one in found if words in one.what]


def asked(company: Company, days: int = 0) -> tuple[Duty, ...]:
    return duties(company.survey(NOW + timedelta(days=days)))


def test_a_sound_record_is_to_be_looked_at_by_its_day(company: Company) -> None:
    (found,) = [one for one in about(asked(company), "look through") if "risks" in one.where]
    assert (found.person, found.system) == ("ada@acme.example", "credit")
    assert found.due == NOW.date().replace(month=11, day=3) + timedelta(days=92)


def test_a_placeholder_is_due_today_with_its_line(company: Company) -> None:
    edit(company.aims / "data" / "loans.md", "purpose: to decide on loans", "purpose: 'TODO: why'")
    (found,) = [one for one in asked(company) if "loans.md:" in one.where]
    assert found.due == NOW.date()
    edit(company.aims / "data" / "loans.md", "purpose: 'TODO: why'", "purpose: to decide on loans")
    assert not [one for one in asked(company) if "loans.md:" in one.where]


def test_a_day_at_the_end_of_the_calendar_stops_no_list(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(company.folder)
    edit(company.aims / "impact.md", "effective: 2026-11-03", "effective: 9999-12-31")
    late = [one for one in asked(company) if one.due == date.max]
    assert {one.where for one in late} == {"aims/impact.md"}
    sheet = todo_sheet(asked(company), today=NOW.date(), days=10**10)
    assert len(sheet.tables[0].rows) == len(asked(company))
    assert guarded(["aims", "todo", "--days", "9999999999"]) == 0
    assert guarded(["aims", "status", "--as-of", "0001-01-01"]) == 0
    assert guarded(["aims", "status", "--as-of", "9999-12-31"]) == 0


def test_what_nobody_approved_is_one_duty_of_its_owner_and_system(company: Company) -> None:
    """And one issue, however short the list becomes."""
    (before,) = [one for one in about(asked(company), "approved by another") if one.system]
    assert (before.person, before.where) == ("ada@acme.example", "aims")
    assert "impact.md" in before.what
    bo, trust = new_signer(), company.gated.trust
    (trust.parent / "bo.pub").write_text(bo.key.pem, encoding="utf-8")
    edit(trust, "keys:\n", "keys:\n- {person: bo, public_key: bo.pub, roles: [approver]}\n")
    at = NOW - timedelta(hours=1)
    approve(company.aims / "impact.md", signer=bo, trust=trust, evidence=None, now=at)
    (after,) = [one for one in about(asked(company), "approved by another") if one.system]
    assert "impact.md" not in after.what
    assert after.key == before.key


def test_a_record_that_is_not_in_force_yet_is_a_duty(company: Company) -> None:
    edit(company.aims / "impact.md", "effective: 2026-11-03", "effective: 2099-01-01")
    assert about(asked(company), "in force only from 2099-01-01")


def test_an_act_that_does_not_count_is_told_with_its_reason(company: Company) -> None:
    bo, trust = new_signer(), company.gated.trust
    (trust.parent / "bo.pub").write_text(bo.key.pem, encoding="utf-8")
    edit(trust, "keys:\n", "keys:\n- {person: bo, public_key: bo.pub, roles: [approver]}\n")
    at = NOW - timedelta(hours=1)
    approve(company.aims / "impact.md", signer=bo, trust=trust, evidence=None, now=at)
    edit(company.aims / "impact.md", "Applicants and", "All applicants and")
    (found,) = [one for one in about(asked(company), "approved by another") if one.system]
    assert "bo@acme.example approved other bytes" in found.what


def test_a_record_of_nobody_is_nobodys(company: Company) -> None:
    (company.aims / "impact.md").unlink()
    (found,) = [one for one in asked(company) if one.where.startswith("aims/impact.md")]
    assert found.person == NOBODY


def test_competence_that_ends_and_vacant_roles_are_told(company: Company) -> None:
    ends = {str(one.due): one.person for one in about(asked(company), "competence in")}
    assert ends["2026-12-12"] == "cy@acme.example"
    edit(
        company.org / "people.yaml",
        "roles: [risk-owner]\n",
        "roles: [risk-owner]\n    left: 2026-11-01\n",
    )
    assert not [
        one for one in about(asked(company), "competence in") if one.person.startswith("bo")
    ]
    assert not about(asked(company), "vacant")
    edit(company.org / "people.yaml", "roles: [risk-owner, model-owner]", "roles: [model-owner]")
    assert about(asked(company), "the role risk-owner is vacant")
    assert not about(asked(company), "deputy")
    people = company.org / "people.yaml"
    text = people.read_text(encoding="utf-8")
    people.write_text(text.replace("deputy: cy@acme.example", "deputy: ci", 1), encoding="utf-8")
    assert about(asked(company), "has the deputy 'ci', who is nobody here")


def test_an_open_incident_is_due_on_its_day(company: Company) -> None:
    entry = company.aims / "log" / "2026-10-21-income.md"
    assert not about(asked(company), "incident: close it")
    edit(entry, "closed: 2026-10-24\n", "")
    (found,) = about(asked(company), "incident: close it")
    assert str(found.due) == "2026-11-04"
    assert "25 d late" in render_text(todo_sheet((found,), today=NOW.date(), days=7))


def test_the_calendar_counts_from_the_last_sound_entry(company: Company) -> None:
    edit(
        company.org / "organisation.yaml",
        "resources:",
        "calendar:\n"
        "  - {what: try the rollback, type: incident, every: 90, owner: cy@acme.example}\n"
        "resources:",
    )
    (found,) = about(asked(company), "try the rollback")
    assert str(found.due) == "2027-01-22"
    edit(company.aims / "log" / "2026-10-21-income.md", "severity: high", "severity: odd")
    (found,) = about(asked(company), "try the rollback")
    assert found.due == NOW.date()


def test_days_that_stand_inside_of_records_are_told(company: Company) -> None:
    """A supplier's assessment, a runbook and the way back that are tried once a year."""
    found = {one.where: str(one.due) for one in about(asked(company), "to be ")}
    assert found["org/suppliers.yaml scores-inc"] == "2027-06-01"
    assert found["aims/runbooks/stop.md exercised"] == "2027-10-14"
    assert found["aims/system.yaml rollback"] == "2027-10-14"


def test_the_next_measurement_is_the_machines(company: Company) -> None:
    (found,) = [one for one in asked(company) if one.person == MACHINE]
    assert str(found.due) == "2026-12-02"


def test_what_a_rule_over_records_refused_and_a_waiver_that_ends(company: Company) -> None:
    """Of a rule that a model fails there is no duty over records: the release is refused."""
    found = company.survey()
    (system,) = found.systems
    (verdict,) = system.verdicts
    waived = replace(BIAS, outcome=Outcome.WAIVED, waiver="W-1", expires=NOW + timedelta(days=9))
    moved = replace(BIAS, rule="REC-04", check="records.current", reason="use moved")
    verdict = replace(verdict, results=(waived, moved, replace(BIAS, rule="BIAS-09")))
    listed = duties(replace(found, systems=(replace(system, verdicts=(verdict,)),)))
    assert [one.person for one in about(listed, "REC-04: use moved")] == ["ada@acme.example"]
    assert [str(one.due) for one in about(listed, "waiver W-1")] == ["2026-12-08"]
    assert not about(listed, "BIAS-09")


def test_csv_holds_every_row_and_starts_no_formula(company: Company) -> None:
    evil = Duty(due=NOW.date(), person="=cmd()", where="+1", what="a\nb", system="@x")
    text = render_csv(todo_sheet((*asked(company), evil), today=NOW.date(), days=400))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == len(asked(company)) + 1
    assert not [one for row in rows for one in row.values() if one[:1] in set("=+@")]


def test_issues_are_opened_once_brought_up_to_date_and_closed(
    company: Company, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(company.folder)
    entry = company.aims / "log" / "2026-10-21-income.md"
    edit(entry, "closed: 2026-10-24\n", "")
    read = ["--evidence", "evidence", "--trust", "lab/trust.yaml", "--as-of", "2026-11-29"]
    command = ["aims", "todo", *read, "--days", "0", "--format", "github"]
    stranger = {
        "number": 99,
        "id": 99,
        "title": "mine",
        "body": "mine",
        "user": BOT,
        "state": "open",
    }
    with GitHub(issues=[stranger]) as hub:
        monkeypatch.setenv("GITHUB_API_URL", hub.url)
        monkeypatch.setenv("GITHUB_REPOSITORY", "acme/credit")
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        assert guarded(command) == 0
        opened = [one for one in hub.issues if "close it with cause" in one["title"]]
        assert len(opened) == 1
        count = len(hub.issues)
        assert guarded(command) == 0
        assert len(hub.issues) == count
        assert "0 opened, 0 brought up to date, 0 closed" in capsys.readouterr().out
        edit(entry, "due: 2026-11-04", "due: 2026-11-05")
        assert guarded(command) == 0
        assert "1 brought up to date" in capsys.readouterr().out
        edit(entry, "due: 2026-11-05\n", "due: 2026-11-05\nclosed: 2026-11-06\n")
        assert guarded(command) == 0
        assert "1 closed" in capsys.readouterr().out
        assert stranger["state"] == "open"
        assert guarded([*command, "--person", "ada@acme.example"]) == 2


def test_a_folder_without_anything_has_nothing_to_do_but_to_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert guarded(["aims", "todo"]) == 0
    assert "aims init" in capsys.readouterr().out
