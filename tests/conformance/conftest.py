"""Registries to hold to their contract, each with a hand that writes past it."""

from __future__ import annotations

from pathlib import Path

import pytest

from aims_gate.registry.client import ClientRegistry
from aims_gate.registry.contract import Registry
from aims_gate.registry.rest import RestRegistry
from aims_gate.registry.roots import NOWHERE, Roots
from aims_gate.registry.served import ServedRegistry, Stores
from tests.conftest import Store
from tests.support.registry_content import Content
from tests.support.servers import Server

Place = tuple[Registry, Content]


@pytest.fixture(params=["rest", "client", "sqlite", "served"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A registry, and what writes to the same store as a training job would."""
    monkeypatch.chdir(tmp_path)  # a sqlite store's new experiment keeps its artifacts in ./mlruns
    if request.param == "sqlite":
        store: Store = request.getfixturevalue("mlflow_store")
        roots = Roots.of({"MLFLOW_TRACKING_URI": store.uri})
        return ClientRegistry(store.uri, roots=roots), Content(uri=store.uri)
    if request.param == "served":
        return served(request.getfixturevalue("mlflow_process"))
    server: str = request.getfixturevalue("mlflow_server")
    opened: Registry = (
        RestRegistry(server, {}) if request.param == "rest" else ClientRegistry(server)
    )
    return opened, Content(uri=server)


def served(server: Server) -> Place:
    """The registry of the session's server as its own process would open it."""
    database = f"sqlite:///{server.folder / 'mlflow.db'}"
    stores = Stores(
        tracking=database,
        registry=database,
        destination=str(server.artifacts),
        server=server.url,
    )
    return ServedRegistry(stores, roots=NOWHERE), Content(uri=server.url)
