"""Following URIs when a server answers what a real one would only after tampering."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from aims_gate.errors import SourceError
from aims_gate.policy.model import Role
from aims_gate.registry.contract import NotFoundError
from aims_gate.registry.entities import DatasetInput, RunRecord
from aims_gate.registry.rest import RestRegistry
from aims_gate.sources.mlflow import facts
from aims_gate.sources.mlflow.facts import dataset_digest, run_facts
from aims_gate.sources.mlflow.resolve import Resolved, resolve
from tests.support.proxy import Answer, Proxy, Request

GONE = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no"}
ROOT = "mlflow-artifacts:/0/r1/artifacts"


def version(source: str, **parts: str) -> dict[str, Any]:
    told = {"name": "cr", "version": "1", "source": source, "status": "READY", **parts}
    return {"model_version": told}


def model(model_id: str = "m-1", **parts: str) -> dict[str, Any]:
    info = {"model_id": model_id, "name": "model", "artifact_uri": "mlflow-artifacts:/0/m"}
    return {"model": {"info": {**info, "status": "LOGGED_MODEL_READY", **parts}}}


def run(run_id: str = "r1", models: tuple[str, ...] = ()) -> dict[str, Any]:
    outputs = {"model_outputs": [{"model_id": model_id} for model_id in models]}
    info = {"run_id": run_id, "status": "FINISHED", "artifact_uri": ROOT}
    return {"run": {"info": info, "data": {}, "outputs": outputs}}


def follow(uri: str, answers: Mapping[str, dict[str, Any]]) -> Resolved:
    """Resolve over a server that answers by the last part of the path, and else has nothing."""

    def plan(_number: int, request: Request) -> Answer:
        last = request.path.partition("?")[0].rpartition("/")[2]
        told = answers.get(last, {} if last == "artifacts" else GONE)
        return Answer(status=404 if told is GONE else 200, body=json.dumps(told).encode())

    with Proxy("http://127.0.0.1:9", plan) as proxy:
        return resolve(uri, RestRegistry(proxy.url, {}), {"MLFLOW_TRACKING_URI": proxy.url})


@pytest.mark.parametrize(
    ("uri", "answers", "why"),
    [
        ("models:/cr@a", {"alias": version("models:/m-1", name="other")}, "answers with 'other'"),
        ("models:/m-1", {"m-1": model("m-2")}, "another model, 'm-2'"),
        ("models:/m-1", {"m-1": model(status="LOGGED_MODEL_UPLOAD_FAILED")}, "not ready: 'FAILED'"),
        ("models:/m-1", {"m-1": model(status="")}, "not ready: ''"),
        ("models:/cr/1", {"get": version("x", status="PENDING_REGISTRATION")}, "not ready"),
        ("models:/cr/1", {"get": version("models:/cr/latest")}, "source is unusable"),
        ("models:/cr/1", {"get": version("models:/m-1")}, "no such thing"),
        (
            "runs:/r1",
            {"get": run(models=("m-1",)), "m-1": model(source_run_id="")},
            "another run logged",
        ),
    ],
)
def test_answers_that_contradict_the_question_are_refused(
    uri: str, answers: dict[str, dict[str, Any]], why: str
) -> None:
    with pytest.raises(SourceError, match=why):
        follow(uri, answers)


@pytest.mark.parametrize(
    ("uri", "answers", "hint"),
    [
        (
            "models:/cr/7",
            {
                "search": {
                    "model_versions": [version("x", version=n)["model_version"] for n in "32"]
                }
            },
            "known of 'cr': version 3, version 2",
        ),
        (
            "models:/cr@live",
            {"get": {"registered_model": {"aliases": [{"alias": "champion", "version": "2"}]}}},
            "known of 'cr': @champion",
        ),
        ("models:/rc/1", {"search": {}}, "none is known of 'rc': look at its name"),
        ("models:/rc/1", {}, "none is known of 'rc': look at its name"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(
    uri: str, answers: dict[str, dict[str, Any]], hint: str
) -> None:
    """A misspelt name, a version of tomorrow and an alias of yesterday look alike to MLflow."""
    with pytest.raises(NotFoundError) as caught:
        follow(uri, answers)
    assert caught.value.hint.startswith(hint)


def test_an_alias_that_is_on_no_version_is_refused_with_those_that_are() -> None:
    """MLflow says 400 to it, and to much else, of which nothing is added."""
    known = {"registered_model": {"aliases": [{"alias": "champion", "version": "2"}]}}

    def told(message: str) -> str:
        def plan(_number: int, request: Request) -> Answer:
            refused = {"error_code": "INVALID_PARAMETER_VALUE", "message": message}
            asked = "/alias" in request.path
            body = json.dumps(refused if asked else known).encode()
            return Answer(status=400 if asked else 200, body=body)

        with Proxy("http://127.0.0.1:9", plan) as proxy, pytest.raises(SourceError) as caught:
            resolve("models:/cr@live", RestRegistry(proxy.url, {}), {})
        return str(caught.value)

    found = told("Registered model alias live not found.")
    assert found.endswith("alias live not found; known of 'cr': @champion")
    assert "known of" not in told("Invalid alias name.")


@pytest.mark.parametrize(
    "source",
    [
        "mlflow-artifacts:/0/other/artifacts/model",
        f"{ROOT}-not/model",
        f"{ROOT}/../../other",
        "s3://bucket/model",
    ],
)
def test_files_outside_the_run_that_a_version_names_are_refused(source: str) -> None:
    def plan(_number: int, request: Request) -> Answer:
        told = run() if "runs/get" in request.path else version(source, run_id="r1")
        return Answer(body=json.dumps(told).encode())

    with Proxy("http://127.0.0.1:9", plan) as proxy:
        registry = RestRegistry(proxy.url, {})
        with pytest.raises(SourceError, match="its files are not that run's"):
            resolve("models:/cr/1", registry, {"MLFLOW_TRACKING_URI": proxy.url})


def test_a_version_whose_run_is_gone_has_no_run() -> None:
    """Without a run there is nothing that could vouch for it: integrity.run is then MISSING."""
    found = follow("models:/cr/1", {"get": version(f"{ROOT}/model")})
    assert found.run is None
    assert (found.name, found.version, found.artifact_uri) == ("cr", "1", f"{ROOT}/model")


def test_a_server_without_logged_models_is_read() -> None:
    """MLflow 2: no `outputs`, no `logged-models`, the model among the run's artifacts."""
    answers: dict[str, dict[str, Any]] = {
        "get": {"run": {"info": {"run_id": "r1", "status": "FINISHED", "artifact_uri": ROOT}}},
        "artifacts": {"files": [{"path": "MLmodel", "is_dir": False, "file_size": "7"}]},
    }
    found = follow("runs:/r1", answers)
    assert (found.artifact_uri, found.model_id) == (f"{ROOT}/model", "")


