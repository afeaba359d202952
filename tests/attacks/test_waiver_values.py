"""What a waiver covers: cells with a value, too small for one, too old; and when it rests."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from aims_gate.errors import UsageError
from aims_gate.policy.model import Threshold
from aims_gate.verdict import Outcome
from aims_gate.waivers import Waiver
from tests.support.waiving import NOW, POLICY, Team, outcomes

LIMIT = Threshold(at_least=0.75)
GROUPS = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: credit, version: "1"}
rules:
  - {id: BIAS-01, check: fairness.impact_ratio, require: {at_least: 0.8}}
  - {id: DATA-01, check: data.missing}
data: {evaluation: {label: y, prediction: p, positive: 1, sensitive: [sex]}}
"""


def waiver(*covers: Outcome, limit: Threshold | None = LIMIT) -> Waiver:
    return Waiver(
        id="WVR-1",
        rule="PERF-01",
        covers=frozenset(covers),
        limit=limit,
        expires=NOW,
        approved_by=("ana",),
        requested_by="jo",
        justification="",
        by_name=False,
        where="",
        files={},
    )


FAIL, SMALL, GONE, OLD = Outcome.FAIL, Outcome.INSUFFICIENT, Outcome.MISSING, Outcome.STALE


@pytest.mark.parametrize(
    ("covers", "limit", "outcome", "value", "admitted"),
    [
        ((FAIL, SMALL), LIMIT, FAIL, 0.75, True),
        ((FAIL, SMALL), LIMIT, FAIL, 0.74, False),
        ((FAIL, SMALL), LIMIT, SMALL, 0.75, True),
        ((FAIL, SMALL), LIMIT, SMALL, 0.74, False),
        ((FAIL, SMALL), LIMIT, SMALL, None, False),  # fewer rows are no way around a limit
        ((FAIL, SMALL), LIMIT, GONE, None, False),
        ((FAIL, SMALL, GONE), LIMIT, SMALL, None, True),
        ((FAIL, GONE), LIMIT, GONE, None, True),
        ((FAIL, GONE), LIMIT, SMALL, None, False),
        ((SMALL,), None, SMALL, None, True),
        ((SMALL,), None, SMALL, 0.99, False),  # without a limit no value is bounded
        ((SMALL,), None, FAIL, None, False),
        ((FAIL, OLD), LIMIT, OLD, 400.0, True),
        (
            (FAIL, OLD),
            Threshold(at_most=0.1),
            OLD,
            400.0,
            True,
        ),  # days are not held against a limit
        ((FAIL, SMALL), LIMIT, OLD, 400.0, False),
        ((FAIL, SMALL, GONE, OLD), LIMIT, Outcome.ERROR, 0.9, False),
    ],
)
def test_what_is_let_through(
    covers: tuple[Outcome, ...],
    limit: Threshold | None,
    outcome: Outcome,
    value: float | None,
    *,
    admitted: bool,
) -> None:
    assert waiver(*covers, limit=limit).admits(outcome, value) is admitted


def grouped(team: Team, women: int, hired: float) -> None:
    """Write 400 rows with so many women, of whom a share is hired; of the men a half."""
    of_women = [int(number < women * hired) for number in range(women)]
    answers = [*of_women, *([0, 1] * 200)[: 400 - women]]
    sexes = ["f"] * women + ["m"] * (400 - women)
    table = pa.table({"y": answers, "p": answers, "sex": sexes})
    parquet.write_table(table, team.folder / "evaluation.parquet")


def test_a_group_too_small_to_measure_can_be_waived(tmp_path: Path) -> None:
    team = Team.make(tmp_path, GROUPS)
    grouped(team, 25, 0.5)
    refused = team.run()
    assert outcomes(refused)["BIAS-01"] == "INSUFFICIENT"
    assert refused.evidence is not None
    with pytest.raises(UsageError, match="no value to limit"):
        team.draft(refused.evidence.directory, "BIAS-01", limit=0.5)
    draft = team.draft(refused.evidence.directory, "BIAS-01")
    assert "limit" not in draft.read_text(encoding="utf-8")
    team.approve(draft)
    assert outcomes(team.run())["BIAS-01"] == "WAIVED"
    grouped(team, 200, 0.2)  # it says nothing about a gap that is measured
    assert outcomes(team.run())["BIAS-01"] == "FAIL"


def test_fewer_rows_are_no_way_around_a_limit(tmp_path: Path) -> None:
    team = Team.make(tmp_path, GROUPS)
    grouped(team, 200, 0.2)
    refused = team.run()
    assert refused.evidence is not None
    draft = team.draft(refused.evidence.directory, "BIAS-01")
    text = draft.read_text(encoding="utf-8")
    draft.write_text(text.replace("covers: [FAIL]", "covers: [FAIL, INSUFFICIENT]"), "utf-8")
    team.approve(draft)
    assert team.run().passed
    grouped(team, 25, 0.0)
    verdict = team.run()
    assert outcomes(verdict)["BIAS-01"] == "INSUFFICIENT"
    assert not verdict.passed


def test_of_two_limits_the_one_that_is_past_is_moved(tmp_path: Path) -> None:
    between = POLICY.replace("{at_least: 0.9}", "{between: [0.9, 0.95]}")
    team = Team.make(tmp_path, between)
    refused = team.run()
    assert refused.evidence is not None
    draft = team.draft(refused.evidence.directory, limit=0.75)
    text = draft.read_text(encoding="utf-8")
    assert "  at_least: 0.75\n  at_most: 0.95\n" in text
    team.approve(draft)
    assert team.run().passed


def test_a_waiver_of_another_stage_is_not_in_the_way(tmp_path: Path) -> None:
    staged = "{at_least: 0.9}, applies_to: {stages: [production]}}"
    team = Team.make(tmp_path, POLICY.replace("{at_least: 0.9}}", staged))
    refused = team.run()
    assert refused.evidence is not None
    team.approve(team.draft(refused.evidence.directory))
    assert outcomes(team.run())["PERF-01"] == "WAIVED"
    verdict = team.run(stage="staging")
    assert outcomes(verdict) == {"PERF-01": "NOT_APPLICABLE", "DATA-01": "PASS"}
    assert verdict.passed


def test_one_that_its_rule_does_not_need_is_still_in_the_way(tmp_path: Path) -> None:
    team = Team.make(tmp_path)
    refused = team.run()
    assert refused.evidence is not None
    team.approve(team.draft(refused.evidence.directory))
    parquet.write_table(
        pa.table({"y": [0, 1] * 50, "p": [0, 1] * 50}), team.folder / "evaluation.parquet"
    )
    verdict = team.run(now=NOW + timedelta(days=1))
    (unneeded,) = (one for one in verdict.results if one.check == "waivers.valid")
    assert "PERF-01 ended PASS, and needs no waiver" in unneeded.reason
    assert not verdict.passed
