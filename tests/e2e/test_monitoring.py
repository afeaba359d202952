"""The pack `monitoring`, and the issue that it keeps: steady data pass, and what broke refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from aims_gate.__main__ import guarded
from tests.github.conftest import hub, step
from tests.support.github_api import GitHub

__all__ = ["hub", "step"]

POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: monitoring-credit, version: "1.0.0", owner: model-risk@acme.example}
extends:
  - pack: monitoring@1.0.0
data:
  reference: {score: score}
  current: {score: score, time: at}
"""
Columns = dict[str, np.ndarray]
Broken = Callable[[Columns], None]


def table(seed: int, rows: int = 3_000, broken: Broken | None = None, days: int = 7) -> pa.Table:
    """Rows of one week: four columns, the model's score and the time."""
    draw = np.random.default_rng(seed)
    now = datetime.now(UTC)
    ages = draw.uniform(0.1, days, rows) + (days - 7)
    columns: Columns = {
        "income": draw.lognormal(10, 0.5, rows),
        "age": draw.integers(18, 80, rows),
        "region": draw.choice(["n", "s", "e", "w"], rows, p=[0.4, 0.3, 0.2, 0.1]),
        "sensor": draw.normal(20, 3, rows),
        "score": draw.beta(2, 5, rows),
    }
    if broken is not None:
        broken(columns)
    at = [now - timedelta(days=float(age)) for age in ages]
    return pa.table({**columns, "at": pa.array(at, pa.timestamp("us", tz="UTC"))})


def weekly(folder: Path, current: pa.Table) -> int:
    """One weekly run, and what it publishes."""
    parquet.write_table(table(0), folder / "reference.parquet")
    parquet.write_table(current, folder / "current.parquet")
    (folder / "model").mkdir(exist_ok=True)
    (folder / "model" / "weights.safetensors").write_bytes(WEIGHTS)
    (folder / "monitoring.yaml").write_text(POLICY, encoding="utf-8")
    words = ["run", "monitoring.yaml", "--model", "file:model", "--unsigned", "--quiet"]
    words += ["--data", "reference=reference.parquet", "--data", "current=current.parquet"]
    code = guarded([*words, "--report", "json=report.json"])
    published = ["github", "publish", "--report", "report.json", "--exit-code", str(code)]
    assert guarded([*published, "--issue"]) == code
    return code


WEIGHTS = (2).to_bytes(8, "little") + b"{}"
"""A safetensors file without tensors."""


def stuck(columns: Columns) -> None:
    columns["sensor"][:600] = 20.0


def moved(columns: Columns) -> None:
    columns["income"] = columns["income"] * 2


def other_answers(columns: Columns) -> None:
    columns["score"] = np.sqrt(columns["score"])


def test_a_refusal_opens_an_issue_and_the_next_steady_week_closes_it(
    step: Path, hub: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_EVENT_NAME", "schedule")
    assert weekly(step, table(1)) == 0
    assert not hub.issues
    for rule, broken in {"MON-03": stuck, "MON-01": moved, "MON-02": other_answers}.items():
        assert weekly(step, table(2, broken=broken)) == 1
        assert f"**FAIL** `{rule}`" in hub.issues[0]["body"]
    assert weekly(step, table(3, days=60)) == 1
    assert "**FAIL** `DATA-06`" in hub.issues[0]["body"]
    assert weekly(step, table(4)) == 0
    assert [issue["state"] for issue in hub.issues] == ["closed"]


@pytest.mark.parametrize("seed", range(10, 20))
def test_steady_weeks_pass(step: Path, seed: int) -> None:
    """A monitor that cries wolf is switched off."""
    assert weekly(step, table(seed)) == 0
