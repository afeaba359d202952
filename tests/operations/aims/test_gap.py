"""A row is missing, stale or contradicted unless records and signed evidence say otherwise."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from aims_gate.__main__ import guarded
from aims_gate.attest import trust_file
from aims_gate.attest.statement_files import read_statement
from aims_gate.catalogue.iso42001 import REQUIREMENTS, requirement
from aims_gate.errors import UsageError
from aims_gate.evidence.gap_predicate import GAP
from aims_gate.governance.material import assessed, digests
from aims_gate.governance.participants import objections
from aims_gate.governance.people import People
from aims_gate.operations.aims.approve import approve
from aims_gate.operations.aims.entry_people import owned
from aims_gate.operations.aims.gap import GapRow, assess
from aims_gate.operations.aims.gap_finding import Support
from aims_gate.operations.aims.gap_plan import plan
from aims_gate.operations.aims.gate_history import GateHistoryQuestion
from aims_gate.operations.aims.survey import Survey, SurveyQuestion, survey
from aims_gate.operations.aims.todo import duties
from aims_gate.policy.model import Severity
from aims_gate.verdict import Authenticity, Outcome, VerificationStatus
from tests.support.gated import Gated, measured
from tests.support.git_server import git
from tests.support.proofs import new_signer
from tests.support.records import FILES, edit, write_records

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
TRAINING = """\
---
kind: entry
type: training
id: acme/{day}-training
owner: bo@acme.example
opened: {day}
closed: {day}
subject: fairness
attendees: [ada@acme.example]
until: 2027-12-31
---
## Content
Two hours on group metrics.
## Result
The list of those who came.
"""


@dataclass
class Company:
    """A folder with records and evidence of its gate."""

    folder: Path
    gated: Gated
    aims: Path
    org: Path

    def survey(self, now: datetime = NOW) -> Survey:
        history = GateHistoryQuestion(folders=(self.gated.folder,), trust=self.gated.trust)
        asked = SurveyQuestion(systems=(self.aims,), org=self.org, history=history, now=now)
        return survey(asked)

    def row(self, name: str, now: datetime = NOW) -> GapRow:
        (found,) = (one for one in assess(self.survey(now)) if one.requirement.id == name)
        return found

    def decide(self, control: str, **changes: str) -> None:
        """Add a row to the Statement of Applicability."""
        keys = {
            "applicable": "true",
            "justification": "a law asks for it",
            "status": "implemented",
        } | changes
        told = "".join(f"    {key}: {value}\n" for key, value in keys.items())
        with (self.org / "soa.yaml").open("a", encoding="utf-8") as file:
            file.write(f"  - id: {control}\n{told}    owner: bo@acme.example\n")


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """One system in production; a release and a monitoring run of what serves, four days old."""
    aims, org = write_records(tmp_path)
    edit(org / "organisation.yaml", "strength: reviewed", "strength: declared")
    found = Company(folder=tmp_path, gated=Gated(tmp_path), aims=aims, org=org)
    at = NOW - timedelta(days=4)
    rules = (
        measured("PERF-01", "A.6.2.4", "9.1"),
        measured("BIAS-02", "A.5.4", "A.6.2.4"),
        measured("MON-01", "A.6.2.6", check="drift.columns"),
    )
    evidence = found.gated.judge("credit", "7", at, *rules)
    found.gated.promote(evidence, at + timedelta(hours=1))
    return found


def test_in_an_empty_folder_63_rows_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert guarded(["aims", "gap", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["tables"][1]["rows"]
    assert len(rows) == 63
    assert {row["state"] for row in rows} == {"missing"}
    assert guarded(["aims", "gap"]) == 0
    told = capsys.readouterr().out
    counts = [
        line.split() for line in told.splitlines() if line.startswith(("  clauses", "  Annex"))
    ]
    assert [one[-6:] for one in counts] == [["0", n, "0", "0", "0", "0"] for n in ("25", "38")]
    assert "%" not in told


def test_what_ran_is_told_apart_from_what_people_say(company: Company) -> None:
    assert company.row("A.6.2.6").support is Support.RAN
    assert "MON-01 on 2026-11-25" in company.row("A.6.2.6").findings[0].what
    assert company.row("A.5.4").support is Support.RAN  # the impact assessment is there, too
    assert company.row("A.5.5").support is Support.ATTESTED
    assert company.row("9.2").support is Support.MISSING


def test_a_measurement_does_not_make_up_for_a_record(company: Company) -> None:
    edit(company.aims / "impact.md", "groups: [sex]\n", "")
    row = company.row("A.5.4")
    assert row.support is Support.MISSING
    assert "groups" in row.findings[0].what


def test_an_assessment_is_stale_once_what_it_rests_on_moved_and_no_other_is(
    company: Company,
) -> None:
    """The purpose: what the impact assessment and the card depend on, and the architecture not."""
    for name in ("impact.md", "architecture.md"):
        path, kind = company.aims / name, name.removesuffix(".md")
        (system,) = company.survey().systems
        now = digests(system.records.material)
        path.write_text(assessed(path.read_text("utf-8"), kind, now), "utf-8")
    assert company.row("A.5.5").support is Support.ATTESTED
    edit(company.aims / "system.yaml", "residents over 18", "residents over 16")
    row = company.row("A.5.5")
    assert (row.support, row.findings[0].what) == (
        Support.STALE,
        "credit: aims/impact.md: assessed before use changed",
    )
    assert company.row("A.6.2.3").support is Support.ATTESTED
    again = [one.where for one in duties(company.survey()) if "use changed" in one.what]
    assert again == ["aims/impact.md"]


def test_a_placeholder_is_missing(company: Company) -> None:
    edit(
        company.org / "organisation.yaml", "A lender under supervision", "'TODO: what bears on it'"
    )
    assert company.row("4.1").support is Support.MISSING
    assert company.row("4.2").support is Support.ATTESTED  # which another key says


@pytest.mark.parametrize("days", [3, 4])
def test_monitoring_that_fell_silent_is_stale(company: Company, days: int) -> None:
    """Seven days were agreed, and four are gone."""
    row = company.row("A.6.2.6", NOW + timedelta(days=days))
    assert row.support is (Support.RAN if days == 3 else Support.STALE)


def test_a_record_that_nobody_looked_at_is_stale(company: Company) -> None:
    assert company.row("A.6.2.3", NOW + timedelta(days=60)).support is Support.ATTESTED
    assert company.row("A.6.2.3", NOW + timedelta(days=70)).support is Support.STALE


def test_evidence_of_a_version_that_does_not_serve_counts_nothing(company: Company) -> None:
    later = company.gated.judge("credit", "8", NOW - timedelta(days=1), measured("X-01", "A.7.5"))
    assert company.row("A.7.5").support is Support.MISSING
    company.gated.promote(later, NOW - timedelta(hours=1), previous="7")
    assert company.row("A.7.5").support is Support.RAN
    assert company.row("A.6.2.6").support is Support.MISSING


def test_unsigned_evidence_counts_nothing(company: Company) -> None:
    at = NOW - timedelta(days=1)
    company.gated.judge("credit", "7", at, measured("X-01", "A.7.5"), signed=False)
    assert company.row("A.7.5").support is Support.MISSING


def test_a_rule_that_measured_nothing_did_not_run(company: Company) -> None:
    """It is there, and had no rows."""
    at = NOW - timedelta(days=1)
    lost = measured("X-01", "A.7.5", outcome=Outcome.MISSING)
    company.gated.judge("credit", "7", at, measured("PERF-01", "9.1"), lost)
    assert company.row("A.7.5").support is Support.MISSING


def test_a_blocking_rule_without_an_answer_refuses_what_serves(company: Company) -> None:
    """Another rule of the row passed, and the records are there."""
    lost = measured("BIAS-03", "A.5.4", outcome=Outcome.MISSING)
    lost = replace(lost, blocking=True, severity=Severity.BLOCK)
    passed = measured("BIAS-02", "A.5.4")
    company.gated.judge("credit", "7", NOW - timedelta(days=1), passed, lost, passed=False)
    row = company.row("A.5.4")
    assert row.support is Support.CONFLICT
    assert "BIAS-03 refuses what serves" in row.findings[0].what


@pytest.mark.parametrize("said", ["retired", "development"])
def test_what_an_alias_serves_is_in_production_whatever_its_record_says(
    company: Company, said: str
) -> None:
    failed = measured("BIAS-02", "A.6.2.4", outcome=Outcome.FAIL)
    company.gated.judge("credit", "7", NOW - timedelta(days=1), failed, passed=False)
    edit(company.aims / "system.yaml", "lifecycle: production", f"lifecycle: {said}")
    assert company.row("A.6.2.4").support is Support.CONFLICT


def test_a_shorter_policy_of_the_same_version_hides_no_refusal(company: Company) -> None:
    failed = measured("BIAS-02", "A.6.2.4", outcome=Outcome.FAIL)
    at = NOW - timedelta(days=1)
    company.gated.judge("credit", "7", at, failed, measured("PERF-01", "9.1"), passed=False)
    company.gated.judge("credit", "7", at + timedelta(hours=1), measured("PERF-01", "9.1"))
    assert company.row("A.6.2.4").support is Support.CONFLICT
    passed = measured("BIAS-02", "A.6.2.4")
    company.gated.judge("credit", "7", at + timedelta(hours=2), passed)
    assert company.row("A.6.2.4").support is Support.RAN


def test_less_than_the_tier_asks_for_is_missing(company: Company) -> None:
    edit(company.org / "organisation.yaml", "strength: declared", "strength: signed")
    row = company.row("A.5.5")
    assert row.support is Support.MISSING
    assert "less than signed, which its tier asks for" in row.findings[0].what
    assert company.row("A.2.2").support is Support.CONFLICT  # which the SoA calls implemented


def test_a_risk_that_nobody_scored_is_missing_and_asked_for_once(company: Company) -> None:
    """It contradicts nothing; the question itself is the duty."""
    path = company.aims / "risks.yaml"
    edit(
        path,
        "residual: {likelihood: 2, severity: 4}",
        'residual: {likelihood: "TODO", severity: 4}',
    )
    for name in ("6.1", "8.2", "8.3"):
        assert company.row(name).support is Support.MISSING
    asked = [one.what for one in duties(company.survey()) if "likelihood" in one.what]
    assert len(asked) == 1


def test_two_systems_in_folders_of_one_name_are_told_apart(company: Company) -> None:
    """Each place is what an editor opens; a model that is in no scope is missing from it."""
    shutil.copytree(company.aims, company.folder / "churn" / "aims")
    for old, new in (("id: credit", "id: churn"), ("registry: [credit]", "registry: [churn]")):
        edit(company.folder / "churn" / "aims" / "system.yaml", old, new)
    edit(company.folder / "churn" / "aims" / "impact.md", "groups:", "groups: TODO #")
    asked = SurveyQuestion(
        systems=(company.aims, company.folder / "churn" / "aims"), org=company.org, now=NOW
    )
    found = survey(asked)
    rows = {one.requirement.id: one for one in assess(found)}
    places = {one.where for one in rows["A.5.4"].findings}
    assert any(one.startswith("churn/aims/impact.md") for one in places), places
    assert ("churn: not among the systems in scope", "org/organisation.yaml") in {
        (one.what, one.where) for one in rows["4.3"].findings
    }
    (duty,) = (one for one in duties(found) if one.what.startswith("groups"))
    assert duty.where.startswith("churn/aims/impact.md:")


@pytest.mark.parametrize(
    ("level", "why"),
    [
        ("{likelihood: 4, severity: 4}", "from 15 on nobody bears it"),
        ("{likelihood: 3, severity: 4}", "the risk owner has not accepted it lately"),
        ("{likelihood: 0, severity: 4}", "no likelihood and severity from 1 to 5"),
    ],
)
def test_a_risk_that_nobody_bears_contradicts_its_assessment(
    company: Company, level: str, why: str
) -> None:
    old = "residual: {likelihood: 2, severity: 4}"
    edit(company.aims / "risks.yaml", old, f"residual: {level}")
    for name in ("6.1", "8.2", "8.3"):
        row = company.row(name)
        assert row.support is Support.CONFLICT
        assert why in row.findings[0].what
    assert [one.person for one in duties(company.survey()) if why in one.what] == [
        "bo@acme.example"
    ]


def test_a_treatment_that_refuses_what_serves_treats_nothing(company: Company) -> None:
    failed = measured("BIAS-02", "A.6.2.4", outcome=Outcome.FAIL)
    company.gated.judge("credit", "7", NOW - timedelta(days=1), failed, passed=False)
    row = company.row("8.3")
    assert row.support is Support.CONFLICT
    assert "R-1: BIAS-02, which treats it, refuses" in row.findings[0].what
    told = [one.what for one in duties(company.survey())]
    assert "what serves is refused by BIAS-02: go back, or mend it" in told


def test_an_entry_about_nobody_or_by_its_own_auditor_shows_nothing(company: Company) -> None:
    (company.org / "log").mkdir()
    entry = company.org / "log" / "2026-11-02-training.md"
    entry.write_text(TRAINING.format(day="2026-11-02"), encoding="utf-8")
    assert company.row("7.3").support is Support.ATTESTED
    edit(entry, "[ada@acme.example]", "[ghost@acme.example]")
    assert company.row("7.3").support is Support.MISSING
    assert "as ghost@acme.example" in company.row("7.3").findings[0].what
    audit = company.org / "log" / "2026-11-02-audit.md"
    text = TRAINING.format(day="2026-11-02").replace("type: training", "type: audit")
    audit.write_text(text.replace("-training", "-audit"), encoding="utf-8")
    (found,) = (one for _, one in company.survey().entries if one.type == "audit")
    held = replace(found, values={"by": "internal", "auditor": "bo"}, problems=())
    seen, held = company.survey(), replace(held, opened=date(2026, 11, 20))
    people = People.of(seen.org)
    assert "bo owns" in next(objections(held, people, owned(seen)))
    by_other = replace(held, values={"by": "internal", "auditor": "cy"})
    assert not list(objections(by_other, people, owned(seen)))
    earlier = replace(held, opened=date(2026, 10, 20))
    assert not list(objections(earlier, people, owned(seen))), "of records in force since"


def test_what_was_mended_is_shown_by_what_is_closed_and_nothing_is_late(company: Company) -> None:
    entry = company.aims / "log" / "2026-10-21-income.md"
    assert company.row("10.2").support is Support.ATTESTED
    edit(entry, "closed: 2026-10-24\n", "")
    row = company.row("10.2")
    assert row.support is Support.MISSING
    assert "due 2026-11-04" in row.findings[0].what
    other = entry.with_name("2026-10-20-other.md")
    other.write_text(FILES["aims/log/2026-10-21-income.md"].replace("-21", "-20"), "utf-8")
    edit(entry, "due: 2026-11-04\n", "due: 2026-11-04\nclosed: 2099-01-01\n")
    assert "due 2026-11-04" in company.row("10.2").findings[0].what, "a day to come closes nothing"
    other.unlink()
    entry.unlink()
    assert "no incident is in any log yet" in company.row("10.2").findings[0].what


def test_a_text_that_does_not_answer_it_attests_nothing(company: Company) -> None:
    """Event logs have a section of their own; what is to be measured names the rule that would."""
    row = company.row("A.6.2.8")
    assert row.support is Support.MISSING
    assert "no section '## Event logs'" in row.findings[0].what
    path = company.aims / "architecture.md"
    edit(path, "## Data flow", "## Event logs\nn/a\n\n## Data flow")
    assert company.row("A.6.2.8").support is Support.MISSING
    edit(path, "n/a", "Each answer with version and time, kept for 200 days.")
    assert company.row("A.6.2.8").support is Support.ATTESTED
    (first, *_) = company.row("A.7.5").findings
    assert first.what.endswith("INTEG-02 of iso42001-baseline@1.0.0 would measure it")


def test_implemented_without_evidence_is_a_conflict(company: Company) -> None:
    company.decide("A.6.2.6")
    assert company.row("A.6.2.6").support is Support.RAN
    row = company.row("A.6.2.6", NOW + timedelta(days=15))
    assert row.support is Support.CONFLICT
    assert "19 d ago" in row.findings[0].what
    company.decide("A.7.5", status="planned")
    assert company.row("A.7.5").support is Support.MISSING


def test_a_rule_that_refuses_what_serves_is_a_conflict_whatever_is_decided(
    company: Company,
) -> None:
    failed = measured("BIAS-02", "A.6.2.4", outcome=Outcome.FAIL)
    company.gated.judge("credit", "7", NOW - timedelta(days=1), failed, passed=False)
    row = company.row("A.6.2.4")
    assert row.support is Support.CONFLICT
    assert "BIAS-02 refuses what serves" in row.findings[0].what


def test_what_rests_on_something_that_has_ended_is_stale(company: Company) -> None:
    """A policy that expired, a waiver: the verdict was true on its day."""
    found = company.survey()
    (system,) = found.systems
    status = VerificationStatus(authenticity=Authenticity.EXPIRED, told="t", read=NOW)
    verdicts = tuple(replace(one, standing=status) for one in system.verdicts)
    ended = replace(found, systems=(replace(system, verdicts=verdicts),))
    rows = {one.requirement.id: one for one in assess(ended)}
    assert rows["A.6.2.4"].support is Support.STALE
    assert "has ended" in rows["A.6.2.4"].findings[0].what


def test_a_record_that_its_rule_found_stale_is_stale(company: Company) -> None:
    stale = measured("DOC-01", "A.6.2.3", outcome=Outcome.STALE)
    at = NOW - timedelta(days=1)
    company.gated.judge("credit", "7", at, measured("PERF-01", "9.1"), stale)
    assert company.row("A.6.2.3").support is Support.STALE


def test_a_refused_candidate_is_no_conflict(company: Company) -> None:
    company.decide("A.6.2.4")
    failed = measured("BIAS-02", "A.6.2.4", outcome=Outcome.FAIL)
    company.gated.judge("credit", "8", NOW - timedelta(days=1), failed, passed=False)
    assert company.row("A.6.2.4").support is Support.RAN


def test_an_exclusion_needs_a_reason_and_nothing_that_measures_it(company: Company) -> None:
    company.decide("A.10.4", applicable="false", justification="no customers", status="excluded")
    row = company.row("A.10.4")
    assert (row.support, row.findings[0].what) == (Support.EXCLUDED, "no customers")
    company.decide("A.5.4", applicable="false", justification="no people", status="excluded")
    row = company.row("A.5.4")
    assert row.support is Support.CONFLICT
    assert "BIAS-02 of credit measures it" in row.findings[0].what
    company.decide("A.8.3", applicable="false", justification="''", status="excluded")
    assert company.row("A.8.3").support is Support.CONFLICT


def test_a_system_of_which_nothing_was_measured_keeps_the_row_open(company: Company) -> None:
    (company.folder / "other").mkdir()
    other, _ = write_records(company.folder / "other")
    edit(other / "system.yaml", "registry: [credit]", "registry: [churn]")
    edit(other / "system.yaml", "id: credit", "id: churn")
    history = GateHistoryQuestion(folders=(company.gated.folder,), trust=company.gated.trust)
    asked = SurveyQuestion(systems=(company.aims, other), org=company.org, history=history, now=NOW)
    rows = {one.requirement.id: one for one in assess(survey(asked))}
    assert rows["A.6.2.6"].support is Support.MISSING
    assert rows["A.6.2.6"].findings[0].what.startswith("churn: ")
    assert rows["A.5.4"].support is Support.ATTESTED


def test_hostile_records_are_faults_and_no_crash(company: Company) -> None:
    for name in ("organisation.yaml", "soa.yaml", "people.yaml"):
        (company.org / name).write_text("controls: {a: [1]}\npeople: 3\nroles: [x]\n", "utf-8")
    (company.aims / "risks.yaml").write_text("- just\n- words\n", encoding="utf-8")
    rows = assess(company.survey())
    assert len(rows) == 63
    assert company.row("8.2").support is Support.MISSING


def test_one_requirement_shows_all_that_was_looked_at(
    company: Company, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(company.folder)
    read = ["--evidence", "evidence", "--trust", "lab/trust.yaml", "--as-of", "2026-11-29"]
    assert guarded(["aims", "gap", "A.5.4", *read]) == 0
    told = capsys.readouterr().out
    assert "aims/impact.md" in told
    assert "BIAS-02 on 2026-11-25" in told
    assert "MEASURE-2.11" in told
    assert guarded(["aims", "gap", "A.5.9", *read]) == 2


@pytest.mark.parametrize("name", ["aims/risks.yaml", "aims/gap.txt", "policy.yaml"])
def test_a_report_is_never_written_over_a_record(
    company: Company, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(company.folder)
    before = Path("aims/risks.yaml").read_bytes()
    assert guarded(["aims", "gap", "--out", name]) == 2
    assert Path("aims/risks.yaml").read_bytes() == before
    assert guarded(["aims", "gap", "--out", "gap.txt"]) == 0


def test_what_is_only_planned_and_there_is_a_conflict_once_somebody_decided_it(
    company: Company,
) -> None:
    company.decide("A.6.2.6", status="planned", justification='"TODO: why"')
    company.decide("A.5.5", status="planned")
    company.decide("A.5.4", status="partial")
    assert company.row("A.6.2.6").support is Support.RAN, "a draft decides nothing"
    assert company.row("A.5.4").support is Support.RAN
    row = company.row("A.5.5")
    assert row.support is Support.CONFLICT
    assert row.findings[0].what.startswith("planned, it says; attested: ")


@pytest.mark.parametrize(
    ("applicable", "status"), [("true", "excluded"), ("false", "implemented"), ("false", "planned")]
)
def test_a_decision_that_contradicts_itself_is_a_conflict(
    company: Company, applicable: str, status: str
) -> None:
    company.decide("A.10.4", applicable=applicable, status=status)
    assert company.row("A.10.4").support is Support.CONFLICT


def test_the_plan_counts_back_from_the_day(company: Company) -> None:
    rows = assess(company.survey())
    found = plan(rows, today=NOW.date(), by=date(2028, 3, 31))
    assert found.phases[-1].ends == date(2028, 3, 31)
    assert found.late == 0
    assert [one.name for one in found.phases][-2:] == ["review", "certification"]
    for before, after in zip(found.phases, found.phases[1:], strict=False):
        assert before.ends == after.begins
    planned = {one.requirement.id for phase in found.phases for one in phase.rows}
    assert planned == {one.requirement.id for one in rows if one.open}
    for phase in found.phases:
        worth = [
            one.requirement.hours / (1 + (one.support is Support.MISSING)) for one in phase.rows
        ]
        assert worth == sorted(worth)


def test_a_day_that_is_too_near_is_said_to_be(company: Company) -> None:
    rows = assess(company.survey())
    found = plan(rows, today=NOW.date(), by=date(2026, 12, 31))
    assert found.phases[0].begins == NOW.date()
    assert found.late > 100
    with pytest.raises(UsageError):
        plan(rows, today=NOW.date(), by=NOW.date())


def test_a_signed_assessment_is_kept_and_binds_what_was_read(
    company: Company, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(company.folder)
    assert guarded(["evidence", "key", "generate", "--out", "records.key"]) == 0
    read = ["--evidence", "evidence", "--trust", "lab/trust.yaml", "--as-of", "2026-11-29"]
    wanted = ["--plan", "--certificate-by", "2028-01-31", "--key", "records.key"]
    assert guarded(["aims", "gap", *read, *wanted, "--out", "gap.txt"]) == 4
    assert not Path("gap.txt").exists()  # a key that may not sign records writes nothing at all
    assert not Path("aims-gate-evidence").exists()
    shutil.copy("records.key.pub", "lab")
    known = yaml.safe_load(Path("lab/trust.yaml").read_text("utf-8"))
    known["keys"] += [
        {"person": "bo@acme.example", "public_key": "records.key.pub", "roles": ["records"]}
    ]
    Path("lab/trust.yaml").write_text(yaml.safe_dump(known), encoding="utf-8")
    assert guarded(["aims", "gap", *read, *wanted]) == 0
    assert "Plan for a certificate by 2028-01-31" in capsys.readouterr().out
    (kept,) = Path("aims-gate-evidence/gap").glob("*.dsse.json")
    trust = Path("trusted.yaml")
    trust.write_text(
        "apiVersion: aims-gate/v1\nkind: Trust\nkeys:\n"
        "  - {person: bo@acme.example, public_key: records.key.pub, roles: [records]}\n",
        encoding="utf-8",
    )
    name = kept.name.removesuffix(".dsse.json")
    found = read_statement(kept.parent, name, GAP, trust=trust_file.load(trust), now=NOW)
    assert len(found.said.rows) == 63
    assert found.said.systems == ["credit"]
    assert [one.name for one in found.said.plan][-1] == "certification"
    uris = {one.uri for one in found.said.records}
    assert {"credit/aims/risks.yaml", "org/soa.yaml"} <= uris
    assert guarded(["aims", "gap", "--plan", *read]) == 2


def test_what_is_dated_in_the_future_is_not_there_yet(company: Company) -> None:
    (company.org / "log").mkdir()
    entry = company.org / "log" / "2026-12-24-training.md"
    entry.write_text(TRAINING.format(day="2026-11-30"), encoding="utf-8")
    found = company.row("7.3").findings[0].what
    assert "to come" not in found, "it is that day where the clocks are ahead of UTC"
    entry.write_text(TRAINING.format(day="2026-12-24"), encoding="utf-8")
    row = company.row("7.3")
    assert row.support is Support.MISSING
    assert (
        row.findings[0].what
        == "org/log/2026-12-24-training.md: opened on 2026-12-24, a day to come"
    )
    assert [one for one in duties(company.survey()) if one.where.endswith("24-training.md")]
    assert company.row("7.3", NOW + timedelta(days=30)).support is Support.ATTESTED
    edit(company.aims / "impact.md", "effective: 2026-11-03", "effective: 2026-12-24")
    row = company.row("A.5.5")
    assert row.support is Support.MISSING
    assert "in force only from 2026-12-24" in row.findings[0].what


def test_a_training_of_more_than_a_year_ago_is_stale(company: Company) -> None:
    (company.org / "log").mkdir()
    entry = company.org / "log" / "2025-11-28-training.md"
    entry.write_text(TRAINING.format(day="2025-11-28"), encoding="utf-8")
    assert company.row("7.3").support is Support.STALE


def test_later_evidence_and_moves_are_left_out(company: Company) -> None:
    later = company.gated.judge("credit", "8", NOW + timedelta(days=2), measured("X-01", "A.7.5"))
    company.gated.promote(later, NOW + timedelta(days=3), previous="7")
    found = company.survey()
    assert [one.model.version for one in found.history.verdicts] == ["7"]
    assert found.history.live("credit") == "7"
    assert company.survey(NOW + timedelta(days=4)).history.live("credit") == "8"


def test_a_record_that_a_tool_drafted_is_missing_until_a_person_acts_on_it(
    company: Company,
) -> None:
    edit(company.aims / "impact.md", "groups: [sex]", "drafted_by: aims-gate\ngroups: [sex]")
    row = company.row("A.5.5")
    assert row.support is Support.MISSING
    assert "aims-gate wrote it" in row.findings[0].what


def test_the_strength_of_an_approval_is_told_and_an_act_that_does_not_count_is_none(
    company: Company,
) -> None:
    """Signed by another person, who is there on that day, for these very bytes."""
    bo, trust = new_signer(), company.gated.trust
    (trust.parent / "bo.pub").write_text(bo.key.pem, encoding="utf-8")
    entry = "keys:\n- {person: bo, public_key: bo.pub, roles: [approver]}\n"
    edit(trust, "keys:\n", entry)

    def strength() -> str:
        return company.row("A.5.5").findings[0].what.rpartition("(")[2].partition(")")[0]

    declared = "declared, not committed to git"
    assert strength() == declared
    at = NOW - timedelta(days=1)
    approve(company.aims / "impact.md", signer=bo, trust=trust, evidence=None, now=at)
    assert strength() == "signed"
    left = "known_as: [bo]\n    left: 2026-11-01"
    edit(company.org / "people.yaml", "known_as: [bo]", left)
    assert strength() == declared
    edit(company.org / "people.yaml", left, "known_as: [bo]")
    edit(company.aims / "impact.md", "Applicants and", "All applicants and")
    assert strength() == declared


@pytest.mark.tool("git")
def test_a_repository_around_records_commits_none_of_them(company: Company) -> None:
    """Nor does a commit of something else; the records' own does, wherever they are named from."""
    (company.folder / ".gitignore").write_text("aims\norg\nevidence\nlab\n", encoding="utf-8")

    def committed() -> str:
        git(company.folder, "add", "-A")
        git(company.folder, "commit", "-q", "-m", "Something")
        return company.row("A.5.5").findings[0].what

    git(company.folder, "init", "-q", "-b", "main")
    assert committed().endswith("(declared, not committed to git)")
    (company.folder / ".gitignore").write_text("evidence\nlab\n", encoding="utf-8")
    assert committed().endswith("(declared)")


