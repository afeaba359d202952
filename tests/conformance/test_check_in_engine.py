"""Every check of data says of a table in an engine what it says of the same rows in memory."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from aims_gate.checks import CHECKS
from aims_gate.checks.contract import IN_MEMORY
from aims_gate.facts import Statistic
from aims_gate.judge import judge
from aims_gate.plan import build
from aims_gate.policy.model import OnInsufficient, Role
from aims_gate.refinement import measure_finely
from aims_gate.sources.subject import Data
from aims_gate.verdict import Result
from tests.checks.subjects import NOW, data, inputs
from tests.conformance.test_check import PARAMETERS, task
from tests.support.engine_tables import ENGINES

_NAMES = [
    name
    for name, check in CHECKS.items()
    if check.about.roles
    and ":" not in name
    and IN_MEMORY not in build(name, PARAMETERS.get(name, {})).judged().needs
]


def _rows(seed: int, size: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, size)
    score = np.clip(0.35 * label + 0.6 * rng.random(size), 0, 1).round(3)
    times = [NOW - timedelta(hours=float(hour)) for hour in rng.integers(1, 900, size)]
    return pa.table(
        {
            "y": label,
            "s": score,
            "p": (score >= 0.5).astype(np.int64),
            "sex": rng.choice(["F", "M"], size),
            "age": rng.normal(40, 12, size).round(1),
            "holes": pa.array(rng.random(size), mask=rng.random(size) < 0.02),
            "id": [f"row {row}" for row in range(seed * size, (seed + 1) * size)],
            "t": pa.array(times, pa.timestamp("us", "UTC")),
        }
    )


@cache
def roles(engine: str) -> list[Data]:
    spec: dict[str, Any] = {"label": "y", "score": "s", "prediction": "p", "positive": 1}
    spec |= {"sensitive": {"sex": None}, "time": "t", "key": "id"}
    hold = ENGINES.get(engine, lambda table: table)
    return [data(hold(_rows(seed, 800)), role, **spec) for seed, role in enumerate(Role)]


def _result(name: str, engine: str) -> tuple[Result, list[Statistic]]:
    made = task(name)
    found = measure_finely(made, inputs(*roles(engine)).subject, now=NOW)
    return judge(made, found, now=NOW, insufficient=OnInsufficient.BLOCK), list(found)


def _told(cells: list[Statistic]) -> list[Any]:
    return [(cell.name, cell.slice, cell.lack, cell.judged) for cell in cells]


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "ibis"])
@pytest.mark.parametrize("name", _NAMES)
def test_a_check_decides_on_an_engine_as_in_memory(name: str, engine: str) -> None:
    (exact, cells), (found, asked) = (_result(name, where) for where in ("memory", engine))
    assert found.outcome is exact.outcome
    assert _told(asked) == _told(cells)
    for one, other in zip(asked, cells, strict=True):
        if one.bracket is not None and other.value is not None:
            assert one.bracket.low - 1e-12 <= other.value <= one.bracket.high + 1e-12
        elif other.value is not None:
            assert one.value == pytest.approx(other.value, rel=1e-9, abs=1e-12)
