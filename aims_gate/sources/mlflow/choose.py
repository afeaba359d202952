"""Which implementation reads a registry: decided by its URI and the environment only."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from aims_gate.errors import SourceError, UsageError
from aims_gate.sources.mlflow.client import ClientRegistry
from aims_gate.sources.mlflow.registry import Registry
from aims_gate.sources.mlflow.rest import RestRegistry
from aims_gate.sources.mlflow.uris import bare

CLIENT_ONLY = (
    "MLFLOW_TRACKING_AUTH",
    "MLFLOW_TRACKING_AWS_SIGV4",
    "MLFLOW_TRACKING_CLIENT_CERT_PATH",
    "MLFLOW_ENABLE_WORKSPACES",
    "MLFLOW_WORKSPACE",
)
"""Variables of set-ups that only MLflow's own client knows how to speak to."""


def open_registry(environ: Mapping[str, str]) -> Registry:
    """Open the registry that MLflow's variables name.

    Raises:
        UsageError: `MLFLOW_TRACKING_URI` is not set: MLflow would then make an empty store in the
            working directory, and a gate must not guess.
        MissingExtraError: `MlflowClient` is needed and MLflow is not installed.
    """
    uri = environ.get("MLFLOW_TRACKING_URI", "").strip()
    if not uri:
        raise UsageError(
            "MLFLOW_TRACKING_URI is not set",
            hint="set it to the MLflow server, such as https://mlflow.example.com, or to a store, "
            "such as sqlite:///mlflow.db",
        )
    registry_uri = environ.get("MLFLOW_REGISTRY_URI", "").strip()
    if urlsplit(uri).scheme in {"http", "https"} and not _needs_client(uri, registry_uri, environ):
        return RestRegistry(uri, environ)
    return ClientRegistry(uri, registry_uri)


def for_artifacts(registry: Registry, uri: str, environ: Mapping[str, str]) -> Registry:
    """Give *registry*, or MLflow's client where the server does not hand out *uri* itself.

    Raises:
        SourceError: Neither may read it, such as a local folder that a server names.
    """
    if registry.reads(uri):
        return registry
    if registry.name != "client":
        tracking = environ.get("MLFLOW_TRACKING_URI", "").strip()
        client = ClientRegistry(tracking, environ.get("MLFLOW_REGISTRY_URI", "").strip())
        if client.reads(uri):
            return client
    raise SourceError(
        f"artifacts may not be read from {bare(uri)!a}",
        where=registry.server,
        hint="let the server hand them out (mlflow server --artifacts-destination …), or keep "
        "them in an object store",
    )


def _needs_client(uri: str, registry_uri: str, environ: Mapping[str, str]) -> bool:
    if registry_uri and registry_uri != uri:
        return True
    return any(environ.get(name, "").lower() not in {"", "false", "0"} for name in CLIENT_ONLY)
