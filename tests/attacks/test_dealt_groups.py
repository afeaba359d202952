"""A group that is dealt over many small ones is not hidden from the rule of small groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import aims_gate
from aims_gate.checks.coverage import least_large

CHECKS: dict[str, dict[str, Any]] = {
    "fairness.impact_ratio": {"prediction": "p", "positive": 1, "at_least": 0.8},
    "fairness.score_gap": {"prediction": "p", "positive": 1, "score": "score", "at_most": 0.5},
    "fairness.group_performance": {
        "prediction": "p",
        "label": "y",
        "positive": 1,
        "metric": "accuracy",
        "relative_to": "overall",
        "at_most": 0.1,
    },
}


def _people(names: list[str]) -> pd.DataFrame:
    """4,000 rows, 48 % of them women, who are selected a third as often and judged worse."""
    random = np.random.default_rng(5)
    women = np.arange(4_000) < 1_920
    sex = np.where(women, np.array(names)[np.arange(4_000) % len(names)], "M")
    chosen = (random.random(4_000) < np.where(women, 0.15, 0.45)).astype(int)
    truth = np.where(women & (random.random(4_000) < 0.4), 1 - chosen, chosen)
    score = np.where(women, 0.2, 0.6) + random.normal(0, 0.1, 4_000)
    return pd.DataFrame({"sex": sex, "p": chosen, "y": truth, "score": np.clip(score, 0, 1)})


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("parts", [1, 40, 60])
def test_splitting_a_group_into_small_ones_lets_nothing_by(check: str, parts: int) -> None:
    names = [f"F{number}" for number in range(parts)]
    with pytest.raises(AssertionError) as refused:
        aims_gate.assert_passes(check, _people(names), by=["sex"], **CHECKS[check])
    assert "FAIL" in str(refused.value) or "INSUFFICIENT" in str(refused.value)


def test_small_groups_may_hold_a_fifth_of_the_rows_together() -> None:
    assert least_large([15, 15, 970], 1_000, 0.02) == 20
    assert least_large([10] * 20 + [800], 1_000, 0.02) == 20
    assert least_large([10] * 21 + [790], 1_000, 0.02) == 0
