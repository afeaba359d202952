"""The policy as values: what `read` and `resolve` produce and every later stage consumes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from aims_gate.facts import Ancestor

STAGES = ("dev", "staging", "production")
"""The default order of stages; the last is the strictest."""
ENGINES = ("native", "reference", "both")
"""Who computes values, by the name of its module in `engines/`; from the one that refuses least to
the one that refuses most."""


class Severity(StrEnum):
    """Whether a rule can refuse a stage; it never changes an outcome."""

    INFO = "info"
    WARN = "warn"
    BLOCK = "block"


class DecideOn(StrEnum):
    """Burden of proof, from the most lenient to the strictest."""

    PROVEN_BREACH = "proven_breach"
    ESTIMATE = "estimate"
    PROVEN_PASS = "proven_pass"


class OnInsufficient(StrEnum):
    """What too little data does to a blocking rule."""

    WARN = "warn"
    BLOCK = "block"


class Role(StrEnum):
    """What a data set is for."""

    EVALUATION = "evaluation"
    REFERENCE = "reference"
    CURRENT = "current"
    CHAMPION = "champion"
    """What another model answers on the evaluation data."""
    PERTURBED = "perturbed"
    """What the model answers where its evaluation data were disturbed."""


class TaskKind(StrEnum):
    """What the model predicts."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"
    RANKING = "ranking"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Source location: a file and a line."""

    file: str
    line: int

    def __str__(self) -> str:
        """The location as `file:line`."""
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """The threshold of a value; a value exactly on a limit meets it.

    One of `at_least`, `at_most` or both (between). The `warn_*` value is the line past which an
    effect is noticeable; without one it is half way between neutral and the limit.
    """

    at_least: float | None = None
    at_most: float | None = None
    warn_below: float | None = None
    warn_above: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliesTo:
    """Glob patterns of model names, and stages; empty means all."""

    models: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    place: Place = Place(file="", line=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinSpec:
    """Columns kept elsewhere: one row there for each row here, found by a key."""

    source: str
    on: str
    """The key, a column of both."""
    columns: tuple[str, ...] = ()
    """What is taken; empty for every column but the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSpec:
    """Where a role's data come from and what its columns mean."""

    source: str | None = None
    table: str | None = None
    """A table of the engine that holds it, in place of a source: `catalog.schema.name`."""
    connection: str | None = None
    """Under which name the operator of the gate wrote down how that engine is reached."""
    label: str | None = None
    prediction: str | None = None
    predictions: str | None = None
    """`model`: the model itself is run to predict, in place of a column."""
    environment: str | None = None
    """Where it is run: `model`, packages that its own files name; else what the gate runs in."""
    score: str | Mapping[str, str] | None = None
    """A column of scores, or one column per class."""
    threshold: float | None = None
    """The score from which a row counts as predicted positive, where there is no prediction; if
    left out, 0.5 of scores in [0, 1]."""
    positive: str | int | float | bool | None = None
    task: TaskKind | None = None
    key: str | None = None
    query: str | None = None
    """What the rows of one ranking have in common, such as a search."""
    weight: str | None = None
    time: str | None = None
    sensitive: Mapping[str, tuple[float, ...] | None] = field(default_factory=dict)
    """Protected attributes, each with its bin edges or None."""
    types: Mapping[str, str] = field(default_factory=dict)
    """What columns hold: `number`, `boolean`, `text` or `time`."""
    nulls: tuple[str, ...] | None = None
    """Words that are null in CSV where they stand without quotes; None for the usual ones."""
    join: tuple[JoinSpec, ...] = ()
    window_days: float | None = None
    """Rows are kept whose `time` is less than so many days before the newest."""
    snapshot: int | None = None
    """The version of a Delta table that is read; None for the newest."""
    sha256: str | None = None
    min_rows: int | None = None
    max_age_days: float | None = None
    max_null_labels: float = 0.0
    place: Place = Place(file="", line=0)

    def columns(self) -> Iterator[tuple[str, str]]:
        """Columns that the spec names, as (key, column); columns of joins are not among them."""
        for name in ("label", "prediction", "key", "query", "weight", "time"):
            column = getattr(self, name)
            if column is not None:
                yield name, column
        if isinstance(self.score, str):
            yield "score", self.score
        elif self.score is not None:
            yield from ((f"score.{name}", column) for name, column in self.score.items())
        yield from (("sensitive", column) for column in self.sensitive)
        yield from (("types", column) for column in self.types)


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Accepted technical debt: until *expires* (exclusive) this value passes, as a warning."""

    value: float
    """On the failing side of the limit; it takes the limit's place."""
    owner: str
    """Who pays it back."""
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One requirement: a check, its parameters, and the threshold of its value."""

    id: str
    check: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """The `with:` of the policy, as written; its check turns it into typed fields."""
    title: str = ""
    on: Role | None = None
    require: Threshold | None = None
    decide_on: DecideOn | None = None
    severity: Severity = Severity.BLOCK
    serious: float | None = None
    effective_from: datetime | None = None
    baseline: Baseline | None = None
    applies_to: AppliesTo | None = None
    max_age_days: float | None = None
    grace_days: float = 0.0
    controls: tuple[str, ...] = ()
    why: str = ""
    approved_by: str = ""
    on_insufficient: OnInsufficient | None = None
    engine: str | None = None
    overridable: tuple[str, ...] = ()
    place: Place = Place(file="", line=0)
    places: Mapping[str, Place] = field(default_factory=dict)
    """Places of the rule's keys, such as `check`, `with.metric` or `require.at_least`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenCell:
    """A made-up cell of a policy test."""

    slice: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    rows: int = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTest:
    """A policy's own test: made-up measurements and the outcomes they must lead to."""

    name: str
    given: Mapping[str, tuple[GivenCell, ...]] = field(default_factory=dict)
    """Per rule its cells; no cells means that nothing was measured."""
    at: datetime | None = None
    stage: str | None = None
    expect: Mapping[str, str] = field(default_factory=dict)
    """Rule ids, and `verdict`, to the expected word."""
    place: Place = Place(file="", line=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverTerms:
    """Which exceptions a policy admits; what it leaves out has a default here."""

    max_days: float = 90.0
    """Longest life, from the signature to the end."""
    max_active: int = 3
    """How many may be in force for one model at once; 0 admits none."""
    approvals: int = 1
    """How many persons must approve each."""
    approvers: tuple[str, ...] = ()
    """Persons, or fingerprints of keys; empty for every key that trust lists as approver."""
    not_waivable: tuple[str, ...] = ()
    """Ids of rules."""
    scope: str = "version"
    """`version`: for the very bytes only; `model`: for later versions too, a number of times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """A named person's yes to the limits of a pack, as the organisation's own."""

    pack: str
    """`NAME@VERSION`."""
    by: str
    day: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A resolved policy; `document` is what is written out, hashed and named in evidence."""

    id: str
    version: str
    owner: str = ""
    expires: datetime | None = None
    legal_status: str = ""
    """Of a pack: what its limits are to the law."""
    as_of: datetime | None = None
    source: str = ""
    adopted: tuple[Adoption, ...] = ()
    """Packs whose limits the organisation took for its own."""
    stages: tuple[str, ...] = STAGES
    applies_to: AppliesTo | None = None
    sources_allow: tuple[str, ...] = ()
    records_system: str = ""
    """Folder of the system's records, from that of the policy; empty for `aims`, if it is there."""
    records_org: str = ""
    """The organisation's: a folder, or `git+https:` at a full commit id; empty for `org`."""
    engine: str = "native"
    alpha: float = 0.05
    alpha_scope: str = "rule"
    alpha_families: tuple[tuple[str, ...], ...] = ()
    """Rules that shared alpha before others were added: the blocking ones of each parent."""
    on_insufficient: OnInsufficient | None = None
    data: Mapping[Role, DataSpec] = field(default_factory=dict)
    declare: tuple[str, ...] = ()
    """Keys of `data` that the run's author may not fill in where the policy says nothing."""
    overridable: tuple[str, ...] = ()
    """What a child may change of `data`, such as `data.evaluation.positive`."""
    waivers: WaiverTerms = WaiverTerms()
    rules: tuple[Rule, ...] = ()
    tests: tuple[PolicyTest, ...] = ()
    extends: tuple[Ancestor, ...] = ()
    """All that it was merged from, parents of parents included."""
    uri: str = ""
    """The file's name, or `pack:NAME@VERSION`."""
    source_digest: str = ""
    """SHA-256 of the bytes that were read at `uri`."""
    folder: str = ""
    """The folder of the policy file, inside which `file:` sources may lie; empty for packs."""
    document: bytes = b""
    digest: str = ""
    """SHA-256 of `document`."""
