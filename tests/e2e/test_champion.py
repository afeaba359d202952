"""Two versions, an alias and a policy, on a real server: what `aims-gate run` makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from aims_gate.__main__ import guarded
from aims_gate.reports import json_report
from tests.sources.mlflow.test_champion import evaluated, table
from tests.support.registry_content import Content, Logged

POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: champion, version: "1.0.0", owner: tests@example.org}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: accuracy}, require: {at_least: 0.8}}
  - id: PERF-02
    check: performance.champion
    with: {metric: accuracy, alias: champion, when_none: not_applicable, reason: "the first one"}
    require: {at_least: -0.03}
"""
SCHEMA = Path(json_report.__file__).with_name("report.v1.schema.json")


@pytest.fixture
def versions(
    mlflow_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Content, Logged, Logged]:
    """A version with 40 errors and one with 30, on the same 400 rows in other orders."""
    content = Content(uri=mlflow_server)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    name = f"scored-{tmp_path.name}"
    old = evaluated(content, name, table(1, 40), tmp_path)
    return content, old, evaluated(content, name, table(2, 30), tmp_path)


def gate(content: Content, model: str, code: int, out: str) -> dict[str, Any]:
    """Run the command line, and give its report, which its schema accepts."""
    with pytest.MonkeyPatch.context() as patch:  # MLflow's client takes the variable away
        patch.setenv("MLFLOW_TRACKING_URI", content.uri)
        assert guarded(["run", "--model", model, "--unsigned", "--out", out, "--quiet"]) == code
    report: dict[str, Any] = json.loads((Path(out) / "report.json").read_text(encoding="utf-8"))
    jsonschema.validate(report, json.loads(SCHEMA.read_text(encoding="utf-8")))
    return report


def rule(report: dict[str, Any]) -> tuple[str, str]:
    (found,) = [result for result in report["results"] if result["rule"] == "PERF-02"]
    return found["outcome"], found["reason"]


def test_a_version_is_gated_against_the_one_behind_the_alias(
    versions: tuple[Content, Logged, Logged],
) -> None:
    content, old, new = versions
    outcome, reason = rule(gate(content, new.uri, 0, "first"))
    assert (outcome, "the first one" in reason) == ("NOT_APPLICABLE", True)

    content.client.set_registered_model_alias(new.name, "champion", old.version)
    report = gate(content, new.uri, 0, "better")
    assert rule(report)[0] == "PASS"
    roles = {data["role"]: data["uri"] for data in report["datasets"]}
    assert roles["champion"] == f"runs:/{old.run_id}/aims_gate/evaluation.parquet"

    outcome, reason = rule(gate(content, old.uri, 0, "itself"))
    assert outcome == "PASS"

    content.client.set_registered_model_alias(new.name, "champion", new.version)
    outcome, reason = rule(gate(content, old.uri, 1, "worse"))
    assert outcome == "INSUFFICIENT"
    assert "accuracy difference -0.025 (90 % -0.0" in reason
    assert " to " in reason
    assert "settle it in 80 % of cases if there is no effect" in reason


def test_a_champion_whose_answers_were_never_logged_is_missing_and_blocks(
    versions: tuple[Content, Logged, Logged], tmp_path: Path
) -> None:
    content, _, new = versions
    silent = evaluated(content, new.name, None, tmp_path)
    content.client.set_registered_model_alias(new.name, "champion", silent.version)
    outcome, reason = rule(gate(content, new.uri, 1, "silent"))
    assert outcome == "MISSING"
    assert f"the run of models:/{new.name}/3" in reason
