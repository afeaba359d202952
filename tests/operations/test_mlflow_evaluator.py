"""The MLflow evaluator on a real store: what `evaluate` saw is what the gate reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aims_gate.errors import DataError, GateError, RecordError
from aims_gate.operations.mlflow_evaluator import Evaluator
from aims_gate.policy.model import Policy, Role, TaskKind
from aims_gate.sources.mlflow.source import SOURCE
from aims_gate.sources.subject import Data, Workspace
from tests.conftest import Store

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # MLflow's own, of which evaluate has many
]


@pytest.fixture
def mlflow(mlflow: Any) -> Any:
    """MLflow with the evaluator, as its entry point registers it."""
    from mlflow.models.evaluation.evaluator_registry import _model_evaluation_registry as registry

    registry.register("aims_gate", Evaluator)
    return mlflow


def frame(rows: int = 60) -> pd.DataFrame:
    random = np.random.default_rng(3)
    table = pd.DataFrame(
        {"income": random.normal(40, 12, rows), "sex": ["F", "M", "M"] * (rows // 3)}
    )
    table["y"] = (table["income"] + random.normal(0, 8, rows) > 40).astype(int)
    return table


def trained(table: pd.DataFrame) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression().fit(table[["income"]], table["y"])


def kept(mlflow: Any, model: Any, table: pd.DataFrame) -> Any:
    """Log a model with its signature: MLflow then gives it its own columns only."""
    signature = mlflow.models.infer_signature(table[["income"]], table["y"])
    return mlflow.sklearn.log_model(
        model, name="model", signature=signature, pip_requirements=["scikit-learn"]
    )


def evaluated(mlflow: Any, table: object, **options: Any) -> Any:
    config = options.pop("config", {"role": "evaluation"})
    return mlflow.models.evaluate(
        data=table,
        evaluators=["aims_gate"],
        evaluator_config={"aims_gate": config},
        **{"model_type": "classifier", **options},
    )


def read(store: Store, uri: str, folder: Path, role: Role = Role.EVALUATION) -> Data:
    folder.mkdir(exist_ok=True)
    workspace = Workspace(folder=folder, environ={"MLFLOW_TRACKING_URI": store.uri})
    subject = SOURCE.open(uri, policy=Policy(id="p", version="1"), given={}, workspace=workspace)
    assert subject.unread == {}
    return subject.data[role]


def _zeros(x: pd.DataFrame) -> Any:
    return np.zeros(len(x), dtype=int)


def logged_columns(mlflow: Any, run_id: str, role: str = "evaluation") -> pd.DataFrame:
    uri = f"runs:/{run_id}/aims_gate/{role}.parquet"
    return pd.read_parquet(mlflow.artifacts.download_artifacts(uri))


def test_a_model_evaluated_in_another_run_leaves_its_table_with_its_own_run(
    mlflow: Any, mlflow_store: Store, tmp_path: Path
) -> None:
    """The gate looks where the model was made; rows, labels, answers and scores are all there."""
    table = frame()
    model = trained(table)
    with mlflow.start_run() as made:
        info = kept(mlflow, model, table)
    with mlflow.start_run() as judging:
        config = {"sensitive": ["sex"], "positive": 1}
        result = evaluated(mlflow, table, model=info.model_uri, targets="y", config=config)
    assert result.metrics == {}
    assert mlflow.MlflowClient().list_artifacts(judging.info.run_id, "aims_gate") == []
    data = read(mlflow_store, info.model_uri, tmp_path / "w")
    assert data.identity.uri == f"runs:/{made.info.run_id}/aims_gate/evaluation.parquet"
    spec = data.spec
    assert (spec.label, spec.prediction, spec.score) == ("y", "prediction", "score")
    assert (spec.positive, spec.task, spec.sensitive) == (1, TaskKind.BINARY, {"sex": None})
    found = logged_columns(mlflow, made.info.run_id)
    assert found["y"].tolist() == table["y"].tolist()
    assert found["income"].tolist() == table["income"].tolist()
    assert found["prediction"].tolist() == model.predict(table[["income"]]).tolist()
    assert np.array_equal(found["score"], model.predict_proba(table[["income"]])[:, 1])


def test_answers_that_stand_in_the_data_need_no_model(mlflow: Any) -> None:
    table = frame().assign(answer=lambda t: (t["income"] > 41).astype(int))
    with mlflow.start_run() as run:
        evaluated(mlflow, table, targets="y", predictions="answer")
    found = logged_columns(mlflow, run.info.run_id)
    assert found.columns.tolist() == ["income", "sex", "y", "answer"]
    assert found["answer"].tolist() == table["answer"].tolist()


def test_the_score_is_that_of_the_stated_class_or_there_is_none(mlflow: Any) -> None:
    """Without a positive class that speaks for itself it could be anybody's probability."""
    table = frame().assign(y=lambda t: np.where(t["y"] == 1, "bad", "good"))
    model = trained(table)
    with mlflow.start_run() as run:
        info = kept(mlflow, model, table)
        for config in ({"positive": "bad"}, {"role": "current"}):
            evaluated(mlflow, table, model=info.model_uri, targets="y", config=config)
    stated = logged_columns(mlflow, run.info.run_id)
    assert np.array_equal(stated["score"], model.predict_proba(table[["income"]])[:, 0])
    assert "score" not in logged_columns(mlflow, run.info.run_id, "current")


