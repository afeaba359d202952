"""Values of people stay out of evidence, reports and logs: every check, every way to plant one."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import aims_gate
from aims_gate.__main__ import guarded
from aims_gate.checks import CHECKS
from aims_gate.plan import build
from aims_gate.policy.model import DataSpec
from aims_gate.reports import REPORTS
from aims_gate.sources.roles import write_roles
from aims_gate.verdict import Verdict
from tests.conformance.test_check import PARAMETERS
from tests.conftest import Store
from tests.support.registry_content import Content

MARK = "zqx"
"""In every value that nobody may read."""
ROWS = 2_400
HEAD = {
    "apiVersion": "aims-gate/v1",
    "kind": "Policy",
    "metadata": {"id": "p", "version": "1.0.0"},
}


def planted(seed: int, *, classes: bool = True) -> dict[str, Any]:
    """Rows whose texts, numbers and times are all somebody's."""
    random = np.random.default_rng(seed)
    right = random.random(ROWS) < 0.8
    number = random.integers(0, 3 if classes else 2, ROWS)
    answer = np.where(right, number, (number + 1) % (3 if classes else 2))
    names = np.array([f"{MARK}-alpha", f"{MARK}-beta", f"{MARK}-gamma"])
    diagnosis = np.where(random.random(ROWS) < 0.3, f"{MARK}-flu", f"{MARK}-none").astype(object)
    diagnosis[0] = f"{MARK}-alone"
    if seed > 1:
        diagnosis[1:300] = f"{MARK}-planted"
    return {
        "y": names[number],
        "yhat": names[answer],
        "p": np.clip(answer / 2 + random.normal(0, 0.01, ROWS), 0, 1),
        "email": [f"{MARK}{i % 120}@example.com" for i in range(ROWS)],
        "diagnosis": diagnosis,
        "few": [f"{MARK}-rare" if i < 7 else f"{MARK}-often{i % 2}" for i in range(ROWS)],
        "x": random.normal(size=ROWS),
    }


def every_rule() -> list[dict[str, Any]]:
    """A rule for every check, as a first-time user writes it: no column is named."""
    rules = []
    for number, name in enumerate(CHECKS):
        parameters = {k: v for k, v in PARAMETERS.get(name, {}).items() if k != "population"}
        if name == "fairness.representation":
            parameters = PARAMETERS[name]
        rule: dict[str, Any] = {"id": f"A-{number}", "check": name, "with": parameters}
        judged = build(name, parameters).judged()
        if judged.limit is None:
            lower = judged.higher_is_better is False
            rule["require"] = {"at_most": 0.5} if lower else {"at_least": 0.5}
        rules.append(rule)
    return rules


def everything(folder: Path, verdict: Verdict, captured: str) -> str:
    """All that leaves the process: evidence, each report, what was printed and logged."""
    found = [path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()]
    return "\n".join([*found, *(REPORTS[name](verdict) for name in REPORTS), captured])


def gated(
    folder: Path,
    policy: Mapping[str, Any],
    spec: DataSpec | None,
    *,
    roles: tuple[str, ...] = ("evaluation", "reference", "current"),
    classes: bool = True,
) -> Verdict:
    """Run a policy on a model of one file and on planted rows, keeping unsigned evidence."""
    (folder / "model").mkdir(exist_ok=True)
    (folder / "model" / "w").write_text("w", encoding="utf-8")
    (folder / "policy.yaml").write_text(json.dumps({**HEAD, **policy}), encoding="utf-8")
    data = {}
    for role in roles:
        table = pa.table(planted(2 if role == "current" else 1, classes=classes))
        path = folder / f"{role}.parquet"
        parquet.write_table(table if spec is None else write_roles(table, spec), path)
        data[role] = str(path)
    out = folder / "evidence"
    return aims_gate.run(
        str(folder / "policy.yaml"), f"file:{folder / 'model'}", data=data, unsigned=True, out=out
    )


AUTHORS = DataSpec(
    label="y",
    prediction="yhat",
    score="p",
    positive=f"{MARK}-beta",
    sensitive={"email": None, "diagnosis": None, "few": None},
    key="email",
)


