"""The gate that attacks are made on."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

import aims_gate
from aims_gate.policy.operator import VARIABLE
from aims_gate.verdict import Verdict
from tests.attacks.deciding import HEAD, Columns, Gate
from tests.attacks.warehouse import Warehouse


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Decide on a model from files: a policy's text below its head, and columns by role."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.txt").write_text("weights", encoding="utf-8")

    def decide(policy: str, **roles: Columns) -> Verdict:
        Path("policy.yaml").write_text(HEAD + policy, encoding="utf-8")
        for role, columns in roles.items():
            parquet.write_table(pa.table(dict(columns)), f"{role}.parquet")
        data = {role: f"{role}.parquet" for role in roles}
        return aims_gate.run("policy.yaml", "file:model", data=data)

    return decide


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """A DuckDB file that the judged party writes, and the operator's connection to it."""
    found = Warehouse(folder=tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.txt").write_text("weights", encoding="utf-8")
    found.connect(timeout_seconds=60)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "operator.yaml"))
    return found
