"""`log_evaluation` on a real sqlite store: what the gate reads is what was logged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import aims_gate
from aims_gate.checks.metrics import outcomes
from aims_gate.errors import DataError, MissingColumnError, RecordError, UsageError
from aims_gate.operations.log_evaluation import log_evaluation
from aims_gate.operations.run import run
from aims_gate.operations.verify import verify
from aims_gate.policy.model import Policy, Role, TaskKind
from aims_gate.sources.mlflow.source import SOURCE
from aims_gate.sources.subject import Data, Workspace
from aims_gate.stats import scores
from tests.conftest import Store
from tests.support.registry_content import Content

COLUMNS: dict[str, list[Any]] = {
    "y": [0, 1, 1, 0, 1],
    "yhat": [0, 1, 0, 0, 1],
    "p": [0.1, 0.9, 0.4, 0.2, 0.8],
    "sex": ["F", "M", "F", None, "M"],
    "age": [20, 30, 40, 50, 60],
    "n": [1, 2, 3, 4, 5],
}


def logged(store: Store, run_id: str, folder: Path, role: Role = Role.EVALUATION) -> Data:
    """Read it as the gate does, from a model of that run."""
    model_id = Content(uri=store.uri).model(run_id)
    folder.mkdir(exist_ok=True)
    workspace = Workspace(folder=folder, environ={"MLFLOW_TRACKING_URI": store.uri})
    policy = Policy(id="p", version="1")
    subject = SOURCE.open(f"models:/{model_id}", policy=policy, given={}, workspace=workspace)
    assert subject.unread == {}
    return subject.data[role]


def test_the_gate_reads_what_was_logged_with_its_roles(
    mlflow: Any, mlflow_store: Store, tmp_path: Path
) -> None:
    with mlflow.start_run() as run:
        uri = aims_gate.log_evaluation(
            pd.DataFrame(COLUMNS, index=[9, 8, 7, 6, 5]),
            label="y",
            prediction="yhat",
            score="p",
            positive=np.int64(1),
            sensitive={"sex": None, "age": [0, 35]},
            weight="n",
            task="binary",
        )
    assert uri == f"runs:/{run.info.run_id}/aims_gate/evaluation.parquet"
    data = logged(mlflow_store, run.info.run_id, tmp_path / "w")
    spec = data.spec
    assert (spec.label, spec.prediction, spec.score, spec.positive) == ("y", "yhat", "p", 1)
    assert (spec.weight, spec.task) == ("n", TaskKind.BINARY)
    assert spec.sensitive == {"sex": None, "age": (0.0, 35.0)}
    assert tuple(data.frame.columns) == tuple(COLUMNS)
    assert data.frame.rows == 15
    assert data.identity.mlflow_digest
    assert data.identity.digest.startswith(data.identity.mlflow_digest)


@pytest.mark.parametrize(
    "make", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "arrow"]
)
def test_pandas_polars_and_arrow_give_the_same_rows(
    mlflow: Any, mlflow_store: Store, tmp_path: Path, make: Any
) -> None:
    with mlflow.start_run() as run:
        log_evaluation(make(COLUMNS), label="y", prediction="yhat")
    data = logged(mlflow_store, run.info.run_id, tmp_path / "w")
    expected = pa.table(COLUMNS)
    assert data.frame.rows == expected.num_rows
    assert data.frame.nulls("sex") == 1
    assert list(data.frame.distribution("p").values) == sorted(COLUMNS["p"])


def test_each_role_is_logged_once_and_to_the_named_run(
    mlflow: Any, mlflow_store: Store, tmp_path: Path
) -> None:
    run_id = Content(uri=mlflow_store.uri).run()
    frame = pa.table({"age": [1, 2, 3]})
    uri = log_evaluation(frame, role="reference", run_id=run_id)
    assert uri == f"runs:/{run_id}/aims_gate/reference.parquet"
    with pytest.raises(RecordError, match="already has reference data"):
        log_evaluation(frame, role="reference", run_id=run_id)
    for role in (Role.CURRENT, Role.PERTURBED):
        log_evaluation(frame, role=role, run_id=run_id)
        assert logged(mlflow_store, run_id, tmp_path / role, role).frame.rows == 3


def test_no_active_run_is_refused_instead_of_starting_one(mlflow: Any) -> None:
    with pytest.raises(UsageError, match="no active MLflow run"):
        log_evaluation(pa.table(COLUMNS), label="y", prediction="yhat")
    assert mlflow.active_run() is None


def test_a_run_that_is_not_there_is_a_record_error(mlflow: Any) -> None:
    with pytest.raises(RecordError, match="did not take the evaluation data"):
        log_evaluation(pa.table(COLUMNS), label="y", prediction="yhat", run_id="0" * 32)


@pytest.mark.parametrize(
    ("named", "error"),
    [
        ({"label": "Y"}, MissingColumnError),
        ({"prediction": "no"}, MissingColumnError),
        ({"score": {"0": "p", "1": "no"}}, MissingColumnError),
        ({"sensitive": ["sex", "no"]}, MissingColumnError),
        ({"weight": "p"}, DataError),
        ({"label": None}, DataError),
        ({"prediction": None}, DataError),
        ({"positive": float("nan")}, DataError),
        ({"sensitive": {"age": [2, 1]}}, DataError),
        ({"sensitive": "sex"}, UsageError),
        ({"role": "champion"}, UsageError),
        ({"role": "evalution"}, UsageError),
        ({"task": "clasification"}, UsageError),
    ],
)
def test_what_the_gate_could_not_use_is_refused_and_not_logged(
    mlflow: Any, named: dict[str, Any], error: type[Exception]
) -> None:
    with mlflow.start_run() as run:
        with pytest.raises(error):
            log_evaluation(pa.table(COLUMNS), **{"label": "y", "prediction": "yhat", **named})
        assert mlflow.MlflowClient().list_artifacts(run.info.run_id) == []


@pytest.mark.parametrize(
    ("function", "misspelt", "meant"),
    [
        (log_evaluation, "sensitve", "log_evaluation has no argument 'sensitve'; .* 'sensitive'"),
        (log_evaluation, "colour", "no argument 'colour'; there are .*weight"),
        (run, "stag", r"run has no argument 'stag'; did you mean 'stage'\?"),
        (verify, "trst", r"verify has no argument 'trst'; did you mean 'trust'\?"),
    ],
)
def test_a_misspelt_argument_names_the_one_that_was_meant(
    function: Any, misspelt: str, meant: str
) -> None:
    """In place of a bare TypeError, and before anything is read."""
    with pytest.raises(UsageError, match=meant):
        function(object(), **{misspelt: ["sex"]})


YES = {"y": ["yes", "no"], "yhat": ["no", "no"], "p": [0.5, 0.25]}
SCARCE = {"y": [0, 0], "yhat": [0, 1], "p": pa.array([0.1, 0.3], pa.float32())}


@pytest.mark.parametrize(
    ("columns", "named", "told"),
    [
        (
            COLUMNS,
            {"positive": "yes"},
            "'yes' occurs nowhere in y (int64) or yhat (int64); the lab",
        ),
        (COLUMNS, {"positive": "yes"}, "the labels are 0, 1; state one of these as it is written"),
        (COLUMNS, {"positive": "1"}, "the labels are 0, 1; text and numbers differ: positive=1"),
        (
            COLUMNS,
            {"positive": 2, "prediction": None, "score": "p"},
            "2 occurs nowhere in y (int64);",
        ),
        (YES, {"positive": "Yes"}, "the labels are 'no', 'yes'; did you mean 'yes'?"),
        (YES, {"positive": 1}, "1 occurs nowhere in y (string) or yhat (string); the labels"),
        (SCARCE, {"positive": 2, "role": "reference"}, "the labels are 0; state one"),
    ],
)
def test_a_positive_class_that_no_row_has_is_refused_with_the_nearest(
    mlflow: Any, columns: dict[str, Any], named: dict[str, Any], told: str
) -> None:
    with mlflow.start_run() as run:
        with pytest.raises(DataError) as caught:
            log_evaluation(pa.table(columns), **{"label": "y", "prediction": "yhat", **named})
        assert told in str(caught.value)
        assert mlflow.MlflowClient().list_artifacts(run.info.run_id) == []


def test_many_labels_are_counted_and_not_named(mlflow: Any) -> None:
    many = pa.table({"y": [f"name {n}" for n in range(101)], "yhat": ["a"] * 101})
    with mlflow.start_run(), pytest.raises(DataError) as caught:
        log_evaluation(many, label="y", prediction="yhat", positive="name 1x")
    assert "the labels are 101 different values; " in str(caught.value)
    assert "name 1'" not in str(caught.value)
    assert "'a'" not in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        (COLUMNS, {"positive": True}),
        (COLUMNS, {"positive": np.float64(1.0)}),
        (SCARCE, {"positive": 1}),  # the model says so, and no label
        (SCARCE, {"positive": 0.3, "label": "p"}),  # as float32 holds it
        ({"yhat": [0, 0]}, {"positive": 1, "label": None, "role": "current"}),
    ],
)
def test_a_positive_class_that_some_row_has_or_none_can_tell_is_logged(
    mlflow: Any, columns: dict[str, Any], named: dict[str, Any]
) -> None:
    with mlflow.start_run():
        log_evaluation(pa.table(columns), **{"label": "y", "prediction": "yhat", **named})


def test_a_frame_without_rows_or_that_is_none_is_refused(mlflow: Any) -> None:
    with mlflow.start_run():
        with pytest.raises(DataError, match="no rows"):
            log_evaluation(pa.table(COLUMNS).slice(0, 0), label="y", prediction="yhat")
        with pytest.raises(DataError, match="cannot read a builtins"):
            log_evaluation(object(), label="y", prediction="yhat")


def test_without_mlflow_it_says_which_extra_to_install() -> None:
    code = (
        "import sys; sys.modules['mlflow'] = None\n"
        "import aims_gate\n"
        "try: aims_gate.log_evaluation({'y': [0], 'z': [0]}, label='y', prediction='z')\n"
        "except aims_gate.GateError as error: print(error.exit_code, error.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "2 pip install 'aims-gate[gate]'"


def test_the_rows_of_a_ranking_keep_their_query(
    mlflow: Any, mlflow_store: Store, tmp_path: Path
) -> None:
    """A policy without `data:` can ask for NDCG of what was logged."""
    with mlflow.start_run() as run:
        frame = {"y": [0, 1, 2, 0], "s": [0.1, 0.9, 0.5, 0.2], "q": ["a", "a", "b", "b"]}
        log_evaluation(frame, label="y", score="s", query="q", task="ranking")
    found = logged(mlflow_store, run.info.run_id, tmp_path / "read")
    assert (found.spec.query, found.spec.task) == ("q", TaskKind.RANKING)
    assert scores.value("mrr", outcomes("mrr", found).table) == 1.0