def test_a_run_with_too_many_metrics_or_points_is_refused_and_never_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points = [{"key": "a", "value": 1, "timestamp": n} for n in range(3)]
    body = json.dumps({"metrics": points}).encode()
    with Proxy("http://127.0.0.1:9", lambda _n, _r: Answer(body=body)) as proxy:
        registry = RestRegistry(proxy.url, {})
        found = RunRecord(
            run_id="r", status="FINISHED", artifact_uri="", metrics={"a": 1.0, "b": 1.0}
        )
        assert len(run_facts(registry, found).metrics) == 6
        monkeypatch.setattr(facts, "MAX_POINTS", 5)
        with pytest.raises(SourceError, match="more than 5 points"):
            run_facts(registry, found)
        monkeypatch.setattr(facts, "MAX_METRICS", 1)
        with pytest.raises(SourceError, match="more than 1 metrics"):
            run_facts(registry, found)


def test_two_inputs_of_one_role_with_different_digests_give_no_digest() -> None:
    one, other = (DatasetInput(name="d", digest=d, context="evaluation") for d in ("1", "2"))
    named = DatasetInput(name="evaluation", digest="1")
    for datasets, digest in (((), ""), ((one,), "1"), ((one, named), "1"), ((one, other), "")):
        found = RunRecord(run_id="r", status="FINISHED", artifact_uri="", datasets=datasets)
        assert dataset_digest(found, Role.EVALUATION) == digest
        assert dataset_digest(found, Role.CURRENT) == ""
