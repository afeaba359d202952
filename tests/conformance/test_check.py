"""Every check keeps the contract: it describes itself, and refuses what is not there."""

from __future__ import annotations

import ast
import inspect
import math
import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aims_gate.attest.manifest import Manifest, ManifestEntry
from aims_gate.checks import CHECKS
from aims_gate.checks.contract import BRACKETS, IN_MEMORY, VALUES, Check
from aims_gate.facts import ModelIdentity, NoValue
from aims_gate.frames import Frame
from aims_gate.judge import judge
from aims_gate.measure import measure
from aims_gate.operations.explain import explain_check
from aims_gate.plan import Task, build, plan
from aims_gate.policy.grammar import PROVEN_BY_DEFAULT
from aims_gate.policy.model import DecideOn, OnInsufficient, Policy, Role, Rule, Threshold
from aims_gate.sources.subject import Subject
from aims_gate.verdict import Outcome

NOW = datetime(2026, 11, 23, tzinfo=UTC)
PARAMETERS: dict[str, dict[str, Any]] = {
    "performance.score": {"metric": "accuracy"},
    "performance.champion": {"metric": "accuracy"},
    "drift.performance": {"metric": "accuracy"},
    "performance.slices": {"metric": "accuracy"},
    "performance.robustness": {"metric": "accuracy"},
    "performance.logged": {"metric": "accuracy_score"},
    "fairness.group_performance": {"metric": "accuracy"},
    "fairness.label_bias": {"metric": "tvd"},
    "oversight.approvals": {"roles": ["validator"]},
    "fairness.representation": {"population": {"sex": {"F": 0.5, "M": 0.5}}},
}
pytestmark = pytest.mark.parametrize("name", list(CHECKS))


def task(name: str, **parameters: Any) -> Task:
    """Plan a rule that uses the check as a first-time user would, or with these parameters."""
    parameters = parameters or PARAMETERS.get(name, {})
    rule = Rule(
        id="X-1", check=name, parameters=parameters, require=_require(build(name, parameters))
    )
    (made,) = plan(Policy(id="p", version="1", rules=(rule,))).sound()
    return made


def _require(check: Check) -> Threshold | None:
    """Give a threshold where there is no conventional one."""
    judged = check.judged()
    if judged.limit is not None:
        return None
    lower = judged.higher_is_better is False
    return Threshold(at_most=0.5) if lower else Threshold(at_least=0.5)


def test_its_name_is_its_row(name: str) -> None:
    """The table and the check agree on what it is called, as family.name or library:name."""
    assert CHECKS[name].about.name == name
    assert re.fullmatch(r"[a-z]+[.:][a-z][a-z_0-9]*", name)


def test_it_describes_itself(name: str) -> None:
    """Summary, definition, controls and the cases in which it gives no value are all there."""
    about = CHECKS[name].about
    assert about.summary.endswith(".")
    assert len(about.definition) > 60
    assert about.undecided
    assert all(re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9.]+", control) for control in about.controls)
    assert about.controls
    assert all(isinstance(role, Role) for role in about.roles)
    # what data lack is reported by the rules of the first pass alone
    assert not (about.after and about.roles)


def test_inheritance_knows_whether_it_asks_for_a_proof(name: str) -> None:
    """A parent that leaves `decide_on` out means the check's, which a child may not loosen."""
    proven = task(name).decide_on is DecideOn.PROVEN_PASS
    assert proven == (name in PROVEN_BY_DEFAULT)


def test_its_page_names_every_parameter(name: str) -> None:
    """`policy checks NAME` shows summary, parameters and refusals."""
    page = explain_check(name)
    for parameter in fields(CHECKS[name]):
        assert re.search(rf"^ +{parameter.name} \(", page, re.MULTILINE), parameter.name
    assert "never passes when" in page
    assert re.search(
        r"^  judged: .+(; (higher|lower|neither end) is better|parameters say)$", page, re.MULTILINE
    )
    if "without require:" in page:
        assert "without require: refused" in page or re.search(r" at (most|least) [\d.]+", page)
        assert "burden of proof: " in page
    assert max(map(len, page.splitlines())) <= 100


def test_its_judged_statistic_has_a_domain(name: str) -> None:
    """Least and greatest value, neutral and limit lie in order."""
    judged = build(name, PARAMETERS.get(name, {})).judged()
    assert judged.low < judged.high
    for value in (judged.neutral, judged.limit):
        assert value is None or judged.low <= value <= judged.high
    assert judged.limit is None or math.isfinite(judged.limit)
    assert all(
        member in {VALUES, BRACKETS, IN_MEMORY} or hasattr(Frame, member) for member in judged.needs
    )


def test_without_anything_to_measure_it_does_not_pass(name: str) -> None:
    """A model of one missing file, without run and data, passes nothing."""
    made = task(name)
    nothing = Subject(
        model=ModelIdentity(uri="file:m", name="m"),
        manifest=Manifest(entries=(ManifestEntry(path="weights", sha256="0" * 64, bytes=1),)),
        folder=Path("not-there"),
    )
    measured = measure(made, nothing, now=NOW)
    result = judge(made, measured, now=NOW, insufficient=OnInsufficient.BLOCK)
    assert result.outcome in {Outcome.MISSING, Outcome.ERROR, Outcome.FAIL}
    assert result.blocking
    if made.roles:
        lacks = {s.lack for s in measured if s.judged}
        assert lacks == {NoValue.MISSING}


def test_it_decides_nothing(name: str) -> None:
    """No module of a check names an outcome, a threshold, a verdict, or the judge."""
    module = inspect.getmodule(CHECKS[name])
    assert module is not None
    tree = ast.parse(inspect.getsource(module))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not names & {"Outcome", "Threshold", "Verdict", "Decision", "judge"}
