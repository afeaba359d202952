"""The engine `both`: our value decides, and a reference library has to agree with it.

A value that the two do not share is no value: the cell is an error that shows both numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from aims_gate.engines import (
    Answer,
    CalibrationError,
    DriftOfBins,
    DriftOfNumbers,
    Engine,
    Engines,
    LibraryValue,
    Question,
    RateComparison,
    SampleMeans,
)
from aims_gate.errors import CheckError
from aims_gate.frames import Distribution, Floats
from aims_gate.stats.distance import Tolerance
from aims_gate.stats.divergence import DIVERGENCES, over_bins
from aims_gate.stats.drift import DISTANCES, over_numbers
from aims_gate.stats.samples import drawn, order_statistics, scaled
from aims_gate.version import __version__

_RATE = Tolerance(relative=1e-9, absolute=1e-12)
_SCORE = Tolerance(relative=1e-9, absolute=1e-9)
TOLERANCES: Mapping[str, Tolerance] = {
    "ratio": _RATE,
    "gap": _RATE,
    "mean": _SCORE,
    "score": _SCORE,
    **{name: of.tolerance for name, of in {**DIVERGENCES, **DISTANCES}.items()},
}
"""What counts as agreement, by quantity (docs/deciding.md)."""


class Both(Engine):
    """Cross-checks our engine and the reference on every value."""

    def __init__(self, native: Engine, reference: Engine) -> None:
        self._native = native
        self._reference = reference

    @property
    def label(self) -> str:
        """Name and version; each value carries the label of the library that agreed."""
        return f"both {__version__}"

    @property
    def ready(self) -> bool:
        """Whether the reference is."""
        return self._reference.ready

    def start(self, libraries: Iterable[str], /) -> tuple[str, ...]:
        """Start the reference; MissingExtraError if a library is not installed."""
        return self._reference.start(libraries)

    def close(self) -> None:
        """Close the reference."""
        self._reference.close()

    def ask(self, question: Question) -> tuple[Answer, ...]:
        """Our answers, confirmed by a library's answers to the same question."""
        if isinstance(question, LibraryValue):
            what = f"{self.label} cannot answer for {question.library}"
            raise CheckError(what, hint="use engine: reference")
        ours = self._native.ask(question)
        if isinstance(question, DriftOfBins) and question.table.bins < 2:
            return ours  # neither has anything to compute
        shared = _shared(question, ours)
        theirs = self._reference.ask(shared.question)
        return tuple(
            _agreed(our, plain, their, shared.tolerance)
            for our, plain, their in zip(ours, shared.plain, theirs, strict=True)
        )


def opened(peers: Engines) -> Both:
    """Engine over the two others of this run, so that there is one child process."""
    return Both(peers["native"], peers["reference"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """What both engines compute in the same way."""

    question: Question
    """As the reference is asked it."""
    plain: Sequence[float]
    """Our numbers, one for each answer."""
    tolerance: Tolerance


def _shared(question: Question, ours: Sequence[Answer]) -> _Shared:
    """Reduce a question, where a library answers another one, to what both compute."""
    values = [answer.value for answer in ours]
    match question:
        case DriftOfBins(method=method, table=table):
            of = over_bins(method)
            question = replace(question, table=scaled(table) if of.smooth else table)
            values = [of.plain(*drawn(method, question.table))]
            kind = method
        case DriftOfNumbers(method=method, reference=reference, current=current):
            values = [over_numbers(method).value(_thinned(reference), _thinned(current))]
            kind = method
        case CalibrationError():
            values = [answer.plain for answer in ours]
            kind = "score"
        case RateComparison(measure=measure):
            kind = measure
        case SampleMeans():
            kind = "mean"
        case _:
            kind = "score"
    return _Shared(question=question, plain=values, tolerance=TOLERANCES[kind])


def _agreed(ours: Answer, plain: float, theirs: Answer, tolerance: Tolerance) -> Answer:
    """Our answer if both engines agree on *plain*; else an answer with the disagreement."""
    if theirs.problem:
        return Answer.none(ours.by, f"no second opinion: {theirs.problem}")
    if not tolerance.holds(plain, theirs.plain):
        apart = f"further apart than {tolerance.relative:g} relative"
        what = f"{ours.by} computes {plain:.12g} and {theirs.by} {theirs.plain:.12g}"
        return Answer.none(f"{ours.by}; {theirs.by} disagrees", f"{what}, {apart}")
    return Answer(value=ours.value, by=f"{ours.by}; {theirs.by} agrees")


def _thinned(sample: Distribution) -> Distribution:
    found: Floats = order_statistics(sample)
    values, counts = np.unique(found, return_counts=True)
    return Distribution(values=values, counts=counts.astype(np.int64), nulls=0)
