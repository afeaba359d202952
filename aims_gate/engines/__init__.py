"""Engines compute values from small tables: our own formulas, or a reference library.

Preconditions and intervals are ours and come first (`checks/`, `stats/`), so that an engine can
only ever refuse more. Adding an engine is one file and its place in `policy.model.ENGINES`;
`tests/conformance/test_engine.py` holds every one to this contract.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from aims_gate.frames import Counts, Distribution, Floats
from aims_gate.plugin_table import Table
from aims_gate.policy import model as policy
from aims_gate.stats.bins import Binned
from aims_gate.stats.disparity import Measure
from aims_gate.stats.tables import Ranked, ScoreTable
from aims_gate.version import __version__

OWN = f"native {__version__}"
"""The label of what our own formulas computed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """A group and how often something happened in it: *successes* of *rows*, rows at least 1."""

    group: str
    rows: int
    successes: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountedRows:
    """What metrics of rows are computed from: each distinct row of truth and estimate, counted."""

    truth: Floats
    """Shape (distinct,): the label; 1 or 0 where the estimate is one probability; the place of the
    label's class where it is several."""
    estimate: Floats
    """Shape (distinct,): the prediction, score, or probability of the positive class; or shape
    (distinct, classes): the probability of each class."""
    counts: Counts
    """Shape (distinct,): rows of each pair, at least 1."""
    group: Counts | None = None
    """Shape (distinct,): the query of each row, or the class that is compared with the others
    of; None where all rows are one group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A value and the engine that computed it, or why it must not be used."""

    value: float
    """NaN where it is not defined, and always where there is a *problem*."""
    by: str
    """As it stands in evidence: `native 0.1.0; fairlearn 0.15.0 agrees`."""
    problem: str = ""
    """Why no value may be used: a crash, or two engines that disagree."""
    plain: float = math.nan
    """The quantity that every engine computes in the same way, where that is not the value."""

    @classmethod
    def none(cls, by: str, problem: str) -> Answer:
        """An answer without a value, with the reason."""
        return cls(value=math.nan, by=by, problem=problem)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RateComparison:
    """Per pair (low, high): the ratio low/high or the gap high - low of the two rates.

    Of a ratio 1 is parity and NaN says that *high* has no success; of a gap, in [-1, 1], 0 is
    parity. NaN if a group has no rows.
    """

    measure: Measure
    pairs: Sequence[tuple[Trials, Trials]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SampleMeans:
    """The mean of each sample's values; NaN for one without any."""

    samples: Sequence[Distribution]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DriftOfBins:
    """A distance of `stats.divergence` over bins or categories: 0 is none."""

    method: str
    table: Binned


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DriftOfNumbers:
    """A distance of `stats.drift` between two ordered distributions: 0 is none."""

    method: str
    reference: Distribution
    current: Distribution


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MetricValue:
    """A performance metric of `stats.scores`; NaN where it is undefined."""

    metric: str
    table: ScoreTable
    sample: Callable[[], CountedRows]
    """The rows behind the table, for engines that moments are not enough for; never called for
    tables of counts."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CalibrationError:
    """The calibration error of scores in [0, 1] over *bins* of equal mass, in [0, 1].

    The plain quantity is the sum over bins as it stands, with what noise adds to it.
    """

    table: Ranked
    bins: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LibraryValue:
    """A number that a library defines itself; CheckError of engines that have no library."""

    library: str
    name: str
    arguments: Mapping[str, object]


Question = (
    RateComparison
    | SampleMeans
    | DriftOfBins
    | DriftOfNumbers
    | MetricValue
    | CalibrationError
    | LibraryValue
)
"""Everything that an engine computes."""


class Engine(Protocol):
    """Computes values from cells or ordered distributions; never rows of data, never thresholds.

    An engine that loads nothing implements `label` and `ask`, and inherits the rest.
    """

    @property
    def label(self) -> str:
        """Name and version: `native 0.1.0`."""
        ...

    def ask(self, question: Question) -> tuple[Answer, ...]:
        """One answer for each pair or sample of the question, in order; else one answer."""
        ...

    @property
    def ready(self) -> bool:
        """Whether a question would be answered, or refused, without waiting for libraries."""
        return True

    def start(self, _libraries: Iterable[str], /) -> tuple[str, ...]:
        """Begin to load libraries and give those it uses; MissingExtraError without one."""
        return ()

    def close(self) -> None:
        """Release what `start` or a question took."""
        return


class Engines:
    """The engines of one run, opened when they are named and closed with it."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self.environ = environ or {}
        self._open: dict[str, Engine] = {}

    def __getitem__(self, name: str) -> Engine:
        """Engine by name, the same one each time; UsageError if there is none."""
        if name not in self._open:
            self._open[name] = ENGINES[name](self)
        return self._open[name]

    def __enter__(self) -> Self:
        """Open nothing yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every engine that was opened."""
        for engine in self._open.values():
            engine.close()


ENGINES: Table[Callable[[Engines], Engine]] = Table(
    "engine",
    {name: f"aims_gate.engines.{name}:opened" for name in policy.ENGINES},
)
