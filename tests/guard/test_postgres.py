"""The guard over PostgreSQL, whose locks all servers share; MLflow takes long to make tables."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException

from aims_gate.registry.uris import bare
from tests.conftest import Store
from tests.guard.conftest import opened
from tests.support.laws import nightly
from tests.support.postgres import Cluster
from tests.support.promoting import ALIAS


@nightly
@pytest.mark.tool("postgresql")
def test_only_what_is_proven_goes_live(
    postgres_cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = postgres_cluster.database(f"guard-{uuid.uuid4().hex}").replace(":", "+psycopg:", 1)
    store = Store(uri=uri, artifacts=tmp_path / "mlartifacts")
    monkeypatch.setenv("AIMS_GATE_ARTIFACT_FOLDERS", str(tmp_path))
    with opened(store, tmp_path, monkeypatch, server=bare(uri)) as inside:
        house = inside.house
        house.environ["AIMS_GATE_ARTIFACT_FOLDERS"] = str(tmp_path)
        unproven = house.version(gated=False)
        with pytest.raises(MlflowException, match="no evidence for stage 'production'"):
            inside.store.set_registered_model_alias(house.name, ALIAS, unproven)
        version = house.version()
        inside.store.set_registered_model_alias(house.name, ALIAS, version)
        assert house.champion() == version
        with pytest.raises(MlflowException, match="it is live: alias 'champion'"):
            inside.store.delete_registered_model(house.name)
        file = tmp_path / "w.txt"
        file.write_bytes(b"evil")
        with pytest.raises(MlflowException, match="is frozen: alias 'champion' points at it"):
            inside.repository(str(inside.folder(version))).log_artifact(str(file))
        inside.repository(str(inside.folder(unproven))).log_artifact(str(file))
