"""EU AI Act: each point of Annex IV once, as good as its records, and never more than evidence."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace

import pytest

from aims_gate.catalogue.annex_iv import ANNEX_IV
from aims_gate.catalogue.crosswalk import resolves
from aims_gate.governance.kinds import ENTRY_TYPES, KINDS
from aims_gate.operations.aims.survey import SurveyQuestion, survey
from aims_gate.policy.resolve import load
from tests.operations.aims.exports.conftest import export
from tests.operations.aims.test_gap import NOW, Company
from tests.support.html_page import Parsed
from tests.support.records import edit


def points(company: Company) -> Mapping[str, Mapping[str, str]]:
    text = export("eu-ai-act", company.survey()).files["1-credit/annex-iv.csv"]
    return {row["point"]: row for row in csv.DictReader(io.StringIO(text))}


def test_the_map_has_nine_points_and_each_place_that_it_names_is_there() -> None:
    assert [one.id for one in ANNEX_IV] == [
        "IV(1)",
        *(f"IV(2)({letter})" for letter in "abcdefgh"),
        *(f"IV({number})" for number in range(3, 10)),
    ]
    for one in ANNEX_IV:
        assert resolves(f"eu-ai-act:{one.id}"), one
        for name in one.records:
            kind, _, key = name.partition(".")
            entry = name.removeprefix("log:")
            assert entry in ENTRY_TYPES if name.startswith("log:") else kind in KINDS, name
            assert not key or key in KINDS[kind].keys.model_fields, name
    assert [one.id for one in ANNEX_IV if not one.records] == ["IV(7)", "IV(8)"]


def test_each_rule_of_the_pack_is_at_a_point_or_an_article() -> None:
    rules = load("pack:eu-ai-act-high-risk@1.0.0").rules
    mapped = {
        one.id for one in ANNEX_IV if any(map(one.shown_by, (c for r in rules for c in r.controls)))
    }
    assert mapped == {one.id for one in ANNEX_IV} - {"IV(2)(f)", "IV(7)", "IV(8)"}


def test_a_point_is_as_good_as_its_worst_record(company: Company) -> None:
    assert points(company)["IV(2)(d)"]["state"] == "attested"
    edit(company.aims / "data/loans.md", "lawful_basis: contract with the applicant\n", "")
    found = points(company)
    assert found["IV(2)(d)"]["state"] == "missing"
    assert "lawful_basis" in found["IV(2)(d)"]["found"]
    assert found["IV(2)(c)"]["state"] == "attested"


def test_what_nobody_here_can_write_is_never_there(company: Company) -> None:
    """Standards and the declaration of conformity, whatever else is whole."""
    found = points(company)
    assert {found[name]["state"] for name in ("IV(7)", "IV(8)")} == {"missing"}
    assert "the provider writes and signs it" in found["IV(8)"]["found"]


def test_a_rule_that_ran_stands_beside_its_point_and_makes_up_for_no_record(
    company: Company,
) -> None:
    edit(company.aims / "system.yaml", "policy: {release: ../policy.yaml}\n", "")
    found = company.survey()
    (system,) = found.systems
    (verdict,) = system.verdicts
    results = tuple(replace(one, controls=("eu-ai-act:IV(2)(g)",)) for one in verdict.results)
    named = replace(system, verdicts=(replace(verdict, results=results),))
    text = export("eu-ai-act", replace(found, systems=(named,))).files["1-credit/annex-iv.csv"]
    (row,) = (r for r in csv.DictReader(io.StringIO(text)) if r["point"] == "IV(2)(g)")
    assert "BIAS-02 FAIL on 2026-11-25" in row["measured by"]
    assert row["state"] == "missing"


def test_where_something_must_be_measured_records_are_not_enough(company: Company) -> None:
    """What any pack measured counts, by the crosswalk; what nothing measured is missing."""
    assert "PERF-01 PASS on 2026-11-25" in points(company)["IV(2)(g)"]["measured by"]
    assert points(company)["IV(9)"]["state"] == "attested"
    found = company.survey()
    (system,) = found.systems
    bare = replace(found, systems=(replace(system, verdicts=()),))
    text = export("eu-ai-act", bare).files["1-credit/annex-iv.csv"]
    states = {r["point"]: r["state"] for r in csv.DictReader(io.StringIO(text))}
    assert (states["IV(2)(g)"], states["IV(9)"], states["IV(5)"]) == (
        "missing",
        "missing",
        "attested",
    )


def test_the_page_says_the_dates_of_the_law_and_claims_nothing(company: Company) -> None:
    words = Parsed(export("eu-ai-act", company.survey()).files["1-credit/annex-iv.html"]).words
    assert "2 December 2027" in words
    assert "no presumption of conformity" in words
    assert "(as of 2026-11-23" in words


def test_systems_with_like_names_keep_files_of_their_own(company: Company) -> None:
    found = company.survey()
    (system,) = found.systems
    twice = export("eu-ai-act", replace(found, systems=(system, system)))
    assert len(twice.files) == 4


@pytest.mark.parametrize("name", ["eu-ai-act"])
def test_without_a_system_it_says_so(name: str) -> None:
    found = export(name, survey(SurveyQuestion(now=NOW)))
    assert not found.files
    assert "no system is described" in found.left_out[0]
