"""Tables of the index at their edges: waivers, aliases that disagree, policies, corrections."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from aims_gate import canonical
from aims_gate.evidence.layout import POLICY_FILE
from aims_gate.operations.aims.gap import assess
from aims_gate.operations.aims.survey import Survey
from aims_gate.operations.audit import gate_tables, record_tables
from aims_gate.operations.audit.approvals_then import ApprovalsThen
from aims_gate.operations.audit.index import AuditScope, index_sheet
from aims_gate.operations.audit.population import disagreements
from aims_gate.operations.audit.review_inputs import review_sheet
from aims_gate.operations.audit.stages import STAGES
from aims_gate.pages.sheet import SheetRow, SheetTable
from aims_gate.verdict import Authenticity, Outcome, Verdict, VerificationStatus
from tests.operations.aims.test_gap import NOW, Company
from tests.operations.audit.conftest import PERIOD
from tests.support.records import edit

WHOSE = "BIAS-02 by W-7 of bo@acme.example for ada@acme.example, until 2026-12-24: data come"
POLICY = b"""\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: credit, version: "1.0.0", owner: bo@acme.example}
rules:
  - {id: PERF-01, check: integrity.model, require: {at_most: 0}, approved_by: cy@acme.example}
  - {id: BIAS-02, check: integrity.model, require: {at_most: 0}}