@pytest.mark.parametrize("classes", [True, False])
def test_no_check_puts_a_value_of_a_column_that_only_the_run_names_anywhere(
    tmp_path: Path,
    classes: bool,  # a case
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    verdict = gated(tmp_path, {"rules": every_rule()}, AUTHORS, classes=classes)
    told = everything(tmp_path / "evidence", verdict, "".join(capfd.readouterr()) + caplog.text)
    assert len(verdict.results) == len(CHECKS)
    assert MARK not in told
    assert "diagnosis #1" in told  # counted, not lost
    assert " 7 rows" not in told
    assert "<30 rows" in told


def test_a_policy_that_names_its_columns_sees_which_group_it_was(tmp_path: Path) -> None:
    """But nobody who is alone, no column of more than 100 values, and no count of a few."""
    spec = {"label": "y", "prediction": "yhat", "positive": f"{MARK}-beta"}
    sensitive = ["email", "diagnosis", "few"]
    rules: list[dict[str, Any]] = [
        {"id": "B-1", "check": "fairness.impact_ratio"},
        {"id": "B-2", "check": "fairness.group_performance", "with": {"metric": "accuracy"}},
        {"id": "B-3", "check": "performance.slices", "with": {"metric": "accuracy"}},
        {"id": "B-4", "check": "drift.new_value", "with": {"columns": ["diagnosis", "email"]}},
    ]
    for rule in rules[1:3]:
        rule["require"] = {"at_most" if rule["id"] == "B-3" else "at_least": 0.5}
    policy = {"data": {"evaluation": {**spec, "sensitive": sensitive}}, "rules": rules}
    verdict = gated(tmp_path, policy, None, classes=False)
    told = everything(tmp_path / "evidence", verdict, "")
    for named in ("diagnosis=zqx-flu", "few=zqx-often1", "few=zqx-rare", 'value \\"zqx-planted'):
        assert named in told
    for unnamed in (f"{MARK}-alone", "@example.com", " 7 rows", '"rows": 7,'):
        assert unnamed not in told


@pytest.mark.parametrize("weight", [1, 1_000])
def test_a_person_whom_the_run_weighs_a_thousandfold_is_still_alone(
    tmp_path: Path, weight: int
) -> None:
    rows = planted(1, classes=False)
    rows["n"] = np.where(rows["diagnosis"] == f"{MARK}-alone", weight, 1)
    path = tmp_path / "evaluation.parquet"
    spec = DataSpec(label="y", prediction="yhat", weight="n")
    parquet.write_table(write_roles(pa.table(rows), spec), path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "w").touch()
    rule = {"id": "B-1", "check": "fairness.impact_ratio", "with": {"by": ["diagnosis"]}}
    policy = {**HEAD, "data": {"evaluation": {"positive": f"{MARK}-beta"}}, "rules": [rule]}
    (tmp_path / "policy.yaml").write_text(json.dumps(policy), encoding="utf-8")
    verdict = aims_gate.run(
        str(tmp_path / "policy.yaml"), f"file:{tmp_path / 'model'}", data={"evaluation": str(path)}
    )
    assert f"{MARK}-alone" not in str(asdict(verdict))
    assert f"diagnosis={MARK}-flu" in str(asdict(verdict))


def test_what_has_no_name_is_shown_on_a_terminal_alone(tmp_path: Path) -> None:
    parquet.write_table(
        write_roles(pa.table(planted(1, classes=False)), AUTHORS), tmp_path / "evaluation.parquet"
    )
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "w").touch()
    policy = {**HEAD, "rules": [{"id": "B-1", "check": "fairness.impact_ratio"}]}
    (tmp_path / "policy.yaml").write_text(json.dumps(policy), encoding="utf-8")
    command = [sys.executable, "-m", "aims_gate", "run", "--model", "file:model", "--unsigned"]
    command += ["--data", "evaluation=evaluation.parquet", "--show-levels"]
    logged = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert logged.returncode == 2
    assert "standard error is no terminal" in logged.stderr
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65_536):
                shown += piece
        except OSError:  # how Linux says that nobody writes any more
            os.close(ours)
        assert process.stdout is not None
        told = process.stdout.read()
    assert b"evaluation data, diagnosis #1 is diagnosis=zqx-none" in shown
    assert MARK.encode() not in told


def test_what_is_published_to_mlflow_names_nobody_either(
    tmp_path: Path, mlflow_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Metrics, parameters, tags of run and version, and every artifact of the gate's own run."""
    monkeypatch.chdir(tmp_path)
    content = Content(uri=mlflow_store.uri)
    logged = content.registered()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store.uri)
    table = pa.table(planted(1, classes=False))
    parquet.write_table(write_roles(table, AUTHORS), "evaluation.parquet")
    rules = [
        {"id": "B-1", "check": "fairness.impact_ratio"},
        {"id": "B-2", "check": "performance.slices", "with": {"metric": "accuracy"}},
    ]
    Path("policy.yaml").write_text(json.dumps({**HEAD, "rules": rules}), encoding="utf-8")
    assert guarded(["evidence", "key", "generate", "--out", "gate.key"]) == 0
    verdict = aims_gate.run(
        "policy.yaml",
        f"models:/{logged.name}/{logged.version}",
        data={"evaluation": "evaluation.parquet"},
        key="gate.key",
        out="evidence",
        publish=True,
    )
    assert verdict.evidence is not None
    assert verdict.evidence.published
    experiment = content.client.get_experiment_by_name("aims-gate")
    (run,) = content.client.search_runs([experiment.experiment_id])
    version = content.client.get_model_version(logged.name, logged.version)
    told = repr((run.data.to_dictionary(), dict(version.tags)))
    (tmp_path / "kept").mkdir()
    kept = content.client.download_artifacts(run.info.run_id, "aims_gate", str(tmp_path / "kept"))
    for path in filter(Path.is_file, Path(kept).rglob("*")):
        told += path.read_text(encoding="utf-8")
    assert "diagnosis #1" in told
    assert MARK not in told
