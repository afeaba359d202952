"""A metric of a run is a model's own only where MLflow cannot have linked another one to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tests.conftest import Store
from tests.real.gating import Gated, gate

RULE = """\
rules:
  - {id: PERF-08, check: performance.logged, with: {metric: val_loss%s}, require: {at_most: 0.5}}
"""
OVERFIT = (0.3, 0.35, 0.5, 0.7, 0.9)
LEARNS = (1.0, 0.8, 0.6, 0.4, 0.2)
ROWS = np.arange(20.0).reshape(-1, 1)
MODEL = LogisticRegression().fit(ROWS, ROWS[:, 0] > 9)
Judge = Callable[..., Gated]
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def judge(mlflow_store: Store, tmp_path: Path) -> Judge:
    """Hold a model's logged metric against a ceiling of 0.5."""

    def judged(model: Any, dataset: str = "") -> Gated:
        rule = RULE % (f", dataset: {dataset}" if dataset else "")
        return gate(tmp_path, rule, model=model.model_uri, MLFLOW_TRACKING_URI=mlflow_store.uri)

    return judged


def epochs(mlflow: Any, losses: Sequence[float], *, first: int = 0, **options: Any) -> None:
    for step, loss in enumerate(losses, start=first):
        mlflow.log_metric("val_loss", loss, step=step, **options)


def log(mlflow: Any, **options: Any) -> Any:
    return mlflow.sklearn.log_model(
        MODEL, name="model", pip_requirements=["scikit-learn"], **options
    )


@pytest.mark.parametrize("losses", [OVERFIT, LEARNS])
def test_of_a_loop_over_epochs_the_first_is_not_the_models(
    losses: Sequence[float], mlflow_server: str, tmp_path: Path
) -> None:
    import mlflow

    mlflow.set_tracking_uri(mlflow_server)
    try:
        with mlflow.start_run():
            epochs(mlflow, losses)
            model = log(mlflow)
    finally:
        mlflow.set_tracking_uri(None)
    done = gate(tmp_path, RULE % "", model=model.model_uri, MLFLOW_TRACKING_URI=mlflow_server)
    assert (done.code, done.outcomes()) == (3, {"PERF-08": "ERROR"})
    assert f"links {losses[0]!r} to it by step 0" in done.reason("PERF-08")
    assert f"{losses[4]!r} (step 4), {losses[3]!r} (step 3)" in done.reason("PERF-08")
    assert "log_model(step=…)" in done.reason("PERF-08")
    assert "log_metric(KEY, VALUE, model_id=…)" in done.reason("PERF-08")


@pytest.mark.parametrize(("losses", "outcome"), [(OVERFIT, "FAIL"), (LEARNS, "PASS")])
def test_the_step_of_a_model_says_which_value_is_its_own(
    losses: Sequence[float], outcome: str, mlflow: Any, judge: Judge
) -> None:
    with mlflow.start_run():
        epochs(mlflow, losses)
        model = log(mlflow, step=4)
    assert judge(model).outcomes() == {"PERF-08": outcome}


def test_each_checkpoint_is_judged_by_its_own_step(mlflow: Any, judge: Judge) -> None:
    with mlflow.start_run():
        models = []
        for step, loss in enumerate(OVERFIT):
            mlflow.log_metric("val_loss", loss, step=step)
            models.append(log(mlflow, step=step))
        last = log(mlflow)
    outcomes = [judge(model).outcomes()["PERF-08"] for model in models]
    assert outcomes == ["ERROR", "PASS", "PASS", "FAIL", "FAIL"]
    assert judge(last).outcomes() == {"PERF-08": "ERROR"}


def test_one_value_at_all_steps_or_under_a_key_of_its_own_is_the_models(
    mlflow: Any, judge: Judge
) -> None:
    with mlflow.start_run():
        epochs(mlflow, (0.4, 0.4, 0.4))
        same = log(mlflow)
    with mlflow.start_run():
        for step, loss in enumerate(OVERFIT):
            mlflow.log_metric("loss", loss, step=step)
        own = log(mlflow)
        mlflow.log_metric("val_loss", 0.9, model_id=own.model_id)
    assert judge(same).outcomes() == {"PERF-08": "PASS"}
    assert judge(own).outcomes() == {"PERF-08": "FAIL"}


