"""Could a serious drift have been missed at these sizes? The designs behind distances.

A column is *powered* when a drift of `serious` would be refused with a probability of at least 0.80
under the rule "value past the limit and bound past the line" (statistics part 1.1). It depends on
sizes, bins and number of columns, and where values are ordered on their spread; never on the value
observed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from scipy.special import chndtr

from aims_gate.facts import Need
from aims_gate.stats.divergence import DIVERGENCES
from aims_gate.stats.power import LEAST_SAMPLE, POWER, Z_POWER, least

_MOST_ROWS = 2.0**53
"""More rows than weights may stand for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftDesign:
    """The sizes behind a column's distance over bins."""

    bins: int
    """Bins of the table, at least 2."""
    reference: int
    current: int
    columns: int
    """Columns that the rule names, which share alpha."""
    alpha: float
    method: str = "psi"
    """A distance of `stats.divergence`."""
    design_effect: float = 1.0
    """Rows per independent row, at least 1; divides the rows."""

    def need(self, *, limit: float, line: float, serious: float) -> Need:
        """Tell whether a *serious* drift of this column would be refused."""
        of = DIVERGENCES[self.method]
        least_n = needed_size(
            self.bins - 1,
            self.alpha / self.columns,
            limit=of.factor * of.total(limit),
            line=of.factor * of.total(line),
            serious=of.factor * of.total(serious),
        )
        return _need(self, least_n, serious)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedDesign:
    """The sizes behind a column's distance of ordered values, with s = sqrt(1/n + 1/m).

    Noise and the standard error of the distance are both multiples of s.
    """

    reference: int
    current: int
    noise: float
    """What noise alone reaches at the corrected error rate, over s."""
    error: float
    """Standard error of the distance over s, at most: 1/2 for `ks`, 1 for a shift in standard
    deviations."""
    design_effect: float = 1.0
    """Rows per independent row, at least 1; divides the rows."""

    def need(self, *, limit: float, line: float, serious: float) -> Need:
        """Tell whether a *serious* drift of this column would be refused.

        Refused is "past the limit, and past the line by more than noise", four times in five.
        """
        spread = Z_POWER * self.error
        room = min((serious - limit) / spread, (serious - line) / (self.noise + spread))
        root = 1 / room if room > 0 else math.inf
        # multiplied, since a power that overflows raises
        return _need(self, root * root, serious)


def _need(design: DriftDesign | OrderedDesign, least_n: float, serious: float) -> Need:
    """Hold two samples against the least harmonic size nm/(n+m) of independent rows."""
    n, m = design.reference, design.current
    least_n, least_rows = least_n * design.design_effect, LEAST_SAMPLE * design.design_effect
    if min(n, m) >= least_rows and n * m / (n + m) >= least_n:
        return Need(powered=True)
    text = f"{m:,} current and {n:,} reference rows cannot show {serious:.2f}"
    return Need(powered=False, reason=f"{text}; {_wanted(n, least_n, math.ceil(least_rows))}")


def _wanted(reference: int, least_n: float, least_rows: int) -> str:
    if least_n >= _MOST_ROWS:
        return "no number of rows could"
    if reference <= max(least_n, least_rows - 1):
        more = max(math.floor(least_n) + 1, least_rows)
        return f"the reference is too small: it needs at least {more:,} rows"
    current = math.ceil(least_n * reference / (reference - least_n))
    return f"needs {max(least_rows, current):,} current rows"


@lru_cache(maxsize=4096)
def needed_size(df: int, alpha: float, *, limit: float, line: float, serious: float) -> float:
    """Give the least harmonic size nm/(n+m) at which a PSI of *serious* would be refused.

    With N the size, x = N*PSI estimate follows a noncentral chi-square with *df* degrees of freedom
    and noncentrality N*PSI. Infinite where no size is enough, as for serious <= limit.

    Args:
        df: Bins minus one, at least 1.
        alpha: Error rate of this column, in (0, 1).
        limit: PSI past which a column breaches.
        line: PSI past which the breach must be proven, at least 0.
        serious: PSI that must be refused with a probability of 0.80.
    """

    def enough(size: float) -> bool:
        proven = _quantile(1 - alpha, df, size * line)
        return bool(1 - chndtr(max(proven, size * limit + df), df, size * serious) >= POWER)

    if serious <= max(limit, line):
        return math.inf
    return least(enough, start=1.0)


def _quantile(probability: float, df: int, noncentrality: float) -> float:
    """Give x with chndtr(x, df, noncentrality) = probability."""
    start = df + noncentrality
    return least(lambda x: bool(chndtr(x, df, noncentrality) >= probability), start=start)
