"""Groups that are not alike, absent or too small: rebuilt from tools that let them pass.

Every docstring names the tool and what it did, as measured or reported; `test_fail_open.py` says
which version of it was run.
"""

from __future__ import annotations

import numpy as np
import pytest

from aims_gate.verdict import Outcome
from tests.attacks.deciding import IMPACT, LABELS, Gate, cells, normal, only, scored


@pytest.mark.parametrize("check", ["impact_ratio", "parity", "odds", "proxy"])
def test_protected_attributes_that_were_not_supplied_do_not_pass(gate: Gate, check: str) -> None:
    """bdp-model-gate says PASS where protected data, model card and champion are left out."""
    columns = scored()
    policy = f"rules: [{{id: BIAS-02, check: fairness.{check}}}]\n"
    named = gate(LABELS + policy, evaluation={k: v for k, v in columns.items() if k != "sex"})
    assert only(named).outcome is Outcome.MISSING
    unnamed = LABELS.replace(", sensitive: [sex]", "")
    assert only(gate(unnamed + policy, evaluation=columns)).outcome is Outcome.ERROR


def test_the_data_that_a_rule_needs_are_not_optional(gate: Gate) -> None:
    """bdp-model-gate marks leakage and comparison NOT_APPLICABLE without training data."""
    for check, role in (("data.overlap", "reference"), ("drift.columns", "current")):
        given = {"evaluation": scored()} if role == "reference" else {"reference": normal(1, 200)}
        result = only(gate(f"{LABELS}rules: [{{id: A-1, check: {check}}}]\n", **given))
        assert result.outcome is Outcome.MISSING
        assert role in result.reason


def test_a_group_of_five_rows_is_named_and_neither_judged_nor_the_best(gate: Gate) -> None:
    """bdp-model-gate scores disparate impact on 5 rows, Aequitas divides by zero and gets 10.0."""
    columns = scored()
    columns["sex"] = np.where(np.arange(4_000) < 5, "X", columns["sex"])
    columns["yhat"] = np.where(np.arange(4_000) < 5, 1, columns["yhat"])
    verdict = gate(LABELS + IMPACT, evaluation=columns)
    assert only(verdict).outcome is Outcome.PASS
    assert not any("sex=X" in where for where in cells(verdict))
    (small,) = [s for s in only(verdict).statistics if s.slice == "sex=X"]
    assert (small.rows, small.value) == (0, None)
    crowd = {**columns, "sex": np.array([f"g{i % 400}" for i in range(4_000)])}
    refused = gate(LABELS + IMPACT, evaluation=crowd)
    assert only(refused).outcome is not Outcome.PASS


def test_a_lone_group_is_not_parity(gate: Gate) -> None:
    """Fairlearn calls one lone group perfectly fair: difference 0.0 and ratio 1.0."""
    columns = {**scored(), "sex": ["F"] * 4_000}
    for check in ("impact_ratio", "parity", "odds"):
        rule = f"rules: [{{id: BIAS-02, check: fairness.{check}}}]\n"
        assert only(gate(LABELS + rule, evaluation=columns)).outcome is Outcome.INSUFFICIENT


def test_parity_on_enough_rows_passes(gate: Gate) -> None:
    """A gate that refuses parity at n=2,000 would be switched off; vfairness approves it too."""
    for check in ("impact_ratio", "parity"):
        rule = f"rules: [{{id: BIAS-02, check: fairness.{check}}}]\n"
        columns = scored(2_000)
        columns["yhat"] = np.arange(2_000) // 2 % 2
        columns["sex"] = np.where(np.arange(2_000) % 2, "F", "M")
        verdict = gate(LABELS + rule, evaluation=columns)
        assert only(verdict).outcome is Outcome.PASS
        neutral = 1.0 if check == "impact_ratio" else 0.0
        (cell, *_rest) = cells(verdict).values()
        assert cell.interval is not None
        assert cell.interval.low <= neutral <= cell.interval.high


def test_the_interval_of_a_gap_covers_parity(gate: Gate) -> None:
    """A bootstrap of max - min covers parity in none of 100 samples (fairpipe's BL-014)."""
    rule = LABELS + "rules: [{id: BIAS-03, check: fairness.parity}]\n"
    found = cells(gate(rule, evaluation=scored(1_000)))
    assert all(c.interval is not None and c.interval.low <= 0 for c in found.values())


def test_a_group_without_positives_does_not_make_odds_equal(gate: Gate) -> None:
    """In fairpipe's BL-019 unsupported groups disappear, and what is left looks perfectly fair."""
    columns = scored()
    columns["y"] = np.where(columns["sex"] == "F", 0, columns["y"])
    rule = "rules: [{id: BIAS-03, check: fairness.odds, with: {rates: [tpr]}}]\n"
    verdict = gate(LABELS + rule, evaluation=columns)
    assert only(verdict).outcome is Outcome.INSUFFICIENT
    assert "TPR" in only(verdict).reason


def test_nobody_selected_anywhere_is_no_ratio(gate: Gate) -> None:
    """Aequitas gets the matrix wrong without positive predictions (issue 104)."""
    columns = {**scored(), "yhat": np.zeros(4_000, dtype=np.int64)}
    result = only(gate(LABELS + IMPACT, evaluation=columns))
    assert result.outcome is Outcome.INSUFFICIENT
    assert "nobody is selected" in result.reason
