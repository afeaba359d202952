"""`predictions: model` as its user meets it: a real model of a real store, and the command line."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from tests.conftest import Store

POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: asks, version: "1"}
data: {evaluation: {source: "file:rows.parquet", label: y, positive: good,
                    sensitive: [sex], predictions: model}}
rules:
  - {id: PERF-01, check: performance.score, with: {metric: accuracy}, require: {at_least: 0.8}}
  - {id: BIAS-01, check: fairness.parity, severity: info}
"""
TRAIN = """\
import mlflow, numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression
random = np.random.default_rng(7)
rows = pd.DataFrame({"income": random.normal(40, 12, 900), "debt": random.integers(0, 9, 900)})
rows["sex"] = np.where(random.random(900) < 0.3, "F", "M")
paid = rows["income"] - rows["debt"] + random.normal(0, 3, 900) > 36
y = paid.map({True: "good", False: "bad"})
features = rows[["income", "debt"]]
model = LogisticRegression(max_iter=1000).fit(features, y)
with mlflow.start_run():
    mlflow.sklearn.log_model(model, name="model", input_example=features.head(3),
                             registered_model_name="asked", pip_requirements=["scikit-learn"])
rows.assign(y=y).to_parquet("rows.parquet")
print("accuracy", model.score(features, y))
"""


def test_a_registered_model_is_asked_and_evidence_says_so(
    tmp_path: Path,
    mlflow_store: Store,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Labels are text, the accuracy is scikit-learn's own, and signed evidence says same-user."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store.uri)
    done = subprocess.run(
        [sys.executable, "-c", TRAIN], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    assert guarded(["evidence", "key", "generate", "--out", "key.pem"]) == 0
    told = ["run", "policy.yaml", "--model", "models:/asked/1", "--key", "key.pem"]
    capsys.readouterr()
    assert guarded([*told, "--out", "evidence", "--no-publish"]) == 0
    assert "isolation: same-user" in capsys.readouterr().out
    (path,) = (tmp_path / "evidence").glob("evaluation.dsse.json")
    statement = json.loads(
        base64.b64decode(json.loads(path.read_text(encoding="utf-8"))["payload"])
    )
    predicate = json.dumps(statement["predicate"])
    assert '"isolation": "same-user"' in predicate
    accuracy = float(done.stdout.split()[-1])
    report = json.loads((tmp_path / "evidence" / "report.json").read_text(encoding="utf-8"))
    measured = {r["rule"]: r["statistics"] for r in report["results"]}["PERF-01"]
    assert [s["value"] for s in measured if s["judged"]] == [pytest.approx(accuracy)]
