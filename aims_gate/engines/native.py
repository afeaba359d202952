"""The engine that is always there: our own formulas, in NumPy and scipy.special."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from aims_gate.engines import OWN, Answer, CountedRows, Engines, Trials
from aims_gate.errors import CheckError
from aims_gate.frames import Distribution
from aims_gate.stats import divergence, drift
from aims_gate.stats.bins import Binned
from aims_gate.stats.counting import total
from aims_gate.stats.disparity import Measure
from aims_gate.stats.tables import Ranked, ScoreTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """Computes every value from small tables in closed form."""

    @property
    def label(self) -> str:
        """Name and version, as it stands in evidence."""
        return OWN

    @property
    def ready(self) -> bool:
        """True: it loads nothing."""
        return True

    def start(self, libraries: Iterable[str]) -> None:
        """Do nothing: everything is there."""

    def close(self) -> None:
        """Do nothing: nothing was taken."""

    def compare(
        self, measure: Measure, pairs: Sequence[tuple[Trials, Trials]]
    ) -> tuple[Answer, ...]:
        """Give the ratio or gap of each pair; see `Engine.compare`."""
        formula = _ratio if measure is Measure.RATIO else _gap
        return tuple(Answer(value=formula(low, high), by=OWN) for low, high in pairs)

    def means(self, samples: Sequence[Distribution]) -> tuple[Answer, ...]:
        """Give the mean of each sample's values; NaN for one without any."""
        return tuple(Answer(value=_mean(sample), by=OWN) for sample in samples)

    def drift_of_bins(self, method: str, table: Binned) -> Answer:
        """Give a distance over bins, less what noise adds; CheckError for an unknown one."""
        if method not in divergence.DIVERGENCES:
            raise CheckError(f"{OWN} has no drift method {method!r} for bins")
        return Answer(value=divergence.of_table(method, table).value, by=OWN)

    def drift_of_numbers(
        self, method: str, reference: Distribution, current: Distribution
    ) -> Answer:
        """Give a distance of ordered values; CheckError for an unknown one."""
        if method not in drift.DISTANCES:
            raise CheckError(f"{OWN} has no drift method {method!r} for numbers")
        return Answer(value=drift.DISTANCES[method](reference, current), by=OWN)

    def score(self, metric: str, table: ScoreTable, sample: Callable[[], CountedRows]) -> Answer:  # noqa: ARG002  # moments are enough
        """Give a performance metric of `stats.scores`; NaN where it is undefined."""
        from aims_gate.stats import scores

        return Answer(value=scores.value(metric, table), by=OWN)

    def calibration(self, table: Ranked, bins: int) -> Answer:
        """Give the calibration error; see `Engine.calibration`."""
        from aims_gate.stats import calibration

        found = calibration.reliability(table, bins)
        plain = calibration.plain(found)
        return Answer(value=calibration.freed(found, plain), by=OWN, plain=plain)

    def by_name(self, library: str, name: str, arguments: Mapping[str, object]) -> Answer:  # noqa: ARG002  # refused
        """Refuse: our formulas have no other library's names."""
        raise CheckError(f"{OWN} cannot answer for {library}", hint="use engine: reference")


def _ratio(low: Trials, high: Trials) -> float:
    if high.successes == 0 or low.rows == 0:
        return math.nan
    return (low.successes * high.rows) / (low.rows * high.successes)


def _gap(low: Trials, high: Trials) -> float:
    if low.rows == 0 or high.rows == 0:
        return math.nan
    return high.successes / high.rows - low.successes / low.rows


def _mean(sample: Distribution) -> float:
    rows = total(sample.counts)
    return float(sample.values @ sample.counts) / rows if rows else math.nan


ENGINE = Native()


def opened(_peers: Engines) -> Native:
    """Give the engine; it keeps nothing, so there is one."""
    return ENGINE
