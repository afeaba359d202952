"""Every check of data says of a table in an engine what it says of the same rows in memory."""

from __future__ import annotations

import runpy
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from aims_gate.checks import CHECKS
from aims_gate.checks.contract import IN_MEMORY
from aims_gate.facts import Statistic
from aims_gate.judge import judge
from aims_gate.plan import Task, build
from aims_gate.policy.model import OnInsufficient, Role
from aims_gate.refinement import measure_finely
from aims_gate.sources.subject import Data
from aims_gate.verdict import Outcome, Result
from tests.checks.subjects import NOW, data, inputs
from tests.conformance.test_check import PARAMETERS, task
from tests.support.engine_tables import ENGINES, expression

_NAMES = [
    name
    for name, check in CHECKS.items()
    if check.about.roles
    and ":" not in name
    and IN_MEMORY not in build(name, PARAMETERS.get(name, {})).judged().needs
]


def _rows(seed: int, size: int, *, digits: int = 3) -> pa.Table:
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, size)
    score = (0.35 * label + 0.6 * rng.random(size)).round(digits)
    times = [NOW - timedelta(hours=float(hour)) for hour in rng.integers(1, 900, size)]
    return pa.table(
        {
            "y": label,
            "s": score,
            "p": (score >= 0.5).astype(np.int64),
            "sex": rng.choice(["F", "M"], size),
            "age": rng.normal(40, 12, size).round(digits - 2),
            "holes": pa.array(rng.random(size), mask=rng.random(size) < 0.02),
            "id": [f"row {row}" for row in range(seed * size, (seed + 1) * size)],
            "t": pa.array(times, pa.timestamp("us", "UTC")),
        }
    )


@cache
def roles(engine: str) -> list[Data]:
    hold = ENGINES.get(engine, lambda table: table)
    return [_held(hold(_rows(seed, 800)), role) for seed, role in enumerate(Role)]


def _held(table: object, role: Role) -> Data:
    spec: dict[str, Any] = {"label": "y", "score": "s", "prediction": "p", "positive": 1}
    spec |= {"sensitive": {"sex": None}, "time": "t", "key": "id"}
    return data(table, role, **spec)


def _result(made: Task, held: list[Data]) -> tuple[Result, list[Statistic]]:
    found = measure_finely(made, inputs(*held).subject, now=NOW)
    return judge(made, found, now=NOW, insufficient=OnInsufficient.BLOCK), list(found)


def _told(cells: list[Statistic]) -> list[Any]:
    return [(cell.name, cell.slice, cell.lack, cell.judged) for cell in cells]


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "ibis"])
@pytest.mark.parametrize("name", _NAMES)
def test_a_check_decides_on_an_engine_as_in_memory(name: str, engine: str) -> None:
    (exact, cells), (found, asked) = (
        _result(task(name), roles(where)) for where in ("memory", engine)
    )
    assert found.outcome is exact.outcome
    assert _told(asked) == _told(cells)
    for one, other in zip(asked, cells, strict=True):
        if one.bracket is not None and other.value is not None:
            assert one.bracket.low - 1e-12 <= other.value <= one.bracket.high + 1e-12
        elif other.value is not None:
            assert one.value == pytest.approx(other.value, rel=1e-9, abs=1e-12)


_OTHERWISE: list[tuple[str, dict[str, Any]]] = [
    ("performance.score", {"metric": "roc_auc"}),
    ("performance.score", {"metric": "brier"}),
    ("performance.score", {"metric": "average_precision"}),
    ("performance.robustness", {"metric": "accuracy", "columns": ["y"]}),
    ("fairness.impact_ratio", {"of": "score"}),
    ("fairness.group_performance", {"metric": "roc_auc"}),
    ("fairness.group_performance", {"metric": "roc_auc", "relative_to": "overall"}),
    ("drift.performance", {"metric": "roc_auc"}),
    ("drift.columns", {"numeric": "none"}),
    ("drift.share", {"numeric": "wasserstein"}),
    ("data.ranges", {"allowed": {"age": {"at_least": 0, "at_most": 80}}}),
    ("data.ranges", {"allowed": {"age": {"one_of": [1, 2]}}}),
    ("data.ranges", {"allowed": {"id": {"matches": "row [0-9]+"}}}),
    ("data.duplicates", {"by": "key"}),
    ("data.overlap", {"by": "time"}),
]
"""Parameters by which a check is served in another way."""
_BUDGET = 300_000
"""Bytes: enough for the cells of some grids, and too few for 30,000 values."""
_PLACE = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "tables_page.py"))["place"]


@cache
def large() -> list[tuple[Role, pa.Table, Any]]:
    """Rows by role, in memory and in one DuckDB."""
    tables = [_rows(seed, 30_000, digits=17) for seed, _role in enumerate(Role)]
    return [(role, table, expression(table)) for role, table in zip(Role, tables, strict=True)]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [*((name, {}) for name in _NAMES), *_OTHERWISE],
    ids=lambda part: part if isinstance(part, str) else "-".join(map(str, part)),
)
def test_a_small_budget_refuses_what_the_docs_say_and_lets_nothing_pass(
    name: str, parameters: dict[str, Any]
) -> None:
    """The table of docs/tables.md is true: what is answered at any size, and what is not."""
    made = task(name, **parameters)
    place = _PLACE(made.judged.needs)
    held = [_held(table, role) for role, _rows, table in large()]
    for one in held:
        one.frame.session.most_bytes = _BUDGET  # type: ignore[attr-defined]  # an IbisFrame
    found, asked = _result(made, held)
    exact, cells = _result(made, [_held(rows, role) for role, rows, _table in large()])
    if place == "at any size":
        assert (found.outcome, _told(asked)) == (exact.outcome, _told(cells))
    elif place == "on brackets":
        unsettled = found.outcome is Outcome.ERROR and any(cell.bracket for cell in asked)
        assert found.outcome is exact.outcome or unsettled
    else:
        assert place == "within `max_bytes`"
        assert found.outcome is Outcome.ERROR
        assert any("budget" in cell.reason for cell in asked if cell.judged)
