"""Outcomes, decisions and the verdict as values."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aims_gate.facts import ModelIdentity
from aims_gate.policy.model import Severity
from aims_gate.verdict import Decision, Outcome, PolicyIdentity, Result, Verdict, level, worst

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def result(outcome: str, *, blocking: bool = False) -> Result:
    return Result(
        rule="X-1",
        check="x.y",
        severity=Severity.BLOCK,
        outcome=Outcome(outcome),
        raw_outcome=Outcome(outcome),
        reason="",
        blocking=blocking,
    )


def verdict(decision: str, *results: Result) -> Verdict:
    return Verdict(
        decision=Decision(decision),
        stage="production",
        model=ModelIdentity(uri="file:m", name="m"),
        policy=PolicyIdentity(id="p", version="1", digest="0" * 64, uri="p.yaml"),
        results=results,
        started=NOW,
        finished=NOW,
    )


def test_only_passed_exits_0() -> None:
    """It is 0 for passed, 1 for refused and 3 for undecided."""
    codes = {d: verdict(d).exit_code for d in ("passed", "refused", "undecided")}
    assert codes == {"passed": 0, "refused": 1, "undecided": 3}
    assert [verdict(d).passed for d in codes] == [True, False, False]


def test_a_verdict_has_no_truth_value() -> None:
    """`if verdict:` would let a refusal through."""
    with pytest.raises(TypeError, match=r"use verdict\.passed"):
        bool(verdict("refused"))


def test_it_prints_on_a_line() -> None:
    """A failed assertion shows what stood in the way, not every number."""
    assert repr(verdict("passed")) == "<Verdict passed: 'm' at 'production' by 'p 1'>"
    failed = [result("FAIL", blocking=True)] * 5
    refused = repr(verdict("refused", result("PASS"), *failed))
    some = "X-1 FAIL, X-1 FAIL, X-1 FAIL and 2 more"
    assert refused == f"<Verdict refused for {some}: 'm' at 'production' by 'p 1'>"


def test_warnings_are_what_a_person_should_look_at() -> None:
    """Everything that is neither quiet nor blocking: warnings, waived and soft failures."""
    quiet = [result("PASS"), result("NOT_APPLICABLE")]
    loud = [result("WARN"), result("WAIVED"), result("FAIL"), result("INSUFFICIENT")]
    assert verdict("passed", *quiet, *loud, result("FAIL", blocking=True)).warnings == 4


def test_the_worst_of_nothing_is_an_error() -> None:
    """Nothing was decided."""
    assert worst([]) is Outcome.ERROR


@pytest.mark.parametrize(
    ("policy", "stage", "expected"),
    [
        ("credit-risk", "production", "AIMS_GATE_CREDIT_RISK_PRODUCTION"),
        ("a.b--c ", "dev", "AIMS_GATE_A_B_C_DEV"),
    ],
)
def test_verified_level(policy: str, stage: str, expected: str) -> None:
    """Policy and stage, in letters that SLSA allows."""
    assert level(policy, stage) == expected
