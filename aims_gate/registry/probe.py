"""Diagnose an MLflow set-up without changing anything, for `doctor`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Protocol

from aims_gate.errors import MissingExtraError
from aims_gate.registry.choose import open_registry
from aims_gate.registry.client import ClientRegistry
from aims_gate.registry.contract import NotFoundError, Registry
from aims_gate.registry.http import Connection, RefusedError
from aims_gate.registry.uris import local_store

EXPERIMENT = "aims-gate"
"""Where evidence is published."""
_FORBIDDEN = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_IMPOSSIBLE = "never"
"""A time that no run can start at: a server checks permissions first, then refuses the form."""


class Probe(Protocol):
    """Asks one MLflow store; SourceError if it cannot be reached or refuses."""

    registry: Registry

    def version(self) -> str:
        """MLflow version of the server, or of the client where there is no server."""
        ...

    def artifact_root(self) -> str:
        """Artifact URI of an experiment; empty if there is none."""
        ...

    def registered(self) -> bool:
        """Ask the model registry, and tell whether it holds any model."""
        ...

    def may_write(self) -> bool | None:
        """Tell whether evidence could be published, without writing; None if that is unknown."""
        ...


def open_probe(environ: Mapping[str, str], allow: Iterable[str] = ()) -> Probe:
    """Open the store that MLflow's variables name; arguments and errors as `open_registry`."""
    uri = environ.get("MLFLOW_TRACKING_URI", "").strip()
    registry = open_registry(environ, allow)
    if isinstance(registry, ClientRegistry):
        return _ClientProbe(registry, uri, environ.get("MLFLOW_REGISTRY_URI", "").strip())
    return _RestProbe(registry, Connection(uri, environ))


class _RestProbe:
    def __init__(self, registry: Registry, connection: Connection) -> None:
        self.registry = registry
        self._connection = connection

    def version(self) -> str:
        return self._connection.version()

    def artifact_root(self) -> str:
        answer = self._connection.json("POST", "mlflow/experiments/search", body={"max_results": 1})
        found = answer.get("experiments") or [{}]
        return str(found[0].get("artifact_location", ""))

    def registered(self) -> bool:
        answer = self._connection.json(
            "GET", "mlflow/registered-models/search", params={"max_results": "1"}
        )
        return bool(answer.get("registered_models"))

    def may_write(self) -> bool | None:
        """Ask for something that cannot be made: a refusal of the form means it is permitted."""
        path, body = self._impossible()
        try:
            self._connection.json("POST", path, body=body, read=False)
        except RefusedError as error:
            if error.status in _FORBIDDEN:
                return False
            return True if error.status == HTTPStatus.BAD_REQUEST else None
        return None

    def _impossible(self) -> tuple[str, dict[str, Any]]:
        """A malformed call that no server accepts, to learn whether it is permitted."""
        try:
            answer = self._connection.json(
                "GET", "mlflow/experiments/get-by-name", params={"experiment_name": EXPERIMENT}
            )
        except NotFoundError:
            return "mlflow/experiments/create", {"name": ""}
        experiment = answer.get("experiment", {}).get("experiment_id", "0")
        return "mlflow/runs/create", {"experiment_id": experiment, "start_time": _IMPOSSIBLE}


class _ClientProbe:
    def __init__(self, registry: Registry, uri: str, registry_uri: str) -> None:
        try:
            from mlflow import MlflowClient
        except ImportError:
            raise MissingExtraError.for_library("mlflow", "gate", "reading the store") from None
        self.registry = registry
        self._uri = uri
        self._client = MlflowClient(tracking_uri=uri, registry_uri=registry_uri or None)

    def version(self) -> str:
        import mlflow

        return str(mlflow.__version__)

    def artifact_root(self) -> str:
        found = self._client.search_experiments(max_results=1)
        return str(found[0].artifact_location) if found else ""

    def registered(self) -> bool:
        return bool(self._client.search_registered_models(max_results=1))

    def may_write(self) -> bool | None:
        place = local_store(self._uri)
        if place is None:
            return None
        return os.access(place, os.W_OK) and os.access(place.resolve().parent, os.W_OK)
