"""The subject under test: a model's files, its run, and its data by role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from aims_gate.attest.manifest import MAX_BYTES, MAX_FILES, Manifest
from aims_gate.errors import DataError, GateError
from aims_gate.facts import Approval, DatasetIdentity, Isolation, ModelIdentity, ModelPython
from aims_gate.governance.contract import Records
from aims_gate.policy.model import DataSpec, Role

if TYPE_CHECKING:  # evidence is fetched where neither NumPy nor pyarrow is installed
    import pyarrow as pa

    from aims_gate.frames import Frame
    from aims_gate.frames.engine_connections import Connected
    from aims_gate.registry.entities import MetricPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """What a source may use: a private folder, limits, and a way to tell how far it is."""

    folder: Path
    """A fresh folder that only this user can read."""
    max_files: int = MAX_FILES
    max_bytes: int = MAX_BYTES
    progress: Callable[[str], None] = lambda _text: None
    alias: str = ""
    """Whose model is compared with: `ALIAS` of the candidate's name, or `NAME@ALIAS`."""
    experiment: str = ""
    """Where `commit:` looks for its run; empty for all experiments."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """The process's environment: MLflow's own variables are read from here."""
    engines: dict[str, Connected] = field(default_factory=dict, repr=False)
    """Those that were reached for this run, by the names of their connections."""
    allow: tuple[str, ...] = ()
    """Where artifacts may lie, as `sources.allow` of a trust file says; a policy has its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A file or folder that was found for a role."""

    path: Path
    """Local: private, or one whose owner may choose its bytes."""
    uri: str
    """What it is called in evidence; user names, passwords and queries are taken out."""
    created: datetime | None = None
    """When it was logged or stored, with a time zone, where that is known."""
    mlflow_digest: str = ""
    version: int | None = None
    """Which version of a Delta table the run says that it used; None for the newest."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """What a scorer said of the traces of one evaluation."""

    table: pa.Table
    roles: DataSpec
    """What its columns mean, where the policy says nothing else."""
    uri: str
    claim: str
    """Whose word it is."""
    notes: tuple[str, ...] = ()
    model_id: str = ""
    """The logged model that answered, as the traces say."""
    created: datetime | None = None
    """When the evaluation ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A model's files in a private folder, and what they hash to."""

    model: ModelIdentity
    manifest: Manifest
    folder: Path
    """Only this user can read it, and nothing else writes there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What MLflow says of the training run."""

    run_id: str
    status: str
    """`FINISHED`, `RUNNING`, `FAILED`, `SCHEDULED` or `KILLED`."""
    started: datetime | None = None
    ended: datetime | None = None
    user: str = ""
    commit: str = ""
    """`mlflow.source.git.commit`; a claim of the author."""
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[MetricPoint, ...] = ()
    """Every logged point of every metric, not the last only."""
    models: tuple[str, ...] = ()
    """Ids of the logged models that it made: with several, its metrics may be about any."""
    deleted: bool = False
    """Whether it lies in MLflow's trash, which `mlflow gc` empties, artifacts included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Data that lent a role some of their columns."""

    identity: DatasetIdentity
    columns: tuple[str, ...]
    """What they lent."""
    read_twice: Callable[[], str]
    """Hash the bytes again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """A role's frame, what its columns mean, and which bytes it came from."""

    role: Role
    frame: Frame
    spec: DataSpec
    """The policy's description, completed by the column roles that were logged with the data."""
    identity: DatasetIdentity
    created: datetime | None = None
    """When the data were logged or stored, where MLflow or the store says so."""
    newest: datetime | None = None
    """The latest value of the `time` column, where there is one and it has any."""
    joined: tuple[Joined, ...] = ()
    answers: tuple[DatasetIdentity, ...] = ()
    """The tables with the model's predictions, each with the model that it names as author."""
    read_twice: Callable[[], str] | None = None
    """Hash the bytes again; None for frames in memory."""
    is_part: bool = False
    """Whether the frame is a part of data that were checked as a whole: it may lack a class."""
    from_run: frozenset[str] = frozenset()
    """The roles, such as `label` or `sensitive`, that the run's author stated and no policy did."""
    declared: frozenset[str] = frozenset()
    """Columns that the policy itself names: for this role, or in the rule that looks at it."""
    failed: Mapping[str, DataError] = field(default_factory=dict)
    """Roles, such as `prediction`, that could not be made: rules that need one are ERROR."""
    claim: str = ""
    """The scorer, if the predictions are a scorer's claim: every result says so."""
    unnamed: dict[str, str] = field(default_factory=dict)
    """The values behind names that evidence only counts; they stay in memory."""


