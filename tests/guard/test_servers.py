"""The guard on servers of every kind that MLflow starts: each is started, so they run at night."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support import servers
from tests.support.guarding import PLUGS, GuardedServer, settings
from tests.support.laws import nightly
from tests.support.promoting import ALIAS
from tests.support.servers import Server

APP = ("--app-name", "aims-gate")
GUNICORN = ("--gunicorn-opts", "--timeout 120")
ADMIN, GATE = ("admin", "first-of-all-20"), ("gate", "second-of-all-20")
PLAIN = ("--artifacts-destination", "{folder}/artifacts")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How a server is started, and what its clients must do."""

    options: tuple[str, ...]
    environ: Mapping[str, str]
    prefix: str = ""


KINDS = {
    "plugs": Kind(options=PLUGS, environ={}),
    "app": Kind(options=(*APP, *PLAIN), environ={}),
    "plugs, gunicorn": Kind(options=(*PLUGS, *GUNICORN), environ={}),
    "app, gunicorn": Kind(options=(*APP, *PLAIN, *GUNICORN), environ={}),
    "static prefix": Kind(options=(*PLUGS, "--static-prefix", "/ml"), environ={}, prefix="/ml"),
    "workspaces": Kind(options=(*PLUGS, "--enable-workspaces"), environ={}),
}


@contextmanager
def started(kind: Kind, folder: Path, **more: Any) -> Iterator[GuardedServer]:
    """Start a server of a kind, with two workers."""
    home, file = folder / "server", settings(folder / "settings", **more)
    server = Server(
        folder=home,
        store=servers.empty_store(folder),
        stores=tuple(one.replace("{folder}", str(home)) for one in kind.options),
        environ={"AIMS_GATE_REGISTRY": str(file), **kind.environ},
        workers=2,
        prefix=kind.prefix,
    )
    server.start()
    try:
        yield GuardedServer(server=server, folder=file.parent)
    finally:
        server.kill()


@nightly
@pytest.mark.parametrize("name", KINDS)
def test_only_what_is_proven_goes_live(name: str, tmp_path: Path) -> None:
    with started(KINDS[name], tmp_path) as guarded:
        house = guarded.house(tmp_path)
        version = house.version(gated=False)
        body = {"name": house.name, "alias": ALIAS, "version": version}
        answer = guarded.post("registered-models/alias", body)
        assert (answer.status_code, "no evidence" in answer.text) == (403, True), answer.text
        house.gate(version)
        answer = guarded.post("registered-models/alias", body)
        assert answer.status_code == 200, answer.text
        assert house.champion() == version
        source = house.content.client.get_model_version(house.name, version).source
        model = house.content.client.get_logged_model(source.removeprefix("models:/"))
        place = model.artifact_location.removeprefix("mlflow-artifacts:/")
        for answer in (guarded.put(f"{place}/x", b"evil"), guarded.delete(place)):
            assert (answer.status_code, "is frozen" in answer.text) == (403, True), answer.text
        free = guarded.house(tmp_path / "free", "free")
        free.version(gated=False)
        free.by_hand("1")


@nightly
def test_with_authentication_only_the_gate_writes_its_tags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Admins, too, are refused; flask_wtf is what MLflow's authentication needs."""
    if find_spec("flask_wtf") is None and "FLASK_WTF" not in os.environ:
        pytest.skip("MLflow's extra auth is not installed")
    config = tmp_path / "auth.ini"
    config.write_text(
        "[mlflow]\ndefault_permission = MANAGE\nadmin_username = admin\n"
        f"admin_password = {ADMIN[1]}\ndatabase_uri = sqlite:///{tmp_path}/auth.db\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n",
        encoding="utf-8",
    )
    environ = {
        "MLFLOW_AUTH_CONFIG_PATH": str(config),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "not a secret",
        "PYTHONPATH": os.environ.get("FLASK_WTF", ""),
    }
    kind = Kind(options=(*PLUGS, "--app-name", "basic-auth"), environ=environ)
    with started(kind, tmp_path, identity=["gate"]) as guarded:
        route = f"{guarded.url}/api/2.0/mlflow"
        body = {"username": GATE[0], "password": GATE[1]}
        assert requests.post(f"{route}/users/create", json=body, auth=ADMIN, timeout=60).ok
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", GATE[0])
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", GATE[1])
        house = guarded.house(tmp_path)
        house.environ |= {name: os.environ[name] for name in os.environ if "TRACKING" in name}
        version = house.version()

        def ask(who: tuple[str, str] | None, what: str, method: str, **more: str) -> int:
            asked = {"name": house.name, "version": version, "alias": ALIAS, **more}
            url = f"{route}/{what}"
            return requests.request(method, url, json=asked, auth=who, timeout=60).status_code

        tag, alias = {"key": "aims_gate.x", "value": "v"}, "registered-models/alias"
        for who, expected in ((ADMIN, 403), (GATE, 200), (None, 401)):
            assert ask(who, "model-versions/set-tag", "POST", **tag) == expected
            assert ask(who, "model-versions/delete-tag", "DELETE", **tag) == expected
        assert ask(ADMIN, alias, "POST") == 200
        assert ask(ADMIN, alias, "DELETE") == 403
        other = house.version(gated=False)
        assert [ask(who, alias, "POST", version=other) for who in (ADMIN, GATE)] == [403, 403]
        assert ask(GATE, alias, "DELETE") == 200


@nightly
@pytest.mark.parametrize("options", [(), APP, GUNICORN], ids=["plugs", "app", "gunicorn"])
def test_a_server_that_only_keeps_files_does_not_start_blind(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    file = settings(tmp_path / "settings")
    environ = servers.environment({"AIMS_GATE_REGISTRY": str(file)})
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--artifacts-only", "--port"),
        *(str(servers.free_port()), "--workers", "2"),
        *("--artifacts-destination", f"aims-gate+file://{tmp_path}/artifacts", *options),
    ]
    blind = subprocess.run(
        command, env=environ, cwd=tmp_path, capture_output=True, timeout=240, check=False, text=True
    )
    assert "name the registry whose files it keeps" in blind.stderr + blind.stdout
