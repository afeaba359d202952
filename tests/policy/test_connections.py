"""Connections: what the operator of the gate wrote down, and a policy names and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from aims_gate.errors import GateError, UsageError
from aims_gate.policy.operator import VARIABLE, allowed_by_operator, connection
from aims_gate.policy.resolve import check

CONFIG = """
apiVersion: aims-gate/v1
kind: Config
connections:
  warehouse: {url: "snowflake://gate:${PASSWORD}@account/db", timeout_seconds: 60, max_bytes: 1024}
  lake: {url: "duckdb:///srv/lake.duckdb"}
"""
POLICY = """
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: big, version: "1"}
data:
  evaluation: {label: y, %s}
rules:
  - {id: DATA-01, check: data.duplicates, with: {columns: [y]}, require: {at_most: 0}}
"""


@pytest.fixture
def config(tmp_path: Path) -> dict[str, str]:
    """Environment that names the operator's file."""
    path = tmp_path / "operator.yaml"
    path.write_text(CONFIG)
    return {VARIABLE: str(path), "PASSWORD": "a b/@"}


def test_a_connection_is_found_by_name_and_a_secret_comes_from_the_environment(
    config: dict[str, str],
) -> None:
    found = connection("warehouse", config)
    assert (found.timeout, found.max_bytes) == (60, 1024)
    assert found.url == "snowflake://gate:a%20b%2F%40@account/db"
    assert "gate:" not in repr(found)
    assert connection("lake", config).max_bytes == 2**26
    assert allowed_by_operator(config) == ()


@pytest.mark.parametrize(
    ("name", "environ", "told"),
    [
        ("warehous", {"PASSWORD": "x"}, "did you mean 'warehouse'"),
        ("warehouse", {}, "needs the variable PASSWORD"),
        ("warehouse", {VARIABLE: ""}, "nothing says how"),
        ("warehouse", {VARIABLE: "/nowhere/operator.yaml"}, "cannot be read"),
    ],
)
def test_what_nobody_wrote_down_is_no_connection(
    config: dict[str, str], name: str, environ: dict[str, str], told: str
) -> None:
    with pytest.raises(UsageError, match=told) as refused:
        connection(name, {VARIABLE: config[VARIABLE], **environ})
    assert "snowflake" not in str(refused.value)


def test_a_file_of_connections_in_the_checkout_is_refused(
    config: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="lies in the checkout"):
        connection("lake", config)


@pytest.mark.parametrize(
    "line",
    [
        "  a: {url: '', timeout_seconds: 1}",
        "  a: {url: x, timeout_seconds: .nan}",
        "  a: {url: x, timeout_seconds: 0}",
        "  a: {url: x, max_bytes: 1e99}",
        "  a: {url: x, user: me}",
        "  a/b: {url: x}",
        "  a: x",
    ],
)
def test_a_connection_that_says_something_unknown_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "operator.yaml"
    path.write_text(f"apiVersion: aims-gate/v1\nkind: Config\nconnections:\n{line}\n")
    with pytest.raises(GateError, match=r"operator\.yaml:"):
        connection("a", {VARIABLE: str(path)})


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ("table: main.loans", "table needs connection"),
        ("connection: lake", "connection needs table"),
        ("table: main.loans, connection: lake, source: 'artifact:x'", "source cannot stand beside"),
        ("table: main.loans, connection: lake, predictions: model", "predictions cannot stand"),
        ("table: 'loans; drop table x', connection: lake", "must be a table by its name"),
        ("table: a.b.c.d, connection: lake", "must be a table by its name"),
        ("table: 'odd name', connection: lake", "of another name a view"),
        ("source: 'table:lake/loans'", "named by table: and connection:, without source:"),
        ("table: loans, connection: 'duckdb:///x'", "connection must"),
    ],
)
def test_a_policy_names_a_table_and_a_connection_and_nothing_that_reaches_further(
    tmp_path: Path, stated: str, told: str
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY % stated)
    _, problems = check(path)
    assert any(told in str(problem) for problem in problems), problems


def test_a_table_is_kept_in_the_resolved_policy(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY % "table: catalog.main.loans, connection: lake")
    policy, problems = check(path)
    assert not problems
    assert policy is not None
    assert b"table: catalog.main.loans" in policy.document
    assert b"connection: lake" in policy.document


def test_a_child_cannot_lead_a_role_to_another_table(tmp_path: Path) -> None:
    (tmp_path / "packs").mkdir()
    parent = tmp_path / "packs" / "big@1.yaml"
    parent.write_text(POLICY % "table: main.loans, connection: lake")
    child = tmp_path / "child.yaml"
    child.write_text(
        "apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: c, version: '1'}\n"
        "extends: [{pack: big@1}]\n"
        "data: {evaluation: {table: main.other, connection: lake}}\n"
        "rules:\n"
        "  - {id: DATA-02, check: data.duplicates, with: {columns: [y]}, require: {at_most: 0}}\n"
    )
    _, problems = check(child, packs=tmp_path / "packs")
    assert any("evaluation.table" in str(problem) for problem in problems), problems