def test_a_model_that_serves_and_is_in_no_inventory_contradicts_the_scope(company: Company) -> None:
    assert company.row("4.3").support is Support.ATTESTED
    evidence = company.gated.judge("ranker", "4", NOW - timedelta(days=9))
    company.gated.promote(evidence, NOW - timedelta(days=8))
    row = company.row("4.3")
    assert row.support is Support.CONFLICT
    assert row.findings[0].what.startswith("ranker serves")


def test_every_f_row_has_a_rule_of_the_baseline() -> None:
    """So that what no record makes up for can be measured by who takes the pack as it is."""
    named = set()
    for pack in ("release@1.2.0", "iso42001-baseline@1.0.0"):
        text = (ROOT / "policies" / f"{pack}.yaml").read_text(encoding="utf-8")
        named |= {requirement(one) for one in re.findall(r"iso42001:[A-Z0-9.]+", text)}
    assert [one.id for one in REQUIREMENTS if not one.records and one not in named] == []


def test_two_systems_of_one_id_are_both_at_fault(company: Company) -> None:
    """As where the records of one were copied for the next."""
    found = company.survey()
    both = (company.aims, company.folder / "next" / "aims")
    shutil.copytree(*both)
    again = survey(replace(found.asked, systems=both))
    faults = [[str(wrong) for wrong in one.records.all_problems()] for one in again.systems]
    assert ["another system's, too" in str(told) for told in faults] == [True, True]
    edit(both[1] / "system.yaml", "id: credit\n", "id: next\n")
    again = survey(replace(found.asked, systems=both))
    assert [one.id for one in again.systems] == ["credit", "next"]
    assert not [wrong for one in again.systems for wrong in one.records.all_problems()]
