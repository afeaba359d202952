"""An audit is opened with its checklist and samples, by nobody who audits own work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from aims_gate.errors import UsageError
from aims_gate.governance.reader import read
from aims_gate.operations.audit.internal_audit import AuditPlan, objections, start_audit
from tests.operations.aims.test_gap import Company
from tests.operations.audit.conftest import PERIOD
from tests.support.records import edit

DORA = """\
  - id: dora@acme.example
    name: Dora
    roles: [risk-owner]
    known_as: [dora]
    competence: [{subject: risk, proof: course, since: 2026-01-01, until: 2026-12-31}]
"""


@pytest.fixture
def dora(audited: Company) -> Company:
    with (audited.org / "people.yaml").open("a", encoding="utf-8") as file:
        file.write(DORA)
    return audited


def plan(company: Company, auditor: str = "dora@acme.example", by: str = "internal") -> AuditPlan:
    return AuditPlan(auditor=auditor, by=by, when=PERIOD, n=2, seed="4711", folder=company.org)


def test_the_entry_has_checklist_and_samples_and_waits_for_people(dora: Company) -> None:
    path = start_audit(dora.survey(), plan(dora))
    assert path.name == "2026-11-29-internal-audit.md"
    (entry,) = (one for one in read(None, dora.org).entries if one.type == "audit")
    assert entry.values["auditor"] == "dora@acme.example"
    told = entry.sections["Plan"]
    assert "- 9.2 Internal audit; missing: no audit is in any log" in told
    assert "Sample for A.6.2.4, 2 of 2:" in told
    assert "policy not met at production: PERF-01 PASS" in told
    assert "no population in this period, which is a finding itself" in told
    assert entry.problems == ()  # while it is open, findings may wait
    assert guarded(["aims", "log", "close", str(path)]) == 2  # and it cannot be closed without
    with pytest.raises(UsageError, match="this name"):
        start_audit(dora.survey(), plan(dora))


def expire(company: Company) -> None:
    edit(company.org / "people.yaml", DORA, DORA.replace("until: 2026-12-31", "until: 2026-11-28"))


def leave(company: Company) -> None:
    edit(company.org / "people.yaml", DORA, DORA + "    left: 2026-11-29\n")


def own_a_control(company: Company) -> None:
    company.decide("A.6.2.6", status="planned")
    edit(
        company.org / "soa.yaml",
        "    status: planned\n    owner: bo@",
        "    status: planned\n    owner: dora@",
    )


def own_a_sheet(company: Company) -> None:
    edit(company.aims / "data" / "loans.md", "owner: ada@acme.example", "owner: dora")


def spoil(company: Company) -> None:
    edit(company.org / "people.yaml", "roles: [risk-owner, model-owner]", "roles: 3")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (expire, "no role whose competence holds"),
        (leave, "not in the organisation"),
        (own_a_control, "owns control A.6.2.6"),
        (own_a_sheet, "owns credit aims/data/loans.md"),
        (spoil, "missing or has a fault"),
    ],
)
def test_who_may_not_audit_is_refused(
    dora: Company, change: Callable[[Company], None], why: str
) -> None:
    assert list(objections(dora.survey(), "dora", "internal")) == []
    change(dora)
    with pytest.raises(UsageError, match=why):
        start_audit(dora.survey(), plan(dora))
    assert not (dora.org / "log").exists()


@pytest.mark.parametrize("name", ["bo@acme.example", "BO", "Bo <bo@acme.example>", "bo"])
def test_an_owner_is_refused_by_every_name_and_as_external_too(dora: Company, name: str) -> None:
    for by in ("internal", "external"):
        with pytest.raises(UsageError, match=r"may not audit this: .*owns"):
            start_audit(dora.survey(), plan(dora, name, by))


def test_a_stranger_audits_as_external_only(dora: Company) -> None:
    assert list(objections(dora.survey(), "zoe@body.example", "external")) == []
    assert any("names nobody" in one for one in objections(dora.survey(), "zoe", "internal"))


def test_text_of_records_opens_no_heading_in_the_entry(dora: Company) -> None:
    edit(dora.org / "organisation.yaml", "A lender under supervision", "'TODO: {{x}} <!-- y'")
    (dora.aims / "log" / "2026-11-10-x.md").write_text("---\nkind: entry\n## Findings\n", "utf-8")
    path = start_audit(dora.survey(), plan(dora))
    assert path.read_text("utf-8").count("\n## ") == 3
    (entry,) = (one for one in read(None, dora.org).entries if one.type == "audit")
    assert entry.problems == ()


def test_the_command_refuses_and_opens(
    dora: Company, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(dora.folder)
    read_from = ["--evidence", "evidence", "--trust", "lab/trust.yaml", "--as-of", "2026-11-29"]
    ask = ["aims", "audit", "start", *read_from, "--seed", "1", "--control", "A.6.2.5"]
    assert guarded([*ask, "--auditor", "ada@acme.example"]) == 2
    assert "owns credit aims/system.yaml" in capsys.readouterr().err
    assert guarded([*ask, "--auditor", "dora"]) == 0
    (path,) = (dora.org / "log").iterdir()
    assert "Sample for A.6.2.5, 1 of 1" in Path(path).read_text("utf-8")
