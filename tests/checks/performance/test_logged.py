"""`performance.logged`: what an author logged counts only if it is one, finite, and in time."""

from __future__ import annotations

import math
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.checks.performance.claims import AGENT, SCORERS
from aims_gate.checks.performance.logged import distance
from aims_gate.errors import PolicyError
from aims_gate.plan import plan
from aims_gate.policy.model import Policy, Role, Rule, Threshold
from aims_gate.verdict import Outcome
from tests.checks.performance.logged_metrics import (
    COMPARED,
    ENDED,
    FLOOR,
    accuracy_of_three_quarters,
    cells,
    decided,
    point,
    run,
    subject,
)
from tests.checks.subjects import data
from tests.support.laws import law


def test_a_metric_nobody_logged_is_missing_and_the_ones_there_are_named() -> None:
    result = decided(subject(train=run(point("roc_auc", 0.9))))
    assert result.outcome is Outcome.MISSING
    assert "'auc' was not logged" in result.reason
    assert "roc_auc" in result.reason


def test_a_model_without_a_run_is_missing() -> None:
    assert decided(subject()).outcome is Outcome.MISSING


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, sys.float_info.max, -sys.float_info.max]
)
def test_nan_and_infinity_however_stored_are_errors(value: float) -> None:
    """SQL stores give infinity back as the largest float, which would meet every floor."""
    result = decided(subject(train=run(point("auc", value))))
    assert result.outcome is Outcome.ERROR
    assert "NaN or infinity" in result.reason


def test_more_than_one_distinct_value_is_an_error_that_names_them() -> None:
    result = decided(subject(train=run(point("auc", 0.8), point("auc", 0.9, step=1))))
    assert result.outcome is Outcome.ERROR
    assert "has 2 values: 0.8 (no data set, step 0), 0.9 (no data set, step 1)" in result.reason


def test_one_value_logged_twice_is_one_value() -> None:
    assert decided(subject(train=run(point("auc", 0.8), point("auc", 0.8)))).outcome is Outcome.PASS


def test_a_value_after_the_runs_end_is_refused_even_beside_one_in_time() -> None:
    late = point("auc", 0.8, timestamp=ENDED + timedelta(milliseconds=1))
    for points in ((late,), (point("auc", 0.8), late)):
        result = decided(subject(train=run(*points)))
        assert result.outcome is Outcome.ERROR
        assert "after the run's end" in result.reason


def test_a_value_without_a_time_is_refused() -> None:
    result = decided(subject(train=run(point("auc", 0.8, timestamp=None))))
    assert result.outcome is Outcome.ERROR
    assert "without a time" in result.reason


@pytest.mark.parametrize(
    "state",
    [
        {"status": "RUNNING", "ended": None},
        {"status": "FAILED"},
        {"ended": None},
        {"deleted": True},
    ],
)
def test_a_run_that_did_not_end_well_claims_nothing(state: dict[str, Any]) -> None:
    assert decided(subject(train=run(point("auc", 0.8), **state))).outcome is Outcome.ERROR


@pytest.mark.parametrize("history", [(math.nan,), (), (0.0, math.nan), (0.25,)])
def test_a_models_zero_that_the_runs_history_does_not_have_is_an_error(
    history: tuple[float, ...],
) -> None:
    """MLflow's SQL stores give a logged model's NaN back as 0, which is the best loss there is."""
    rule = {**FLOOR, "require": Threshold(at_most=0.3)}
    zero = point("auc", 0.0, model_id="m-1", run_id="train")
    of_run = tuple(point("auc", value) for value in history)
    result = decided(subject(train=run(*of_run), logged=(zero,)), rule)
    assert result.outcome is Outcome.ERROR
    assert "it may be NaN" in result.reason
    true = subject(train=run(point("auc", 0.0)), logged=(zero,))
    assert decided(true, rule).outcome is Outcome.PASS


def test_a_floor_decides_in_both_directions() -> None:
    about = subject(train=run(point("auc", 0.7)))
    assert decided(about).outcome is Outcome.PASS
    assert decided(about, {**FLOOR, "require": Threshold(at_most=0.69)}).outcome is Outcome.FAIL
    assert decided(subject(train=run(point("auc", 0.69)))).outcome is Outcome.FAIL


def test_a_floor_is_marked_as_a_claim_in_value_name_and_reason() -> None:
    tags = {SCORERS: "sha256:5c0", AGENT: "sha256:a9e"}
    measured, result = cells(subject(train=run(point("auc", 0.8), tags=tags)), FLOOR)
    (cell,) = measured
    assert (cell.name, cell.slice, cell.value, cell.interval) == (
        "claimed_metric",
        "auc",
        0.8,
        None,
    )
    assert cell.reason == (
        "claimed by the run's author, not recomputed; run train; scorers sha256:5c0; "
        "agent sha256:a9e"
    )
    assert "claimed metric auc" in result.reason


