"""What people read about a rule over records: what it looks at, and what to do."""

from __future__ import annotations

import pytest

from aims_gate.advice import advice
from aims_gate.checks import CHECKS
from aims_gate.errors import PolicyError
from aims_gate.operations.explain import explain_rule
from aims_gate.operations.simulate import SimulationRequest, simulate
from aims_gate.plan import plan
from aims_gate.policy.model import Policy, Rule
from tests.checks.records.written import result

OVER_RECORDS = [name for name in CHECKS if name.startswith(("records.", "risks.", "log."))]


def policy(check: str) -> Policy:
    return Policy(id="p", version="1", rules=(Rule(id="X-1", check=check),))


@pytest.mark.parametrize("check", OVER_RECORDS)
def test_it_says_what_to_do_however_it_ended(check: str) -> None:
    """The advice of rules about data, to log or to hand over some, would lead nowhere."""
    for outcome in ("FAIL", "MISSING", "STALE"):
        told = advice(result("X-1", outcome, check=check))
        assert told
        assert "log_evaluation" not in told
        assert "newer data" not in told
    nothing = result("X-1", "MISSING", check=check, reason="there are no records: neither …")
    assert "aims-gate aims init" in advice(nothing)


@pytest.mark.parametrize("check", OVER_RECORDS)
def test_it_is_said_to_look_at_what_lies_beside_the_policy(check: str) -> None:
    (task,) = plan(policy(check)).sound()
    (line,) = (
        line for line in explain_rule(task, policy(check)).splitlines() if line.startswith("  on: ")
    )
    late = ", and how the other rules ended" if task.late else ""
    assert line == f"  on: what lies beside the policy{late}"


@pytest.mark.parametrize("check", [*OVER_RECORDS, "oversight.approvals"])
def test_it_is_not_simulated_on_past_models_whose_records_are_gone(check: str) -> None:
    """Records are as they are today: a model of last year would be refused for this year's."""
    parameters = {"roles": ["validator"]} if check == "oversight.approvals" else {}
    alone = Policy(id="p", version="1", rules=(Rule(id="X-1", check=check, parameters=parameters),))
    with pytest.raises(PolicyError, match="no blocking rule can be simulated"):
        simulate(alone, SimulationRequest(model="credit", experiment=None, last=1), environ={})
