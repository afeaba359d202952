"""What each question is in the terms of the library that answers it, and what its numbers say."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from aims_gate.engines import (
    CalibrationError,
    CountedRows,
    DriftOfBins,
    DriftOfNumbers,
    LibraryValue,
    MetricValue,
    Question,
    RateComparison,
    SampleMeans,
)
from aims_gate.frames import Counts
from aims_gate.stats.disparity import Measure
from aims_gate.stats.distance import Distance
from aims_gate.stats.divergence import less_noise, over_bins
from aims_gate.stats.drift import over_numbers
from aims_gate.stats.samples import drawn, order_statistics
from aims_gate.stats.tables import (
    BetaConfusion,
    Classes,
    ClassRanked,
    Confusion,
    OrderedErrors,
    Queries,
    Ranked,
    ScoreTable,
)

_OWN_NAMES = {"fairlearn": ("fairness", "metric"), "evidently": ("drift", "test")}
"""Call for a number that only the library defines, and the argument that names it."""
Values = Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryRequest:
    """Request to a library in the child process, and how its numbers become values."""

    library: str
    ask: str
    arguments: Mapping[str, object]
    many: int = 1
    """Numbers that come back."""
    answers: int = 1
    """Values that they become."""
    values: Callable[[Values], Values] = lambda plain: plain
    plain: Callable[[Values], Values] = lambda plain: plain
    """The quantities that our own engine computes in the same way."""
    written: int = 0
    """Rows that the library writes out one by one."""


def request(question: Question) -> LibraryRequest:
    """LibraryRequest to the library that answers a question; CheckError for an unknown distance."""
    match question:
        case RateComparison():
            return _rates(question)
        case SampleMeans():
            return _means(question)
        case DriftOfBins():
            return _binned(question)
        case DriftOfNumbers():
            return _ordered(question)
        case MetricValue():
            return _metric(question)
        case CalibrationError():
            return _calibration(question)
        case LibraryValue(library=library, name=name, arguments=arguments):
            ask, key = _OWN_NAMES[library]
            return LibraryRequest(library=library, ask=ask, arguments={**arguments, key: name})


def _rates(question: RateComparison) -> LibraryRequest:
    """Ask for Fairlearn's selection rate of each group, once however many pairs it is in."""
    groups = list(dict.fromkeys(group for pair in question.pairs for group in pair))

    def compared(found: Values) -> Values:
        rates = dict(zip(groups, found, strict=True))
        pairs = [(rates[low], rates[high]) for low, high in question.pairs]
        if question.measure is Measure.GAP:
            return [high - low for low, high in pairs]
        return [low / high if high else math.nan for low, high in pairs]

    return LibraryRequest(
        library="fairlearn",
        ask="rates",
        arguments={
            "rows": np.array([group.rows for group in groups], dtype=np.int64),
            "successes": np.array([group.successes for group in groups], dtype=np.int64),
        },
        many=len(groups),
        answers=len(question.pairs),
        values=compared,
        plain=compared,
    )


def _means(question: SampleMeans) -> LibraryRequest:
    """Ask for Fairlearn's mean prediction of each sample."""
    samples = question.samples
    places = np.arange(len(samples))
    return LibraryRequest(
        library="fairlearn",
        ask="means",
        arguments={
            "values": np.concatenate([sample.values for sample in samples]),
            "counts": np.concatenate([sample.counts for sample in samples]),
            "group": np.repeat(places, [len(sample.values) for sample in samples]),
            "groups": places,
        },
        many=len(samples),
        answers=len(samples),
    )


def _binned(question: DriftOfBins) -> LibraryRequest:
    """Ask for a library's plain distance of our bins, less what noise adds to it."""
    table, of = question.table, over_bins(question.method)
    before, after = drawn(of.name, table)
    codes = np.arange(table.bins, dtype=np.int64)
    samples = {"reference": codes, "before": before, "current": codes, "after": after}
    sent = _distance(of, "cat", before, after, samples)
    return replace(sent, values=lambda plain: [less_noise(of.name, one, table) for one in plain])