"""


def waived(found: Survey, authenticity: Authenticity, *until: str) -> Survey:
    """The survey with its newest verdict let through by a waiver."""
    verdict = found.history.verdicts[-1]
    result = replace(
        verdict.results[0],
        rule="BIAS-02",
        outcome=Outcome.WAIVED,
        waiver="W-7",
        expires=NOW + timedelta(days=25),
    )
    status = VerificationStatus(authenticity=authenticity, told="", read=NOW, until=until)
    return with_verdict(found, replace(verdict, results=(result,), standing=status))


def with_verdict(found: Survey, verdict: Verdict) -> Survey:
    return replace(found, history=replace(found.history, verdicts=(verdict,)))


def test_a_waiver_is_told_with_whose_it_is_and_an_ended_one_stands_out(audited: Company) -> None:
    found = audited.survey()
    (row,) = gate_tables.waivers(waived(found, Authenticity.VERIFIED, WHOSE), PERIOD).rows
    assert row.cells[2:] == ("BIAS-02", "until 2026-12-24", WHOSE)
    ended = waived(found, Authenticity.EXPIRED)
    (row,) = gate_tables.waivers(ended, PERIOD).rows
    assert (row.tone, row.cells[4]) == ("warn", "W-7, beside the evidence")
    assert gate_tables.waivers(ended, PERIOD, {"PERF-01"}).rows == ()


def test_who_set_a_limit_is_read_from_the_policy_that_was_signed_for(audited: Company) -> None:
    found = audited.survey()
    verdict = found.history.verdicts[-1]
    assert verdict.evidence is not None
    (place,) = found.history.places[verdict.evidence.id]
    path = audited.folder / place / POLICY_FILE
    path.write_bytes(POLICY)
    assert gate_tables.policy_of(verdict, found) is None  # other bytes than were signed for
    digest = canonical.sha256(POLICY)
    signed = replace(verdict, policy=replace(verdict.policy, digest=digest))
    rows = gate_tables.limits(with_verdict(found, signed), PERIOD).rows
    assert {row.cells[0]: row.cells[3] for row in rows} == {
        "PERF-01": "cy@acme.example",
        "BIAS-02": "bo@acme.example, who owns the policy",
        "MON-01": "bo@acme.example, who owns the policy",
    }
    path.unlink()
    assert gate_tables.policy_of(signed, found) is None


def test_an_alias_that_no_promotion_set_and_evidence_in_one_place_are_listed(
    audited: Company,
) -> None:
    found = audited.survey()
    assert list(disagreements(found)) == [found.history.of_mlflow]
    names = sorted(found.history.places)
    places = {names[0]: ("runs:/a/aims_gate/x",), names[1]: ("runs:/b/aims_gate/y", "evidence/y")}
    asked = replace(found.history, aliases={"credit": {"champion": "9"}}, places=places)
    told = list(disagreements(replace(found, history=asked)))
    assert told == [
        f"{names[0]}: only in MLflow, at runs:/a/aims_gate/x",
        "credit: the last signed promotion says 7, MLflow's champion is 9",
    ]
    here = {names[1]: ("evidence/y",)}
    only = f"{names[1]}: only in a folder, at evidence/y"
    both = replace(asked, places={**here, names[0]: places[names[0]]})
    assert only in disagreements(replace(found, history=both))
    # where MLflow holds none, one sentence says so and not each evaluation
    none = replace(asked, places=here, published=False)
    told = list(disagreements(replace(found, history=none)))
    assert (told[0], only in told) == ("MLflow holds no evidence", False)


def test_a_refusal_of_what_serves_is_answered_by_a_later_entry_about_its_rule(
    audited: Company,
) -> None:
    audited.gated.judge("credit", "7", NOW - timedelta(days=1), passed=False)
    log = audited.aims / "log" / "2026-10-21-income.md"
    assert gate_tables.refusals(audited.survey(), PERIOD).rows[-1].tone == "bad"
    edit(log, "rule: PERF-01", "rule: BIAS-02")
    assert gate_tables.refusals(audited.survey(), PERIOD).rows[-1].tone == "bad"  # it was before
    edit(log, "opened: 2026-10-21\ndue: 2026-11-04\nclosed: 2026-10-24", "opened: 2026-11-29")
    row = gate_tables.refusals(audited.survey(), PERIOD).rows[-1]
    assert row.cells[4] == "aims/log/2026-10-21-income.md: Version 6 was served again."


def test_what_counts_verdicts_says_that_mlflow_was_not_asked(audited: Company) -> None:
    """In the pack, the review and their empty tables, and no more once it was asked."""

    def told(found: Survey) -> list[str]:
        then = ApprovalsThen.on(PERIOD.ends, found)
        scope = AuditScope(stage=STAGES["stage2"], when=PERIOD, found=found, rows=(), then=then)
        sheets = (
            index_sheet(scope, SheetTable(title="", heads=(), rows=())),
            review_sheet(found, PERIOD),
        )
        none = replace(found, history=replace(found.history, verdicts=()))
        empty = gate_tables.refusals(none, PERIOD), gate_tables.verdicts(none, PERIOD)
        return [*(one.lead for one in sheets), *(one.empty for one in empty)]

    found = audited.survey()
    assert all("MLflow was not asked (--mlflow)" in one for one in told(found))
    asked = replace(found, history=replace(found.history, aliases={}))
    assert not any("MLflow" in one for one in [*told(asked), asked.history.of_mlflow])


def test_a_risk_is_accepted_only_as_the_rule_about_it_says(audited: Company) -> None:
    """Beyond the appetite, by the system's own owner, or long ago: by nobody, and never green."""

    def row(**later: Any) -> SheetRow:
        found = audited.survey()
        return record_tables.accepted_risks(
            replace(found, **later), ApprovalsThen(day=found.today, today=True)
        ).rows[0]

    risks, inventory = audited.aims / "risks.yaml", audited.aims / "system.yaml"
    assert row().tone == "good"
    levels = "residual: {likelihood: 2, severity: 3}"
    assert levels in risks.read_text("utf-8")
    (system,) = audited.survey().systems
    (register,) = system.records.of("risks")

    def weighed(likelihood: int, now: datetime = NOW) -> SheetRow:
        """With the acts on the register as they are."""
        level = {"likelihood": likelihood, "severity": 4}
        first, *others = register.values["risks"]
        above = {**first, "inherent": {"likelihood": 5, "severity": 5}, "residual": level}
        document = replace(register, values={**register.values, "risks": (above, *others)})
        documents = tuple(document if one is register else one for one in system.records.documents)
        records = replace(system.records, documents=documents)
        return row(systems=(replace(system, records=records),), now=now)

    assert weighed(3).tone == "good"
    for bad in (weighed(5), weighed(3, NOW + timedelta(days=300))):
        assert bad.tone == "bad"
        assert bad.cells[-1].startswith("nobody: level ")
    edit(inventory, "owner: ada@acme.example", "owner: bo@acme.example")
    (system,) = audited.survey().systems
    (register,) = system.records.of("risks")
    assert weighed(3).tone == "bad"


def test_a_requirement_counts_its_own_rules_and_not_the_verdicts_that_others_refused(
    audited: Company,
) -> None:
    """BIAS-02 refused version 6, in whose verdict PERF-01 passed."""
    found = audited.survey()
    then = ApprovalsThen.on(PERIOD.ends, found)
    rows = tuple(assess(found))
    scope = AuditScope(stage=STAGES["stage2"], when=PERIOD, found=found, rows=rows, then=then)
    (table,) = (
        one
        for one in index_sheet(scope, SheetTable(title="", heads=(), rows=())).tables
        if one.title == "By clause and control"
    )
    counted = {row.cells[0]: row.cells[-1] for row in table.rows}
    assert (counted["A.5.4"], counted["A.6.2.4"]) == ("1", "0")
    (failed,) = gate_tables.refusals(found, PERIOD).rows
    assert failed.cells[2].startswith("BIAS-02 (")
    assert failed.cells[-1].startswith("policy met by version 7")
    audited.gated.judge("credit", "8", NOW - timedelta(hours=1), passed=False)
    last = gate_tables.refusals(audited.survey(), PERIOD).rows[-1]
    assert last.cells[-1] == "the model was not judged since"
