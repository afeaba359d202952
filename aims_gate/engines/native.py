"""The native engine: our own formulas, in NumPy and scipy.special; always available."""

from __future__ import annotations

import math

from aims_gate.engines import (
    OWN,
    Answer,
    CalibrationError,
    DriftOfBins,
    DriftOfNumbers,
    Engine,
    Engines,
    LibraryValue,
    MetricValue,
    Question,
    RateComparison,
    SampleMeans,
    Trials,
)
from aims_gate.errors import CheckError
from aims_gate.frames import Distribution
from aims_gate.stats import divergence, drift
from aims_gate.stats.counting import total
from aims_gate.stats.disparity import Measure


class Native(Engine):
    """Computes every value from small tables in closed form."""

    @property
    def label(self) -> str:
        """Name and version, as in evidence."""
        return OWN

    def ask(self, question: Question) -> tuple[Answer, ...]:
        """Compute what is asked; CheckError for a number that only a library defines."""
        match question:
            case RateComparison(measure=measure, pairs=pairs):
                formula = _ratio if measure is Measure.RATIO else _gap
                return tuple(_own(formula(low, high)) for low, high in pairs)
            case SampleMeans(samples=samples):
                return tuple(_own(_mean(sample)) for sample in samples)
            case DriftOfBins(method=method, table=table):
                return (_own(divergence.of_table(method, table).value),)
            case DriftOfNumbers(method=method, reference=reference, current=current):
                return (_own(drift.over_numbers(method).value(reference, current)),)
            case MetricValue(metric=metric, table=scored):
                from aims_gate.stats import scores  # only the rules that ask pay for loading it

                return (_own(scores.value(metric, scored)),)
            case CalibrationError(table=ranked, bins=bins):
                from aims_gate.stats import calibration

                found = calibration.reliability(ranked, bins)
                plain = calibration.plain(found)
                return (_own(calibration.freed(found, plain), plain),)
            case LibraryValue(library=library):
                hint = "use engine: reference"
                raise CheckError(f"{OWN} cannot answer for {library}", hint=hint)


def _own(value: float, plain: float = math.nan) -> Answer:
    return Answer(value=value, by=OWN, plain=plain)


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
    """The engine; it is stateless, so there is one."""
    return ENGINE