def unanswered(data: Data, error: GateError) -> Data:
    """Data without predictions, and with the reason, for rules that need none."""
    reason = DataError(error.what, where=error.where, hint=error.hint)
    spec = replace(data.spec, prediction=None, score=None)
    failed = {**data.failed, "prediction": reason, "score": reason}
    return replace(data, spec=spec, failed=failed)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChampionModel:
    """What an alias of the registry points at, as far as the registry can tell."""

    alias: str
    """`NAME@ALIAS`."""
    uri: str = ""
    """`models:/NAME/VERSION`; empty where the registered model has no such alias."""
    is_candidate: bool = False
    """Whether it is the very model that is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """What the aliases and stages of a registered model name now."""

    name: str
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Each with its version."""
    stages: Mapping[str, str] = field(default_factory=dict)
    """MLflow's own stages, such as `Production`, each with a version."""
    newest: str = ""
    """Empty where there is no version."""
    problem: str = ""
    """Why it cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastEvaluation:
    """A published evaluation of some version of a registered model."""

    where: str
    policy: str = ""
    """The policy's id."""
    version: str = ""
    decided: bool = False
    """Whether it was passed or refused: one that is undecided measured too little."""
    when: datetime | None = None
    problem: str = ""
    """Why it does not count, such as a signature that nobody trusts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The model's own declaration of its columns: (name, MLflow type, required)."""

    inputs: tuple[tuple[str, str, bool], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A model with everything that the gate may look at."""

    model: ModelIdentity
    manifest: Manifest
    folder: Path
    """The private copy of the model's files."""
    data: Mapping[Role, Data] = field(default_factory=dict)
    unread: Mapping[Role, DataError] = field(default_factory=dict)
    """Roles whose data were named but could not be used: rules that need them are ERROR."""
    run: RunFacts | None = None
    logged: tuple[MetricPoint, ...] = ()
    """Every point that any run logged for this very model (MLflow 3), where NaN may stand as 0."""
    find_run: Callable[[str, str], RunFacts] | None = None
    """Ask about another run, with the points of one metric; SourceError if there is none."""
    find_model: Callable[[str], tuple[MetricPoint, ...]] | None = None
    """Ask what was logged for another model; SourceError if there is none."""
    champion: ChampionModel | None = None
    """None if no alias was named, or no registry could be reached; its data have a role."""
    signature: Signature | None = None
    flavors: tuple[str, ...] = ()
    isolation: Mapping[Role, Isolation] = field(default_factory=dict)
    """What kept the model's code apart, for each role whose data the policy had it predict; a role
    for which that failed stands here too."""
    models: Callable[[], tuple[ServedModel, ...]] | None = None
    """List every model of the registry; None where there is none. SourceError if it is away."""
    evaluations: Callable[[str], tuple[PastEvaluation, ...]] | None = None
    """List the evaluations of this registered model by policies whose id fits a pattern; None
    where no registry keeps them. SourceError if it is away."""
    approvals: tuple[Approval, ...] = ()
    """What people signed about this model."""
    records: Records | None = None
    """Records of the AI management system; None where neither of their folders is there."""
    pythons: Mapping[Role, ModelPython] = field(default_factory=dict)
    """What the model's code ran in, for each role that the process of a model predicted."""
