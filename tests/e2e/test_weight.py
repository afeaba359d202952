"""A GROUP BY of a real engine gates exactly like the rows: equal values and equal intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from aims_gate.operations.run import run
from aims_gate.verdict import Result

POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: weights, version: "1", owner: tests@example.org}
data:
  evaluation: {label: y, prediction: p, score: s, positive: 1, sensitive: [sex, race]WEIGHT}
  reference: {TIME}
  current: {TIME}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: accuracy}, require: {at_least: 0.7}}
  - {id: PERF-02, check: performance.score, with: {metric: roc_auc}, require: {at_least: 0.7}}
  - {id: PERF-03, check: performance.score, with: {metric: f1}, require: {at_least: 0.7}}
  - {id: BIAS-01, check: fairness.parity, require: {at_most: 0.2}}
  - {id: BIAS-02, check: fairness.impact_ratio, require: {at_least: 0.8}}
  - {id: BIAS-03, check: fairness.odds, require: {at_most: 0.2}}
  - {id: MON-01, check: drift.columns, require: {at_most: 0.25}}
  - id: DATA-01
    check: data.missing
    on: evaluation
    with: {columns: [race]}
    require: {at_most: 0.5}
"""


def rows() -> pa.Table:
    """Rows with unequal groups, few distinct scores and some unknown races."""
    random = np.random.default_rng(11)
    size = 9_000
    sex = np.where(random.random(size) < 0.3, "F", "M")
    race = np.array(["a", "b", "c"])[random.choice(3, size, p=[0.6, 0.3, 0.1])]
    truth = random.normal(np.where(sex == "F", -0.2, 0.1), 1)
    label = (truth + random.normal(0, 0.7, size) > 0).astype(int)
    score = np.round(1 / (1 + np.exp(-truth)), 2)
    unknown = random.random(size) < 0.03
    return pa.table(
        {
            "sex": sex,
            "race": pa.array(race, mask=unknown),
            "y": label,
            "p": (score >= 0.5).astype(int),
            "s": score,
        }
    )


def drifting(shift: float, size: int) -> pa.Table:
    random = np.random.default_rng(5)
    kind = np.array(["x", "y", "z"])[random.choice(3, size, p=[0.2, 0.3, 0.5])]
    return pa.table({"k": kind, "v": np.round(random.normal(shift, 2, size), 1)})


def numbers(results: tuple[Result, ...]) -> list[Any]:
    return [
        (r.rule, r.outcome, s.name, s.slice, s.value, s.interval, s.rows, s.total, s.lack)
        for r in results
        for s in r.statistics
        if s.name != "left_out"  # names the columns that are no data, the counts among them
    ]


@pytest.mark.parametrize("written", ["rows.parquet", "in memory"])
def test_counts_of_group_by_give_the_numbers_of_the_rows(tmp_path: Path, written: str) -> None:
    tables = {
        "evaluation": rows(),
        "reference": drifting(0, 7_000),
        "current": drifting(0.4, 5_000),
    }
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.bin").write_bytes(b"1")
    plain, grouped = {}, {}
    with duckdb.connect() as database:
        for role, table in tables.items():
            database.register("t", table)
            columns = ", ".join(table.column_names)
            query = f"SELECT {columns}, COUNT(*) AS n FROM t GROUP BY {columns}"  # noqa: S608
            if written == "in memory":
                grouped[role] = database.sql(query).to_arrow_table()
                plain[role] = table
                assert grouped[role].num_rows < table.num_rows / 2
            else:
                grouped[role] = str(tmp_path / f"grouped-{role}.parquet")
                plain[role] = str(tmp_path / f"{role}.parquet")
                database.sql(f"COPY ({query}) TO '{grouped[role]}' (FORMAT parquet)")
                parquet.write_table(table, plain[role])
            database.unregister("t")
    found = []
    for data, weight in ((plain, ""), (grouped, "weight: n")):
        policy = tmp_path / "policy.yaml"
        text = POLICY.replace("WEIGHT", f", {weight}" if weight else "").replace("TIME", weight)
        policy.write_text(text)
        found.append(run(policy, f"file:{tmp_path / 'model'}", data=data))
    assert numbers(found[0].results) == numbers(found[1].results)
    assert found[0].decision == found[1].decision
    judged = [s for r in found[1].results for s in r.statistics if s.judged]
    assert sum(s.interval is not None for s in judged) >= 8
    assert [d.rows for d in found[1].datasets] == [d.rows for d in found[0].datasets]
