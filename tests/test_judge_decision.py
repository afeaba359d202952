"""From results to a decision: the table of spec.md, severities and what stands beside it."""

from __future__ import annotations

import pytest

from aims_gate.facts import Lack
from aims_gate.judge import decide, judge, not_applicable
from aims_gate.policy.model import (
    Severity,
)
from aims_gate.verdict import Decision, Outcome
from tests.judging import BLOCK, NOW, WARN, cell, result, task


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
        ([], "undecided"),
    ],
)
def test_decision_table(results: list[tuple[str, str]], expected: str) -> None:
    """Each row of "refused, undecided, passed"; nothing to decide on never passes."""
    assert decide([result(*one) for one in results]) == expected


def test_insufficient_blocks_only_where_the_policy_says_so() -> None:
    """on_insufficient: warn lets a stage pass with a warning, block refuses it."""
    few = [cell(None, lack=Lack.INSUFFICIENT, reason="61 rows")]
    strict = judge(task(), few, now=NOW, insufficient=BLOCK)
    lenient = judge(task(), few, now=NOW, insufficient=WARN)
    assert (decide([strict]), decide([lenient])) == (Decision.REFUSED, Decision.PASSED)
    assert lenient.outcome is Outcome.INSUFFICIENT


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
        "and provably below 0.9"
    )
    assert failing.place == "p.yaml:41"
