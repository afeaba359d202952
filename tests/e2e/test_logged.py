"""From `mlflow.models.evaluate` with the installed evaluator to a gate that holds its metrics."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aims_gate.__main__ import guarded
from tests.conftest import Store
from tests.support.installed import unpacked
from tests.support.registry_content import Content
from tests.support.servers import environment

TRAIN = """\
import json, sys
import mlflow, numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression

random = np.random.default_rng(11)
frame = pd.DataFrame({"income": random.normal(40, 12, 900)})
frame["sex"] = np.where(random.random(900) < 0.4, "F", "M")
frame["approved"] = (frame["income"] + random.normal(0, 9, 900) > 40).astype(int)
model = LogisticRegression().fit(frame[["income"]], frame["approved"])
with mlflow.start_run() as run:
    info = mlflow.sklearn.log_model(
        model, name="model", pip_requirements=["scikit-learn"],
        signature=mlflow.models.infer_signature(frame[["income"]], frame["approved"]),
    )
with mlflow.start_run() as judging:
    mlflow.models.evaluate(
        info.model_uri, mlflow.data.from_pandas(frame, name="holdout", targets="approved"),
        model_type="classifier", feature_names=["income"], evaluators=["default", "aims_gate"],
        evaluator_config={
            "default": {"log_model_explainability": False},
            "aims_gate": {"columns": frame[["sex"]], "sensitive": ["sex"], "positive": 1},
        },
    )

@mlflow.genai.scorer
def exact(outputs, expectations):
    return outputs == expectations["answer"]

rows = [{"inputs": {"q": str(n)}, "outputs": "a", "expectations": {"answer": "a" if n else "b"}}
        for n in range(4)]
with mlflow.start_run() as scoring:
    mlflow.genai.evaluate(data=rows, scorers=[exact], model_id=info.model_id)
json.dump({"model": info.model_uri, "eval": judging.info.run_id, "llm": scoring.info.run_id},
          open(sys.argv[1], "w"))
"""
HEAD = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: logged, version: "1.0.0", owner: tests@example.org}
rules:
"""
RULES = {
    "PERF-01": "with: {metric: accuracy_score, against: accuracy, dataset: holdout}",
    "PERF-02": "with: {metric: roc_auc, against: roc_auc}",
    "PERF-03": "with: {metric: f1_score, against: f1}",
    "PERF-04": "with: {metric: log_loss, against: log_loss}",
    "PERF-05": "with: {metric: recall_score, against: precision}",
    "PERF-06": "with: {metric: exact/mean}, require: {at_least: 0.75}",
    "PERF-07": "with: {metric: exact/mean}, require: {at_least: 0.76}",
    "PERF-08": "with: {metric: roc_auc, dataset: other}, require: {at_least: 0.1}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A model that was evaluated with the wheel's evaluator, and the ids of its runs."""

    uri: str
    evaluation: str
    llm: str


@pytest.fixture
def trained(mlflow_store: Store, tmp_path: Path) -> Trained:
    """Train and evaluate in a process of its own, where MLflow finds the entry point itself."""
    told = tmp_path / "ids.json"
    environ = environment(
        {
            "PYTHONPATH": os.pathsep.join(
                [str(unpacked(tmp_path)), os.environ.get("PYTHONPATH", "")]
            ),
            "MLFLOW_TRACKING_URI": mlflow_store.uri,
            "PYTHONWARNINGS": "ignore",
        }
    )
    script = tmp_path / "train.py"  # of a scorer without a source MLflow knows no digest
    script.write_text(TRAIN, encoding="utf-8")
    command = [sys.executable, str(script), str(told)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environ, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    ids = json.loads(told.read_text(encoding="utf-8"))
    return Trained(uri=ids["model"], evaluation=ids["eval"], llm=ids["llm"])


def gate(trained: Trained, rules: dict[str, str], folder: Path) -> dict[str, dict[str, Any]]:
    """Run the command line on a policy of these rules and give the results of its report."""
    lines = [
        f"  - {{id: {name}, check: performance.logged, {rule}}}" for name, rule in rules.items()
    ]
    folder.mkdir()
    (folder / "policy.yaml").write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    command = ["run", str(folder / "policy.yaml"), "--model", trained.uri, "--unsigned", "--quiet"]
    assert guarded([*command, "--out", str(folder / "evidence")]) in {0, 1, 3}
    report = json.loads((folder / "evidence" / "report.json").read_text(encoding="utf-8"))
    return {result["rule"]: result for result in report["results"]}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.timeout(600)
def test_evaluated_metrics_are_recomputed_and_llm_scores_are_marked_as_claims(
    trained: Trained, mlflow_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow's numbers are the gate's; a wrong or late one, or no such data set, never passes."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store.uri)
    found = gate(trained, RULES, tmp_path / "first")
    outcomes = {name: result["outcome"] for name, result in found.items()}
    assert outcomes == {
        **dict.fromkeys(("PERF-01", "PERF-02", "PERF-03", "PERF-04", "PERF-06"), "PASS"),
        "PERF-05": "FAIL",
        "PERF-07": "FAIL",
        "PERF-08": "MISSING",
    }
    client = Content(uri=mlflow_store.uri).client
    tag = client.get_run(trained.llm).data.tags["mlflow.genaiEvaluate.scorersDigest"]
    scorers = json.loads(tag)["digest"]
    (claim,) = found["PERF-06"]["statistics"]
    assert claim["reason"].startswith("claimed by the run's author, not recomputed; run ")
    assert trained.llm in claim["reason"]
    assert scorers in claim["reason"]
    pinned = {
        "PERF-06": f"with: {{metric: exact/mean, scorers: '{scorers}'}}, require: {{at_least: 0.7}}"
    }
    assert gate(trained, pinned, tmp_path / "pinned")["PERF-06"]["outcome"] == "PASS"
    model_id = trained.uri.removeprefix("models:/")
    client.log_metric(trained.evaluation, "roc_auc", 0.999, model_id=model_id)
    late = gate(trained, {"PERF-02": RULES["PERF-02"]}, tmp_path / "late")["PERF-02"]
    assert late["outcome"] == "ERROR"
    assert "after the run's end" in late["reason"]
