"""Measured statistics and identities (model, data, policy): plain values that all code may read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from aims_gate.bracket import Bracket


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A confidence interval; `low` or `high` may be infinite (a ratio over a rate of zero).

    *level* is the simultaneous two-sided coverage over all cells of a rule, in (0, 1). Where a
    method gives one-sided bounds at 95 %, both together are a two-sided interval of level 0.90.
    """

    low: float
    high: float
    level: float
    method: str


class NoValue(StrEnum):
    """Why a cell has no value to compare with a threshold."""

    MISSING = "missing"
    """The thing to measure is not there: no column, no rows, no run."""
    INSUFFICIENT = "insufficient"
    """It is there, but there is too little of it to say anything."""
    UNDEFINED = "undefined"
    """It is there and cannot be computed: 0/0, NaN, nulls in a label."""
    NOT_APPLICABLE = "not_applicable"
    """There is nothing to measure, and the policy says why that is in order."""


POWER = 0.80
"""Power for which the rows to collect are computed."""


class PowerDesign(Protocol):
    """The sizes behind a value, from which follows what more rows would show."""

    @property
    def rows(self) -> int:
        """How many rows of *what* there are."""
        ...

    @property
    def what(self) -> str:
        """Which rows to collect more of: `rows of the data`, `current rows`."""
        ...

    def chance(self, factor: float, *, serious: float) -> float:
        """Power: the probability that a *serious* effect is excluded where there is none.

        At *factor* times the rows, 1 or more, by the bounds of the cells alone; in [0, 1].
        """
        ...


class CurveKind(StrEnum):
    """What a curve shows, and so what its two series are."""

    HISTOGRAM = "histogram"
    """Shares of rows by bin: x of the reference, y of the current data."""
    ROC = "roc"
    """Receiver operating characteristic: x the false positive rate, y the true positive rate."""
    PRECISION_RECALL = "precision_recall"
    """x recall, y precision."""
    CALIBRATION = "calibration"
    """Reliability diagram: x the mean score of a bin, y its share of positives."""