def test_a_floor_needs_no_data_and_takes_no_role() -> None:
    """An LLM's model has no table of labels; `on:` would say something that is not so."""
    empty = data({"y": [], "p": []}, label="y", prediction="p")
    assert decided(subject(empty, train=run(point("auc", 0.8)))).outcome is Outcome.PASS
    with pytest.raises(PolicyError, match="reads no data"):
        decided(subject(), {**FLOOR, "on": Role.CURRENT})


def test_a_logged_metric_that_is_the_recomputed_one_agrees() -> None:
    found = accuracy_of_three_quarters()
    about = subject(found, train=run(point("acc", 55 / 80)))
    measured, result = cells(about, COMPARED)
    values = {s.name: s.value for s in measured}
    assert result.outcome is Outcome.PASS
    assert (values["disagreement"], values["claimed_metric"]) == (0.0, 55 / 80)
    assert values["accuracy"] == 55 / 80
    assert [s.name for s in measured if s.judged] == ["disagreement"]


@pytest.mark.parametrize(
    ("off", "outcome"), [(0.9e-6, Outcome.PASS), (1.1e-6, Outcome.FAIL), (-0.3, Outcome.FAIL)]
)
def test_a_disagreement_past_the_tolerance_fails(off: float, outcome: Outcome) -> None:
    """A logged value that is too low is as wrong as one that is too high."""
    about = subject(accuracy_of_three_quarters(), train=run(point("acc", 55 / 80 + off)))
    result = decided(about, COMPARED)
    assert result.outcome is outcome
    assert outcome is Outcome.PASS or "recomputed 0.6875" in result.reason


def test_too_few_rows_for_an_interval_are_enough_to_compare() -> None:
    few = data(
        {"y": [1, 2.5, 4, 5], "p": [1, 2, 4, 5]}, label="y", prediction="p", task="regression"
    )
    rule = {"parameters": {"metric": "mae", "against": "mae"}}
    assert decided(subject(few, train=run(point("mae", 0.125))), rule).outcome is Outcome.PASS
    assert decided(subject(few, train=run(point("mae", 0.25))), rule).outcome is Outcome.FAIL


def test_without_anything_to_recompute_from_the_claim_does_not_pass() -> None:
    claim = run(point("acc", 0.5))
    assert decided(subject(train=claim), COMPARED).outcome is Outcome.MISSING
    empty = data({"y": [], "p": []}, label="y", prediction="p")
    assert decided(subject(empty, train=claim), COMPARED).outcome is Outcome.MISSING
    lost = data({"y": [0, 1]}, label="y", prediction="p")
    assert decided(subject(lost, train=claim), COMPARED).outcome is Outcome.MISSING
    nulls = data({"y": [0, None], "p": [0, 1]}, label="y", prediction="p")
    assert decided(subject(nulls, train=claim), COMPARED).outcome is Outcome.ERROR


def test_a_recomputed_value_that_is_undefined_is_an_error() -> None:
    never = data({"y": [1, 0, 1], "p": [0, 0, 0]}, label="y", prediction="p", positive=1)
    rule = {"parameters": {"metric": "precision", "against": "precision"}}
    result = decided(subject(never, train=run(point("precision", 0.0))), rule)
    assert result.outcome is Outcome.ERROR


@pytest.mark.parametrize(
    ("parameters", "what"),
    [
        ({}, "needs the parameter 'metric'"),
        ({"metric": " "}, "metric is empty"),
        ({"metric": "a", "dataset": ""}, "dataset is empty"),
        ({"metric": "a", "against": "auc"}, "against"),
        ({"metric": "a", "against": "accuracy", "scorers": "s"}, "cannot be recomputed"),
        ({"metric": "a", "datasets": "x"}, "has no parameter 'datasets'"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(parameters: dict[str, Any], what: str) -> None:
    with pytest.raises(PolicyError, match=what):
        decided(subject(), {**FLOOR, "parameters": parameters})


def test_a_floor_without_a_threshold_or_with_a_proof_is_refused() -> None:
    with pytest.raises(PolicyError, match="no conventional limit"):
        decided(subject(), {"parameters": {"metric": "auc"}})
    with pytest.raises(PolicyError, match="no interval"):
        decided(subject(), {**FLOOR, "decide_on": "proven_pass"})


def test_the_rules_of_its_page_are_sound() -> None:
    page = (Path(__file__).parents[3] / "docs" / "logged.md").read_text(encoding="utf-8")
    rules = [
        Rule(
            id=stated["id"],
            check=stated["check"],
            parameters=stated["with"],
            require=Threshold(**stated["require"]) if "require" in stated else None,
        )
        for block in re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
        for stated in yaml.safe_load(block)["rules"]
    ]
    assert len(plan(Policy(id="p", version="1", rules=tuple(rules))).sound()) == 2


@law(100)
@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_the_distance_is_absolute_for_shares_and_relative_for_amounts(a: float, b: float) -> None:
    found = distance(a, b)
    assert found >= 0
    assert (found == 0) == (a == b) or math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-300)
    if abs(b) <= 1:
        assert found == abs(a - b)
    else:
        assert math.isclose(found, abs(a / b - 1), rel_tol=1e-6, abs_tol=1e-9)
