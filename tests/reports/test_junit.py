"""JUnit XML, read back with an XML parser and held to the rules of its common schema."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.facts import Statistic
from aims_gate.reports.junit import render
from aims_gate.verdict import Decision, Outcome, Verdict
from tests.reports.cases import (
    BIAS,
    CASES,
    FEW,
    HOSTILE,
    NO_DATA,
    PENDING,
    ROC,
    WAIVED,
    hostile_verdict,
    verdict_of,
)
from tests.support.laws import law

COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase", "system-out"},
    "testcase": {"properties", "failure", "error", "skipped", "system-out"},
    "properties": {"property"},
}
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    "testcase": {"classname", "name", "time"},
    "property": {"name", "value"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
}


def parse(verdict: Verdict) -> ET.Element:
    """Parse the report from its bytes, as a server would."""
    return ET.fromstring(render(verdict).encode())  # noqa: S314  # our own bytes


def cases(verdict: Verdict) -> dict[str, ET.Element]:
    """The test cases by name."""
    return {case.attrib["name"]: case for case in parse(verdict).iter("testcase")}


def kind(case: ET.Element) -> str:
    """What a server makes of a test case."""
    kinds = [child.tag for child in case if child.tag in COUNTED.values()]
    assert len(kinds) <= 1
    return kinds[0] if kinds else "passed"


def properties(case: ET.Element) -> dict[str, str]:
    """The properties of a test case."""
    return {p.attrib["name"]: p.attrib["value"] for p in case.iter("property")}


def hold_to_schema(element: ET.Element) -> None:
    """Elements, attributes and counts as the common schema has them."""
    assert set(element.attrib) == ATTRIBUTES.get(element.tag, set())
    assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
    if element.tag in {"testsuites", "testsuite"}:
        assert int(element.attrib["tests"]) == len(list(element.iter("testcase")))
        for plural, tag in COUNTED.items():
            assert int(element.attrib[plural]) == len(list(element.iter(tag)))
        assert re.fullmatch(r"[0-9]+\.[0-9]{3}", element.attrib["time"])
    if element.tag == "testsuite":
        assert element.attrib["timestamp"] == "2026-11-23T09:30:15"
        order = [child.tag for child in element]
        assert order == sorted(order, key=["properties", "testcase", "system-out"].index)
    for child in element:
        hold_to_schema(child)


@pytest.mark.parametrize("case", CASES)
def test_reports_hold_to_the_common_schema(case: str) -> None:
    root = parse(CASES[case])
    assert root.tag == "testsuites"
    hold_to_schema(root)


@pytest.mark.parametrize("case", [case for case in CASES if case != "hostile"])
def test_every_rule_is_one_test_case_of_its_policy(case: str) -> None:
    found = [
        (c.attrib["classname"], c.attrib["name"])
        for c in parse(CASES[case]).iter("testcase")
        if c.attrib["name"] != "verdict"
    ]
    policy = CASES[case].policy.id
    assert found == [(policy, result.rule) for result in CASES[case].results]


@pytest.mark.parametrize(
    ("outcome", "blocking", "expected"),
    [
        (Outcome.FAIL, True, "failure"),
        (Outcome.FAIL, False, "skipped"),
        (Outcome.MISSING, True, "failure"),
        (Outcome.MISSING, False, "skipped"),
        (Outcome.STALE, True, "failure"),
        (Outcome.STALE, False, "skipped"),
        (Outcome.INSUFFICIENT, True, "failure"),
        (Outcome.INSUFFICIENT, False, "skipped"),
        (Outcome.ERROR, True, "error"),
        (Outcome.ERROR, False, "skipped"),
        (Outcome.WAIVED, False, "skipped"),
        (Outcome.NOT_APPLICABLE, False, "skipped"),
        (Outcome.WARN, False, "passed"),
        (Outcome.PASS, False, "passed"),
        (Outcome.WARN, True, "failure"),
        (Outcome.WAIVED, True, "failure"),
        (Outcome.PASS, True, "failure"),
    ],
)
def test_what_an_outcome_becomes(outcome: Outcome, blocking: bool, expected: str) -> None:
    """Whatever blocks is red, even where no judge would let it block."""
    result = replace(FEW, outcome=outcome, raw_outcome=outcome, blocking=blocking)
    verdict = verdict_of(result, decision=Decision.REFUSED)
    assert kind(cases(verdict)[result.rule]) == expected


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("decision", [Decision.REFUSED, Decision.UNDECIDED])
def test_a_policy_that_is_not_met_is_never_all_green(outcome: Outcome, decision: Decision) -> None:
    """A server that reads nothing but this file turns red, even with no rule to blame."""
    result = replace(ROC, outcome=outcome, raw_outcome=outcome)
    for verdict in (verdict_of(result, decision=decision), verdict_of(decision=decision)):
        suite = parse(verdict)
        assert int(suite.attrib["failures"]) + int(suite.attrib["errors"]) > 0
        hold_to_schema(suite)


def test_the_extra_test_case_says_that_nothing_was_decided() -> None:
    verdict = verdict_of(ROC, decision=Decision.UNDECIDED)
    (error,) = cases(verdict)["verdict"].iter("error")
    assert error.attrib["message"].startswith("undecided: no blocking rule could be decided")
    assert "verdict" not in cases(CASES["refused"])
    assert "verdict" not in cases(CASES["passed"])


def test_a_waiver_and_a_warning_are_visible() -> None:
    found = cases(verdict_of(WAIVED, PENDING, ROC, decision=Decision.PASSED))
    (skipped,) = found["DATA-09"].iter("skipped")
    assert skipped.attrib["message"].endswith("FAIL waived by W-2026-014")
    assert properties(found["DATA-09"])["waiver"] == "W-2026-014"
    assert properties(found["DATA-09"])["raw_outcome"] == "FAIL"
    (said,) = found["MON-02"].iter("system-out")
    assert said.text is not None
    assert said.text.startswith("WARN: psi income 0.41")
    assert properties(found["MON-02"])["outcome"] == "WARN"
    assert not list(found["PERF-01"].iter("system-out"))


def test_properties_carry_the_numbers() -> None:
    found = properties(cases(CASES["refused"])["BIAS-02"])
    assert found["rule"] == "BIAS-02"
    assert found["controls"] == "iso42001:A.5.4 iso42001:A.6.2.4"
    assert found["threshold"] == "at_least 0.8"
    assert found["value sex=F vs sex=M"] == "0.7123"
    assert found["interval sex=F vs sex=M"] == "0.6611 to 0.7642, level 0.95"
    assert found["value race=E vs race=A"] == "nobody in race=A was selected"
    assert "value sex=F" not in found


def test_a_value_that_is_not_there_is_told_as_none() -> None:
    result = replace(NO_DATA, statistics=(Statistic(name="psi", judged=True),))
    assert properties(cases(verdict_of(result, decision=Decision.REFUSED))["MON-01"])["value"] == (
        "none"
    )


def test_a_failure_says_what_why_and_where() -> None:
    (failure,) = cases(CASES["refused"])["BIAS-02"].iter("failure")
    assert failure.attrib["type"] == "FAIL"
    assert failure.attrib["message"] == f"FAIL: {BIAS.reason}"
    assert failure.text == f"{BIAS.title}\n{BIAS.reason}\nwhy: {BIAS.why}\npolicy.yaml:41"


def test_a_clock_that_was_set_back_gives_no_negative_time() -> None:
    verdict = replace(CASES["passed"], finished=CASES["passed"].started - timedelta(hours=1))
    assert parse(verdict).attrib["time"] == "0.000"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_text(text: str) -> None:
    hold_to_schema(parse(hostile_verdict(text)))


@law(100)
@given(text=st.text(max_size=60))
def test_any_name_gives_well_formed_xml(text: str) -> None:
    hold_to_schema(parse(hostile_verdict(text)))