def test_columns_that_the_model_is_not_given_come_by_index(mlflow: Any) -> None:
    """A protected attribute is kept although neither the model nor MLflow's evaluators see it."""
    table = frame().set_index(pd.RangeIndex(100, 160))
    options = {"model": _zeros, "targets": "y", "feature_names": ["income"]}
    with mlflow.start_run() as run:
        config: dict[str, Any] = {"columns": table[["sex"]], "sensitive": ["sex"]}
        evaluated(mlflow, table, config=config, **options)
        for wrong in (table[["sex"]].iloc[::-1], table[["sex"]].iloc[1:], table["sex"].tolist()):
            config = {"columns": wrong, "role": "current"}
            with pytest.raises(DataError, match="columns"):
                evaluated(mlflow, table, config=config, **options)
        twice = table.set_index(pd.Index([7] * len(table)))
        config = {"columns": twice[["sex"]], "role": "current"}
        with pytest.raises(DataError, match="names a row twice"):
            evaluated(mlflow, twice, config=config, **options)
    found = logged_columns(mlflow, run.info.run_id)
    assert found["sex"].tolist() == table["sex"].tolist()
    assert found["income"].tolist() == table["income"].tolist()


def test_a_function_arrays_and_several_classes_are_kept_too(mlflow: Any) -> None:
    features = np.arange(12.0).reshape(6, 2)
    labels = np.array([0, 1, 2, 0, 1, 2])
    with mlflow.start_run() as run:
        evaluated(mlflow, features, model=lambda _x: labels[::-1].copy(), targets=labels)
    found = logged_columns(mlflow, run.info.run_id)
    assert found.columns.tolist() == ["feature_1", "feature_2", "label", "prediction"]
    assert found["prediction"].tolist() == [2, 1, 0, 2, 1, 0]


def test_a_regressor_is_a_regression_whatever_its_values(
    mlflow: Any, mlflow_store: Store, tmp_path: Path
) -> None:
    from sklearn.linear_model import LinearRegression

    table = frame().drop(columns="sex")
    with mlflow.start_run():
        info = kept(mlflow, LinearRegression().fit(table[["income"]], table["y"]), table)
        evaluated(mlflow, table, model=info.model_uri, targets="y", model_type="regressor")
    assert read(mlflow_store, info.model_uri, tmp_path / "w").spec.task is TaskKind.REGRESSION


def test_the_role_can_be_named_and_each_is_logged_once(mlflow: Any) -> None:
    table = frame().assign(answer=0)
    with mlflow.start_run() as run:
        for role in ("evaluation", "reference"):
            evaluated(mlflow, table, targets="y", predictions="answer", config={"role": role})
        with pytest.raises(RecordError, match=r"already has evaluation data; .*another role"):
            evaluated(mlflow, table, targets="y", predictions="answer")
    found = mlflow.MlflowClient().list_artifacts(run.info.run_id, "aims_gate")
    assert [Path(info.path).stem for info in found] == ["evaluation", "reference"]


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (lambda x: np.zeros(len(x) - 1), "59 predictions for 60 rows"),
        (lambda x: np.zeros((len(x), 2)), r"shape \(60, 2\)"),
        (lambda x: pd.DataFrame({"a": [0] * len(x), "b": 1}), "answers with 2 columns"),
    ],
)
def test_answers_that_do_not_fit_the_rows_are_refused(mlflow: Any, answer: Any, what: str) -> None:
    with mlflow.start_run() as run:
        with pytest.raises(DataError, match=what):
            evaluated(mlflow, frame(), model=answer, targets="y")
        assert mlflow.MlflowClient().list_artifacts(run.info.run_id) == []


def test_one_of_several_columns_of_answers_can_be_named(mlflow: Any) -> None:
    def answer(x: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"a": [0] * len(x), "b": 1})

    with mlflow.start_run() as run:
        evaluated(mlflow, frame(), model=answer, targets="y", predictions="b")
    assert set(logged_columns(mlflow, run.info.run_id)["prediction"]) == {1}


@pytest.mark.parametrize(
    ("columns", "config", "error"),
    [
        ({"prediction": 1}, {"positive": 1}, "a column 'prediction' beside"),
        ({}, {"positive": 1, "sensitve": ["sex"]}, "unknown key 'sensitve'; did you mean"),
        ({}, {"sensitive": ["gender"]}, "gender"),
        ({}, {"role": "champion"}, "unknown data role"),
    ],
)
def test_what_the_gate_could_not_use_is_refused(
    mlflow: Any, columns: dict[str, Any], config: dict[str, Any], error: str
) -> None:
    with mlflow.start_run() as run:
        with pytest.raises(GateError, match=error):
            evaluated(mlflow, frame().assign(**columns), model=_zeros, targets="y", config=config)
        assert mlflow.MlflowClient().list_artifacts(run.info.run_id) == []


def test_it_takes_part_only_where_one_of_its_own_keys_asks_for_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """MLflow offers it every evaluation, also those that nobody meant for the gate."""
    ask = Evaluator.can_evaluate
    others: list[Any] = [None, {}, {"metric_prefix": "val_"}, {"col_mapping": {}}, {3: "x"}]
    for foreign in others:
        assert not ask(model_type="classifier", evaluator_config=foreign)
        assert not ask(model_type="text", evaluator_config=foreign)
    assert caplog.text == ""
    assert ask(model_type="classifier", evaluator_config={"role": "evaluation"})
    assert ask(model_type="regressor", evaluator_config={"sensitive": ["sex"]}, later=1)
    assert not ask(model_type="classifier", evaluator_config={"sensitve": ["sex"]})
    assert "did you mean 'sensitive', not 'sensitve'?" in caplog.text
    for other in ("text", None):
        assert not ask(model_type=other, evaluator_config={"positive": 1})
        assert f"model type {other!r}" in caplog.text
