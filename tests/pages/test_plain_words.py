"""What readers of the page who are no engineers took wrongly, said so that they cannot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aims_gate.advice import FAMILIES, family_of
from aims_gate.checks import CHECKS
from aims_gate.facts import Interval
from aims_gate.pages.rule_section import seen
from aims_gate.pages.verdict_page import render
from aims_gate.policy.model import Threshold
from aims_gate.verdict import (
    Authenticity,
    Decision,
    Outcome,
    Result,
    Verdict,
    VerificationStatus,
)
from tests.pages.pictured import SIZED, cell
from tests.reports.cases import BIAS, CASES, FEW, ROC, STARTED, verdict_of
from tests.support.html_page import Parsed


def words(verdict: Verdict) -> str:
    return Parsed(render(verdict)).words


def test_rows_that_decide_are_not_said_to_be_needed() -> None:
    """All rows that are there are the least that was looked at, not what is needed."""
    sure = replace(SIZED, chance=1.0, wanted=SIZED.rows)
    shown = words(verdict_of(replace(FEW, power=sure), decision=Decision.REFUSED))
    assert "100% 0.6 5,000 rows of the data these are enough" in shown
    shown = words(verdict_of(replace(FEW, power=SIZED), decision=Decision.REFUSED))
    assert "31% 0.6 5,000 rows of the data 21,000" in shown
    assert "race=D vs race=A 400 these are enough" in shown
    none = replace(SIZED, wanted=None)
    shown = words(verdict_of(replace(FEW, power=none), decision=Decision.REFUSED))
    assert "5,000 rows of the data no number is enough" in shown


def warned(value: float, **more: object) -> Result:
    """A warning about a value, its technical sentence as the gate writes it."""
    cells = (cell("impact_ratio", "sex=F vs sex=M", value, 0.04), cell("impact_ratio", "b", 1, 0.1))
    long = f"impact ratio sex=F vs sex=M {value:.3f} (95 % 0.7-0.9), n=1,200; fairlearn agrees; why"
    told = replace(BIAS, outcome=Outcome.WARN, raw_outcome=Outcome.WARN, blocking=False)
    lines = {"line_below": 0.9, "serious_below": 0.6}
    return replace(told, reason=long, statistics=cells, lines=lines, **more)  # type: ignore[arg-type]


def test_a_warning_is_as_short_as_a_reason() -> None:
    past = "sex=F vs sex=M: impact ratio 0.852, which meets at least 0.8, but is below 0.9"
    assert seen(warned(0.852)) == past
    assert past in words(verdict_of(ROC, warned(0.852), decision=Decision.PASSED))
    two = (*warned(0.852).statistics, cell("impact_ratio", "c", 0.88, 0.1))
    assert seen(replace(warned(0.852), statistics=two)) == f"{past}; 1 more is below it, too"
    unproven = "sex=F vs sex=M: impact ratio 0.780, where at least 0.8 is asked; "
    assert seen(warned(0.78)) == f"{unproven}that it is not met is not proven"
    upward = replace(
        warned(0.161), threshold=Threshold(at_most=0.25), lines={"line_above": 0.1}, statistics=()
    )
    cells = (cell("impact_ratio", "sex=F vs sex=M", 0.161, 0.02),)
    told = "sex=F vs sex=M: impact ratio 0.161, which meets at most 0.25, but is above 0.1"
    assert seen(replace(upward, statistics=cells)) == told


@pytest.mark.parametrize("reason", ["the evaluation data are 44.0 days old", "impact ratio b 1"])
def test_a_warning_about_something_else_keeps_its_reason(reason: str) -> None:
    """The age of data, or another cell: the short form would name the wrong cause."""
    assert seen(replace(warned(0.852), reason=reason)) == reason


def test_a_warning_without_a_line_that_is_crossed_keeps_its_reason() -> None:
    for one in (replace(warned(0.852), lines={}), warned(0.95)):
        assert seen(one) == one.reason


def test_the_group_that_others_are_compared_with_is_explained() -> None:
    lead = Interval(low=1, high=1.3, level=0.95, method="MOVER-R")
    best = replace(BIAS.statistics[0], slice="sex=M (best)", value=1.0, interval=lead)
    compared = replace(BIAS, statistics=(BIAS.statistics[0], best))
    note = "(best): the group ahead, to which others are compared; its interval: how far it may be"
    assert note in words(verdict_of(compared, decision=Decision.REFUSED))
    assert note not in words(CASES["refused"])


NAMED = "trust.yaml says whose key that is"


def test_where_no_person_is_named_the_page_says_who_does() -> None:
    verdict = CASES["refused"]
    assert verdict.evidence is not None
    assert f"{verdict.evidence.key}; published as {verdict.evidence.published}" in words(verdict)
    assert words(verdict).count(NAMED) == 2
    unsigned = replace(verdict, evidence=replace(verdict.evidence, signed=False, key=""))
    assert NAMED not in words(unsigned)
    told = "signed by ann@example.org with SHA256:x, as trust.yaml knows it"
    known = VerificationStatus(authenticity=Authenticity.VERIFIED, told=told, read=STARTED)
    shown = words(replace(verdict, standing=known))
    assert "ann@example.org" in shown
    assert NAMED not in shown


def test_the_command_says_where_the_trust_file_has_to_be() -> None:
    told = "Where trust.yaml is elsewhere, add its place: --trust trust.yaml"
    assert told in words(CASES["refused"])
    assert told not in words(CASES["unsigned"])


def test_what_a_policy_does_not_ask_is_not_taken_for_met() -> None:
    shown = words(verdict_of(ROC, BIAS, decision=Decision.REFUSED))
    assert "it has no rule about drift, data, integrity, oversight or records" in shown
    other = replace(ROC, check="evidently:ks"), replace(ROC, check="fairlearn:x")
    assert "no rule about performance, data, integrity, oversight or" in words(
        verdict_of(*other, decision=Decision.PASSED)
    )
    every = [replace(ROC, rule=name, check=f"{name}.x") for name in FAMILIES]
    assert "it has rules of all kinds of checks" in words(
        verdict_of(*every, decision=Decision.PASSED)
    )
    alone = words(verdict_of(*every[:-1], decision=Decision.PASSED))
    assert "it has no rule about records" in alone
    assert "it has no rule about" not in words(CASES["ended"])


def test_the_families_are_those_of_the_checks() -> None:
    assert {family_of(name) for name in CHECKS} == {*FAMILIES}
