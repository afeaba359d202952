"""The catalogue is whole, and every id that checks, packs and the crosswalk name is in it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from aims_gate.catalogue.crosswalk import RELATIONS, Basis, related, resolves
from aims_gate.catalogue.iso42001 import REQUIREMENTS, Grade, requirement
from aims_gate.checks import CHECKS

ROOT = Path(__file__).parents[2]
NIST = {
    "GOVERN": (7, 3, 2, 3, 2, 2),
    "MAP": (6, 3, 5, 2, 2),
    "MEASURE": (3, 13, 3, 3),
    "MANAGE": (4, 4, 2, 3),
}
"""Subcategories of each category: 72."""


def test_there_are_25_clauses_and_38_controls_in_nine_groups() -> None:
    kinds = Counter(one.is_control for one in REQUIREMENTS)
    assert (kinds[False], kinds[True]) == (25, 38)
    groups = Counter(one.id.split(".")[1] for one in REQUIREMENTS if one.is_control)
    assert list(groups.values()) == [3, 2, 5, 4, 2 + 7, 5, 4, 3, 3]
    assert len({one.id for one in REQUIREMENTS}) == 63


def test_our_grading_says_of_each_control_how_far_a_machine_sees() -> None:
    graded = Counter(one.grade for one in REQUIREMENTS if one.is_control)
    assert graded == {Grade.FULL: 7, Grade.PARTLY: 22, Grade.ATTESTED: 9}


@pytest.mark.parametrize(
    ("name", "row"),
    [("iso42001:6.1.3", "6.1"), ("6.1.4", "6.1.4"), ("9.2.2", "9.2"), ("iso42001:A.7.5", "A.7.5")],
)
def test_a_clause_that_shares_a_row_is_found_in_it(name: str, row: str) -> None:
    found = requirement(name)
    assert found is not None
    assert found.id == row


@pytest.mark.parametrize(
    "name",
    [
        *("iso42001:A.4.1", "A.6.2.9", "iso42001:A.11.2", "A.6.2", "iso42001:8.5", "a.2.2", ""),
        *("eu-ai-act:6.1.2", "nist-ai-rmf:A.5.4", "iso23894:6.1"),
    ],
)
def test_ids_that_public_copies_invented_do_not_resolve(name: str) -> None:
    assert not resolves(name)


def test_every_control_that_a_check_or_a_pack_names_resolves() -> None:
    named = {control for name in CHECKS for control in CHECKS[name].about.controls}
    for pack in ROOT.glob("policies/*.yaml"):
        text = pack.read_text(encoding="utf-8")
        assert text.count("controls:") == len(
            re.findall(r"^ *controls: \[.*\]", text, re.MULTILINE)
        )
        for listed in re.findall(r"^ *controls: \[(.*)\]", text, re.MULTILINE):
            named |= {one.strip(" \"'") for one in listed.split(",")}
    assert len(named) >= 12
    assert sorted(one for one in named if not resolves(one)) == []


def test_the_crosswalk_names_only_ids_that_the_standards_have() -> None:
    assert {one.requirement for one in RELATIONS if requirement(one.requirement) is None} == set()
    nist = {one.id for one in RELATIONS if one.framework == "nist-ai-rmf"}
    known = {
        f"{name}-{place}.{number}"
        for name, counts in NIST.items()
        for place, count in enumerate(counts, 1)
        for number in range(1, count + 1)
    }
    assert len(known) == 72
    assert nist <= known
    act = {one.id for one in RELATIONS if one.framework == "eu-ai-act"}
    assert {one for one in act if not re.fullmatch(r"(\d{1,2}a?|IV)(\([0-9a-z]+\))*", one)} == set()


def test_a_pair_is_listed_only_where_both_ends_are_marked() -> None:
    """And nothing is said to be listed of the AI Act, of which no such crosswalk is known."""
    pairs = {(one.requirement, one.id): one.basis for one in RELATIONS}
    assert pairs["6.1.2", "MAP-1.5"] is Basis.LISTED
    assert pairs["8.2", "MAP-1.5"] is pairs["6.1.2", "MANAGE-1.2"] is Basis.INTERPRETATION
    listed = {one.framework for one in RELATIONS if one.basis is Basis.LISTED}
    assert listed == {"nist-ai-rmf"}


def test_a_row_is_related_to_what_its_parts_are_related_to() -> None:
    assert {"eu-ai-act:9(5)", "iso23894:6.5"} <= {one.control for one in related("6.1")}
    assert related("A.99") == ()
