"""From results to a decision: the table of spec.md, severities and what stands beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from aims_gate.facts import NoValue, Statistic
from aims_gate.judge import decide, judge
from aims_gate.measure import AGE
from aims_gate.policy.model import Baseline, DecideOn, Role, Severity
from aims_gate.verdict import Decision, Outcome, not_applicable
from tests.support.judging import BLOCK, NOW, WARN, cell, result, task


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([("block", "PASS")], "passed"),
        ([("block", "PASS"), ("block", "WARN")], "passed"),
        ([("block", "PASS"), ("warn", "FAIL"), ("info", "ERROR")], "passed"),
        ([("block", "FAIL"), ("block", "PASS")], "refused"),
        ([("block", "MISSING")], "refused"),
        ([("block", "STALE")], "refused"),
        ([("block", "INSUFFICIENT")], "refused"),
        ([("block", "ERROR"), ("block", "PASS")], "undecided"),
        ([("block", "ERROR"), ("block", "FAIL")], "refused"),  # the no is certain
        ([("block", "NOT_APPLICABLE"), ("warn", "PASS")], "undecided"),
        ([("info", "PASS")], "undecided"),
        ([("block", "WARN")], "passed"),
        ([("block", "WAIVED")], "passed"),
        ([], "undecided"),
    ],
)
def test_decision_table(results: list[tuple[str, str]], expected: str) -> None:
    """Each row of "refused, undecided, passed"; nothing to decide on never passes."""
    assert decide([result(*one) for one in results]) == expected


def test_insufficient_blocks_only_where_the_policy_says_so() -> None:
    """on_insufficient: warn lets a stage pass with a warning, block refuses it."""
    few = [cell(None, lack=NoValue.INSUFFICIENT, reason="61 rows")]
    strict = judge(task(), few, now=NOW, insufficient=BLOCK)
    lenient = judge(task(), few, now=NOW, insufficient=WARN)
    met = judge(task(), [cell(1.0, 0.95, 1.05)], now=NOW, insufficient=WARN)
    assert (decide([strict, met]), decide([lenient, met])) == (Decision.REFUSED, Decision.PASSED)
    assert lenient.outcome is Outcome.INSUFFICIENT
    assert decide([lenient]) is Decision.UNDECIDED


SOON = datetime(2027, 1, 1, tzinfo=UTC)
PROVEN = {"decide_on": DecideOn.PROVEN_PASS}
DEBT = Baseline(value=0.6, owner="team@example.org", expires=SOON)
FEW = cell(None, lack=NoValue.INSUFFICIENT, reason="61 rows")
GONE = cell(None, lack=NoValue.MISSING, reason="no column y")
NEITHER = cell(None, lack=NoValue.NOT_APPLICABLE, reason="there is no champion")
OLD = Statistic(name=AGE, slice="evaluation", value=10.0)


@pytest.mark.parametrize(
    ("fields", "cells", "decided"),
    [
        ({}, [cell(1.0, 0.95, 1.05)], True),
        ({"effective_from": SOON}, [cell(0.5, 0.4, 0.6)], True),  # a FAIL, held against its limit
        ({"effective_from": SOON}, [FEW], False),
        ({"effective_from": SOON}, [GONE], False),
        ({"effective_from": SOON}, [cell(1.0, 0.95, 1.05), FEW], False),
        ({"max_age_days": 5.0, "effective_from": SOON}, [cell(1.0, 0.95, 1.05), OLD], False),
        ({"max_age_days": 5.0, "grace_days": 9.0}, [cell(1.0, 0.95, 1.05), OLD], True),
        ({"max_age_days": 5.0, "grace_days": 9.0}, [NEITHER, OLD], False),  # a WARN of an age only
        ({"baseline": DEBT}, [cell(0.7, 0.65, 0.75)], True),
        ({"baseline": DEBT, **PROVEN}, [cell(0.9, 0.75, 1)], True),
        ({"baseline": DEBT}, [FEW], False),
        ({"baseline": replace(DEBT, expires=NOW), **PROVEN}, [cell(0.9, 0.75, 1)], False),
        ({"baseline": DEBT, "effective_from": SOON, **PROVEN}, [cell(0.9, 0.75, 1)], False),
    ],
)
def test_what_was_held_against_its_limit_is_decided(
    fields: dict[str, Any], cells: list[Statistic], *, decided: bool
) -> None:
    """Softened or not; too little, missing or old data that only warn decide nothing."""
    made = task(**fields)
    if "max_age_days" in fields:
        made = replace(made, max_age_days={Role.EVALUATION: 5.0})
    found = judge(made, cells, now=NOW, insufficient=WARN)
    assert found.decided is decided
    if not found.blocking:
        assert decide([found]) is (Decision.PASSED if decided else Decision.UNDECIDED)


def test_severity_never_changes_an_outcome() -> None:
    """A warn rule that fails says FAIL, and does not block."""
    soft = judge(task(severity=Severity.WARN), [cell(0.5, 0.4, 0.6)], now=NOW, insufficient=BLOCK)
    assert (soft.outcome, soft.blocking) == ("FAIL", False)


def test_not_applicable_carries_its_justification() -> None:
    """A rule that is not about this model is shown with the reason."""
    shown = not_applicable(task().rule, ["iso42001:A.5.4"], "applies_to leaves out x (p.yaml:9)")
    assert (shown.outcome, shown.reason) == (
        "NOT_APPLICABLE",
        "applies_to leaves out x (p.yaml:9)",
    )


def test_the_line_that_explains_a_failure() -> None:
    """Value, interval, threshold, slice and rows stand in one line."""
    found = cell(0.712, 0.664, 0.763, slice="sex=F vs sex=M", total=5000)
    failing = judge(task(), [found, cell(1.0)], now=NOW, insufficient=BLOCK)
    assert failing.reason == (
        "impact ratio sex=F vs sex=M 0.712 (95 % 0.664-0.763) < 0.8, n=500 of 5,000; "
        "and provably below 0.9 (the line between the limit, 0.8, and no effect, 1)"
    )
    assert failing.place == "p.yaml:41"
