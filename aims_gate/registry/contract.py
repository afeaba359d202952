"""Registry interface: the part of MLflow's model registry and tracking that a gate needs.

Three implementations are held to it by `tests/conformance/test_registry.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from aims_gate.errors import SourceError
from aims_gate.registry.entities import (
    Artifact,
    LoggedModel,
    MetricPoint,
    RunRecord,
    Trace,
    Version,
)
from aims_gate.registry.roots import Roots

MAX_TRACES = 100_000
"""Traces that are read for one search."""
PAGE_OF_TRACES = 200
"""Traces of one answer, which carries their requests, responses and rationales, too."""
LOCAL = "mlflow-local"
"""The server's name where there is none: a sqlite or file store."""


class NotFoundError(SourceError):
    """MLflow answered, and has no such thing."""


def all_of(found: Iterable[Trace], server: str) -> tuple[Trace, ...]:
    """All traces of a listing; SourceError if it is too long, or has a trace twice."""
    traces = {}
    for trace in found:
        if trace.trace_id in traces:
            hint = "traces were written meanwhile: run it again"
            raise SourceError("MLflow lists a trace twice", where=server, hint=hint)
        traces[trace.trace_id] = trace
        if len(traces) > MAX_TRACES:
            raise SourceError(f"there are more than {MAX_TRACES:,} traces", where=server)
    return tuple(traces.values())


class Artifacts(Protocol):
    """Reads and writes files below artifact URIs.

    Every method raises SourceError if MLflow cannot be reached, refuses, or answers with something
    that cannot be understood, and NotFoundError if it has no such thing.
    """

    @property
    def name(self) -> str:
        """`rest`, `client` or `served`, as in evidence."""
        ...

    @property
    def server(self) -> str:
        """The server's URI without user, password and query; `mlflow-local` where there is none."""
        ...

    @property
    def roots(self) -> Roots:
        """Where artifacts may lie beside the server."""
        ...

    def reads(self, uri: str) -> bool:
        """Tell whether artifacts at this artifact URI can be, and may be, read."""
        ...

    def list_artifacts(self, uri: str, path: str = "") -> tuple[Artifact, ...]:
        """List one folder below an artifact URI; nothing if it is not there or is a file."""
        ...

    def download(self, uri: str, path: str, target: Path, *, limit: int) -> int:
        """Write one file below an artifact URI to *target*, which must not exist.

        Returns:
            Its size in bytes. SourceError if it has more than *limit*.
        """
        ...

    def upload(self, uri: str, path: str, file: Path) -> None:
        """Store a file below an artifact URI."""
        ...


class Registry(Artifacts, Protocol):
    """Reads models and runs; writes aliases, versions and their tags, and the gate's own run.

    Every method raises as those of `Artifacts` do. A write that failed with SourceError may have
    been done, where the line was cut or the time was up: only reading tells.
    """

    def model_names(self) -> tuple[str, ...]:
        """Names of all registered models."""
        ...

    def get_version(self, name: str, version: str) -> Version:
        """A version of a registered model."""
        ...

    def download_uri(self, name: str, version: str) -> str:
        """Artifact URI from which MLflow's clients download a version, as it was registered.

        Where its source names another version, that one may have been made anew since.
        """
        ...

    def get_alias(self, name: str, alias: str) -> Version:
        """The model version that an alias points at now.

        MLflow refuses an alias that is not there as it does much else; `aliases` tells which are.
        """
        ...

    def aliases(self, name: str) -> Mapping[str, str]:
        """Aliases of a registered model, each with the version that it points at now."""
        ...

    def versions(self, name: str, *, last: int) -> tuple[Version, ...]:
        """The newest *last* versions of a registered model, newest first; empty if unknown."""
        ...

    def logged_model(self, model_id: str) -> LoggedModel:
        """A logged model (MLflow 3)."""
        ...

    def run(self, run_id: str) -> RunRecord:
        """A run by its id."""
        ...

    def runs_of_commit(self, commit: str, experiment: str = "") -> tuple[RunRecord, ...]:
        """Runs with the tag of a git commit, of any status.

        Those of one *experiment*, which must be there, or of all; deleted ones are left out.
        """
        ...

    def runs(self, experiment: str, *, last: int) -> tuple[RunRecord, ...]:
        """The newest *last* runs of an experiment, by its name; deleted ones are left out."""
        ...

    def metric_history(self, run_id: str, key: str) -> tuple[MetricPoint, ...]:
        """Metric history: every logged point of a metric; values may be NaN or infinite."""
        ...

    def traces(self, experiments: Sequence[str], wanted: str) -> tuple[Trace, ...]:
        """Traces of experiments, given by id, that MLflow's filter *wanted* finds.

        SourceError for more than `MAX_TRACES`, never a part of them.
        """
        ...

    def experiment(self, name: str) -> str:
        """Id of an experiment by its name; it is created if it does not exist."""
        ...

    def find_runs(self, experiment: str, tag: str, value: str) -> tuple[RunRecord, ...]:
        """Runs of an experiment with this tag, newest first."""
        ...

    def create_run(
        self, experiment: str, *, name: str, started: datetime, tags: Mapping[str, str]
    ) -> RunRecord:
        """Create a run, which is then RUNNING."""
        ...

    def link_model(self, run_id: str, model_id: str) -> None:
        """State that a run used a logged model."""
        ...

    def log_metrics(self, run_id: str, values: Mapping[str, float], *, at: datetime) -> None:
        """Log finite numbers, all at one time and at step 0."""
        ...

    def finish_run(self, run_id: str, *, at: datetime) -> None:
        """Mark a run as FINISHED."""
        ...

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Point an alias at a version, wherever it points now: MLflow has no compare-and-swap."""
        ...

    def delete_alias(self, name: str, alias: str) -> None:
        """Delete an alias of a registered model, which may not have it."""
        ...

    def set_version_tag(self, name: str, version: str, key: str, value: str) -> None:
        """Set a tag on a version of a registered model."""
        ...

    def delete_version_tag(self, name: str, version: str, key: str) -> None:
        """Delete a tag of a version of a registered model, which may not have it."""
        ...

    def create_version(self, name: str, source: str, run_id: str = "") -> Version:
        """Register what lies at *source* as a new version of a model, made if it is not there.

        No tag goes with it, such as one that points at evidence. Where the version is refused, the
        model stays, empty. UsageError for a name that no model URI could hold.

        Args:
            name: The registered model.
            source: `models:/NAME/VERSION` of the same registry for a copy, or an artifact URI.
            run_id: The run that made it.
        """
        ...
