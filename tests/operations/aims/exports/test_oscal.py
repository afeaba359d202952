"""OSCAL: valid by NIST's schema; satisfied is a rule that passed, and never what people say."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from aims_gate.operations.aims.survey import Survey, SurveyQuestion, survey
from aims_gate.verdict import Authenticity, Outcome, VerificationStatus
from tests.operations.aims.exports.conftest import export
from tests.operations.aims.test_gap import NOW, Company
from tests.reports.cases import HOSTILE

SCHEMA = Path(__file__).parents[3] / "support/schemas/oscal_assessment-results_schema-1.2.1.json"


@pytest.fixture(scope="session")
def schema() -> Draft7Validator:
    """NIST's, with classes of letters and digits as Python spells them."""
    text = SCHEMA.read_text(encoding="utf-8")
    text = text.replace(r"(\\p{L}|_)", r"[^\\W\\d]").replace(r"\\p{L}|\\p{N}|", r"\\w|")
    assert r"\p" not in text
    return Draft7Validator(json.loads(text))


def document(found: Survey, schema: Draft7Validator) -> Any:
    text = export("oscal", found).files["assessment-results.json"]
    parsed = json.loads(text)
    assert [(list(one.path), one.message) for one in schema.iter_errors(parsed)] == []
    return parsed["assessment-results"]


def result_of(found: Survey, schema: Draft7Validator) -> Any:
    (result,) = document(found, schema)["results"]
    return result


def states(result: Any) -> dict[str, str]:
    targets = [one["target"] for one in result["findings"]]
    return {one["target-id"]: one["status"]["state"] for one in targets}


def change(found: Survey, outcome: Outcome | None, worth: Authenticity) -> Survey:
    """The same survey with another outcome of BIAS-02, as evidence of that worth says."""
    (system,) = found.systems
    (verdict,) = system.verdicts
    results = tuple(
        replace(one, outcome=outcome, waiver="W-1", expires=NOW)
        if outcome is not None and one.rule == "BIAS-02"
        else one
        for one in verdict.results
    )
    standing = VerificationStatus(authenticity=worth, told="told", read=NOW)
    changed = replace(verdict, results=results, standing=standing)
    return replace(found, systems=(replace(system, verdicts=(changed,)),))


def test_a_rule_that_passed_is_satisfied_and_nothing_else(
    company: Company, schema: Draft7Validator
) -> None:
    found = states(result_of(company.survey(), schema))
    satisfied = {name for name, state in found.items() if state == "satisfied"}
    assert satisfied == {"rule-PERF-01", "rule-MON-01"}
    assert found["rule-BIAS-02"] == "not-satisfied"
    assert found["iso42001-9.2"] == "not-satisfied"
    assert not any(one.startswith("iso42001-") for one in satisfied)


@pytest.mark.parametrize("outcome", [one for one in Outcome if one is not Outcome.PASS])
def test_no_other_outcome_satisfies(
    outcome: Outcome, company: Company, schema: Draft7Validator
) -> None:
    """A waived rule is a risk that somebody let through, with its end."""
    changed = change(company.survey(), outcome, Authenticity.VERIFIED)
    result = result_of(changed, schema)
    assert states(result).get("rule-BIAS-02") != "satisfied"
    assert any("BIAS-02" in one["title"] for one in result["observations"])
    waived = [(one["status"], one["deadline"]) for one in result.get("risks", ())]
    known = [("deviation-approved", "2026-11-29T09:00:00Z")]
    assert waived == (known if outcome is Outcome.WAIVED else [])


@pytest.mark.parametrize("worth", [one for one in Authenticity if one != "verified"])
def test_a_pass_that_does_not_stand_today_satisfies_nothing(
    worth: Authenticity, company: Company, schema: Draft7Validator
) -> None:
    found = states(result_of(change(company.survey(), None, worth), schema))
    assert {found["rule-PERF-01"], found["rule-MON-01"]} == {"not-satisfied"}


def test_what_people_say_is_an_attestation(company: Company, schema: Draft7Validator) -> None:
    result = result_of(company.survey(), schema)
    titles = [one["title"] for part in result["attestations"] for one in part["parts"]]
    assert any(one.startswith("5.2 AI policy") for one in titles)
    assert not any(one.startswith("A.6.2.4") for one in titles)
    (selected,) = result["reviewed-controls"]["control-selections"]
    assert selected["exclude-controls"] == [{"control-id": "iso42001-a.10.4"}]
    assert len(selected["include-controls"]) == 62


def test_each_observation_leads_to_a_signed_evaluation(
    company: Company, schema: Draft7Validator
) -> None:
    whole = document(company.survey(), schema)
    named = {one["uuid"]: one["description"] for one in whole["back-matter"]["resources"]}
    assert whole["import-ap"]["href"].removeprefix("#") in named
    key = company.gated.lab.signer.key.fingerprint
    for one in whole["results"][0]["observations"]:
        (evidence,) = one["relevant-evidence"]
        assert key in named[evidence["href"].removeprefix("#")]


def test_the_same_facts_give_the_same_bytes(company: Company) -> None:
    first, again = (export("oscal", company.survey()).files for _ in range(2))
    later = export("oscal", company.survey(NOW + timedelta(days=1))).files
    assert first == again != later


def test_where_nothing_is_there_63_requirements_are_open(schema: Draft7Validator) -> None:
    result = result_of(survey(SurveyQuestion(now=NOW)), schema)
    assert set(states(result).values()) == {"not-satisfied"}
    assert len(result["findings"]) == 63
    assert "observations" not in result


def test_hostile_names_are_harmless_lines(company: Company, schema: Draft7Validator) -> None:
    """Rules', titles' and reasons', in a document that stays valid and loses none of them."""
    found = change(company.survey(), None, Authenticity.VERIFIED)
    (system,) = found.systems
    (verdict,) = system.verdicts
    one = verdict.results[0]
    results = tuple(replace(one, rule=name, title=name, reason=name) for name in HOSTILE)
    hostile = replace(system, verdicts=(replace(verdict, results=results),))
    whole = document(replace(found, systems=(hostile,)), schema)
    observed = [one["uuid"] for one in whole["results"][0]["observations"]]
    assert len({*observed}) == len(HOSTILE)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e\u200b]", json.dumps(whole))


@pytest.mark.tool("trestle")
def test_trestle_takes_it(company: Company, tmp_path: Path) -> None:
    """The library of the format's own users, where it is installed."""
    file, place = tmp_path / "ar.json", tmp_path / "workspace"
    file.write_text(export("oscal", company.survey()).files["assessment-results.json"], "utf-8")
    place.mkdir()

    def trestle(*words: str) -> str:
        done = subprocess.run(["trestle", *words], cwd=place, check=True, capture_output=True)
        return done.stdout.decode()

    trestle("init")
    trestle("import", "-f", str(file), "-o", "aims")
    assert "VALID" in trestle("validate", "-t", "assessment-results", "-n", "aims")