POINTS = 64
"""Most points of a curve."""
CURVES = 60
"""Most curves of a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A small aggregate that a chart is drawn from: no row's value, no step of under 30 rows.

    Raises:
        ValueError: The series differ in length, have too many points, or hold no number in [0, 1].
    """

    kind: CurveKind
    of: str = ""
    """Which of two models, where there are two; else empty."""
    names: tuple[str, ...] = ()
    """What falls into each bin of a histogram."""
    x: tuple[float, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        named = len(self.names) if self.kind is CurveKind.HISTOGRAM else len(self.x)
        if not len(self.x) == len(self.y) == named <= POINTS:
            raise ValueError(f"a {self.kind} of {len(self.x)}, {len(self.y)} and {named} points")
        if not all(0 <= value <= 1 for value in (*self.x, *self.y)):
            raise ValueError(f"a {self.kind} holds something that is no share")

    def said(self, number: Callable[[float], object]) -> dict[str, object]:
        """Write it as JSON has it, each value by *number*."""
        return {
            "kind": self.kind.value,
            **({"of": self.of} if self.of else {}),
            **({"names": list(self.names)} if self.names else {}),
            "x": [number(value) for value in self.x],
            "y": [number(value) for value in self.y],
        }

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Curve:
        """Read what `said` wrote, numbers or decimal strings; ValueError if it is no curve."""
        try:
            x, y = ([float(value) for value in said[name]] for name in ("x", "y"))
            names = tuple(map(str, said.get("names", ())))
            kind, of = CurveKind(said["kind"]), str(said.get("of", ""))
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError("is no curve") from error
        return cls(kind=kind, of=of, names=names, x=tuple(x), y=tuple(y))


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """One measured number: its name, the slice it is about, and how sure it is.

    Exactly one name per check is *judged*, with one value per cell; the others are context.
    A judged statistic has a value, or a *lack* with its reason, never neither.
    """

    name: str
    slice: str = ""
    """The cell, such as `sex=F vs sex=M` or a column's name; empty for all rows."""
    value: float | None = None
    interval: Interval | None = None
    """Bounds that hold together over all cells of the rule: what a refusal is proven by."""
    alone: Interval | None = None
    """Bounds of this cell by itself, each wrong with the rule's alpha: what excludes a serious
    effect, since "no cell is serious" is wrong only where a serious cell's own bound is (Berger
    1982). None where *interval* is that."""
    rows: int = 0
    """Rows that the value rests on."""
    total: int = 0
    """Rows of the data that they were taken from."""
    engine: str = "native"
    judged: bool = False
    lack: NoValue | None = None
    reason: str = ""
    """Why there is no value, or what a reader should know about it."""
    serious: float | None = None
    """The least effect of this cell that counts as serious, where the rule's is a lesser one."""
    group: str = ""
    """The group that the cell is about, where the slice names more than that."""
    members: int = 0
    """Rows of the data in that group, where *rows* are only those that the value rests on."""
    small: bool = False
    """So small a share of the rows that what is not excluded of it warns, and does not block."""
    design: PowerDesign | None = None
    bracket: Bracket | None = None
    """Proven bounds of *value*, where not every value of the rows was looked at; else None."""
    curves: tuple[Curve, ...] = ()
    """What the number summarises, as far as evidence tells of it."""


LEFT_OUT = "left_out"
"""Names a statistic about a column that `all` leaves out; it has a lack where no method fits."""
UNSEEN = "not_looked_at"
"""Name of a context statistic whose reason says what a rule leaves out; each result shows it."""
MEMORY = "memory"
"""`ModelIdentity.reader` of an estimator in memory, whose digest covers its answers only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelIdentity:
    """Which model was judged."""

    uri: str
    """As the caller named it."""
    name: str
    """Registered name, or the folder's name, or the run's artifact name."""
    registered: str = ""
    """The name that a registry knows it by; empty where its name is whatever its author wrote."""
    version: str = ""
    resource_uri: str = ""
    """Package URL, `pkg:mlflow/name@version?repository_url=…` or `pkg:generic/name`."""
    digest: str = ""
    """SHA-256 of the manifest `model.sha256`."""
    files: int = 0
    bytes: int = 0
    model_id: str = ""
    """MLflow's logged model id, `m-…`."""
    run_id: str = ""
    resolved_uri: str = ""
    """What an alias or a chain of `models:/` URIs ended at."""
    reader: str = "files"
    """How it was read: `files`, `rest`, `client`, or `memory` where there were no files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One person's signed yes to a model in a role, or why it does not count."""

    role: str
    """Empty where the file could not be read."""
    person: str
    where: str
    problem: str = ""


class Isolation(StrEnum):
    """What kept a model's code apart from the gate while it predicted (`predictions: model`).

    Signing in a job of its own (`evidence sign`) keeps the key out of reach and changes nothing
    here: what measured was beside the model's code all the same.
    """

    SAME_USER = "same-user"
    """A process with limits, of the user who runs the gate: what that user can read, a signing
    key included, the model's code can read."""
    IN_PROCESS = "in-process"
    """None: an estimator in memory answers in the gate's own process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPython:
    """The Python that a model predicted in (`predictions: model`)."""

    environment: str
    """`gate`: the packages that the gate runs in; `model`: those that the model's files name."""
    python: str = ""
    """Its version; empty where an environment could not be built."""
    requirements: str = ""
    """SHA-256 of the `requirements.txt` that an environment was built from."""


CLAIMED = "claimed by the run's author, not recomputed"
"""Note beside a number that is only its author's claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ancestor:
    """A policy that another was merged from: its parents, and theirs."""

    uri: str
    """`pack:NAME@VERSION`, `file:PATH` from the first policy's folder, or `git+https:…`."""
    digest: str
    """SHA-256 of its bytes."""

    @property
    def name(self) -> str:
        """Display name: a pack's without its scheme."""
        return self.uri.removeprefix("pack:")


class DigestKind(StrEnum):
    """What a dataset digest was taken of."""

    FILE = "file"
    """The file's bytes."""
    TREE = "tree"
    """The manifest of a folder, as for models."""
    ROWS = "rows-v1"
    """Our typed row encoding, for frames in memory (docs/digests.md)."""
    TABLE = "table-v1"
    """Hashes of rows, whatever their order, for tables that stay in their engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetIdentity:
    """Which data a role was read from."""

    role: str
    name: str
    uri: str
    digest: str
    digest_kind: DigestKind
    rows: int
    mlflow_digest: str = ""
    """MLflow's own digest, which covers 10,000 rows at most: a link, not a proof."""
    model_id: str = ""
    """The logged model whose answers they hold, as their author says."""
    named_by_run: tuple[str, ...] = ()
    """What the run's author said their columns mean, where the policy is silent: `label` …"""
    window: str = ""
    """From when to when the judged rows are, where a policy's `window` left older ones out."""
    snapshot: str = ""
    """The version of the table that was read, where its format has versions."""
    notes: tuple[str, ...] = ()
    """How the bytes were read where that is not certain: null words, types; never a cell."""
