"""A treatment works while its rules passed in this run, and its procedure is as accepted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aims_gate.checks.risks.treated import Treated
from aims_gate.facts import NoValue
from aims_gate.governance.contract import ProblemKind, RecordDocument, Records
from aims_gate.verdict import Outcome
from tests.checks.records.written import cells, document, problem, result, statistics, wrong

DECLARED = Treated(strength="declared")
TODO = ProblemKind.TODO
RUNBOOK = document("runbook", "aims/runbooks/bias.md")


def register(*treatments: object) -> RecordDocument:
    risks = [{"id": f"R-{n}", "treatment": one} for n, one in enumerate(treatments, 1)]
    return document("risks", risks=risks)


def records(*treatments: object, runbook: RecordDocument = RUNBOOK) -> Records:
    return Records(documents=(register(*treatments), runbook))


def test_rules_that_passed_and_a_runbook_that_is_there_treat_a_risk() -> None:
    treatment = {"rules": ["BIAS-02", "PERF-01"], "runbook": "runbooks/bias.md"}
    found = cells(DECLARED, records(treatment), result("BIAS-02"), result("PERF-01", "WARN"))
    assert list(found) == ["R-1 BIAS-02", "R-1 PERF-01", "R-1 aims/runbooks/bias.md"]
    assert not wrong(found)


@pytest.mark.parametrize(
    ("outcome", "parts", "expected"),
    [
        ("FAIL", {}, "1"),
        ("INSUFFICIENT", {}, "1"),
        ("ERROR", {}, "1"),
        ("WAIVED", {"raw_outcome": Outcome.FAIL, "waiver": "W-1"}, "1"),
        ("PASS", {"waiver": "W-1"}, "1"),
        ("WARN", {"raw_outcome": Outcome.FAIL}, "1"),  # a baseline, or not yet in force
        ("NOT_APPLICABLE", {"statistics": ()}, "MISSING"),
    ],
)
def test_a_rule_that_did_not_pass_by_itself_treats_nothing(
    outcome: str, parts: dict[str, Any], expected: str
) -> None:
    """Above all a waived one: while the exception lasts, nothing lowers the risk."""
    found = cells(Treated(), records({"rules": ["BIAS-02"]}), result("BIAS-02", outcome, **parts))
    assert wrong(found) == {"R-1 BIAS-02": expected}


def test_a_rule_that_the_policy_does_not_have_is_missing_unless_another_policy_runs_it() -> None:
    written = records({"rules": ["MON-04", "BIAS-02"]})
    assert wrong(cells(Treated(), written, result("BIAS-02"))) == {"R-1 MON-04": "MISSING"}
    assert not wrong(cells(Treated(elsewhere=("MON-*",)), written, result("BIAS-02")))


def test_a_rule_that_this_policy_has_is_held_to_its_result_whoever_else_runs_it() -> None:
    check, written = Treated(elsewhere=("MON-*",)), records({"rules": ["MON-01"]})
    assert not wrong(cells(check, written, result("MON-01")))
    assert wrong(cells(check, written, result("MON-01", "FAIL"))) == {"R-1 MON-01": "1"}


def test_a_risk_that_only_another_policy_treats_is_missing() -> None:
    found = cells(Treated(elsewhere=("MON-*",)), records({"rules": ["MON-04"]}))
    assert wrong(found) == {"R-1": "MISSING"}


@pytest.mark.parametrize("treatment", [{}, {"text": "we are careful"}, None, "BIAS-02"])
def test_a_risk_without_rule_and_runbook_is_missing(treatment: object) -> None:
    assert wrong(cells(Treated(), records(treatment))) == {"R-1": "MISSING"}


@pytest.mark.parametrize(
    ("linked", "runbook", "expected"),
    [
        ("runbooks/bias.md", RUNBOOK, None),
        ("runbooks/gone.md", RUNBOOK, "MISSING"),
        ("../aims/runbooks/bias.md", RUNBOOK, "MISSING"),
        ("runbooks/bias.md", replace(RUNBOOK, id=""), "MISSING"),
        ("runbooks/bias.md", replace(RUNBOOK, problems=(problem("Steps", TODO),)), "1"),
        ("runbooks/bias.md", replace(RUNBOOK, drafted_by="a tool"), "1"),
    ],
)
def test_a_dead_or_unwritten_procedure_treats_nothing(
    linked: str, runbook: RecordDocument, expected: str | None
) -> None:
    found = wrong(cells(DECLARED, records({"runbook": linked}, runbook=runbook)))
    assert list(found.values()) == ([] if expected is None else [expected])


def test_a_procedure_that_nobody_approved_treats_nothing() -> None:
    found = cells(Treated(), records({"runbook": "runbooks/bias.md"}))
    assert wrong(found) == {"R-1 aims/runbooks/bias.md": "1"}


@pytest.mark.parametrize("risks", [{}, {"risks": []}, {"risks": "none"}])
def test_a_register_without_risks_is_missing(risks: dict[str, Any]) -> None:
    (cell,) = cells(Treated(), Records(documents=(document("risks", **risks),))).values()
    assert cell.lack is NoValue.MISSING


def test_no_register_is_missing() -> None:
    assert wrong(cells(Treated(), Records())) == {"risks": "MISSING"}


def test_what_another_policy_runs_is_named_in_the_report() -> None:
    written = records({"rules": ["MON-04", "BIAS-02"]})
    told = statistics(Treated(elsewhere=("MON-*",)), written, result("BIAS-02"))
    assert [(one.slice, one.reason) for one in told if not one.judged] == [
        ("R-1", "MON-04, which another policy runs")
    ]


def test_a_pattern_that_leaves_every_rule_to_others_is_refused() -> None:
    assert [field for field, _what, _hint in Treated(elsewhere=("*",)).problems()] == ["elsewhere"]
