"""What lies in MLflow's trash, which `mlflow gc` empties, is no sound origin of a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import aims_gate
from tests.conftest import Store
from tests.real.gating import Gated, gate
from tests.support.registry_content import Content, Logged

RULES = """\
rules:
  - {id: INTEG-01, check: integrity.model}
  - {id: INTEG-03, check: integrity.run}
"""
CHAMPION = """\
data: {evaluation: {label: y, prediction: p, positive: 1, key: id}}
rules:
  - {id: PERF-02, check: performance.champion, with: {metric: accuracy, alias: champion},
     require: {at_least: -0.5}}
"""
Judge = Callable[[str], Gated]


@pytest.fixture
def store(mlflow_store: Store) -> Content:
    return Content(uri=mlflow_store.uri)


@pytest.fixture
def judge(store: Content, tmp_path: Path) -> Judge:
    return lambda uri: gate(tmp_path, RULES, model=uri, MLFLOW_TRACKING_URI=store.uri)


def test_a_deleted_run_is_a_violation_and_a_restored_one_is_none(
    store: Content, judge: Judge
) -> None:
    logged = store.registered()
    store.client.delete_run(logged.run_id)
    for uri in (logged.uri, f"runs:/{logged.run_id}/model"):
        done = judge(uri)
        assert (done.code, done.outcomes()["INTEG-03"]) == (1, "FAIL")
        assert f"mlflow runs restore --run-id {logged.run_id}" in done.reason("INTEG-03")
    store.client.restore_run(logged.run_id)
    assert judge(logged.uri).outcomes()["INTEG-03"] == "PASS"


def test_a_server_says_of_a_run_that_it_is_deleted_and_so_is_one_of_a_deleted_experiment(
    mlflow_server: str, tmp_path: Path
) -> None:
    server = Content(uri=mlflow_server)
    server.experiment = server.client.create_experiment(f"trash of {tmp_path.name}")
    logged = server.registered()
    server.client.delete_experiment(server.experiment)
    done = gate(tmp_path, RULES, model=logged.uri, MLFLOW_TRACKING_URI=mlflow_server)
    assert (done.code, done.outcomes()["INTEG-03"]) == (1, "FAIL")


@pytest.mark.parametrize("status", ["FAILED", "KILLED", "RUNNING"])
def test_a_run_that_did_not_finish_is_named_with_its_status(
    status: str, store: Content, judge: Judge
) -> None:
    run_id = store.run(end=False)
    if status != "RUNNING":
        store.client.set_terminated(run_id, status)
    done = judge(f"models:/{store.model(run_id)}")
    assert done.code == 1
    assert f"the run is {status}" in done.reason("INTEG-03")


def test_a_deleted_model_is_not_gated(store: Content, judge: Judge) -> None:
    logged = store.registered()
    store.client.delete_logged_model(logged.model_id)
    done = judge(logged.uri)
    assert done.code == 3
    assert logged.model_id in done.said


def test_a_deleted_champion_has_no_answers(store: Content, tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": range(40), "y": [0, 1] * 20, "p": [0, 1] * 20})
    versions = [_evaluated(store, frame) for _ in range(2)]
    name = versions[0].name
    store.version(name, f"models:/{versions[1].model_id}", versions[1].run_id)
    store.client.set_registered_model_alias(name, "champion", "1")

    def judged() -> Gated:
        return gate(tmp_path, CHAMPION, model=f"models:/{name}/2", MLFLOW_TRACKING_URI=store.uri)

    assert judged().outcomes() == {"PERF-02": "PASS"}
    store.client.delete_run(versions[0].run_id)
    done = judged()
    assert (done.code, done.outcomes()) == (3, {"PERF-02": "ERROR"})
    assert "the champion's training run is deleted" in done.reason("PERF-02")
    store.client.restore_run(versions[0].run_id)
    store.client.delete_logged_model(versions[0].model_id)
    assert judged().outcomes() == {"PERF-02": "ERROR"}


def _evaluated(store: Content, frame: pd.DataFrame) -> Logged:
    import mlflow

    logged = store.registered()
    mlflow.set_tracking_uri(store.uri)
    try:
        aims_gate.log_evaluation(
            frame, label="y", prediction="p", positive=1, key="id", run_id=logged.run_id
        )
    finally:
        mlflow.set_tracking_uri(None)
    return logged
