"""The files of a model in MLflow: a URI is resolved once, and they are copied and hashed.

NumPy's libraries are not needed for that, so a deployment verifies without them.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from aims_gate.attest.manifest import scan
from aims_gate.facts import ModelIdentity
from aims_gate.registry.choose import for_artifacts, open_registry
from aims_gate.registry.contract import LOCAL, Registry
from aims_gate.registry.uris import resource_uri
from aims_gate.sources.mlflow.fetch import fetch_tree
from aims_gate.sources.mlflow.resolve import Resolved, resolve
from aims_gate.sources.subject import Fetched, Workspace


def fetch(uri: str, workspace: Workspace) -> Fetched:
    """Resolve *uri* once, copy the model's files into the private folder and hash them."""
    registry = open_registry(workspace.environ, workspace.allow)
    return fetch_resolved(uri, registry, resolved_in(uri, registry, workspace), workspace)


def resolved_in(uri: str, registry: Registry, workspace: Workspace) -> Resolved:
    """Resolve a model URI, with the experiment in which a commit's run is looked for."""
    return resolve(uri, registry, workspace.environ, experiment=workspace.experiment)


def fetch_resolved(
    uri: str, registry: Registry, resolved: Resolved, workspace: Workspace
) -> Fetched:
    """Copy the files of a model that is resolved, and hash them."""
    reader = for_artifacts(registry, resolved.artifact_uri, workspace.environ)
    folder = private(workspace, "model")
    files, size = workspace.max_files, workspace.max_bytes
    noted = uri.startswith("models:") and reader.server == LOCAL
    fetch_tree(reader, resolved.artifact_uri, folder, max_files=files, max_bytes=size, noted=noted)
    manifest = scan(folder, max_files=files, max_bytes=size)
    run_id = resolved.run.run_id if resolved.run else ""
    model = ModelIdentity(
        uri=uri,
        name=resolved.name,
        registered=resolved.name if resolved.version else "",
        version=resolved.version,
        resource_uri=resource_uri(
            resolved.name, resolved.version or resolved.model_id or run_id, registry.server
        ),
        digest=manifest.digest,
        files=manifest.files,
        bytes=manifest.bytes,
        model_id=resolved.model_id,
        run_id=run_id,
        resolved_uri=resolved.resolved_uri,
        reader=reader.name,
    )
    return Fetched(model=model, manifest=manifest, folder=folder)


def private(workspace: Workspace, purpose: str) -> Path:
    """Create a new folder in the workspace that only this user can read."""
    return Path(tempfile.mkdtemp(dir=workspace.folder, prefix=f"{purpose}-"))