def _ordered(question: DriftOfNumbers) -> LibraryRequest:
    """Ask for a library's distance of order statistics."""
    of = over_numbers(question.method)
    before, after = order_statistics(question.reference), order_statistics(question.current)
    ones = [np.ones(len(sample), dtype=np.int64) for sample in (before, after)]
    samples = {"reference": before, "before": ones[0], "current": after, "after": ones[1]}
    return _distance(of, "num", before, after, samples)


def _distance(
    of: Distance, kind: str, before: object, after: object, samples: Mapping[str, object]
) -> LibraryRequest:
    """Ask Evidently by its test, or SciPy, which it asks where its test is another quantity."""
    library, name = of.oracle
    if library == "scipy":
        arguments = {"method": name, "reference": before, "current": after}
        return LibraryRequest(library="evidently", ask="distance", arguments=arguments)
    return LibraryRequest(
        library="evidently", ask="drift", arguments={"test": name, "kind": kind, **samples}
    )


def _metric(question: MetricValue) -> LibraryRequest:
    """Ask for scikit-learn's metric of the same name; NaN where it is undefined."""
    table = question.table
    found = _cells(table) or question.sample()
    arguments: dict[str, object] = {
        "metric": question.metric,
        "truth": found.truth,
        "estimate": found.estimate.ravel(),
        "counts": found.counts,
    }
    if found.group is not None:
        arguments["group"] = found.group
    if isinstance(table, BetaConfusion):
        arguments["beta"] = np.array([table.beta])
    if isinstance(table, Queries) and table.k is not None:
        arguments["k"] = np.array([table.k], dtype=np.int64)
    written = _rows(found.counts) if isinstance(table, OrderedErrors) else 0
    return LibraryRequest(library="scikit-learn", ask="score", arguments=arguments, written=written)


def _calibration(question: CalibrationError) -> LibraryRequest:
    """Ask for the error of scikit-learn's calibration curve, freed of what noise adds."""
    from aims_gate.stats import calibration

    table, bins = question.table, question.bins

    def freed(plain: Values) -> Values:
        found = calibration.reliability(table, bins)
        return [calibration.freed(found, one) for one in plain]

    return LibraryRequest(
        library="scikit-learn",
        ask="calibration",
        arguments={
            "scores": table.scores,
            "positives": table.positives,
            "negatives": table.negatives,
            "bins": np.array([bins], dtype=np.int64),
        },
        values=freed,
        written=_rows(table.positives, table.negatives),
    )


def _rows(*counts: Counts) -> int:
    return sum(int(part.sum()) for part in counts)


def _cells(table: ScoreTable) -> CountedRows | None:
    """Write a table out as the cells it counts; None where only moments are left of them."""
    if isinstance(table, Confusion):
        return CountedRows(
            truth=np.array([1.0, 1.0, 0.0, 0.0]),
            estimate=np.array([1.0, 0.0, 1.0, 0.0]),
            counts=np.array([table.tp, table.fn, table.fp, table.tn], dtype=np.int64),
        )
    if isinstance(table, Classes):
        truth, estimate = np.indices(table.counts.shape).astype(np.float64)
        return CountedRows(
            truth=truth.ravel(), estimate=estimate.ravel(), counts=table.counts.ravel()
        )
    if isinstance(table, Ranked):
        return _of_ranked(table)
    if isinstance(table, ClassRanked):
        each = [_of_ranked(ranked) for ranked in table.tables]
        sizes = [len(sample.truth) for sample in each]
        return CountedRows(
            truth=np.concatenate([sample.truth for sample in each]),
            estimate=np.concatenate([sample.estimate for sample in each]),
            counts=np.concatenate([sample.counts for sample in each]),
            group=np.repeat(np.arange(len(each), dtype=np.int64), sizes),
        )
    return None


def _of_ranked(table: Ranked) -> CountedRows:
    places, counts = len(table.scores), np.concatenate([table.positives, table.negatives])
    there = counts > 0  # nearly every score of a large sample is one row's own
    return CountedRows(
        truth=np.repeat([1.0, 0.0], places)[there],
        estimate=np.tile(table.scores, 2)[there],
        counts=counts[there],
    )
