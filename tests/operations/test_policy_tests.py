"""A policy's own tests are judged by the real judge."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from aims_gate.errors import PolicyError
from aims_gate.operations.policy_tests import run_tests
from aims_gate.policy.resolve import load

NOW = datetime(2026, 11, 23, tzinfo=UTC)
POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {{id: p, version: "1.0.0", owner: a@example.org}}
rules:
  - {{id: PERF-01, check: performance.score, with: {{metric: roc_auc}}, require: {{at_least: 0.8}},
     decide_on: proven_pass}}
  - {{id: BIAS-02, check: fairness.impact_ratio, effective_from: 2027-01-01}}
tests:
  - {test}
"""


def differences(folder: Path, test: str) -> tuple[str, ...]:
    """Run one test of the policy and give what differs."""
    path = folder / "policy.yaml"
    path.write_text(POLICY.format(test=test), encoding="utf-8")
    (tested,) = run_tests(load(path), now=NOW)
    return tested.differences


UNDECIDED = (
    "{name: t, stage: dev, given: {PERF-01: [{value: 1, low: 0}]}, "
    "expect: {PERF-01: INSUFFICIENT, verdict: undecided}}"
)


@pytest.mark.parametrize(
    "test",
    [
        "{name: t, given: {PERF-01: {}}, expect: {PERF-01: MISSING, verdict: refused}}",
        "{name: t, given: {PERF-01: [{value: 0.8}]}, expect: {PERF-01: PASS, verdict: passed}}",
        "{name: t, given: {PERF-01: [{value: 0.79}]}, expect: {PERF-01: FAIL}}",
        "{name: t, given: {PERF-01: [{value: 0.9, low: 0.7}]}, expect: {PERF-01: INSUFFICIENT}}",
        UNDECIDED,
        "{name: t, given: {BIAS-02: [{value: 0.5, high: 0.6}]}, expect: {BIAS-02: WARN}}",
        "{name: t, at: 2028-01-01, given: {BIAS-02: [{value: .5}]}, expect: {BIAS-02: FAIL}}",
    ],
)
def test_what_holds(tmp_path: Path, test: str) -> None:
    """A value alone is known exactly; stage and date are the test's own."""
    assert differences(tmp_path, test) == ()


def test_what_does_not_hold_is_told_with_the_reason(tmp_path: Path) -> None:
    """Expected, found and why."""
    test = "{name: t, given: {PERF-01: [{value: 0.7}]}, expect: {PERF-01: PASS, verdict: passed}}"
    first, second = differences(tmp_path, test)
    assert first.startswith("PERF-01 is FAIL, expected PASS: ROC AUC 0.700")
    assert second == "verdict is refused, expected passed"


def test_a_rule_that_nothing_is_given_for_was_not_judged(tmp_path: Path) -> None:
    """An expectation without a measurement is red, not silently true."""
    test = "{name: t, given: {PERF-01: [{value: 0.9}]}, expect: {BIAS-02: PASS}}"
    assert differences(tmp_path, test) == ("BIAS-02 has nothing given, so it was not judged",)


def test_a_policy_without_tests_is_refused(tmp_path: Path) -> None:
    """`policy test` on nothing is not green."""
    path = tmp_path / "policy.yaml"
    text = POLICY.format(test="x").partition("tests:")[0]
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match="has no tests"):
        run_tests(load(path), now=NOW)


def test_a_red_test_exits_1_and_names_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command line says which test, what differs and where it stands."""
    test = "{name: auc is fine, given: {PERF-01: [{value: 0.7}]}, expect: {PERF-01: PASS}}"
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.format(test=test), encoding="utf-8")
    assert guarded(["policy", "test", str(path)]) == 1
    told = capsys.readouterr().out
    assert "not ok  auc is fine" in told
    assert "policy.yaml:9" in told
    assert "0 of 1 policy tests hold" in told
