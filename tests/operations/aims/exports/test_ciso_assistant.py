"""CISO Assistant's sheets: its nodes, its words, and never a result that people did not set."""

from __future__ import annotations

import csv
import io

import pytest

from aims_gate.operations.aims.exports.ciso_assistant import NODE
from aims_gate.operations.aims.survey import SurveyQuestion, survey
from tests.operations.aims.exports.conftest import export
from tests.operations.aims.test_gap import NOW, Company
from tests.support.records import edit

_NODES = """
4.1 4.2 4.3 4.4 5.1 5.2 5.3 6.1 6.2 6.3 7.1 7.2 7.3 7.4 7.5.1 7.5.2 7.5.3 8.1 8.2 8.3 8.4 9.1 9.2.1
9.2.2 9.3.1 9.3.2 9.3.3 10.1 10.2 a.2.2 a.2.3 a.2.4 a.3.2 a.3.3 a.4.2 a.4.3 a.4.4 a.4.5 a.4.6 a.5.2
a.5.3 a.5.4 a.5.5 a.6.1.2 a.6.1.3 a.6.2.2 a.6.2.3 a.6.2.4 a.6.2.5 a.6.2.6 a.6.2.7 a.6.2.8 a.7.2
a.7.3 a.7.4 a.7.5 a.7.6 a.8.2 a.8.3 a.8.4 a.8.5 a.9.2 a.9.3 a.9.4 a.10.2 a.10.3 a.10.4
"""
NODES = _NODES.split()
"""Assessable nodes of its library iso42001-2023, version 1."""
PROBABILITY = {"rare", "unlikely", "moderate", "likely", "almost certain"}
IMPACT = {"insignificant", "minor", "significant", "major", "severe"}
"""Of its library risk-matrix-5x5-sensitive, version 1."""


def sheet(company: Company, name: str) -> list[dict[str, str]]:
    found = export("ciso-assistant", company.survey())
    return list(csv.DictReader(io.StringIO(found.files[name])))


def audit(company: Company) -> dict[str, dict[str, str]]:
    return {row["ref_id"]: row for row in sheet(company, "audit.csv")}


def test_the_audit_has_each_node_that_is_assessed_there_once(company: Company) -> None:
    assert [row["urn"] for row in sheet(company, "audit.csv")] == [NODE + one for one in NODES]
    assert {row["assessable"] for row in sheet(company, "audit.csv")} == {"true"}


def test_nothing_is_ever_compliant(company: Company) -> None:
    """Nor done, nor scored: only what people excluded has a result, with their reason."""
    found = audit(company)
    results = {row["compliance_result"] for row in found.values()}
    assert results == {"not_assessed", "not_applicable"}
    progress = {row["requirement_progress"] for row in found.values()}
    assert progress <= {"to_do", "in_progress", "in_review"}
    assert {row["score"] for row in found.values()} == {""}
    (excluded,) = (row for row in found.values() if row["compliance_result"] == "not_applicable")
    assert (excluded["ref_id"], "no customers" in excluded["observations"]) == ("A.10.4", True)
    assert "compliant" not in export("ciso-assistant", company.survey()).files["audit.csv"]


def test_an_exclusion_without_a_reason_has_no_result(company: Company) -> None:
    edit(company.org / "soa.yaml", "justification: no customers", "justification: ''")
    row = audit(company)["A.10.4"]
    assert (row["compliance_result"], row["requirement_progress"]) == (
        "not_assessed",
        "in_progress",
    )


def test_progress_is_what_was_found(company: Company) -> None:
    found = audit(company)
    assert found["A.6.2.4"]["requirement_progress"] == "in_review"
    assert "A.6.2.4 ran: credit: PERF-01 on 2026-11-25" in found["A.6.2.4"]["observations"]
    assert found["9.2.1"]["requirement_progress"] == "to_do"
    told = found["5.2"]["observations"].splitlines()[1:]  # which no rule can measure, and none must
    assert told == ["5.2 attested: org/policy.md (declared, not committed to git)"]
    company.decide("A.5.4")
    failed = audit(company)["A.5.4"]
    assert failed["requirement_progress"] == "in_progress"
    assert "A.5.4 conflict: credit: BIAS-02 FAIL on 2026-11-25" in failed["observations"]


def test_the_node_of_risks_is_as_good_as_the_impact_assessment(company: Company) -> None:
    """Their 6.1 holds 6.1.4, which is a row of its own here."""
    (company.aims / "impact.md").unlink()
    edit(company.aims / "risks.yaml", "rules: [BIAS-02]", "rules: [MON-01]")  # which is met
    row = audit(company)["6.1"]
    assert row["requirement_progress"] == "to_do"
    assert "6.1.4 missing: credit: " in row["observations"]


def test_the_risks_have_names_of_the_matrix(company: Company) -> None:
    rows = sheet(company, "risks.csv")
    assert [row["ref_id"] for row in rows] == ["credit/R-1", "credit/R-2"]
    assert {row["inherent_proba"] for row in rows} <= PROBABILITY
    assert {row["residual_impact"] for row in rows} <= IMPACT
    first = rows[0]
    assert (first["inherent_impact"], first["inherent_proba"]) == ("major", "likely")
    assert (first["residual_impact"], first["residual_proba"]) == ("major", "unlikely")
    assert first["additional_controls"] == "credit: rule BIAS-02\ncredit: runbooks/stop.md"
    assert {row["treatment"] for row in rows} == {"mitigate"}


def test_a_level_or_a_treatment_that_is_none_is_left_open_and_told(company: Company) -> None:
    risks = company.aims / "risks.yaml"
    edit(risks, "treatment: {rules: [PERF-01]}", "treatment: {}")
    edit(risks, "inherent: {likelihood: 4, severity: 3}", "inherent: {likelihood: 9, severity: no}")
    row = sheet(company, "risks.csv")[1]
    assert (row["treatment"], row["inherent_impact"], row["inherent_proba"]) == ("open", "", "")
    assert export("ciso-assistant", company.survey()).left_out


def test_hostile_names_are_one_harmless_cell(company: Company) -> None:
    edit(company.aims / "risks.yaml", "title: Women", "title: =cmd(1)|<script>Women")
    name = sheet(company, "risks.csv")[0]["name"]
    assert name.startswith("'=cmd(1)|<script>Women ")


@pytest.mark.parametrize("name", ["ciso-assistant", "files"])
def test_where_nothing_is_there_all_rows_are_to_do(name: str) -> None:
    found = export(name, survey(SurveyQuestion(now=NOW)))
    if name == "ciso-assistant":
        rows = list(csv.DictReader(io.StringIO(found.files["audit.csv"])))
        assert {row["requirement_progress"] for row in rows} == {"to_do"}
        assert len(rows) == len(NODES)
    else:
        assert len(found.files) == 64
