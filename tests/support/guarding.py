"""A real MLflow server with the guard in it, and whoever is trusted there."""

from __future__ import annotations

import fcntl
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from aims_gate.attest import keys
from tests.support.promoting import House
from tests.support.servers import Server, shared_server

PLUGS = (
    *("--registry-store-uri", "aims-gate+sqlite:///{folder}/mlflow.db"),
    *("--artifacts-destination", "aims-gate+file://{folder}/artifacts"),
)
"""The plugs of the guard, for `Server(stores=…)`; `{folder}` is the server's own."""
MODELS = (
    {"pattern": "house-*", "mode": "enforce"},
    {"pattern": "guarded-*", "mode": "enforce"},
    {"pattern": "observed-*"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedServer:
    """A server that guards `house-*` and `guarded-*`, and observes `observed-*`."""

    server: Server
    folder: Path
    """With `registry.yaml`, `trust.yaml`, the gate's `gate.pem` and an approver's `officer.pem`."""

    @property
    def url(self) -> str:
        return self.server.url

    def house(self, folder: Path, prefix: str = "house") -> House:
        """A model of its own, with the gate's trusted key; its name begins with *prefix*."""
        house = House.build(self.url, folder)
        house.name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        house.use_key(self.folder / "gate.pem")
        return house

    def post(self, route: str, body: Mapping[str, Any], method: str = "POST") -> requests.Response:
        """Ask MLflow's REST API, such as `registered-models/alias`."""
        url = f"{self.url}/api/2.0/mlflow/{route}"
        return requests.request(method, url, json=body, timeout=60)

    def put(self, path: str, content: bytes) -> requests.Response:
        """Write a file to the artifact proxy."""
        url = f"{self.url}/api/2.0/mlflow-artifacts/artifacts/{path}"
        return requests.put(url, data=content, timeout=60)

    def delete(self, path: str) -> requests.Response:
        """Delete a file or a folder of the artifact proxy."""
        url = f"{self.url}/api/2.0/mlflow-artifacts/artifacts/{path}"
        return requests.delete(url, timeout=60)


def settings(folder: Path, *, models: Sequence[Mapping[str, Any]] = MODELS, **more: Any) -> Path:
    """Write a registry file, a trust file and the keys that it trusts; gives the registry file."""
    folder.mkdir(parents=True, exist_ok=True)
    people = [_trusted(folder / "gate.pem", "gate"), _trusted(folder / "officer.pem", "approver")]
    version = {"apiVersion": "aims-gate/v1"}
    trust = {**version, "kind": "Trust", "keys": people, "deploy": [{"max_age": "7d"}]}
    (folder / "trust.yaml").write_text(yaml.safe_dump(trust), encoding="utf-8")
    file = folder / "registry.yaml"
    registry = {**version, "kind": "Registry", "trust": "trust.yaml", "models": list(models)}
    file.write_text(yaml.safe_dump({**registry, **more}), encoding="utf-8")
    return file


def _trusted(key: Path, role: str) -> dict[str, Any]:
    """An entry of a trust file for the key in a file, which is made if it is not there."""
    if not key.exists():
        made = ec.generate_private_key(ec.SECP256R1())
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
        key.write_bytes(made.private_bytes(*form, serialization.NoEncryption()))
    public = keys.load_private(key.read_bytes(), password="", where=key.name).public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return {"person": key.stem, "public_key": pem.decode(), "roles": [role]}


@contextmanager
def guarded_server(folder: Path, store: Path) -> Iterator[GuardedServer]:
    """Give the session's guarded server, which all workers of a test run share."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "settings.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        file = folder / "registry.yaml"
        if not file.exists():
            settings(folder)
    environ = {"AIMS_GATE_REGISTRY": str(file)}
    with shared_server(folder, store=store, stores=PLUGS, environ=environ, workers=2) as server:
        yield GuardedServer(server=server, folder=folder)
