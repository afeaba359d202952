"""Isolation: a model that could sign its own verdict is counted, and `release` refuses it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aims_gate.checks.integrity.isolation import Isolated
from aims_gate.errors import DataError, PolicyError
from aims_gate.facts import Isolation, NoValue, Statistic
from aims_gate.judge import judge
from aims_gate.measure import measure
from aims_gate.plan import plan
from aims_gate.policy.model import OnInsufficient, Policy, Role
from aims_gate.policy.resolve import load
from aims_gate.sources.subject import Subject
from aims_gate.verdict import Outcome
from tests.checks.subjects import NOW, data, inputs

SAME_USER = {Role.EVALUATION: Isolation.SAME_USER}
CHILD = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: child, version: "1.0.0"}
extends: [{pack: release@1.0.0}]
data: {evaluation: {label: y, positive: 1, predictions: model}}
"""


def asked(**changes: object) -> Subject:
    """A subject whose evaluation data the model itself predicted."""
    given = inputs(data({"y": [0, 1]}, label="y", prediction="p", predictions="model"))
    return replace(given.subject, **{"isolation": SAME_USER, **changes})  # type: ignore[arg-type]  # by name


def cells(subject: Subject, *accept: Isolation) -> dict[str, Statistic]:
    found = list(Isolated(accept=accept).measure(replace(inputs(), subject=subject)))
    assert all(s.judged and s.name == Isolated().judged().name and s.reason for s in found)
    return {s.slice: s for s in found}


def outcome(policy: Policy, subject: Subject) -> Outcome:
    """What INTEG-03 of a policy makes of a subject."""
    (task,) = [task for task in plan(policy).sound() if task.rule.id == "INTEG-03"]
    statistics = measure(task, subject, now=NOW)
    return judge(task, statistics, now=NOW, insufficient=OnInsufficient.BLOCK).outcome


def written(folder: Path, rest: str = "") -> Policy:
    (folder / "policy.yaml").write_text(CHILD + rest, encoding="utf-8")
    return load(folder / "policy.yaml")


def test_each_role_that_the_model_predicted_counts() -> None:
    """Others, whose predictions were logged, do not."""
    logged = data({"y": [0, 1]}, Role.CURRENT, label="y", prediction="p")
    both = asked(data={**asked().data, Role.CURRENT: logged})
    assert {k: s.value for k, s in cells(both).items()} == {"evaluation": 1.0, "current": 0.0}
    assert "isolation: same-user" in cells(both)["evaluation"].reason


def test_what_is_accepted_counts_as_isolated() -> None:
    """And only for whoever accepts it by name."""
    assert cells(asked(), Isolation.SAME_USER)["evaluation"].value == 0


def test_a_model_whose_predictions_failed_did_run() -> None:
    """Its code had its chance, whatever became of the answers."""
    failed = asked(data={}, unread={Role.EVALUATION: DataError("crashed")})
    assert cells(failed)["evaluation"].value == 1


def test_what_cannot_be_told_is_never_0() -> None:
    """No data, data that cannot be read, and a model to be asked of which nothing is recorded."""
    assert [s.lack for s in cells(inputs().subject).values()] == [NoValue.MISSING]
    unread = asked(data={}, isolation={}, unread={Role.EVALUATION: DataError("no such file")})
    assert cells(unread)["evaluation"].lack is NoValue.UNDEFINED
    assert cells(asked(isolation={}))["evaluation"].value == 1


def test_release_refuses_a_model_that_could_sign_for_itself(tmp_path: Path) -> None:
    """A policy that extends it inherits the refusal, and can take it back by name only."""
    assert outcome(load("pack:release@1.0.0"), asked()) is Outcome.FAIL
    assert outcome(written(tmp_path), asked()) is Outcome.FAIL
    accepting = "rules: [{id: INTEG-03, with: {accept: [same-user]}}]\n"
    assert outcome(written(tmp_path, accepting), asked()) is Outcome.PASS


@pytest.mark.parametrize(
    "rule",
    [
        "severity: warn",
        "require: {at_most: 1}",
        "effective_from: 2090-01-01",
        "applies_to: {stages: [dev]}",
        "check: integrity.data",
        "with: {accept: [nobody]}",
    ],
)
def test_no_other_key_takes_the_refusal_back(rule: str, tmp_path: Path) -> None:
    """Each is refused before anything is measured."""
    with pytest.raises(PolicyError):
        plan(written(tmp_path, f"rules: [{{id: INTEG-03, {rule}}}]\n")).sound()
