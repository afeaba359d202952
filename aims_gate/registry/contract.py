"""The registry contract: the little of MLflow that a gate needs, read and written one way.

Two implementations are held to it by `tests/conformance/test_registry.py`: `rest` speaks HTTP to a
server, `client` goes through `MlflowClient`. `choose` says which one a URI gets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from aims_gate.errors import SourceError
from aims_gate.registry.roots import Roots

MAX_TRACES = 100_000
"""Traces that are read for one search."""
PAGE_OF_TRACES = 200
"""Traces of one answer, which carries their requests, responses and rationales, too."""
LOCAL = "mlflow-local"
"""The server's name where there is none: a sqlite or file store."""


class NotFoundError(SourceError):
    """MLflow answered, and has no such thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of a registered model."""

    name: str
    version: str
    source: str
    """`models:/…`, `runs:/…` or an artifact URI; whoever registered it wrote this."""
    run_id: str = ""
    status: str = ""
    """`READY` when its files are complete."""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPoint:
    """One value that a run's author logged: a claim, not a measurement."""

    key: str
    value: float
    timestamp: datetime | None = None
    step: int = 0
    dataset_name: str = ""
    dataset_digest: str = ""
    model_id: str = ""
    """The logged model that it is about, where MLflow says so."""
    run_id: str = ""
    """The run that logged it, where MLflow says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedModel:
    """An MLflow 3 model, `m-…`; servers 2.x have none."""

    model_id: str
    name: str
    artifact_uri: str
    run_id: str = ""
    """The run that logged it."""
    status: str = ""
    """`READY`, `PENDING` or `FAILED`."""
    metrics: tuple[MetricPoint, ...] = ()
    """Every point that any run logged for it; SQL stores give NaN back as 0 here."""
    experiment: str = ""
    """The id of its experiment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInput:
    """A data set that a run says it used: a claim, whose source is read only where allowed."""

    name: str
    digest: str
    """MLflow's own, over 10,000 rows at most."""
    context: str = ""
    source: str = ""
    """JSON such as `{"uri": "s3://…"}`, as whoever logged it wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run, without its metric points."""

    run_id: str
    status: str
    artifact_uri: str
    started: datetime | None = None
    ended: datetime | None = None
    user: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    """The latest value by key: MLflow overwrites it, so it tells which keys there are."""
    models: tuple[str, ...] = ()
    """Ids of the logged models that the run says it made."""
    datasets: tuple[DatasetInput, ...] = ()
    deleted: bool = False
    """Whether it lies in MLflow's trash, alone or with its experiment."""
    experiment: str = ""
    """The id of its experiment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What a scorer said of one trace, without its rationale."""

    name: str
    value: object = None
    """As JSON has it; None where the scorer failed."""
    key: str = ""
    """The id of this assessment."""
    overrides: str = ""
    """The id of the assessment that it takes the place of."""
    valid: bool = True
    """Whether nothing has taken its place yet."""
    digest: str = ""
    """`sha256:…` of the scorer's definition, where MLflow could hash it."""
    run_id: str = ""
    """The evaluation that it was given in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One answered request, without what was asked and answered."""

    trace_id: str
    run_id: str = ""
    """The run in which it was answered."""
    model_id: str = ""
    """The logged model that answered, where MLflow says so."""
    tags: Mapping[str, str] = field(default_factory=dict)
    feedback: tuple[Feedback, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file or folder in an artifact store; its name is as hostile as whoever stored it."""

    path: str
    """Relative to the root that was listed."""
    is_dir: bool
    bytes: int | None = None


def all_of(found: Iterable[Trace], server: str) -> tuple[Trace, ...]:
    """Give every trace of a listing; SourceError if it is too long, or names one trace twice."""
    traces = {}
    for trace in found:
        if trace.trace_id in traces:
            hint = "traces were written meanwhile: run it again"
            raise SourceError("MLflow lists a trace twice", where=server, hint=hint)
        traces[trace.trace_id] = trace
        if len(traces) > MAX_TRACES:
            raise SourceError(f"there are more than {MAX_TRACES:,} traces", where=server)
    return tuple(traces.values())


class Registry(Protocol):
    """Reads models, runs and artifacts, and writes the gate's own run and tags.

    Every method raises SourceError if MLflow cannot be reached, refuses, or answers with something
    that cannot be understood, and NotFoundError if it has no such thing.
    """

    @property
    def name(self) -> str:
        """`rest` or `client`, as it stands in evidence."""
        ...

    @property
    def server(self) -> str:
        """The server's URI without user, password and query; `mlflow-local` where there is none."""
        ...

    @property
    def roots(self) -> Roots:
        """Where artifacts may lie beside the server."""
        ...

    def get_version(self, name: str, version: str) -> Version:
        """Give a version of a registered model."""
        ...

    def get_alias(self, name: str, alias: str) -> Version:
        """Give the version that an alias points at now."""
        ...

    def aliases(self, name: str) -> Mapping[str, str]:
        """Give every alias of a registered model with the version that it points at now."""
        ...

    def versions(self, name: str, *, last: int) -> tuple[Version, ...]:
        """Give the newest *last* versions of a registered model, newest first; none if unknown."""
        ...

    def logged_model(self, model_id: str) -> LoggedModel:
        """Give a logged model."""
        ...

    def run(self, run_id: str) -> RunRecord:
        """Give a run."""
        ...

    def runs_of_commit(self, commit: str, experiment: str = "") -> tuple[RunRecord, ...]:
        """Give the runs that say they were made from a git commit, of whatever status.

        Those of one *experiment*, which must be there, or of all; deleted ones are left out.
        """
        ...

    def runs(self, experiment: str, *, last: int) -> tuple[RunRecord, ...]:
        """Give the newest *last* runs of an experiment, by its name; those deleted left out."""
        ...

    def metric_history(self, run_id: str, key: str) -> tuple[MetricPoint, ...]:
        """Give every point that was logged for a metric; values may be NaN or infinite."""
        ...

    def traces(self, experiments: Sequence[str], wanted: str) -> tuple[Trace, ...]:
        """Give all traces of experiments, by id, that MLflow's filter *wanted* finds.

        SourceError for more than `MAX_TRACES`, never a part of them.
        """
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

    def experiment(self, name: str) -> str:
        """Give the id of an experiment, which is made if it is not there."""
        ...

    def find_runs(self, experiment: str, tag: str, value: str) -> tuple[RunRecord, ...]:
        """Give the runs of an experiment with this tag, newest first."""
        ...

    def create_run(
        self, experiment: str, *, name: str, started: datetime, tags: Mapping[str, str]
    ) -> RunRecord:
        """Make a run, which is then RUNNING."""
        ...

    def link_model(self, run_id: str, model_id: str) -> None:
        """State that a run used a logged model."""
        ...

    def upload(self, uri: str, path: str, file: Path) -> None:
        """Store a file below an artifact URI."""
        ...

    def log_metrics(self, run_id: str, values: Mapping[str, float], *, at: datetime) -> None:
        """Log finite numbers, all at one time and at step 0."""
        ...

    def finish_run(self, run_id: str, *, at: datetime) -> None:
        """Mark a run as FINISHED."""
        ...

    def set_version_tag(self, name: str, version: str, key: str, value: str) -> None:
        """Set a tag on a version of a registered model."""
        ...
