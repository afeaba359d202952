"""`environment: model` against a real package index: MLflow itself is installed for the model."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

from aims_gate.__main__ import guarded
from aims_gate.operations.run import run
from tests.conftest import Store
from tests.support.laws import nightly

LIBRARY = "inflection"
"""Small, pure Python, without requirements, and in no lock of ours."""
TRAIN = """\
import sys
import mlflow, pandas as pd
class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        import inflection
        return [int(inflection.pluralize(w) == w + "s") for w in model_input["word"]]
words = ["dog", "ox", "cat", "mouse", "book", "child", "tree", "person"] * 25
rows = pd.DataFrame({"word": words})
rows.assign(y=[1, 0] * 100).to_parquet("rows.parquet")
signature = mlflow.models.infer_signature(rows.head(), [1, 0])
with mlflow.start_run():
    mlflow.pyfunc.log_model(python_model=Model(), name="model", signature=signature,
                            registered_model_name="words", pip_requirements=sys.argv[1:])
"""
POLICY = """\
apiVersion: aims-gate/v1
kind: Policy
metadata: {id: asks, version: "1"}
data: {evaluation: {source: "file:rows.parquet", label: y, predictions: model,
                    environment: WHERE}}
rules: [{id: PERF-01, check: performance.score, with: {metric: accuracy},
         require: {at_least: 0.99}, decide_on: estimate}]
"""


@nightly
@pytest.mark.timeout(900)
def test_a_model_predicts_only_where_its_requirements_are_installed(
    tmp_path: Path, mlflow_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the gate's environment it is an ERROR; in its own it is right in every row."""
    assert find_spec(LIBRARY) is None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store.uri)
    wheel = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    reached = subprocess.run([*wheel, f"{LIBRARY}==0.5.1"], capture_output=True, check=False)
    if reached.returncode != 0:
        pytest.skip("no package index is reachable")
    names = ("mlflow-skinny", "pandas", "pyarrow", "cloudpickle")
    needs = [f"{LIBRARY}==0.5.1", *(f"{name}=={version(name)}" for name in names)]
    subprocess.run([sys.executable, "-c", TRAIN, *needs], check=True, cwd=tmp_path)
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY.replace("WHERE", "gate"), encoding="utf-8")
    lacking = run("policy.yaml", "models:/words/1")
    assert lacking.exit_code == 3
    assert "ModuleNotFoundError" in lacking.results[0].reason
    policy.write_text(POLICY.replace("WHERE", "model"), encoding="utf-8")
    told = ["run", "policy.yaml", "--model", "models:/words/1", "--unsigned", "--no-publish"]
    assert guarded([*told, "--out", "evidence"]) == 0
    assert '"environment": "model"' in (tmp_path / "evidence" / "report.json").read_text("utf-8")
