"""What has to be installed for a policy: no more than it needs, and never less."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from aims_gate.operations.extras import extras
from aims_gate.policy.resolve import load
from tests.support.command_line import call

CASES = Path(__file__).parents[1] / "contract"
PLAIN: Mapping[str, str] = {"MLFLOW_TRACKING_URI": "https://mlflow.acme.example"}


@pytest.mark.parametrize(
    ("policy", "environ", "needed"),
    [
        ("met/policy.yaml", PLAIN, "run"),
        ("met/policy.yaml", {}, "run"),
        ("met/policy.yaml", {"MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"}, "gate"),
        ("met/policy.yaml", {**PLAIN, "MLFLOW_REGISTRY_URI": "databricks-uc"}, "gate"),
        ("met/policy.yaml", {**PLAIN, "MLFLOW_TRACKING_AWS_SIGV4": "true"}, "gate"),
        ("both-engines/policy.yaml", PLAIN, "gate"),
        ("asked-model/policy.yaml", PLAIN, "gate"),
        ("pack:release@1.2.0", PLAIN, "gate"),
        ("pack:sme-starter@1.1.0", PLAIN, "run"),
    ],
)
def test_a_policy_needs(policy: str, environ: Mapping[str, str], needed: str) -> None:
    source = policy if policy.startswith("pack:") else str(CASES / policy)
    assert extras(load(source), environ) == (needed,)


def test_a_policy_that_names_a_table_needs_ibis_as_well(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(
        "apiVersion: aims-gate/v1\nkind: Policy\nmetadata: {id: p, version: 1.0.0}\n"
        "data: {evaluation: {table: main.scored, connection: lake, label: y}}\n"
        "rules: [{id: DATA-01, check: data.missing}]\n"
    )
    assert extras(load(str(path)), PLAIN) == ("run", "ibis")
    assert call(tmp_path, "policy", "extras", str(path)).out == "run ibis\n"


def test_the_command_prints_them_or_what_is_wrong_with_the_policy(tmp_path: Path) -> None:
    assert call(tmp_path, "policy", "extras", str(CASES / "met" / "policy.yaml")).out == "run\n"
    refused = call(tmp_path, "policy", "extras", str(CASES / "unknown-check" / "policy.yaml"))
    assert (refused.code, refused.out) == (2, "")
