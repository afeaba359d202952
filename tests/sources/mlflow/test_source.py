"""The MLflow source on real stores: what it resolves, fetches and refuses."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from aims_gate.attest.manifest import scan
from aims_gate.errors import SourceError, UsageError
from aims_gate.sources import SOURCES
from aims_gate.sources.mlflow.source import SOURCE
from tests.conftest import Store
from tests.sources.mlflow.opened import Space, fetch, open_subject, put
from tests.support.registry_content import FILES, Content, write
from tests.support.servers import Server, environment


def test_both_schemes_have_this_source() -> None:
    assert SOURCES["models"] is SOURCES["runs"] is SOURCE


def test_a_version_is_copied_hashed_and_named(
    content: Content, space: Space, tmp_path: Path
) -> None:
    logged = content.registered()
    fetched = fetch(logged.uri, space(content.uri))
    expected = scan(write(tmp_path / "expected", FILES))
    assert fetched.manifest == expected
    model = fetched.model
    assert (model.uri, model.name, model.version) == (logged.uri, logged.name, "1")
    assert (model.model_id, model.run_id) == (logged.model_id, logged.run_id)
    assert model.resolved_uri == f"models:/{logged.model_id}"
    assert (model.digest, model.files, model.bytes) == (expected.digest, 3, expected.bytes)
    assert model.reader == "rest"
    server = content.uri.replace(":", "%3A").replace("/", "%2F")
    assert model.resource_uri == f"pkg:mlflow/{logged.name}@1?repository_url={server}"
    assert stat.S_IMODE(fetched.folder.stat().st_mode) == 0o700


def test_every_way_to_name_a_model_gives_the_same_bytes(content: Content, space: Space) -> None:
    logged = content.registered()
    content.client.set_registered_model_alias(logged.name, "champion", "1")
    by_version = fetch(logged.uri, space(content.uri))
    for uri, version in (
        (f"models:/{logged.name}@champion", "1"),
        (f"models:/{logged.model_id}", ""),
        (f"runs:/{logged.run_id}", ""),
        (f"runs:/{logged.run_id}/model", ""),
    ):
        fetched = fetch(uri, space(content.uri))
        assert fetched.manifest == by_version.manifest
        assert fetched.model.resolved_uri == f"models:/{logged.model_id}"
        assert fetched.model.version == version
        wanted = version or logged.model_id
        assert f"@{wanted}?" in fetched.model.resource_uri


def test_a_sqlite_store_gives_the_same_manifest(
    content: Content, mlflow_store: Store, space: Space
) -> None:
    """Two readers, two stores, one digest; what differs is named."""
    over_rest = fetch(content.registered().uri, space(content.uri))
    local = Content(uri=mlflow_store.uri).registered()
    fetched = fetch(local.uri, space(mlflow_store.uri))
    assert fetched.manifest == over_rest.manifest
    assert fetched.model.reader == "client"
    assert fetched.model.resource_uri == f"pkg:mlflow/{local.name}@1?repository_url=mlflow-local"


def test_a_copied_version_leads_to_the_bytes_of_its_origin(content: Content, space: Space) -> None:
    logged = content.registered()
    target = f"prod.{logged.name}"
    content.client.copy_model_version(logged.uri, target)
    content.client.copy_model_version(f"models:/{target}/1", f"eu.{target}")
    fetched = fetch(f"models:/eu.{target}/1", space(content.uri))
    assert (fetched.model.name, fetched.model.version) == (f"eu.{target}", "1")
    assert fetched.model.model_id == logged.model_id
    assert fetched.model.run_id == logged.run_id


def test_bytes_replaced_after_registration_change_the_digest(
    content: Content, space: Space
) -> None:
    """MLflow lets anybody PUT over the files of a READY version, without a trace."""
    logged = content.registered()
    before = fetch(logged.uri, space(content.uri)).model.digest
    path = f"0/models/{logged.model_id}/artifacts/weights/w.txt"
    put(content.uri, path, b"\x00\x01\x03")
    assert fetch(logged.uri, space(content.uri)).model.digest != before


def test_a_model_that_is_not_ready_is_refused(content: Content, space: Space) -> None:
    model = content.client.create_logged_model("0", name="half").model_id
    with pytest.raises(SourceError, match="not ready: 'PENDING'"):
        fetch(f"models:/{model}", space(content.uri))


def test_a_model_without_files_is_refused(content: Content, space: Space) -> None:
    model = content.client.create_logged_model("0", name="empty").model_id
    content.client.finalize_logged_model(model, "READY")
    with pytest.raises(SourceError, match="no files"):
        fetch(f"models:/{model}", space(content.uri))


def test_a_run_with_two_models_is_ambiguous_and_names_them(content: Content, space: Space) -> None:
    run_id = content.run()
    models = {content.model(run_id), content.model(run_id)}
    for uri in (f"runs:/{run_id}", f"runs:/{run_id}/model"):
        with pytest.raises(SourceError, match="more than one") as caught:
            fetch(uri, space(content.uri))
        assert all(model in caught.value.hint for model in models)


def test_a_run_of_mlflow_2_keeps_its_model_among_its_artifacts(
    content: Content, space: Space
) -> None:
    run_id = content.run()
    for name, data in FILES.items():
        content.artifact(run_id, f"model/{name}", data)
    fetched = fetch(f"runs:/{run_id}", space(content.uri))
    assert fetched.model.resolved_uri == f"runs:/{run_id}/model"
    assert (fetched.model.files, fetched.model.model_id) == (3, "")
    assert f"pkg:mlflow/model@{run_id}?" in fetched.model.resource_uri
    root = content.client.get_run(run_id).info.artifact_uri
    version = content.version(f"old-{run_id}", f"{root}/model", run_id)
    registered = fetch(f"models:/old-{run_id}/{version}", space(content.uri))
    assert registered.manifest == fetched.manifest
    assert registered.model.run_id == run_id


def test_a_run_without_a_model_is_refused(content: Content, space: Space) -> None:
    with pytest.raises(SourceError, match="no such model"):
        fetch(f"runs:/{content.run()}", space(content.uri))


def test_an_unknown_form_is_a_usage_error(space: Space, mlflow_server: str) -> None:
    with pytest.raises(UsageError):
        fetch("models:/cr/latest", space(mlflow_server))


def test_a_trained_scikit_learn_model_is_read(mlflow_process: Server, space: Space) -> None:
    """What `mlflow.sklearn.log_model` really writes, from a process of its own."""
    code = """
import numpy as np, mlflow
from sklearn.linear_model import LogisticRegression
mlflow.set_tracking_uri(%r)
x = np.arange(8.0).reshape(-1, 1)
with mlflow.start_run():
    mlflow.sklearn.log_model(LogisticRegression().fit(x, x[:, 0] > 3), name="model",
        registered_model_name="trained", input_example=x[:2], pip_requirements=["scikit-learn"])
"""
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code % mlflow_process.url],
        check=True,
        capture_output=True,
        env=environment(),
        cwd=mlflow_process.folder,
    )
    subject = open_subject("models:/trained/1", space(mlflow_process.url))
    names = {entry.path for entry in subject.manifest.entries}
    assert {"MLmodel", "requirements.txt", "python_env.yaml"} <= names
    assert "sklearn" in subject.flavors
    assert subject.run is not None
    assert subject.model.run_id == subject.run.run_id
