"""A table in DuckDB, judged on the command line by somebody who reads what it says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import duckdb
import pytest

from aims_gate.policy.operator import VARIABLE
from tests.support.command_line import Done, call, process

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


WHERE = "table main.scored of the connection warehouse"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table, a policy that names it, an operator's file and a model."""
    found = tmp_path_factory.mktemp("table")
    file = found / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create table scored as from range(500) t(i) select i % 2 y, i % 2 p")
    (found / "model").mkdir()
    (found / "model" / "weights").write_text("weights", encoding="utf-8")
    (found / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (found / "operator.yaml").write_text(CONFIG.format(file=file), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def done(folder: Path) -> Done:
    """The run of the gate."""
    environ = {**os.environ, VARIABLE: str(folder / "operator.yaml")}
    words = ("policy.yaml", "--model", "file:model", "--unsigned", "--out", "evidence")
    return process(folder, "run", *words, environ=environ)


def test_a_run_says_what_it_did_and_nothing_of_how_its_libraries_end(done: Done) -> None:
    """DuckDB listed everything that was left open at exit, in fifty lines."""
    assert done.code == 0, (done.out, done.err)
    assert "policy met" in done.out
    assert all(line.startswith("aims-gate: ") for line in done.err.splitlines()), done.err


@pytest.mark.usefixtures("done")
def test_evidence_of_a_table_says_in_words_which_one_it_was(folder: Path) -> None:
    """It was told to be a file of the run, which is what there is without a table."""
    evidence = folder / "evidence"
    statement = json.loads((evidence / "evaluation.statement.json").read_text(encoding="utf-8"))
    (one,) = statement["predicate"]["datasets"]
    told = call(folder, "explain", "evidence").out
    where = "main.scored, 500 rows, table:warehouse/main.scored"
    assert f"{where}, table-v1 sha256:{one['digest']['sha256']}, held by duckdb" in told
    assert WHERE in told
    assert WHERE in call(folder, "explain", "policy.yaml").out
