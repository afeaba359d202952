"""Rules about other rules' results are measured once more, after those were judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

from aims_gate import pipeline, request
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.integrity.counting import JUDGED
from aims_gate.facts import Statistic
from aims_gate.judge import decide
from aims_gate.plan import Task, plan
from aims_gate.policy.model import AppliesTo, Policy, Rule, Severity, Threshold
from aims_gate.verdict import Decision, Outcome, Result
from aims_gate.waivers import Waiver
from tests.checks import subjects

COUNT = Threshold(at_most=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingElseFailed:
    """A check of the second pass: how many other rules did not pass."""

    about: ClassVar[About] = About(
        name="test.others",
        summary="Others.",
        definition="Counts the results that it sees and that did not pass.",
        after="judge",
    )

    def judged(self) -> StatisticSpec:
        return JUDGED

    def problems(self) -> Iterable[tuple[str, str, str]]:
        return ()

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        told = ", ".join(f"{one.rule} {one.outcome}" for one in inputs.results)
        wrong = sum(one.outcome is not Outcome.PASS for one in inputs.results)
        yield Statistic(name="violations", value=float(wrong), judged=True, reason=told)


def evaluated(*tasks: Task, **options: object) -> dict[str, Result]:
    policy = Policy(id="p", version="1", rules=tuple(task.rule for task in tasks))
    world = request.World(now=lambda: subjects.NOW, new_id=lambda _now: "1")
    results = pipeline.evaluate(
        policy,
        tasks,
        subjects.inputs().subject,
        stage="production",
        world=world,
        **options,  # type: ignore[arg-type]  # waivers
    )
    assert [one.rule for one in results] == [task.rule.id for task in tasks]
    return {one.rule: one for one in results}


def rule(name: str, check: str) -> Task:
    """A rule; without files and run, `integrity.model` is ERROR and `integrity.run` MISSING."""
    rules = (Rule(id=name, check=check, severity=Severity.BLOCK, require=COUNT),)
    (task,) = plan(Policy(id="p", version="1", rules=rules)).sound()
    return task


LATE = replace(rule("LATE-01", "integrity.run"), check=NothingElseFailed())
TOO = replace(rule("LATE-02", "integrity.run"), check=NothingElseFailed())
ISOLATED = rule("INTEG-02", "integrity.isolation")
RUN = rule("INTEG-03", "integrity.run")


def test_it_sees_every_rule_of_the_first_pass_wherever_it_stands_in_the_policy() -> None:
    found = evaluated(LATE, ISOLATED, RUN)
    (cell,) = found["LATE-01"].statistics
    assert cell.reason == f"INTEG-02 {found['INTEG-02'].outcome}, INTEG-03 MISSING"
    assert found["LATE-01"].outcome is Outcome.FAIL


def test_it_sees_no_rule_of_its_own_kind_and_so_no_circle() -> None:
    found = evaluated(LATE, TOO, RUN)
    assert {found[name].statistics[0].reason for name in ("LATE-01", "LATE-02")} == {
        "INTEG-03 MISSING"
    }


def test_a_waived_rule_is_seen_as_waived_and_not_as_passed() -> None:
    waiver = Waiver(
        id="W-1",
        rule="INTEG-03",
        covers=frozenset({Outcome.MISSING}),
        limit=None,
        expires=subjects.NOW + timedelta(days=3),
        approved_by=("bo@",),
        requested_by="ada@",
        justification="moved",
        by_name=True,
        where="w",
        files={},
    )
    found = evaluated(LATE, RUN, waivers={"INTEG-03": waiver})
    assert found["INTEG-03"].outcome is Outcome.WAIVED
    assert found["LATE-01"].statistics[0].reason == "INTEG-03 WAIVED"
    assert decide(found.values()) is Decision.REFUSED


def test_what_does_not_apply_is_there_too() -> None:
    """A rule that was left out is no rule that passed."""
    elsewhere = AppliesTo(stages=("dev",))
    other = replace(RUN, rule=replace(RUN.rule, applies_to=elsewhere))
    found = evaluated(ISOLATED, other, LATE)
    assert "INTEG-03 NOT_APPLICABLE" in found["LATE-01"].statistics[0].reason
