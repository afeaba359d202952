"""A table in DuckDB, judged on the command line by somebody who reads what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from aims_gate.policy.operator import VARIABLE

POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: loans, version: "1.0.0", owner: model-risk@acme.example}
data: {evaluation: {table: main.scored, connection: warehouse, label: y, prediction: p}}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: accuracy}, require: {at_least: 0.6}}
"""
CONFIG = """\
apiVersion: aims-gate/v1
kind: Config
connections: {{warehouse: {{url: "duckdb://{file}"}}}}
"""


@pytest.fixture
def said(tmp_path: Path) -> tuple[int, str, str]:
    """Exit code, and what is said on both streams."""
    file = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create table scored as from range(500) t(i) select i % 2 y, i % 2 p")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_text("weights", encoding="utf-8")
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "operator.yaml").write_text(CONFIG.format(file=file), encoding="utf-8")
    words = ["run", "policy.yaml", "--model", "file:model", "--unsigned", "--out", "evidence"]
    done = subprocess.run(
        [sys.executable, "-m", "aims_gate", *words],
        cwd=tmp_path,
        env={**os.environ, VARIABLE: str(tmp_path / "operator.yaml")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_run_says_what_it_did_and_nothing_of_how_its_libraries_end(
    said: tuple[int, str, str],
) -> None:
    """DuckDB listed everything that was left open at exit, in fifty lines."""
    code, out, progress = said
    assert code == 0, (out, progress)
    assert "policy met" in out
    assert all(line.startswith("aims-gate: ") for line in progress.splitlines()), progress
