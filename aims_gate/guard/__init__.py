"""Admission control inside an MLflow server: what is not proven does not go live.

MLflow loads these functions by its entry points, in every process that imports it: so they import
nothing until a server calls them. They answer to `--registry-store-uri aims-gate+sqlite:///…`, to
`--artifacts-destination aims-gate+file:…`, and to `--app-name aims-gate`, which is both.
"""

from __future__ import annotations

import os
from typing import Any


def store(store_uri: str) -> Any:
    """Registry store of MLflow's with the guard in it (`mlflow.model_registry_store`)."""
    from aims_gate.guard.process import guarded_store

    return guarded_store(store_uri)


def artifacts(
    artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None
) -> Any:
    """Artifact repository of MLflow's with the guard in it (`mlflow.artifact_repository`)."""
    from aims_gate.guard.process import guarded_artifacts

    return guarded_artifacts(artifact_uri, tracking_uri=tracking_uri, registry_uri=registry_uri)


def app() -> Any:
    """MLflow's own application over guarded stores (`mlflow.app`); called once a worker."""
    from aims_gate.guard.process import guarded_app

    return guarded_app()


if os.environ.get("_MLFLOW_SERVER_ARTIFACT_DESTINATION", "").startswith("aims-gate+"):
    # a worker builds none of the above before its first request
    from aims_gate.guard.start import refuse_unsafe

    refuse_unsafe(os.environ)
