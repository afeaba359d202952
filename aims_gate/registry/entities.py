"""MLflow's entities as frozen values: versions, logged models, runs, metrics, traces, artifacts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


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
    stage: str = ""
    """MLflow's own, such as `Production`; empty for none."""


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
    """A file or folder in an artifact store; its name is untrusted."""

    path: str
    """Relative to the root that was listed."""
    is_dir: bool
    bytes: int | None = None
