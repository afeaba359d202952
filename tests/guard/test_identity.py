"""Who is the gate, and what the server is called."""

from __future__ import annotations

from pathlib import Path

import flask
import pytest
from mlflow.entities.model_registry import ModelVersionTag
from mlflow.exceptions import MlflowException

from aims_gate.attest import trust_file
from aims_gate.errors import UsageError
from aims_gate.guard import identity
from aims_gate.registry_file import read
from tests.guard.conftest import InProcess
from tests.support.guarding import settings
from tests.support.promoting import ALIAS


def _ask() -> None:
    """Stands in the place of MLflow's own question."""


_ask.__module__ = "mlflow.server.auth"


@pytest.fixture
def app() -> flask.Flask:
    return flask.Flask("server")


def names(file: Path, environ: dict[str, str] | None = None) -> tuple[str, ...]:
    found = read(file)
    return identity.servers(found, trust_file.load(found.trust), environ or {})


def test_a_server_is_called_as_the_files_say_or_as_it_listens(
    app: flask.Flask, tmp_path: Path
) -> None:
    file = settings(tmp_path)
    with pytest.raises(UsageError, match="own name is not known"):
        names(file)
    evil = {"Host": "evil.example"}
    with app.test_request_context("/", base_url="http://127.0.0.1:5000", headers=evil):
        flask.request.environ |= {"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "5000"}
        assert names(file, {"_MLFLOW_STATIC_PREFIX": "/ml/"}) == (
            *("http://127.0.0.1:5000/ml", "http://localhost:5000/ml", "http://[::1]:5000/ml"),
        )
        flask.request.environ["SERVER_NAME"] = "mlflow.internal"
        assert names(file) == ("http://mlflow.internal:5000",)
        trust = file.with_name("trust.yaml")
        known = "\nservers: {prod: ['https://mlflow.example'], lab: ['file:']}\n"
        trust.write_text(trust.read_text("utf-8") + known, "utf-8")
        assert names(file) == ("prod",)
        assert names(settings(tmp_path / "named", server="mine")) == ("mine",)


def test_only_the_gate_writes_its_tags_where_people_are_asked(
    inside: InProcess, app: flask.Flask
) -> None:
    settings(inside.registry_file.parent, server="mlflow-local", identity=["gate"])
    house, store = inside.house, inside.store
    version = house.version()
    store.set_registered_model_alias(house.name, ALIAS, version)
    tag = ModelVersionTag("aims_gate.x", "v")
    with app.test_request_context("/"):
        store.set_model_version_tag(house.name, version, tag)  # nobody is asked
        app.before_request_funcs[None] = [_ask]
        for user in (None, "admin"):
            flask.g.mlflow_authenticated_user = user
            with pytest.raises(MlflowException, match="it is the gate's, and you are not"):
                store.set_model_version_tag(house.name, version, tag)
            with pytest.raises(MlflowException, match="it is the gate's, and you are not"):
                store.delete_model_version_tag(house.name, version, "aims_gate.x")
            with pytest.raises(MlflowException, match="only the gate may take down"):
                store.delete_registered_model_alias(house.name, ALIAS)
            store.set_model_version_tag(house.name, version, ModelVersionTag("team", "risk"))
        flask.g.mlflow_authenticated_user = "gate"
        store.set_model_version_tag(house.name, version, tag)
        store.delete_model_version_tag(house.name, version, "aims_gate.x")
        store.delete_registered_model_alias(house.name, ALIAS)
    assert house.champion() is None
