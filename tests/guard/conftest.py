"""The guard in the test's own process, over a store of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aims_gate.registry.contract import LOCAL
from aims_gate.registry_file import refusals
from tests.conftest import Store
from tests.support.guarding import settings
from tests.support.promoting import House


@dataclass(frozen=True, kw_only=True)
class InProcess:
    """MLflow's stores as a worker of a guarded server has them, and a client past the guard."""

    store: Any
    """The registry store with the guard in it."""
    house: House
    artifacts: Path
    registry_file: Path

    @property
    def guard(self) -> Any:
        return self.store.guard

    def repository(self, uri: str = "") -> Any:
        """An artifact repository as the server builds it; the proxied ones without a URI."""
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        return get_artifact_repository(uri or f"aims-gate+file://{self.artifacts}")

    def folder(self, version: str) -> Path:
        """Where a version's files lie."""
        client = self.house.content.client
        source = client.get_model_version(self.house.name, version).source
        location = client.get_logged_model(source.removeprefix("models:/")).artifact_location
        return Path(location)

    def told(self) -> list[str]:
        """What the journal says, and whether it was enforced."""
        return [f"{one.enforced}: {one.why}" for one in refusals.lines(self.registry_file)]


@pytest.fixture
def inside(
    mlflow_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[InProcess]:
    """A guarded registry whose model `house-…` is enforced, in this process."""
    with opened(mlflow_store, tmp_path, monkeypatch) as found:
        yield found


@contextmanager
def opened(
    mlflow_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str = LOCAL
) -> Iterator[InProcess]:
    """Open a store with the guard in it, whose clients call the server *server*."""
    import mlflow

    from aims_gate.guard.process import guarded_store

    monkeypatch.chdir(tmp_path)
    file = settings(tmp_path / "settings", server=server)
    monkeypatch.setenv("AIMS_GATE_REGISTRY", str(file))
    monkeypatch.setenv("_MLFLOW_SERVER_FILE_STORE", mlflow_store.uri)
    monkeypatch.setenv("_MLFLOW_SERVER_REGISTRY_STORE", f"aims-gate+{mlflow_store.uri}")
    monkeypatch.setenv("_MLFLOW_SERVER_ARTIFACT_DESTINATION", str(mlflow_store.artifacts))
    monkeypatch.setenv("_MLFLOW_SERVER_ARTIFACT_ROOT", str(tmp_path / "mlruns"))
    house = House.build(mlflow_store.uri, tmp_path / "house")
    house.use_key(file.with_name("gate.pem"))
    store = guarded_store(f"aims-gate+{mlflow_store.uri}")
    mlflow.set_tracking_uri(mlflow_store.uri)
    try:
        yield InProcess(
            store=store, house=house, artifacts=mlflow_store.artifacts, registry_file=file
        )
    finally:
        mlflow.set_tracking_uri(None)
