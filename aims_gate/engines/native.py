"""The engine that is always there: our own formulas, in NumPy and scipy.special."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import aims_gate
from aims_gate.engines import Trials
from aims_gate.errors import CheckError
from aims_gate.frames import Cells, Distribution, Scalar
from aims_gate.stats import bins, drift
from aims_gate.stats.tables import ScoreTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """Computes every value from small tables in closed form."""

    @property
    def label(self) -> str:
        """Name and version, as it stands in evidence."""
        return f"native {aims_gate.__version__}"

    def ratio(self, low: Trials, high: Trials) -> float:
        """Give the rate of *low* over the rate of *high*: 1 is parity; NaN if *high* has none."""
        if high.successes == 0 or low.rows == 0:
            return math.nan
        return (low.successes * high.rows) / (low.rows * high.successes)

    def gap(self, low: Trials, high: Trials) -> float:
        """Give the rate of *high* minus the rate of *low*, in [-1, 1]: 0 is parity."""
        if low.rows == 0 or high.rows == 0:
            return math.nan
        return high.successes / high.rows - low.successes / low.rows

    def drift_of_numbers(
        self, method: str, reference: Distribution, current: Distribution
    ) -> float:
        """Give PSI, or Wasserstein in reference standard deviations; CheckError for others."""
        if method == "psi":
            return drift.psi(bins.numeric(reference, current)).value
        if method == "wasserstein":
            return drift.wasserstein(reference, current)
        raise CheckError(f"{self.label} has no drift method {method!r} for numbers")

    def drift_of_categories(self, method: str, reference: Cells, current: Cells) -> float:
        """Give PSI over categories, rare ones pooled; CheckError for other methods."""
        if method == "psi":
            return drift.psi(bins.categorical(_counts(reference), _counts(current))).value
        raise CheckError(f"{self.label} has no drift method {method!r} for categories")

    def score(self, metric: str, table: ScoreTable) -> float:
        """Give a performance metric of `stats.scores`; NaN where it is undefined."""
        from aims_gate.stats import scores

        return scores.value(metric, table)


def _counts(cells: Cells) -> Mapping[Scalar | None, int]:
    counts = zip(cells.values, cells.counts, strict=True)
    return {value: int(count) for (value,), count in counts}


ENGINE = Native()
