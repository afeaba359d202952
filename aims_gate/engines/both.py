"""The engine `both`: our value decides, and a library has to agree with it.

A value that the two do not share is no value: the cell is an error that shows both numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aims_gate.engines import Answer, CountedRows, Engine, Engines, Trials
from aims_gate.errors import CheckError
from aims_gate.frames import Distribution, Floats
from aims_gate.stats import drift
from aims_gate.stats.bins import Binned
from aims_gate.stats.disparity import Measure
from aims_gate.stats.divergence import DIVERGENCES
from aims_gate.stats.samples import drawn, order_statistics, scaled
from aims_gate.stats.tables import Ranked, ScoreTable
from aims_gate.version import __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far two computations of one quantity may lie apart: relative, or absolute near zero."""

    relative: float
    absolute: float

    def holds(self, ours: float, theirs: float) -> bool:
        """Tell whether two numbers agree; two undefined ones do, one undefined one does not."""
        if math.isnan(ours) or math.isnan(theirs):
            return math.isnan(ours) and math.isnan(theirs)
        return math.isclose(ours, theirs, rel_tol=self.relative, abs_tol=self.absolute)


TOLERANCES: Mapping[str, Tolerance] = {
    "ratio": Tolerance(relative=1e-9, absolute=1e-12),
    "gap": Tolerance(relative=1e-9, absolute=1e-12),
    "mean": Tolerance(relative=1e-9, absolute=1e-9),
    "psi": Tolerance(relative=1e-9, absolute=1e-12),
    # a sum over 20,000 steps, and a standard deviation that each side computes in its own way
    "wasserstein": Tolerance(relative=1e-6, absolute=1e-9),
    "ks": Tolerance(relative=1e-9, absolute=1e-12),
    # roots of sums that end near 0: what is lost in 1 - sum of sqrt(p q) is 1e-16 before the root
    "js": Tolerance(relative=1e-7, absolute=1e-7),
    "hellinger": Tolerance(relative=1e-7, absolute=1e-7),
    "chi2": Tolerance(relative=1e-9, absolute=1e-9),
    "score": Tolerance(relative=1e-9, absolute=1e-9),
}
"""What counts as agreement, by quantity (docs/deciding.md)."""


class Both:
    """Our engine and the reference, held against each other cell by cell."""

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

    def start(self, libraries: Iterable[str]) -> None:
        """Start the reference; MissingExtraError if a library is not installed."""
        self._reference.start(libraries)

    def close(self) -> None:
        """Close the reference."""
        self._reference.close()

    def compare(
        self, measure: Measure, pairs: Sequence[tuple[Trials, Trials]]
    ) -> tuple[Answer, ...]:
        """Give our ratio or gap where Fairlearn's rates lead to the same."""
        ours = self._native.compare(measure, pairs)
        theirs = self._reference.compare(measure, pairs)
        return tuple(
            _agreed(our, our.value, their, TOLERANCES[measure])
            for our, their in zip(ours, theirs, strict=True)
        )

    def means(self, samples: Sequence[Distribution]) -> tuple[Answer, ...]:
        """Give our means where Fairlearn's mean predictions are the same."""
        ours, theirs = self._native.means(samples), self._reference.means(samples)
        return tuple(
            _agreed(our, our.value, their, TOLERANCES["mean"])
            for our, their in zip(ours, theirs, strict=True)
        )

    def drift_of_bins(self, method: str, table: Binned) -> Answer:
        """Give our distance where a library's plain one of the same shares is the same."""
        ours = self._native.drift_of_bins(method, table)
        if table.bins < 2:  # neither has anything to compute
            return ours
        asked = scaled(table) if DIVERGENCES[method].smooth else table
        theirs = self._reference.drift_of_bins(method, asked)
        plain = DIVERGENCES[method].plain(*drawn(method, asked))
        return _agreed(ours, plain, theirs, TOLERANCES[method])

    def drift_of_numbers(
        self, method: str, reference: Distribution, current: Distribution
    ) -> Answer:
        """Give our distance where a library computes the same of the same order statistics."""
        ours = self._native.drift_of_numbers(method, reference, current)
        theirs = self._reference.drift_of_numbers(method, reference, current)
        plain = drift.DISTANCES[method](_thinned(reference), _thinned(current))
        return _agreed(ours, plain, theirs, TOLERANCES[method])

    def score(self, metric: str, table: ScoreTable, sample: Callable[[], CountedRows]) -> Answer:
        """Give our metric where scikit-learn's is the same."""
        ours = self._native.score(metric, table, sample)
        theirs = self._reference.score(metric, table, sample)
        return _agreed(ours, ours.value, theirs, TOLERANCES["score"])

    def calibration(self, table: Ranked, bins: int) -> Answer:
        """Give our calibration error where scikit-learn's curve has the same plain one."""
        ours = self._native.calibration(table, bins)
        theirs = self._reference.calibration(table, bins)
        return _agreed(ours, ours.plain, theirs, TOLERANCES["score"])

    def by_name(self, library: str, name: str, arguments: Mapping[str, object]) -> Answer:  # noqa: ARG002  # refused
        """Refuse: what a library defines itself has no second opinion."""
        raise CheckError(f"{self.label} cannot answer for {library}", hint="use engine: reference")


def opened(peers: Engines) -> Both:
    """Give an engine over the two others of this run, so that there is one child process."""
    return Both(peers["native"], peers["reference"])


def _agreed(ours: Answer, plain: float, theirs: Answer, tolerance: Tolerance) -> Answer:
    """Give our answer if *plain*, which both compute, is theirs too."""
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
