"""A judged model with its evidence to another MLflow server: a run of the gate's, and a version.

The order is that of `mlflow.publish`: files, the run's end, the version, its tags, and the tag that
points at the evidence last. Doing it again finds what an earlier attempt left and completes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aims_gate import canonical
from aims_gate.errors import GateError, RecordError
from aims_gate.registry.choose import for_artifacts, open_registry
from aims_gate.registry.contract import Registry
from aims_gate.registry.entities import RunRecord
from aims_gate.sinks.mlflow import TAG_MODEL, TAG_STAGE, TAG_VERDICT
from aims_gate.sources.mlflow.evidence import (
    EVIDENCE,
    EXPERIMENT,
    FOLDER,
    POLICY,
    SUMMARY,
    TAG_EVALUATION,
    TAG_POLICY,
    VERDICT,
    tag,
)

MODEL = "model"
"""Where the model's files lie among the run's artifacts."""
LAST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is carried: files that were verified, and what their evidence says."""

    name: str
    """The registered model that it becomes a version of."""
    evaluation: str
    model: Path
    evidence: Path
    digest: str
    """SHA-256 of the model's manifest."""
    stage: str
    decision: str
    policy: str
    """Id, version and digest, as tags say it."""


def carry(load: Load, environ: Mapping[str, str], *, at: datetime, allow: Iterable[str]) -> str:
    """Store a model and its evidence on another server; gives the number of the version there.

    Raises:
        RecordError: The server did not take everything; the evidence tag is then not set.
    """
    try:
        registry = open_registry(environ, allow)
        run = _run(registry, load, at)
        writer = for_artifacts(registry, run.artifact_uri, environ)
        for folder, source in ((MODEL, load.model), (f"{FOLDER}/{load.evaluation}", load.evidence)):
            for file in _files(source):
                path = f"{folder}/{file.relative_to(source).as_posix()}"
                writer.upload(run.artifact_uri, path, file)
        registry.finish_run(run.run_id, at=at)
        version = _version(registry, load, run)
        place = f"runs:/{run.run_id}/{FOLDER}/{load.evaluation}"
        pointer = f"sha256:{canonical.sha256_file(load.evidence / SUMMARY)} {place}"
        said = {VERDICT: load.decision, POLICY: load.policy, EVIDENCE: pointer}
        for what, value in said.items():
            registry.set_version_tag(load.name, version, tag(load.stage, what), value)
    except RecordError:
        raise
    except GateError as error:
        what = f"the copy is not complete: {error.what}"
        hint = f"run it again, which completes it; {error.hint}".rstrip("; ")
        raise RecordError(what, where=error.where, hint=hint) from error
    return version


def _run(registry: Registry, load: Load, at: datetime) -> RunRecord:
    experiment = registry.experiment(EXPERIMENT)
    tags = {
        TAG_EVALUATION: load.evaluation,
        TAG_MODEL: f"sha256:{load.digest}",
        TAG_VERDICT: load.decision,
        TAG_POLICY: load.policy,
        TAG_STAGE: load.stage,
    }
    found = registry.find_runs(experiment, TAG_EVALUATION, load.evaluation)
    title = f"{load.name} {load.stage} copied"
    return found[0] if found else registry.create_run(experiment, name=title, started=at, tags=tags)


def _version(registry: Registry, load: Load, run: RunRecord) -> str:
    """Find the version that an earlier attempt registered, or register one."""
    for one in registry.versions(load.name, last=LAST):
        if one.run_id == run.run_id:
            return one.version
    source = f"{run.artifact_uri.rstrip('/')}/{MODEL}"
    return registry.create_version(load.name, source, run.run_id).version


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())
