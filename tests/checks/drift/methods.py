"""Every method of comparing columns, and samples to compare."""

from __future__ import annotations

from typing import Any

import numpy as np

from aims_gate.checks.drift.columns import Columns
from aims_gate.policy.model import Role, Threshold
from aims_gate.sources.subject import Data
from tests.checks.subjects import data

RULE: dict[str, Any] = {
    "check": "drift.columns",
    "require": Threshold(at_most=0.25, warn_above=0.10),
}
WASSERSTEIN = Columns(numeric="wasserstein", categorical="none")


BINNED = [Columns(numeric=name, categorical=name) for name in ("psi", "js", "hellinger", "chi2")]
KS = Columns(numeric="ks", categorical="none")
ORDERED = [KS, WASSERSTEIN]
ALL = [*BINNED, *ORDERED]


def rule(check: Columns) -> dict[str, Any]:
    """A rule with the conventional limit and line of its method."""
    parameters = {"numeric": check.numeric, "categorical": check.categorical}
    return {"check": "drift.columns", "parameters": parameters}


def reference(columns: object, **spec: Any) -> Data:
    return data(columns, Role.REFERENCE, **spec)


def current(columns: object, **spec: Any) -> Data:
    return data(columns, Role.CURRENT, **spec)


def normal(rows: int, seed: int, shift: float = 0.0) -> list[float]:
    found: list[float] = np.random.default_rng(seed).normal(shift, size=rows).tolist()
    return found
