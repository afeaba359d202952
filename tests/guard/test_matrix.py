"""The battery of attacks on every way in which an MLflow server is run; and on one without a guard.

A minute of starting for each: part of `make nightly`.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.battery import ATTACKS, Target
from tests.support.guarding import MODELS, PLUGS, settings
from tests.support.laws import nightly
from tests.support.promoting import House
from tests.support.servers import S3_KEYS, Server, s3_server

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore"), nightly]
PREFIX = "/mlf"
BUCKET = "s3://guarded-models/root"
ADMIN, MALLORY = ("admin", "password-of-admin"), ("mallory", "password-of-mallory")


@dataclass(kw_only=True)
class Prefixed(Server):
    """A server whose routes all begin with a prefix."""

    @property
    def url(self) -> str:
        return f"{super().url}{PREFIX}"


def stores(folder: Path) -> tuple[str, ...]:
    return tuple(one.replace("{folder}", str(folder)) for one in PLUGS)


def environ(folder: Path, **more: str) -> dict[str, str]:
    return {"AIMS_GATE_REGISTRY": str(settings(folder, identity=[ADMIN[0]])), **more}


def configured(folder: Path, how: str) -> Server:
    """A server that is not started yet."""
    plugs, files = stores(folder / "server"), folder / "server"
    more: tuple[str, ...] = ()
    variables: dict[str, str] = {}
    kind = Prefixed if how == "static prefix" else Server
    if how == "gunicorn":
        more = ("--gunicorn-opts", "--timeout 120")
    elif how == "static prefix":
        more = ("--static-prefix", PREFIX)
    elif how == "workspaces":
        more = ("--enable-workspaces",)
    elif how == "app name":
        plugs = ("--artifacts-destination", f"file://{files}/artifacts", "--app-name", "aims-gate")
    elif how == "S3":
        plugs = (*plugs[:2], "--artifacts-destination", f"aims-gate+{BUCKET}")
    elif how == "no guard":
        plugs = ("--artifacts-destination", f"file://{files}/artifacts")
    elif how == "basic auth":
        more = ("--app-name", "basic-auth")
        users = folder / "auth.ini"
        users.write_text(
            f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{folder}/auth.db\n"
            f"admin_username = {ADMIN[0]}\nadmin_password = {ADMIN[1]}\n"
            "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n",
            encoding="utf-8",
        )
        variables = {
            "MLFLOW_AUTH_CONFIG_PATH": str(users),
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "secret",
        }
    known = environ(folder, **variables)
    return kind(folder=files, stores=(*plugs, *more), environ=known, workers=2)


def mallory(url: str) -> dict[str, str]:
    """Make another administrator, and give the headers of his requests."""
    api = f"{url}/api/2.0/mlflow/users"
    made = {"username": MALLORY[0], "password": MALLORY[1]}
    assert requests.post(f"{api}/create", json=made, auth=ADMIN, timeout=60).ok
    raised = {"username": MALLORY[0], "is_admin": True}
    assert requests.patch(f"{api}/update-admin", json=raised, auth=ADMIN, timeout=60).ok
    return {"Authorization": f"Basic {base64.b64encode(':'.join(MALLORY).encode()).decode()}"}


@contextmanager
def running(folder: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = configured(folder, how)
    if how == "basic auth":
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", ADMIN[0])
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", ADMIN[1])
    with s3(monkeypatch) if how == "S3" else nullcontext() as endpoint:
        if endpoint:
            server.environ = {**server.environ, "MLFLOW_S3_ENDPOINT_URL": endpoint}
        server.start()
        try:
            yield server
        finally:
            server.kill()


@contextmanager
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An S3 stand-in with a bucket, for this process and for the server."""
    import boto3  # type: ignore[import-untyped]

    with s3_server() as url:
        for name, value in {**S3_KEYS, "AWS_DEFAULT_REGION": "eu-west-1"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", url)
        place = {"LocationConstraint": "eu-west-1"}
        boto3.client("s3", endpoint_url=url).create_bucket(
            Bucket=urlsplit(BUCKET).netloc, CreateBucketConfiguration=place
        )
        yield url


def attacked(server: Server, folder: Path, key: Path, **headers: str) -> Target:
    """A fresh model on the server, for whoever has these headers."""
    house = House.build(server.url, folder / uuid.uuid4().hex)
    house.use_key(key)
    house.environ |= {
        name: value
        for name, value in (
            ("MLFLOW_TRACKING_USERNAME", ADMIN[0]),
            ("MLFLOW_TRACKING_PASSWORD", ADMIN[1]),
        )
        if headers
    }
    artifacts = {"artifacts": BUCKET} if any(BUCKET in one for one in server.stores) else {}
    return Target.of(house, server, headers=headers, **artifacts)


GUARDED = ("S3", "uvicorn", "gunicorn", "static prefix", "workspaces", "basic auth", "app name")


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("how", GUARDED)
def test_nothing_that_is_live_moves(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With basic auth the attacker is an administrator, too, and not the gate."""
    assert MODELS[0]["mode"] == "enforce"
    if how == "basic auth":
        pytest.importorskip("flask_wtf", reason="MLflow's basic auth needs the extra mlflow[auth]")
    with running(tmp_path, how, monkeypatch) as server:
        headers = mallory(server.url) if how == "basic auth" else {}
        target = attacked(server, tmp_path, tmp_path / "gate.pem", **headers)
        before = target.state()
        assert before["aliases"] == [(target.name, "champion", 1)]
        moved = []
        for name, attack in ATTACKS.items():
            attack(target)
            if target.state() != before:
                moved.append(name)
                target = attacked(server, tmp_path, tmp_path / "gate.pem", **headers)
                before = target.state()
        assert moved == []
        assert target.answers.count(403) > 50


@pytest.mark.timeout(1200)
def test_without_a_guard_the_battery_moves_a_lot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attack that could move nothing anywhere would prove nothing."""
    with running(tmp_path, "no guard", monkeypatch) as server:
        moved = []
        target = attacked(server, tmp_path, tmp_path / "gate.pem")
        before = target.state()
        for name, attack in ATTACKS.items():
            attack(target)
            if target.state() != before:
                moved.append(name)
                target = attacked(server, tmp_path, tmp_path / "gate.pem")
                before = target.state()
        assert len(moved) > 40
