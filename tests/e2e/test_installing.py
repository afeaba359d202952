"""Installing aims-gate changes nothing about training code that does not name it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.installed import everything_else, python, unpacked
from tests.support.servers import environment

TRAIN = """\
import json, logging, sys, warnings
warnings.simplefilter("ignore")
import mlflow, numpy as np, pandas as pd
from sklearn.linear_model import LinearRegression, LogisticRegression

out, = sys.argv[1:]
mlflow.set_tracking_uri(f"sqlite:///{out}.db")
random = np.random.default_rng(4)
frame = pd.DataFrame(random.normal(0, 1, (90, 3)), columns=["a", "b", "c"])
frame["y"] = (frame["a"] + random.normal(0, 1, 90) > 0).astype(int)
train, test = frame[:60], frame[60:]
model = LogisticRegression().fit(train[["a", "b", "c"]], train["y"])
fast = {"log_model_explainability": False}


def share(predictions, targets=None, metrics=None):
    return mlflow.metrics.MetricValue(aggregate_results={"share": float(np.mean(predictions))})


with mlflow.start_run(run_name="twice in one run, no evaluators named"):
    signature = mlflow.models.infer_signature(train[["a", "b", "c"]], train["y"])
    info = mlflow.sklearn.log_model(
        model, name="model", signature=signature, pip_requirements=["scikit-learn"]
    )
    for data in (train, test):
        mlflow.models.evaluate(info.model_uri, data, targets="y", model_type="classifier",
                               evaluator_config=fast)
with mlflow.start_run(run_name="one configuration for all evaluators"):
    mlflow.models.evaluate(info.model_uri, test, targets="y", model_type="classifier",
                           evaluator_config={**fast, "metric_prefix": "val_", "pos_label": 1})
with mlflow.start_run(run_name="answers in the data, a metric of its own"):
    answered = test.assign(answer=model.predict(test[["a", "b", "c"]]))
    mlflow.models.evaluate(
        data=answered, targets="y", predictions="answer", model_type="classifier",
        extra_metrics=[mlflow.metrics.make_metric(eval_fn=share, greater_is_better=True)],
    )
with mlflow.start_run(run_name="a function"):
    mlflow.models.evaluate(lambda x: model.predict(x[["a", "b", "c"]]), test, targets="y",
                           model_type="classifier", evaluators=["default"])
with mlflow.start_run(run_name="a regressor on arrays"):
    line = LinearRegression().fit(train[["a", "b"]].to_numpy(), train["c"])
    mlflow.models.evaluate(lambda x: line.predict(x), test[["a", "b"]].to_numpy(),
                           targets=test["c"].to_numpy(), model_type="regressor",
                           feature_names=["a", "b"], evaluators="default", evaluator_config=fast)
with mlflow.start_run(run_name="no kind of model"):
    mlflow.models.evaluate(data=answered, predictions="answer", targets="y",
                           extra_metrics=[mlflow.metrics.mae()])

client, found = mlflow.MlflowClient(), {}


def files(run, path=None):
    for entry in client.list_artifacts(run.info.run_id, path):
        yield from files(run, entry.path) if entry.is_dir else [entry.path]


for run in client.search_runs(["0"]):
    found[run.info.run_name] = {
        "status": run.info.status,
        "metrics": {k: v for k, v in run.data.metrics.items()},
        "params": run.data.params,
        "tags": sorted(run.data.tags),
        "data": sorted([d.dataset.name, d.dataset.digest, [[t.key, t.value] for t in d.tags]]
                       for d in run.inputs.dataset_inputs),
        "models": len(run.outputs.model_outputs) if run.outputs else 0,
        "files": sorted(files(run)),
    }
json.dump(found, open(f"{out}.json", "w"))
import importlib.metadata
print([e.name for e in importlib.metadata.entry_points(group="mlflow.model_evaluator")],
      file=sys.stderr)
"""


def trained(name: str, libraries: Sequence[Path], folder: Path) -> tuple[dict[str, Any], str]:
    """Train with these libraries; give what MLflow then knows, and what was said."""
    env = environment({"MPLBACKEND": "agg"})
    said = python(TRAIN, str(folder / name), libraries=libraries, env=env, cwd=folder)
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8")), said


@pytest.mark.timeout(600)
def test_training_code_logs_the_same_with_aims_gate_installed_and_without(tmp_path: Path) -> None:
    """MLflow offers every evaluation to an installed evaluator; metrics, files, inputs stay."""
    libraries = everything_else(tmp_path / "libraries")
    without, said = trained("without", [libraries], tmp_path)
    assert said.rstrip().endswith("[]")
    installed, warned = trained("with", [unpacked(tmp_path), libraries], tmp_path)
    assert warned.rstrip().endswith("['aims_gate']")
    assert "aims_gate logs" not in warned
    assert installed == without
    assert len(without) == 6
    assert all(run["status"] == "FINISHED" and run["metrics"] for run in without.values())
