"""The Statement of Applicability: implemented needs evidence of this run, excluded a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from aims_gate.checks.aims.soa import CONTROLS, StatementOfApplicability
from aims_gate.checks.contract import NoDataError
from aims_gate.checks.parameters import problems_of
from aims_gate.facts import Statistic
from aims_gate.governance.contract import ProblemKind, RecordDocument, Records
from aims_gate.plan import build
from aims_gate.policy.model import Severity
from aims_gate.verdict import Outcome, Result
from tests.checks.records.written import cells, document, entry, problem, result, statistics, wrong

PLANNED = {"applicable": True, "status": "planned", "justification": "by next summer"}
ONE = "A.6.2.4"
IMPLEMENTED = {**PLANNED, "status": "implemented"}
EXCLUDED = {"applicable": False, "status": "excluded", "justification": "no third party"}


def soa(row: Mapping[str, Any] | None = None, control: str = ONE) -> Records:
    """A statement in which all is planned but one control; without the row where it is None."""
    rows = [{"id": name, **PLANNED} for name in CONTROLS if name != control]
    rows += [{"id": control, **row}] if row is not None else []
    return Records(documents=(document("soa", "org/soa.yaml", controls=rows),))


def found(
    records: Records, *results: Result, check: StatementOfApplicability | None = None
) -> dict[str, str]:
    return wrong(cells(check or StatementOfApplicability(), records, *results))


def perf(outcome: str = "PASS", rule: str = "PERF-01", **parts: Any) -> Result:
    return result(rule, outcome, controls=(f"iso42001:{ONE}",), **parts)


def test_there_is_a_cell_for_each_of_the_38_controls() -> None:
    measured = cells(StatementOfApplicability(), soa(PLANNED))
    assert [name for name in measured if name.startswith("A.")] == list(CONTROLS)
    assert len(CONTROLS) == 38
    assert not wrong(measured)


def test_a_control_without_a_row_is_missing_and_one_with_two_or_a_strange_one_is_wrong() -> None:
    assert found(soa(None)) == {ONE: "MISSING"}
    rows = [{"id": name, **PLANNED} for name in (*CONTROLS, ONE, "A.6.2.44")]
    records = Records(documents=(document("soa", "org/soa.yaml", controls=rows),))
    assert found(records) == {ONE: "1", "org/soa.yaml controls": "1"}


def test_implemented_is_what_passed_in_this_very_run() -> None:
    assert found(soa(IMPLEMENTED), perf()) == {}
    assert found(soa(IMPLEMENTED)) == {ONE: "MISSING"}
    nothing = perf("NOT_APPLICABLE", statistics=())
    assert found(soa(IMPLEMENTED), nothing) == {ONE: "MISSING"}
    assert found(soa(IMPLEMENTED), perf(), perf("FAIL", "BIAS-02")) == {ONE: "1"}
    quiet = perf("FAIL", "BIAS-02", severity=Severity.WARN)
    assert found(soa(IMPLEMENTED), perf(), quiet) == {}


def test_a_waived_rule_implements_nothing() -> None:
    waived = perf("WAIVED", raw_outcome=Outcome.FAIL, waiver="WVR-1")
    assert found(soa({**IMPLEMENTED, "evidence": ["PERF-01"]}), waived) == {ONE: "1"}


def test_named_rules_and_records_must_hold() -> None:
    named = soa({**IMPLEMENTED, "evidence": ["PERF-01", "aims/impact.md"]})
    impact = document("impact", "aims/impact.md")

    def with_(*documents: Any) -> Records:
        return Records(documents=(*named.documents, *documents))

    assert found(with_(impact), perf()) == {}
    assert found(with_(impact)) == {ONE: "1"}  # the policy has no such rule
    assert found(named, perf()) == {ONE: "1"}  # no such record
    todo = problem("Harms", ProblemKind.TODO, "aims/impact.md")
    assert found(with_(replace(impact, problems=(todo,))), perf()) == {ONE: "1"}
    old = Statistic(name="days", slice="aims/impact.md", value=9.0, judged=True)
    stale = result("RISK-06", "STALE", old, check="records.fresh")
    assert found(with_(impact), perf(), stale) == {ONE: "1"}


def test_a_rule_of_another_policy_counts_while_monitoring_is_alive() -> None:
    named = soa({**IMPLEMENTED, "evidence": ["MON-01"]})
    elsewhere = StatementOfApplicability(elsewhere=("MON-*",))
    alive = result("MON-05", check="monitoring.alive")
    silent = result("MON-05", "STALE", check="monitoring.alive")
    assert found(named, alive) == {ONE: "1"}
    assert found(named, alive, check=elsewhere) == {}
    assert found(named, silent, check=elsewhere) == {ONE: "1"}
    assert found(named, check=elsewhere) == {ONE: "1"}


def test_an_exclusion_needs_a_reason_and_forbids_no_measured_rule() -> None:
    assert found(soa(EXCLUDED)) == {}
    assert found(soa({**EXCLUDED, "justification": " "})) == {ONE: "1"}
    assert found(soa(EXCLUDED), perf()) == {ONE: "1"}
    assert found(soa(EXCLUDED), perf("NOT_APPLICABLE", statistics=())) == {}


def test_what_is_only_planned_is_not_met_yet() -> None:
    assert found(soa(PLANNED), perf("FAIL")) == {}
    assert found(soa({**PLANNED, "status": "partial"}), perf()) == {}
    assert found(soa(PLANNED), perf("FAIL", "BIAS-02"), perf()) == {ONE: "1"}


@pytest.mark.parametrize("change", [{"applicable": True}, {"status": "planned"}])
def test_a_row_that_contradicts_itself_is_wrong(change: Mapping[str, Any]) -> None:
    assert found(soa({**EXCLUDED, **change})) == {ONE: "1"}


def test_without_a_statement_nothing_passes() -> None:
    (cell,) = statistics(StatementOfApplicability(), Records())
    assert cell.lack is not None
    with pytest.raises(NoDataError, match="no records"):
        statistics(StatementOfApplicability(), None)
    assert list(problems_of(build("aims.soa", {"elsewhere": ["*"]})))


def test_an_entry_that_is_called_as_a_file_stands_for_no_file() -> None:
    """Its id is its author's to choose."""
    named = {**IMPLEMENTED, "evidence": ["org/policy.md"]}
    forged = replace(soa(named), entries=(entry("aims/log/1.md", id="org/policy.md"),))
    assert found(forged) == {ONE: "1"}
    gone = RecordDocument(kind="policy", id="", path="org/policy.md")
    assert found(replace(forged, documents=(*forged.documents, gone))) == {ONE: "1"}
    there = document("policy", "org/policy.md")
    assert found(replace(forged, documents=(*forged.documents, there))) == {}
