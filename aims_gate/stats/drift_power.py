"""Power of drift tests: how likely a column without drift is decided.

A column passes where its own bound excludes a serious distance. It depends on sizes, bins and,
where values are ordered, on their spread; never on the value observed. The reference stays as it
is: current rows are what more of can be collected.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from scipy.special import chdtr, chndtr

from aims_gate.stats.divergence import DIVERGENCES
from aims_gate.stats.intervals import root
from aims_gate.stats.power import CURRENT


@dataclass(frozen=True, slots=True, kw_only=True)
class DivergenceDesign:
    """The sizes behind a column's distance over bins."""

    bins: int
    """Bins of the table, at least 2."""
    reference: int
    rows: int
    alpha: float
    """Error rate of the column's own bound, in (0, 1)."""
    method: str = "psi"
    """A distance of `stats.divergence`."""
    design_effect: float = 1.0
    """Rows per independent row, at least 1; divides the rows."""
    what: str = CURRENT

    def chance(self, factor: float, *, serious: float) -> float:
        """Power: the probability that the upper bound is below *serious* without drift.

        With N the harmonic size, the sum seen is chi-square, and the bound is below *serious* where
        a noncentral chi-square of that much drift is so small with probability alpha only.
        """
        of, df = DIVERGENCES[self.method], self.bins - 1
        rows = self.rows * factor
        scale = of.factor * self.reference * rows / (self.reference + rows) / self.design_effect
        drift = scale * of.total(serious)
        high = df + drift + 10 * math.sqrt(2 * (df + 2 * drift)) + 10
        seen = root(lambda x: of.guarded(self.alpha) - float(chndtr(x, df, drift)), 0.0, high)
        return float(chdtr(df, seen))


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedDesign:
    """The sizes behind a column's distance of ordered values, with s = sqrt(1/n + 1/m)."""

    reference: int
    rows: int
    below: Callable[[float], float] = field(compare=False)
    """Probability that a distance without drift is below so many s."""
    error: float
    """How far the own bound lies from the value, over s."""
    design_effect: float = 1.0
    """Rows per independent row, at least 1; divides the rows."""
    what: str = CURRENT

    def chance(self, factor: float, *, serious: float) -> float:
        """Power: the probability that the upper bound is below *serious* without drift."""
        unit = math.sqrt(self.design_effect * (1 / self.reference + 1 / (self.rows * factor)))
        room = serious / unit - self.error
        return self.below(room) if room > 0 else 0.0
