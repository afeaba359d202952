"""The figures of a quarter are counted from signed evidence and the log, and from nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from aims_gate.__main__ import guarded
from aims_gate.operations.aims.quarter import Quarter, quarters, told
from aims_gate.operations.aims.status import status_sheet
from aims_gate.operations.aims.todo import duties
from aims_gate.pages.sheet import Sheet, render_html, render_text
from aims_gate.verdict import Authenticity, Decision, Verdict, VerificationStatus
from tests.operations.aims.test_gap import NOW, Company, company
from tests.support.gated import measured
from tests.support.html_page import Parsed
from tests.support.records import edit

__all__ = ["company"]


def sheet(company: Company, days: float = 0, *, risks: bool = False) -> Sheet:
    found = company.survey(NOW + timedelta(days=days))
    return status_sheet(found, duties(found), risks=risks)


def this_quarter(company: Company) -> Quarter:
    return quarters(company.survey())[0]


def test_a_model_is_one_line_with_what_is_next(company: Company) -> None:
    (row,) = sheet(company).tables[0].rows
    assert row.cells[:7] == ("credit", "7", "✓ policy met", "2026-11-25", "4 d", "8", "-")
    assert row.tone == "good"
    assert "(" in row.cells[7]


def test_a_version_that_nobody_judged_is_no_pass(company: Company) -> None:
    edit(company.aims / "system.yaml", "registry: [credit]", "registry: [credit, scores]")
    rows = {row.cells[0]: row for row in sheet(company).tables[0].rows}
    assert (rows["scores"].tone, rows["scores"].cells[2]) == ("bad", "! no verdict")


def test_a_model_that_serves_and_no_system_names_is_a_line(company: Company) -> None:
    company.gated.promote(company.gated.judge("ranker", "4", NOW - timedelta(days=9)), NOW)
    row = sheet(company, 1).tables[0].rows[-1]
    assert row.cells[:2] == ("ranker", "4")
    assert "not in the inventory" in row.cells[7]
    assert row.tone == "bad"


def test_a_folder_that_is_called_as_a_model_is_not_judged_for_it(company: Company) -> None:
    """The name of what no registry holds is its author's to choose."""
    edit(company.aims / "system.yaml", "registry: [credit]", "registry: [scores]")
    company.gated.judge("scores", "", NOW - timedelta(days=1), place="pkg:generic/scores")
    row, _unlisted = sheet(company).tables[0].rows
    assert (row.cells[0], row.cells[2]) == ("scores", "! no verdict")


def test_a_refusal_of_what_serves_is_the_worst_of_the_newest_verdicts(company: Company) -> None:
    company.gated.judge("credit", "7", NOW - timedelta(days=1), passed=False)
    (row,) = sheet(company).tables[0].rows
    assert row.cells[2] == "✗ policy not met"
    assert this_quarter(company).failing == 1
    assert "what serves is refused by BIAS-02" in row.cells[7]


def test_a_refusal_is_worse_than_no_decision_and_what_expired_is_no_pass(company: Company) -> None:
    found = company.survey()
    (system,) = found.systems
    (passed,) = system.verdicts
    undecided = replace(passed, decision=Decision.UNDECIDED)
    refused = replace(passed, decision=Decision.REFUSED)
    status = VerificationStatus(authenticity=Authenticity.EXPIRED, told="t", read=NOW)

    def shown(*verdicts: Verdict) -> tuple[str, str]:
        one = replace(system, verdicts=verdicts)
        row = status_sheet(replace(found, systems=(one,)), ()).tables[0].rows[0]
        return row.tone, row.cells[2]

    assert shown(passed, undecided, refused) == ("bad", "✗ policy not met")
    assert shown(passed, undecided) == ("warn", "? undecided")
    assert shown(replace(passed, standing=status)) == ("warn", "! expired; it said policy met")


def test_an_open_entry_and_the_largest_risk_are_told(company: Company) -> None:
    edit(company.aims / "log" / "2026-10-21-income.md", "closed: 2026-10-24\n", "")
    edit(
        company.aims / "risks.yaml",
        "residual: {likelihood: 2, severity: 4}",
        "residual: {likelihood: 3, severity: 4}",
    )
    (row,) = sheet(company).tables[0].rows
    assert row.cells[5:7] == ("12", "1 incident")
    (risks,) = [one for one in sheet(company, risks=True).tables if "residual" in one.title]
    assert [one.cells[:3] for one in risks.rows] == [
        ("12", "credit", "R-1"),
        ("6", "credit", "R-2"),
    ]


@pytest.mark.parametrize("risk", ["{}", "3", "{likelihood: true, severity: 1}"])
def test_a_risk_that_nobody_scored_is_the_largest(company: Company, risk: str) -> None:
    old = "residual: {likelihood: 2, severity: 3}"
    edit(company.aims / "risks.yaml", old, f"residual: {risk}")
    assert sheet(company).tables[0].rows[0].cells[5] == "25"
    (company.aims / "risks.yaml").write_text("- just\n- words\n", encoding="utf-8")
    assert "unread" in sheet(company).tables[0].rows[0].cells[5]


