"""Models that a run says it logged, and which of them is judged."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from aims_gate.errors import SourceError
from aims_gate.registry.choose import for_artifacts
from aims_gate.registry.contract import Registry
from aims_gate.registry.entities import RunRecord
from aims_gate.sources.bound import Owner
from aims_gate.sources.mlflow.resolve import Resolved
from aims_gate.sources.mlmodel import NAME, MLmodel, read_mlmodel
from aims_gate.sources.subject import Workspace

HISTORY = "mlflow.log-model.history"
"""The tag in which clients of MLflow 2 list the models of a run."""
_MOST = 4 * 2**20
"""Bytes of an MLmodel file."""


def owner_of(place: Resolved, described: MLmodel | None) -> Owner:
    """The model whose predictions the data of its run should hold.

    The registry's id counts where there is one; `model_uuid` of the MLmodel file is its author's.
    """
    uuid = described.model_uuid if described else ""
    return Owner(
        model=place.model_id or uuid,
        run_id=place.run.run_id if place.run else "",
        made=made_by(place.run) if place.run else (),
    )


def made_by(run: RunRecord) -> tuple[str, ...]:
    """Ids of the models that a run says it logged."""
    return run.models or ids_of(run.tags.get(HISTORY, ""))


def ids_of(history: str) -> tuple[str, ...]:
    """Read the ids in a run's history of models; none of what is not MLflow's."""
    try:
        entries = json.loads(history or "[]")
    except (ValueError, RecursionError):
        return ()
    listed = [
        one.get("model_uuid")
        for one in (entries if isinstance(entries, list) else ())
        if isinstance(one, dict)
    ]
    return tuple(dict.fromkeys(uuid for uuid in listed if isinstance(uuid, str) and uuid))


def describe(place: Resolved, registry: Registry, workspace: Workspace) -> MLmodel | None:
    """Read a model's MLmodel file alone; None where that cannot be done."""
    folder = Path(tempfile.mkdtemp(dir=workspace.folder, prefix="described-"))
    try:
        reader = for_artifacts(registry, place.artifact_uri, workspace.environ)
        reader.download(place.artifact_uri, NAME, folder / NAME, limit=_MOST)
        return read_mlmodel(folder)
    except SourceError:
        return None