@pytest.mark.parametrize("first", [0, 1])
def test_a_model_logged_before_its_loop_has_not_the_first_value(
    first: int, mlflow: Any, judge: Judge
) -> None:
    """From step 1 on no value is linked, and those of the run are several."""
    with mlflow.start_run():
        model = log(mlflow)
        epochs(mlflow, OVERFIT, first=first)
    assert judge(model).outcomes() == {"PERF-08": "ERROR"}


def test_another_value_at_the_models_own_step_is_a_rival(mlflow: Any, judge: Judge) -> None:
    with mlflow.start_run() as run:
        mlflow.log_metric("val_loss", 0.3, step=4)
        linked = log(mlflow, step=4)
        mlflow.MlflowClient().log_metric(run.info.run_id, "val_loss", 0.9, step=4)
    with mlflow.start_run():
        epochs(mlflow, (0.3, 0.9))
        mlflow.log_metric("val_loss", 0.8, step=1)
        twice = log(mlflow, step=1)
    with mlflow.start_run():
        epochs(mlflow, (0.3, 0.4, math.nan))
        nan = log(mlflow)
    for model in (linked, twice, nan):
        assert judge(model).outcomes() == {"PERF-08": "ERROR"}
    assert "nan (step 2)" in judge(nan).reason("PERF-08")


def test_what_another_run_logged_for_the_model_is_held_to_that_run(
    mlflow: Any, judge: Judge
) -> None:
    with mlflow.start_run():
        epochs(mlflow, LEARNS, first=1)
        model = log(mlflow)
    with mlflow.start_run():
        mlflow.log_metric("val_loss", 0.4, model_id=model.model_id)
    assert judge(model).outcomes() == {"PERF-08": "PASS"}
    with mlflow.start_run():
        epochs(mlflow, (0.4, 0.9), model_id=model.model_id)
    done = judge(model)
    assert done.outcomes() == {"PERF-08": "ERROR"}
    assert "has 2 values" in done.reason("PERF-08")


def test_of_many_points_the_last_few_are_named(mlflow: Any, judge: Judge) -> None:
    from mlflow.entities import Metric

    with mlflow.start_run() as run:
        points = [Metric("val_loss", 0.1 + n / 5000, 1000, n) for n in range(3000)]
        for start in range(0, len(points), 1000):
            mlflow.MlflowClient().log_batch(run.info.run_id, points[start : start + 1000])
        model = log(mlflow)
    reason = judge(model).reason("PERF-08")
    assert "(step 2999)" in reason
    assert "and 2,994 more" in reason


def test_data_sets_and_models_of_one_run_do_not_rival_each_other(mlflow: Any, judge: Judge) -> None:
    """As `mlflow.models.evaluate` leaves it for two models and two data sets in one run."""
    sets = {name: mlflow.data.from_numpy(ROWS, name=name) for name in ("train", "hold")}
    with mlflow.start_run():
        one, other = log(mlflow), log(mlflow)
        for model, name, loss in (
            (one, "train", 0.1),
            (one, "hold", 0.4),
            (other, "hold", 0.9),
        ):
            mlflow.log_metric("val_loss", loss, dataset=sets[name], model_id=model.model_id)
    assert judge(one, "hold").outcomes() == {"PERF-08": "PASS"}
    assert judge(other, "hold").outcomes() == {"PERF-08": "FAIL"}
    assert judge(one).outcomes() == {"PERF-08": "ERROR"}
    mlflow.MlflowClient().delete_logged_model(other.model_id)
    assert judge(one, "hold").outcomes() == {"PERF-08": "ERROR"}
    with mlflow.start_run():
        early = log(mlflow)
        epochs(mlflow, OVERFIT, dataset=sets["hold"])
    assert judge(early, "hold").outcomes() == {"PERF-08": "ERROR"}