def test_candidates_are_counted_once_and_what_got_through_apart(company: Company) -> None:
    gated, at = company.gated, NOW - timedelta(days=2)
    gated.judge("credit", "8", at, passed=False)
    gated.judge("credit", "8", at + timedelta(hours=1), passed=False)
    gated.judge("credit", "9", at, passed=False)
    gated.judge("credit", "9", at + timedelta(hours=1))
    gated.judge("credit", "6", NOW - timedelta(days=80), passed=False)
    found, last = quarters(company.survey())
    assert (found.judged, found.refused) == (3, 1)  # 7, 8 and 9; 8
    assert (last.judged, last.refused, last.escaped) == (1, 1, 0)
    assert found.resolved == (3,)


def test_what_escaped_is_an_incident_in_service_that_no_refusal_detected(company: Company) -> None:
    """Of nothing that served then, or with a fault, it stands apart."""

    def counted() -> tuple[int, int, int, int]:
        found = this_quarter(company)
        return found.escaped, found.escaped_open, found.detected, found.apart

    assert counted() == (0, 0, 0, 1), "nothing served in October yet"
    day = NOW - timedelta(days=50)
    company.gated.promote(company.gated.judge("credit", "6", day), day)
    assert counted() == (1, 0, 0, 0)
    evidence = company.gated.judge("credit", "6", day + timedelta(days=5), passed=False)
    path = company.aims / "log/2026-10-21-income.md"
    edit(path, "rule: PERF-01", f"rule: PERF-01\ndetected_by: evidence {evidence.name}")
    assert counted() == (0, 0, 1, 0)
    edit(path, f"evidence {evidence.name}", "a customer")
    edit(path, "closed: 2026-10-24\n", "")
    assert counted() == (1, 1, 0, 0)
    edit(path, "severity: high", "severity: terrible")
    assert counted() == (0, 0, 0, 1)
    edit(path, "type: incident", "type: Incident")
    assert counted() == (0, 0, 0, 1)


def test_rules_that_a_newer_version_of_the_policy_dropped_are_told(company: Company) -> None:
    company.gated.judge("credit", "7", NOW - timedelta(days=2), passed=False)
    shorter = measured("PERF-01", "9.1")
    company.gated.judge("credit", "7", NOW - timedelta(days=1), shorter, version_of_policy="2.0.0")
    (row,) = sheet(company).tables[0].rows
    told = "✓ policy met; rules dropped since they refused it: BIAS-02"
    assert (row.tone, row.cells[2]) == ("warn", told)
    again = measured("BIAS-02", "9.1")
    at = NOW - timedelta(hours=9)
    company.gated.judge("credit", "7", at, again, shorter, version_of_policy="3.0.0")
    (row,) = sheet(company).tables[0].rows
    assert (row.tone, row.cells[2]) == ("good", "✓ policy met")


def test_monitoring_of_what_serves_judges_no_candidate(company: Company) -> None:
    company.gated.judge("credit", "7", NOW - timedelta(days=1))
    assert this_quarter(company).judged == 1


def test_the_wait_is_split_between_the_gate_and_people(company: Company) -> None:
    """Two evaluations of 48 s, and an hour and 48 s from the first to the promotion."""
    found = this_quarter(company)
    assert found.waits == (timedelta(hours=1, seconds=48),)
    assert found.gate == (timedelta(seconds=48),)
    assert dict(told(found))["share spent waiting for people"] == "99%"
    assert quarters(company.survey())[1].people is None


def test_the_page_is_one_page_and_hostile_names_do_nothing(
    company: Company, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(company.aims / "risks.yaml", "title: Income shifts", "title: <script>alert(1)</script>")
    text = render_html(sheet(company, risks=True))
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "")
    assert "✓ policy met" in Parsed(text).words
    monkeypatch.chdir(company.folder)
    read = ["--evidence", "evidence", "--trust", "lab/trust.yaml", "--as-of", "2026-11-29"]
    assert guarded(["aims", "status", *read, "--html", "--out", "status.html"]) == 0
    assert (company.folder / "status.html").read_text("utf-8").startswith("<!doctype html>")
    assert guarded(["aims", "status", *read, "--format", "json", "--risks"]) == 0
    assert len(json.loads(capsys.readouterr().out)["tables"]) == 3
    assert "credit" in render_text(sheet(company))


def test_the_statement_of_applicability_shows_what_nobody_decided(
    company: Company, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    company.decide("A.6.2.6", status="planned")
    company.decide("A.5.4", justification="'TODO: why'")
    monkeypatch.chdir(company.folder)
    read = ["--evidence", "evidence", "--trust", "lab/trust.yaml", "--as-of", "2026-11-29"]
    assert guarded(["aims", "soa", *read, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert "2 of 38 controls decided" in found["lead"]
    rows = {row["control"]: row for row in found["tables"][0]["rows"]}
    assert len(rows) == 38
    assert rows["A.6.2.6"]["status"] == "planned"
    assert rows["A.6.2.6"]["found"].startswith("conflict: planned, it says; ran: ")
    assert rows["A.5.5"]["applies"] == "undecided"
