"""A model that is worse than the one before it: rebuilt from tools that let it pass.

Every docstring names the tool and what it did, as measured or reported; `test_fail_open.py` says
which version of it was run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aims_gate.verdict import Decision, Outcome
from tests.attacks.deciding import Gate, only

CHAMPION = """\
data:
  evaluation: {label: y, prediction: yhat, score: p, positive: 1, key: id}
  champion: {prediction: yhat, score: p, key: id}
rules:
  - {id: PERF-02, check: performance.champion, with: {metric: METRIC}, require: {at_least: -0.01}}
"""


def against(metric: str) -> str:
    return CHAMPION.replace("METRIC", metric)


def pair(right: float, champion: float, rows: int = 20_000) -> dict[str, dict[str, Any]]:
    """The same cases, answered by a candidate and by a champion that are right so often."""
    random = np.random.default_rng(7)
    y, luck = random.integers(0, 2, rows), random.random(rows)
    common = {"id": np.arange(rows), "y": y}
    return {
        role: {
            **common,
            "yhat": np.where(luck < share, y, 1 - y),
            "p": np.where(luck < share, y, 1 - y) * 0.5 + random.uniform(0, 0.5, rows),
        }
        for role, share in (("evaluation", right), ("champion", champion))
    }


def test_worse_than_the_reference_is_refused_and_better_is_not(gate: Gate) -> None:
    """Evidently's test against the reference passes 0.79 to 0.67, and fails 0.60 to 0.90."""
    assert only(gate(against("accuracy"), **pair(0.67, 0.79))).outcome is Outcome.FAIL
    assert only(gate(against("accuracy"), **pair(0.90, 0.60))).outcome is Outcome.PASS


def test_a_tolerated_loss_can_be_stated_and_is_held(gate: Gate) -> None:
    """MLflow's `MetricThreshold` rejects a change of -0.01, so non-inferiority cannot be said."""
    assert only(gate(against("accuracy"), **pair(0.799, 0.80))).outcome is Outcome.PASS
    assert only(gate(against("accuracy"), **pair(0.77, 0.80))).outcome is Outcome.FAIL


@pytest.mark.parametrize("role", ["evaluation", "champion"])
def test_neither_side_of_a_comparison_may_be_nan(gate: Gate, role: str) -> None:
    """MLflow passes a NaN candidate, and any candidate against a NaN baseline."""
    roles = pair(0.8, 0.8)
    roles[role]["p"] = np.where(np.arange(20_000) < 9, np.nan, roles[role]["p"])
    result = only(gate(against("roc_auc"), **roles))
    assert result.outcome is Outcome.ERROR
    assert f"{role} data" in result.reason


def test_a_baseline_without_the_metric_does_not_pass(gate: Gate) -> None:
    """MLflow's validation raises KeyError where the baseline's result lacks the metric."""
    roles = pair(0.8, 0.8)
    del roles["champion"]["p"]
    verdict = gate(against("roc_auc"), **roles)
    assert only(verdict).outcome in {Outcome.MISSING, Outcome.ERROR}
    assert verdict.decision is not Decision.PASSED


def test_the_first_model_is_not_blessed_for_want_of_another(gate: Gate) -> None:
    """TFX's Evaluator rubber-stamps it; MLflow raises TypeError where the baseline is empty."""
    result = only(gate(against("accuracy"), evaluation=pair(0.8, 0.8)["evaluation"]))
    assert result.outcome is Outcome.MISSING
    assert result.blocking


def test_a_negative_baseline_does_not_turn_the_comparison_around(gate: Gate) -> None:
    """TFMA divides by the baseline's signed value: below zero, worse becomes better."""
    random = np.random.default_rng(3)
    rows = 2_000
    y = random.normal(0, 1, rows)
    policy = against("r2").replace(", positive: 1", ", task: regression")
    policy = policy.replace("at_least: -0.01}", "at_least: -0.01}, decide_on: estimate")
    poor, worse = y + random.normal(0, 1.5, rows), y + random.normal(0, 2.5, rows)
    common = {"id": np.arange(rows), "y": y, "p": y}
    for ours, theirs, outcome in ((worse, poor, Outcome.FAIL), (poor, worse, Outcome.PASS)):
        verdict = gate(
            policy, evaluation={**common, "yhat": ours}, champion={**common, "yhat": theirs}
        )
        assert only(verdict).outcome is outcome
