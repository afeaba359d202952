"""Registry implementation inside an MLflow server, over the stores that the server itself uses.

A server that asked itself over HTTP would wait for its own threads. Nothing is set in the process's
environment, which the threads of a server share.
"""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from aims_gate.documents.store_uris import parse_root
from aims_gate.registry.client import ClientRegistry
from aims_gate.registry.client_artifacts import ClientArtifacts
from aims_gate.registry.entities import Artifact
from aims_gate.registry.roots import Roots, folder, on_server


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """What an MLflow server was started with."""

    tracking: str
    """URI of its backend store."""
    registry: str
    """URI of its registry store."""
    destination: str
    """URI of the artifacts that it proxies; empty if it proxies none."""
    server: str
    """The server's own URI, as its clients write it."""
    root: str = "mlflow-artifacts:"
    """Where new experiments keep their artifacts."""

    def roots(self, given: Roots) -> Roots:
        """Places that may hold artifacts: those that are given, and the server's own."""
        for uri in filter(None, (self.destination, self.root)):
            local = folder(uri)
            if local is not None:
                given = replace(given, folders=(*given.folders, local.resolve()))
            elif on_server(uri, self.server) is None and not uri.startswith("mlflow-artifacts:"):
                given = replace(given, places=(*given.places, parse_root(uri)))
        return given


class ServedRegistry(ClientRegistry):
    """Implements `Registry` for the server that it is a part of."""

    name = "served"

    def __init__(self, stores: Stores, *, roots: Roots) -> None:
        ClientArtifacts.__init__(self, stores.tracking, roots=stores.roots(roots))
        from mlflow import MlflowClient

        self.server = stores.server
        self._stores = stores
        self._client = MlflowClient(tracking_uri=stores.tracking, registry_uri=stores.registry)

    def list_artifacts(self, uri: str, path: str = "") -> tuple[Artifact, ...]:
        """List one folder below an artifact URI; nothing if it is not there or is a file."""
        return super().list_artifacts(self.stored(uri), path)

    def download(self, uri: str, path: str, target: Path, *, limit: int) -> int:
        """Write one file below an artifact URI to *target*."""
        return super().download(self.stored(uri), path, target, limit=limit)

    def upload(self, uri: str, path: str, file: Path) -> None:
        """Store a file below an artifact URI."""
        super().upload(self.stored(uri), path, file)

    def stored(self, uri: str) -> str:
        """Where the server itself keeps what lies at an artifact URI."""
        destination = self._stores.destination.rstrip("/")
        path = on_server(uri, self.server) if destination else None
        return uri if path is None else f"{destination}/{path}"

    def _artifact_location(self) -> str:
        return f"{self._stores.root.rstrip('/')}/{uuid.uuid4().hex}"

    def _settings(self) -> AbstractContextManager[None]:
        return nullcontext()
