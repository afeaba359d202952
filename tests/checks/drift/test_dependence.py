"""Rows that depend on each other: what `design_effect` does to drift."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aims_gate.checks.drift.columns import Columns
from aims_gate.checks.drift.share import Share
from aims_gate.errors import PolicyError
from aims_gate.facts import NoValue
from aims_gate.policy.model import Role
from aims_gate.verdict import Outcome
from tests.checks.subjects import data, decided, judged

METHODS = ("psi", "js", "hellinger", "chi2", "ks", "wasserstein")


def clustered(seed: int, clusters: int, *, size: int, icc: float) -> dict[str, Any]:
    """Ten normal columns of *clusters* clusters; two rows of one cluster correlate by *icc*."""
    rng = np.random.default_rng(seed)
    shared = np.repeat(rng.normal(size=(clusters, 10)), size, axis=0)
    values = np.sqrt(icc) * shared + np.sqrt(1 - icc) * rng.normal(size=shared.shape)
    return {f"x{column}": values[:, column] for column in range(10)}


def rule(**parameters: Any) -> dict[str, Any]:
    return {"check": "drift.columns", "parameters": parameters}


def test_clusters_without_drift_are_refused_as_they_are_and_not_with_their_design_effect() -> None:
    """Clusters of 50 rows: 1 + 49 * 0.8 = 40 rows are worth one independent row."""
    refused = {1.0: 0, 40.2: 0}
    for seed in range(6):
        reference = data(clustered(seed, 20, size=50, icc=0.8), Role.REFERENCE)
        current = data(clustered(seed + 100, 20, size=50, icc=0.8), Role.CURRENT)
        for effect in refused:
            result = decided(rule(design_effect=effect), reference, current)
            refused[effect] += result.outcome is Outcome.FAIL
            assert result.outcome in {Outcome.FAIL, Outcome.WARN, Outcome.INSUFFICIENT}
    assert refused[1.0] >= 4
    assert refused[40.2] == 0


@pytest.mark.parametrize("method", METHODS)
def test_a_larger_design_effect_widens_every_interval_and_keeps_the_value_inside(
    method: Any,
) -> None:
    rng = np.random.default_rng(5)
    reference = data({"x": rng.normal(size=3000)}, Role.REFERENCE)
    current = data({"x": rng.normal(0.6, 1.2, size=2500)}, Role.CURRENT)
    cells = [
        judged(
            Columns(numeric=method, categorical="none", design_effect=effect), reference, current
        )["x"]
        for effect in (1.0, 2.0, 10.0)
    ]
    for cell in cells:
        assert cell.value is not None
        assert cell.interval is not None
        assert cell.interval.low <= cell.value <= cell.interval.high
    widths = [cell.interval.high - cell.interval.low for cell in cells if cell.interval]
    assert widths == sorted(widths)
    assert widths[2] > 1.5 * widths[0]
    assert "design effect 10" in (cells[2].interval.method if cells[2].interval else "")


@pytest.mark.parametrize("method", METHODS)
def test_too_few_independent_rows_are_insufficient_however_many_rows_there_are(method: Any) -> None:
    rng = np.random.default_rng(6)
    reference = data({"x": rng.normal(size=5000)}, Role.REFERENCE)
    current = data({"x": rng.normal(9, 1, size=5000)}, Role.CURRENT)
    check = Columns(numeric=method, categorical="none", design_effect=51)
    cell = judged(check, reference, current)["x"]
    assert cell.lack is NoValue.INSUFFICIENT
    assert "100 times the design effect 51" in cell.reason


def test_rows_needed_are_rows_of_the_data_not_independent_ones() -> None:
    """A hundred independent rows a side are 1,000 rows at a design effect of 10."""
    rng = np.random.default_rng(7)
    reference = data({f"x{i}": rng.normal(size=1100) for i in range(20)}, Role.REFERENCE)
    current = data({f"x{i}": rng.normal(0.45, size=1100) for i in range(20)}, Role.CURRENT)
    result = decided({**rule(design_effect=10.0), "serious": 0.3}, reference, current)
    assert result.outcome is Outcome.INSUFFICIENT
    assert "there are 1,100" in result.reason
    assert "current rows would settle it" in result.reason


def test_the_share_of_drifted_columns_divides_its_rows_too() -> None:
    rng = np.random.default_rng(8)
    reference = data({f"x{i}": rng.normal(size=2000) for i in range(10)}, Role.REFERENCE)
    current = data({f"x{i}": rng.normal(0.4, 1, size=2000) for i in range(10)}, Role.CURRENT)
    (plain,) = judged(Share(), reference, current).values()
    (divided,) = judged(Share(design_effect=8.0), reference, current).values()
    assert plain.interval is not None
    assert divided.interval is not None
    assert plain.value is not None
    assert plain.value >= 0.9
    assert divided.interval.low < plain.interval.low
    assert divided.interval.high >= plain.interval.high


@pytest.mark.parametrize("effect", [0.0, 0.5, -1.0])
@pytest.mark.parametrize("check", ["drift.columns", "drift.share"])
def test_a_design_effect_below_one_is_refused(check: str, effect: float) -> None:
    with pytest.raises(PolicyError, match="outside"):
        decided({"check": check, "parameters": {"design_effect": effect}})
