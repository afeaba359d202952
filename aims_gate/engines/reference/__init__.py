"""The engine `reference`: Fairlearn for bias, Evidently for drift, scikit-learn for performance.

The libraries live in one child process, so that their seconds of imports hide behind reading and
sorting, and their crashes are a refusal. This process never imports them.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from aims_gate.engines import OWN, Answer, CountedRows, Engines, Trials
from aims_gate.engines.reference.process import Process
from aims_gate.errors import CheckError, MissingExtraError
from aims_gate.frames import Counts, Distribution
from aims_gate.stats.bins import Binned
from aims_gate.stats.disparity import Measure
from aims_gate.stats.divergence import DIVERGENCES, less_noise
from aims_gate.stats.drift import DISTANCES
from aims_gate.stats.samples import WRITTEN_ROWS, drawn, order_statistics
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
from aims_gate.version import __version__

MODULES = {"fairlearn": "fairlearn", "evidently": "evidently", "scikit-learn": "sklearn"}
"""Each library, and the module that it is imported as."""
_EVIDENTLY = {"psi": "psi", "js": "jensenshannon", "hellinger": "hellinger"}
"""Distances over bins as Evidently calls them."""
TIMEOUT = 300.0
"""Seconds for one answer, the imports before the first one included."""


class Reference:
    """Asks the libraries in the child process; every failure is an answer with a problem."""

    def __init__(self, environ: Mapping[str, str], *, timeout: float = TIMEOUT) -> None:
        self._environ = environ
        self._timeout = timeout
        self._process: Process | None = None

    @property
    def label(self) -> str:
        """Name and version; what a library computed carries the library's own label."""
        return f"reference {__version__}"

    @property
    def ready(self) -> bool:
        """Whether the child has loaded its libraries, or has ended; also if there is none."""
        return self._process is None or self._process.ready

    def start(self, libraries: Iterable[str]) -> None:
        """Start the child, once; MissingExtraError if a library is not installed."""
        wanted = tuple(libraries)
        for name in wanted:
            if importlib.util.find_spec(MODULES[name]) is None:
                raise MissingExtraError.for_library(name, "gate", "engine: reference or both")
        if wanted and self._process is None:
            self._process = Process(wanted, environ=self._environ, timeout=self._timeout)

    def close(self) -> None:
        """End the child."""
        if self._process is not None:
            self._process.close()

    def compare(
        self, measure: Measure, pairs: Sequence[tuple[Trials, Trials]]
    ) -> tuple[Answer, ...]:
        """Give the ratio or gap of Fairlearn's selection rates; all groups are asked at once."""
        if not pairs:
            return ()
        groups = list(dict.fromkeys(group for pair in pairs for group in pair))
        arguments = {
            "rows": np.array([group.rows for group in groups], dtype=np.int64),
            "successes": np.array([group.successes for group in groups], dtype=np.int64),
        }
        try:
            library, found = self._ask("fairlearn", "rates", arguments, many=len(groups))
        except CheckError as error:
            return (Answer.none(self.label, str(error)),) * len(pairs)
        rates = dict(zip(groups, found, strict=True))
        return tuple(
            _answer(_compared(measure, rates[low], rates[high]), library) for low, high in pairs
        )

    def means(self, samples: Sequence[Distribution]) -> tuple[Answer, ...]:
        """Give Fairlearn's mean prediction of each sample, all of them asked for at once."""
        if not samples:
            return ()
        sizes = [len(sample.values) for sample in samples]
        arguments = {
            "values": np.concatenate([sample.values for sample in samples]),
            "counts": np.concatenate([sample.counts for sample in samples]),
            "group": np.repeat(np.arange(len(samples)), sizes),
            "groups": np.arange(len(samples)),
        }
        try:
            library, found = self._ask("fairlearn", "means", arguments, many=len(samples))
        except CheckError as error:
            return (Answer.none(self.label, str(error)),) * len(samples)
        return tuple(_answer(value, library) for value in found)

    def drift_of_bins(self, method: str, table: Binned) -> Answer:
        """Give a library's plain distance of our bins, less what noise adds to it.

        Evidently's, but for `chi2`: its test of that name takes the reference as exact, so SciPy's
        chi-square of both samples answers.
        """
        if method not in DIVERGENCES:
            raise CheckError(f"{self.label} has no drift method {method!r} for bins")
        if table.bins < 2:
            return Answer(value=0.0, by=OWN, plain=0.0)  # one bin: there is nothing to ask
        before, after = drawn(method, table)
        if method == "chi2":
            answer = self._one("evidently", "distance", _pair(method, before, after))
        else:
            codes = np.arange(table.bins, dtype=np.int64)
            asked = categories(_EVIDENTLY[method], codes, before, codes, after)
            answer = self._one("evidently", "drift", asked)
        return replace(answer, value=_rounded(less_noise(method, answer.plain, table)))

    def drift_of_numbers(
        self, method: str, reference: Distribution, current: Distribution
    ) -> Answer:
        """Give Evidently's Wasserstein distance of order statistics, or SciPy's KS distance.

        Evidently's `ks` is a p-value, which SciPy computes from that distance.
        """
        if method not in DISTANCES:
            raise CheckError(f"{self.label} has no drift method {method!r} for numbers")
        before, after = order_statistics(reference), order_statistics(current)
        if method == "ks":
            return self._one("evidently", "distance", _pair(method, before, after))
        return self._one("evidently", "drift", numbers("wasserstein", before, after))

    def score(self, metric: str, table: ScoreTable, sample: Callable[[], CountedRows]) -> Answer:
        """Give scikit-learn's metric of the same name; NaN where it is undefined."""
        found = _sampled(table) or sample()
        if isinstance(table, OrderedErrors) and (why := _too_many(found.counts)):
            return Answer.none(self.label, why)
        arguments: dict[str, object] = {
            "metric": metric,
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
        return self._one("scikit-learn", "score", arguments)

    def calibration(self, table: Ranked, bins: int) -> Answer:
        """Give the error of scikit-learn's calibration curve, freed of what noise adds."""
        from aims_gate.stats import calibration

        if why := _too_many(table.positives, table.negatives):
            return Answer.none(self.label, why)
        arguments = {
            "scores": table.scores,
            "positives": table.positives,
            "negatives": table.negatives,
            "bins": np.array([bins], dtype=np.int64),
        }
        answer = self._one("scikit-learn", "calibration", arguments)
        if answer.problem:
            return answer
        found = calibration.reliability(table, bins)
        return replace(answer, value=_rounded(calibration.freed(found, answer.plain)))

    def by_name(self, library: str, name: str, arguments: Mapping[str, object]) -> Answer:
        """Give `fairlearn:NAME` or `evidently:NAME` as the library defines it."""
        ask, key = {"fairlearn": ("fairness", "metric"), "evidently": ("drift", "test")}[library]
        return self._one(library, ask, {**arguments, key: name})

    def _one(self, name: str, ask: str, arguments: Mapping[str, object]) -> Answer:
        try:
            library, (value,) = self._ask(name, ask, arguments, many=1)
        except CheckError as error:
            return Answer.none(self.label, str(error))
        return _answer(value, library)

    def _ask(
        self, library: str, ask: str, arguments: Mapping[str, object], *, many: int
    ) -> tuple[str, list[float]]:
        if self._process is None:
            self.start([library])
        assert self._process is not None  # noqa: S101  # `start` made it
        return self._process.ask(ask, arguments, many=many)


def numbers(test: str, before: object, after: object) -> dict[str, object]:
    """Ask for a test of two numeric samples, value by value."""
    ones = [np.ones(len(np.asarray(sample)), dtype=np.int64) for sample in (before, after)]
    return {
        "test": test,
        "kind": "num",
        "reference": before,
        "before": ones[0],
        "current": after,
        "after": ones[1],
    }


def categories(
    test: str, reference: object, before: object, current: object, after: object
) -> dict[str, object]:
    """Ask for a test of two categorical samples: codes, and how often each occurs."""
    return {
        "test": test,
        "kind": "cat",
        "reference": reference,
        "before": before,
        "current": current,
        "after": after,
    }


def _too_many(*counts: Counts) -> str:
    """Say that a library which takes each row by itself would need too much memory; else empty."""
    rows = sum(int(part.sum()) for part in counts)
    most = f"the library takes each row by itself, {WRITTEN_ROWS:,} of them at most"
    return f"{rows:,} rows, and {most}" if rows > WRITTEN_ROWS else ""


def _pair(method: str, before: object, after: object) -> dict[str, object]:
    return {"method": method, "reference": before, "current": after}


def opened(peers: Engines) -> Reference:
    """Give an engine of this run's own; it starts no process before it is asked to."""
    return Reference(peers.environ, timeout=TIMEOUT)


def _answer(value: float, library: str) -> Answer:
    return Answer(value=_rounded(value), by=library, plain=value)


def _rounded(value: float) -> float:
    """Keep 12 significant digits, as evidence does: a rate on the limit stays on it."""
    return float(f"{value:.12g}")


def _compared(measure: Measure, low: float, high: float) -> float:
    if measure is Measure.GAP:
        return high - low
    return low / high if high else math.nan


def _sampled(table: ScoreTable) -> CountedRows | None:
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
