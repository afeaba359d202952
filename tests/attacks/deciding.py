"""A gate on files, and data to decide on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from aims_gate.facts import Statistic
from aims_gate.verdict import Result, Verdict

HEAD = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: fail-open, version: "1.0.0", owner: risk@acme.example}
"""
LABELS = (
    "data: {evaluation: {label: y, prediction: yhat, score: p, positive: 1, sensitive: [sex]}}\n"
)
DRIFT = "rules: [{id: MON-01, check: drift.columns}]\n"
IMPACT = "rules: [{id: BIAS-02, check: fairness.impact_ratio}]\n"

Columns = Mapping[str, Any]
Gate = Callable[..., Verdict]


def only(verdict: Verdict) -> Result:
    (result,) = verdict.results
    return result


def cells(verdict: Verdict) -> dict[str, Statistic]:
    return {cell.slice: cell for cell in only(verdict).statistics if cell.judged}


def cells_of(result: Result) -> list[Statistic]:
    return [cell for cell in result.statistics if cell.judged]


def normal(seed: int, rows: int, columns: int = 1, *, shift: float = 0.0) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {f"x{i}": random.normal(shift if i == 0 else 0, 1, rows) for i in range(columns)}


def scored(rows: int = 4_000, *, right: float = 0.8, women: float = 0.4) -> dict[str, Any]:
    """Cases of a model that is right so often, with the same error in both groups."""
    random = np.random.default_rng(rows)
    y = random.integers(0, 2, rows)
    yhat = np.where(random.random(rows) < right, y, 1 - y)
    return {
        "y": y,
        "yhat": yhat,
        "p": np.clip(0.25 + 0.5 * yhat + random.normal(0, 0.05, rows), 0, 1),
        "sex": np.where(random.random(rows) < women, "F", "M"),
    }
