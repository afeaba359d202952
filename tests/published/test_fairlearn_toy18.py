"""Every number that Fairlearn's user guide prints of its eighteen rows, to its printed digits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from aims_gate.checks.contract import Check
from aims_gate.checks.fairness.group_performance import GroupPerformance
from aims_gate.checks.fairness.rates import ImpactRatio, Odds, Parity
from tests.checks.subjects import data, inputs
from tests.published.tables import FOLDER, table

ROWS: dict[str, list[Any]] = {
    "y": [0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1],
    "p": [0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0],
    "sf": list("bbabbcccaacabccbcc"),
}
SPEC: dict[str, Any] = {
    "label": "y",
    "prediction": "p",
    "task": "binary",
    "sensitive": {"sf": None},
}
RATES = {
    "tpr": "true_positive_rate",
    "fpr": "false_positive_rate",
    "selection_rate": "selection_rate",
}
PRINTED = table(FOLDER / "fairlearn_toy18.csv")
EVERY: dict[str, Any] = {"min_cell": 1, "max_uncovered": 0.9}


@pytest.fixture(scope="module")
def measured() -> dict[tuple[str, str], float | None]:
    """What the report of one policy carries, by the user guide's group and metric."""
    found = dict(_rates())
    for check, name, printed in (
        (Parity(**EVERY), "largest_gap", "demographic_parity_difference"),
        (ImpactRatio(**EVERY), "least_impact_ratio", "demographic_parity_ratio"),
        (Odds(**EVERY), "largest_gap", "equalized_odds_difference"),
        (Odds(**EVERY, compare="ratio"), "least_odds_rate_ratio", "equalized_odds_ratio"),
    ):
        found["*", printed] = _told(check)[name, ""]
    return found


def _told(check: Check) -> dict[tuple[str, str], float | None]:
    statistics = check.measure(inputs(data(ROWS, **SPEC)))
    return {(s.name, s.slice): s.value for s in statistics}


def _rates() -> Iterator[tuple[tuple[str, str], float | None]]:
    told = {**_told(Parity(**EVERY)), **_told(Odds(**EVERY))}
    for short, name in RATES.items():
        yield ("ALL", short), told[f"overall_{name}", "sf"]
        for group in "abc":
            yield (group, short), told[name, f"sf={group}"]
        for kind in ("difference", "ratio"):
            for method in ("between_groups", "to_overall"):
                where = f"sf, {method.replace('_', ' ')}"
                yield (method, f"{short}_{kind}"), told[f"{name}_{kind}", where]


def _counts() -> dict[str, int]:
    statistics = Parity(**EVERY).measure(inputs(data(ROWS, **SPEC)))
    rows = {s.slice.removeprefix("sf="): s.rows for s in statistics if s.name == "selection_rate"}
    return {**rows, "ALL": sum(rows.values())}


@pytest.mark.parametrize("row", PRINTED, ids=lambda row: f"{row['group']}-{row['metric']}")
def test_a_printed_number_is_ours(
    row: dict[str, str], measured: dict[tuple[str, str], float | None]
) -> None:
    group, metric = row["group"], row["metric"]
    if metric == "count":
        value: float | None = float(_counts()[group])
    elif metric.startswith("fbeta_"):
        value = _fbeta(group, float(metric.removeprefix("fbeta_")))
    else:
        value = measured[group, metric]
    assert value is not None
    assert round(value, int(row["decimals"])) == float(row["value"])


def _fbeta(group: str, beta: float) -> float | None:
    check = GroupPerformance(metric="f_beta", beta=beta, **EVERY)
    return _told(check)["f_beta", f"sf={group}"]


def test_all_35_rows_are_here() -> None:
    assert len(PRINTED) == 35
