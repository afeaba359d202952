"""Massachusetts 2015 against later: distances are SciPy's, and the broken stretch is found."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from scipy.spatial.distance import jensenshannon

from aims_gate.checks.drift.columns import Columns
from aims_gate.policy.model import Role
from aims_gate.sources.subject import Data
from aims_gate.verdict import Outcome
from tests.checks.subjects import data, decided, judged
from tests.support.real_data import massachusetts

FEATURES = (
    "SCHL", "MAR", "RELP", "DIS", "ESP", "CIT", "MIG", "MIL", "ANC", "NATIVITY", "DEAR", "DEYE",
    "DREM", "SEX", "RAC1P",
)  # fmt: skip
JS = Columns(numeric="js", categorical="js")
METHODS = ("psi", "js", "hellinger", "chi2")


def packaged(name: str) -> pa.Table:
    """A part of the demo's data, which every installation has."""
    with (files("aims_gate.demo") / "data" / f"{name}.parquet").open("rb") as source:
        return parquet.read_table(source)


def as_text(table: pa.Table) -> pa.Table:
    """Codes are categories, whatever they are stored as."""
    return pa.table({name: table[name].cast(pa.string()) for name in FEATURES})


def independent(before: list[str], after: list[str]) -> float:
    """From rows: rare categories pooled, half a row in each, less what chance adds."""
    n, m = len(before), len(after)
    counts = Counter(before), Counter(after)
    kept: list[tuple[int, int]] = []
    rare = [0, 0]
    for value in sorted({*before, *after}):
        a, b = counts[0][value], counts[1][value]
        if (a + b) * min(n, m) / (n + m) < 5:
            rare = [rare[0] + a, rare[1] + b]
        else:
            kept.append((a, b))
    table = np.array([*kept, *([rare] if sum(rare) else [])]) + 0.5
    distance = float(jensenshannon(table[:, 0], table[:, 1]))
    chance = (len(table) - 1) * (1 / n + 1 / m) / 8
    return float(np.sqrt(max(0.0, distance**2 - chance)))


def test_jensen_shannon_of_every_column_and_year_is_scipys() -> None:
    reference, analysis = massachusetts()
    before = as_text(reference)
    years = analysis["year"].to_numpy()
    for year in (2016, 2017, 2018):
        after = as_text(analysis.filter(pa.array(years == year)))
        found = judged(JS, data(before, Role.REFERENCE), data(after, Role.CURRENT))
        assert found.keys() == set(FEATURES)
        for name, cell in found.items():
            wanted = independent(before[name].to_pylist(), after[name].to_pylist())
            assert cell.value == pytest.approx(wanted, abs=1e-9), (year, name)
            assert wanted < 0.11


def of_demo(name: str, role: Role) -> Data:
    return data(packaged(name), role, label="employed", key="id")


@pytest.mark.parametrize("method", [*METHODS, "ks", "wasserstein"])
def test_the_broken_stretch_is_found_and_the_stable_one_left_alone(method: str) -> None:
    """Residents of group quarters against a second half year like the first."""
    categorical = method if method in METHODS else "none"
    rule: dict[str, Any] = {
        "check": "drift.columns",
        "parameters": {"numeric": method, "categorical": categorical},
    }
    reference = of_demo("train", Role.REFERENCE)
    broken, stable = (of_demo(f"current_{name}", Role.CURRENT) for name in ("broken", "stable"))
    assert decided(rule, reference, broken).outcome is Outcome.FAIL
    assert decided(rule, reference, stable).outcome is Outcome.PASS


def test_the_broken_stretch_shows_in_the_relation_to_the_householder() -> None:
    """Codes 16 and 17 of RELP are group quarters."""
    reference, broken = of_demo("train", Role.REFERENCE), of_demo("current_broken", Role.CURRENT)
    found = judged(JS, reference, broken)
    worst = max(found, key=lambda name: found[name].value or 0)
    assert worst == "RELP"
