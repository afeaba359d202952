"""Strength of an approval is that of the day that is asked about, and never today's for another."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from aims_gate.operations.aims.approve import approve
from aims_gate.operations.aims.survey import Survey
from aims_gate.operations.audit.approvals_then import ApprovalsThen
from aims_gate.operations.audit.record_tables import accepted_risks, approvals
from tests.operations.aims.test_gap import Company
from tests.support.git_server import git
from tests.support.proofs import new_signer
from tests.support.records import edit

CHANGED, SIGNED = date(2026, 11, 18), date(2026, 11, 19)


def row(found: Survey, day: date | ApprovalsThen, name: str = "risks.yaml") -> tuple[str, ...]:
    """Strength, people, day and what does not count of a document."""
    then = ApprovalsThen.on(day, found) if isinstance(day, date) else day
    rows = approvals(found, then).rows
    (cells,) = (one.cells for one in rows if one.cells[0].endswith(name))
    return cells[2], cells[3], cells[4], cells[6]


def commit(company: Company, day: date) -> None:
    at = f"{day}T12:00:00Z"
    git(company.folder, "add", "aims", "org")
    git(company.folder, "commit", "-qm", "m", GIT_COMMITTER_DATE=at, GIT_AUTHOR_DATE=at)


def test_without_git_only_the_day_of_an_act_tells(audited: Company) -> None:
    """Bo signed on 19 November the bytes that are there."""
    found = audited.survey()
    assert row(found, found.today)[:3] == ("signed", "bo@acme.example", f"{SIGNED}")
    assert row(found, SIGNED)[:3] == ("signed", "bo@acme.example", f"{SIGNED}")
    told = row(found, CHANGED)
    assert told[:3] == ("not known", "", "")
    assert told[3].startswith("git does not tell: ")
    assert "nobody had approved by then" in told[3]
    assert row(found, CHANGED, "system.yaml")[0] == "not known"  # declared today is not then
    (risk, *_) = accepted_risks(found, ApprovalsThen.on(CHANGED, found)).rows
    assert (risk.tone, "not known" in risk.cells[-1]) == ("bad", True)


def test_a_survey_of_a_past_day_is_no_survey_of_today(audited: Company) -> None:
    found = audited.survey()
    past = replace(found, asked=replace(found.asked, past=True))
    assert row(past, found.today)[0] == "signed"
    assert row(past, found.today, "system.yaml")[0] == "not known"
    assert row(found, found.today, "system.yaml")[0] == "declared, not committed to git"


@pytest.mark.tool("git")
def test_git_tells_which_bytes_were_in_force_and_who_had_approved_them(audited: Company) -> None:
    """An earlier register, signed on 2 October, was in force until it changed on 18 November."""
    signer = new_signer()
    (audited.gated.lab.folder / "bo.key.pub").write_text(signer.key.pem, encoding="utf-8")
    risks = audited.aims / "risks.yaml"
    edit(risks, "title: Income shifts", "title: Income changes")

    git(audited.folder, "init", "-q")
    commit(audited, date(2026, 10, 1))
    signed = datetime(2026, 10, 2, 9, tzinfo=UTC)
    approve(risks, signer=signer, trust=audited.gated.trust, evidence=None, now=signed)
    edit(risks, "title: Income changes", "title: Income shifts")
    commit(audited, CHANGED)
    (audited.aims / "data" / "loans.md").unlink()
    found = audited.survey()
    early, first, second, third = (
        ApprovalsThen.on(day, found)
        for day in (date(2026, 9, 30), date(2026, 10, 1), date(2026, 11, 1), CHANGED)
    )
    assert row(found, early)[0] == "not known"
    assert "does not reach 2026-09-30" in row(found, early)[3]
    assert row(found, first)[0] == "declared"
    assert row(found, second)[:3] == ("signed", "bo@acme.example", "2026-10-02")
    assert row(found, second, "system.yaml")[0] == "declared"
    assert row(found, third)[0] == "declared"
    assert row(found, second, "loans.md")[0] == "declared"  # it was removed since
    assert "approved other bytes, on 2026-10-02" in row(found, third)[3]
    (risk, *_) = accepted_risks(found, second).rows
    assert "of an earlier register" in risk.cells[-1]
    edit(risks, "title: Income shifts", "title: Income stays")
    commit(audited, date(2026, 10, 5))  # dated back
    back = ApprovalsThen.on(date(2026, 11, 1), found)
    assert row(found, back)[:3] == ("signed", "bo@acme.example", "2026-10-02")
