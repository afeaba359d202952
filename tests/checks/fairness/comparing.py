"""The checks that compare rates of groups, and columns to give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aims_gate.checks.fairness.rates import ImpactRatio, Odds, Parity, PredictiveParity
from aims_gate.facts import Statistic

ALL = [ImpactRatio, Parity, Odds, PredictiveParity]
SPEC: dict[str, Any] = {"label": "y", "prediction": "p", "sensitive": {"sex": None}}


def only(cells: Mapping[str, Statistic]) -> Statistic:
    (cell,) = cells.values()
    return cell
