"""Monitoring is alive while signed runs go on: silence, holes and forged runs never pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from aims_gate.checks.contract import NoDataError
from aims_gate.checks.monitoring.alive import Alive
from aims_gate.checks.parameters import problems_of
from aims_gate.facts import ModelIdentity, NoValue, Statistic
from aims_gate.plan import build
from aims_gate.sources.subject import PastEvaluation, ServedModel
from tests.checks.subjects import NOW, inputs

CREDIT = ModelIdentity(uri="models:/credit/8", name="credit", registered="credit", version="8")


def run(days: float, *, decided: bool = True) -> PastEvaluation:
    """A run of so many days ago that counts."""
    when = NOW - timedelta(days=days)
    return PastEvaluation(
        where="runs:/r", policy="monitoring", version="7", decided=decided, when=when
    )


def late(
    *runs: PastEvaluation, check: Alive | None = None, serving: str = "7"
) -> dict[str, Statistic]:
    """What the check finds of a registry that keeps these runs."""
    asked = inputs()
    served = ServedModel(name="credit", aliases={"champion": serving} if serving else {})
    subject = replace(
        asked.subject,
        model=CREDIT,
        models=lambda: (ServedModel(name="churn", aliases={"champion": "3"}), served),
        evaluations=lambda _policies: runs,
    )
    cells = list((check or Alive()).measure(replace(asked, subject=subject)))
    assert all(cell.judged and (cell.value is None) == (cell.lack is not None) for cell in cells)
    return {cell.slice: cell for cell in cells}


def test_a_weekly_run_is_in_time_to_the_hour() -> None:
    cells = late(run(7), run(14), run(21))
    assert {name: cell.value for name, cell in cells.items()} == {
        "last run": 0.0,
        "longest hole": 0.0,
    }
    assert late(run(7 + 1 / 24), run(14))["last run"].value == pytest.approx(1 / 24)


def test_silence_is_counted_in_days() -> None:
    cell = late(run(19), run(26))["last run"]
    assert cell.value == 12.0
    assert "version 7 was monitored on 2026-10-13" in cell.reason


def test_a_hole_of_more_than_two_cadences_stays_until_the_period_is_over() -> None:
    assert late(run(1), run(15))["longest hole"].value == 0.0
    cell = late(run(1), run(31), run(38))["longest hole"]
    assert (cell.value, "30.0 days without a run" in cell.reason) == (16.0, True)
    long_ago = [run(days) for days in (1, 8, 15, 95)]
    assert late(*long_ago)["longest hole"].value == 66.0
    assert late(*long_ago, check=Alive(period_days=10))["longest hole"].value == 0.0


def test_a_run_that_could_not_decide_is_silence() -> None:
    assert late(run(1, decided=False), run(30))["last run"].value == 23.0


def test_runs_that_do_not_count_are_no_runs_and_are_told() -> None:
    forged = PastEvaluation(where="runs:/f", problem="the key is not trusted")
    (cell,) = late(forged, run(2, decided=False)).values()
    assert cell.lack is NoValue.MISSING
    assert "the key is not trusted" in cell.reason
    assert "could not decide" in cell.reason


def test_monitoring_of_another_version_than_the_one_in_service_is_told() -> None:
    assert "@champion is version 8" in late(run(1), serving="8")["last run"].reason


def test_nothing_in_service_is_missing_unless_the_policy_says_why_it_is_in_order() -> None:
    (cell,) = late(run(1), serving="").values()
    assert cell.lack is NoValue.MISSING
    excused = Alive(when_none="not_applicable", reason="first release")
    (cell,) = late(check=excused, serving="").values()
    assert cell.lack is NoValue.NOT_APPLICABLE
    assert cell.reason == "no version is @champion yet: first release"


def test_a_model_without_a_registry_has_nowhere_to_look() -> None:
    with pytest.raises(NoDataError, match="no registry"):
        list(Alive().measure(inputs()))


@pytest.mark.parametrize(
    "parameters",
    [
        {"policies": "*"},
        {"alias": " "},
        {"cadence_days": 0},
        {"period_days": -1},
        {"when_none": "not_applicable"},
        {"reason": "first release"},
    ],
)
def test_parameters_that_would_let_silence_pass_are_problems(parameters: dict[str, Any]) -> None:
    assert list(problems_of(build("monitoring.alive", parameters)))
