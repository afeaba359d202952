"""What a guarded server does not start on, and what it says when it does."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from mlflow.exceptions import MlflowException

from aims_gate.errors import UsageError
from aims_gate.guard import process, start
from tests.conftest import Store
from tests.guard.conftest import InProcess
from tests.support.guarding import settings

ONLY = {start.ARTIFACTS_ONLY: "true"}


@pytest.fixture
def environ(mlflow_store: Store, tmp_path: Path) -> dict[str, str]:
    """The environment of a worker that lacks nothing."""
    return {
        "AIMS_GATE_REGISTRY": str(settings(tmp_path / "settings")),
        start.REGISTRY: f"aims-gate+{mlflow_store.uri}",
        start.DESTINATION: f"aims-gate+file://{tmp_path}/artifacts",
    }


def test_a_server_that_lacks_nothing_starts(environ: dict[str, str]) -> None:
    for more in ({}, ONLY):
        start.refuse_unsafe({**environ, **more})
    start.refuse_unsafe({**environ, start.DESTINATION: "s3://bucket/x"})


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        (start.REGISTRY, "sqlite:///mlflow.db", "name the registry whose files it keeps"),
        (start.REGISTRY, "aims-gate+sqlite:////nowhere/mlflow.db", "there is no registry at"),
        (start.REGISTRY, "aims-gate+postgresql+psycopg://u:secret@127.0.0.1:1/x", "be reached"),
        ("AIMS_GATE_REGISTRY", "/nowhere/registry.yaml", "cannot read the registry file"),
    ],
)
def test_a_server_that_only_keeps_files_ends_where_it_is_blind(
    environ: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
    why: str,
) -> None:
    with pytest.raises(SystemExit) as caught:
        start.refuse_unsafe({**environ, **ONLY, name: value})
    assert caught.value.code == 3
    said = capsys.readouterr().err
    assert why in said
    assert "secret" not in said


def test_an_empty_database_is_no_registry(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    empty = f"aims-gate+sqlite:///{tmp_path}/empty.db"
    assert "is no registry of MLflow's" in start.blind({**environ, start.REGISTRY: empty})


def test_what_the_guard_goes_by_does_not_lie_among_the_artifacts(
    environ: dict[str, str], tmp_path: Path
) -> None:
    assert start.exposed(environ) == ""
    assert start.exposed({**environ, start.DESTINATION: ""}) == ""
    for folder in (tmp_path, tmp_path / "settings"):
        told = start.exposed({**environ, start.DESTINATION: f"aims-gate+file://{folder}"})
        assert "lies among the artifacts" in told
    assert "cannot read" in start.exposed({**environ, "AIMS_GATE_REGISTRY": "/nowhere"})


def test_the_supervisor_of_a_worker_that_ends_is_ended_too(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would start the worker again for ever."""
    ended: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: ended.append((pid, number)))
    monkeypatch.setattr(multiprocessing, "parent_process", multiprocessing.current_process)
    with pytest.raises(SystemExit):
        start.refuse_unsafe({**environ, **ONLY, start.REGISTRY: ""})
    assert ended == [(os.getpid(), signal.SIGTERM)]


def test_a_broken_registry_file_keeps_a_server_from_starting(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIMS_GATE_REGISTRY", environ["AIMS_GATE_REGISTRY"])
    file, uri = Path(environ["AIMS_GATE_REGISTRY"]), environ[start.REGISTRY]
    (file.parent / "trust.yaml").rename(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="cannot read the trust file"):
        process.guarded_store(uri)
    file.write_text("kind: Registry\n", "utf-8")
    with pytest.raises(UsageError, match="apiVersion"):
        process.guarded_store(uri)


def test_a_file_that_breaks_later_changes_nothing(inside: InProcess) -> None:
    house, version = inside.house, inside.house.version(gated=False)
    for text in ("kind: [", "apiVersion: aims-gate/v1\nkind: Registry\n"):
        inside.registry_file.write_text(text, "utf-8")
        with pytest.raises(MlflowException, match="no evidence"):
            inside.store.set_registered_model_alias(house.name, "champion", version)
    inside.registry_file.unlink()
    with pytest.raises(MlflowException, match="no evidence"):
        inside.store.set_registered_model_alias(house.name, "champion", version)
    settings(inside.registry_file.parent, models=[{"pattern": "other", "mode": "enforce"}])
    inside.store.set_registered_model_alias(house.name, "champion", version)


def test_an_mlflow_with_unknown_methods_refuses_only_what_is_guarded(
    inside: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    version = inside.house.version()
    monkeypatch.setattr(SqlAlchemyStore, "set_live_version", lambda _self: None, raising=False)
    process.guard_of.cache_clear()
    store: Any = process.guarded_store(f"aims-gate+{inside.house.content.uri}")
    with pytest.raises(MlflowException, match=r"does not know.*set_live_version"):
        store.set_registered_model_alias(inside.house.name, "champion", version)
    store.create_registered_model("free")


@pytest.mark.filterwarnings("ignore:starlette.middleware.wsgi is deprecated")
@pytest.mark.parametrize("interface", ["uvicorn", "gunicorn"])
def test_the_application_is_mlflows_own_over_guarded_stores(
    inside: InProcess, monkeypatch: pytest.MonkeyPatch, interface: str
) -> None:
    monkeypatch.setenv("_MLFLOW_SGI_NAME", interface)
    monkeypatch.setenv(start.REGISTRY, inside.house.content.uri)
    built = process.guarded_app()
    module = "mlflow.server.fastapi_app" if interface == "uvicorn" else "mlflow.server"
    assert built is sys.modules[module].app
    assert os.environ[start.REGISTRY] == f"aims-gate+{inside.house.content.uri}"


def test_a_server_says_what_it_cannot_guard(
    inside: InProcess, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("_MLFLOW_SGI_NAME", "uvicorn")
    process.guard_every_repository.cache_clear()
    with caplog.at_level(logging.WARNING):
        process.guarded_store(f"aims-gate+{inside.house.content.uri}")
    assert "nobody is asked who they are" in caplog.text
    assert "--artifacts-destination aims-gate+" in caplog.text
    assert "aims-gate guards house-*: enforce" in caplog.text
