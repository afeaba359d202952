"""Which implementation reads a registry: decided by its URI and the environment only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from aims_gate.errors import SourceError, UsageError
from aims_gate.sources.mlflow.client import ClientRegistry
from aims_gate.sources.mlflow.registry import Registry
from aims_gate.sources.mlflow.rest import RestRegistry
from aims_gate.sources.mlflow.uris import bare, local_store

FOLDERS = "AIMS_GATE_ARTIFACT_FOLDERS"
"""Names folders that this machine shares with an MLflow server which does not hand them out. Only
whoever runs the gate can say so: otherwise a server could have it read any file."""
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
        SourceError: A local store is not there. MLflow would make an empty one by being asked.
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
    for named in (uri, registry_uri):
        place = local_store(named)
        if place is not None and not place.exists():
            hint = "a relative path counts from the current folder: go there, or write it in full"
            raise SourceError("there is no such MLflow store", where=str(place), hint=hint)
    return ClientRegistry(uri, registry_uri, folders=shared_folders(environ))


def for_artifacts(registry: Registry, uri: str, environ: Mapping[str, str]) -> Registry:
    """Give *registry*, or MLflow's client where the server does not hand out *uri* itself.

    Raises:
        SourceError: Neither may read it, such as a local folder that a server names.
    """
    if registry.reads(uri):
        return registry
    if registry.name != "client":
        tracking = environ.get("MLFLOW_TRACKING_URI", "").strip()
        client = ClientRegistry(
            tracking,
            environ.get("MLFLOW_REGISTRY_URI", "").strip(),
            folders=shared_folders(environ),
        )
        if client.reads(uri):
            return client
    raise SourceError(
        f"artifacts may not be read from {bare(uri)!a}",
        where=registry.server,
        hint="let the server hand them out (mlflow server --artifacts-destination …), keep them in "
        f"an object store, or name the folder that this machine shares with it in {FOLDERS}",
    )


def shared_folders(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Give the folders of this machine that an MLflow server may name as places of artifacts.

    Raises:
        UsageError: One is relative, or the root of everything.
    """
    named = [name for name in environ.get(FOLDERS, "").split(os.pathsep) if name.strip()]
    folders = tuple(Path(name.strip()) for name in named)
    for folder in folders:
        if not folder.is_absolute() or len(folder.resolve().parts) < 2:
            hint = f"name absolute folders, with {os.pathsep!r} between them"
            raise UsageError(f"{FOLDERS}: {str(folder)!r} is no shared folder", hint=hint)
    return folders


def _needs_client(uri: str, registry_uri: str, environ: Mapping[str, str]) -> bool:
    if registry_uri and registry_uri != uri:
        return True
    return any(environ.get(name, "").lower() not in {"", "false", "0"} for name in CLIENT_ONLY)
