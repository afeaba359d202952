"""How a group's share of the data compares with its share of a population.

The population's shares are taken as exact: whoever declares them answers for them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from aims_gate.facts import Need
from aims_gate.stats.intervals import Bounds, proportion_bounds

_Z_POWER = 0.8416
"""Standard normal quantile of 0.80."""
_MOST = 2.0**60
"""Where the search for a sufficient size ends."""


def folded(ratio: float) -> float:
    """Give min(r, 1/r), in [0, 1]: 1 is the population's own share, 0.5 half or twice of it."""
    return min(ratio, 1 / ratio) if ratio > 0 else 0.0


def representation(
    group: int, rows: int, population: float, z: float, *, both: bool
) -> tuple[float, Bounds]:
    """Give a group's representation and its bounds.

    Args:
        group: Rows of the group.
        rows: Rows of all groups, at least 1.
        population: The group's share of the population, in (0, 1).
        z: Standard normal quantile of each bound.
        both: Fold the ratio, so that too many count as too few do; else it is capped at 1.

    Returns:
        min(r, 1/r) or min(r, 1) of r = group / rows / population, and its bounds from those of
        the share; all in [0, 1].
    """
    fold = folded if both else _capped
    low, high = (bound / population for bound in proportion_bounds(group, rows, z))
    ends = fold(low), fold(high)
    # the peak of the fold is at 1
    top = 1.0 if low <= 1 <= high else max(ends)
    return fold(group / rows / population), (min(ends), top)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareDesign:
    """The rows behind a group's share."""

    rows: int
    population: float
    z: float

    def need(self, *, limit: float, line: float, serious: float) -> Need:
        """Tell whether a group at *serious* times its share would be refused."""
        share = max(serious, 0.0) * self.population
        if self._powered(self.rows, share, limit, line):
            return Need(powered=True)
        rows = float(max(self.rows, 1))
        while rows < _MOST and not self._powered(rows, share, limit, line):
            rows *= 2
        low = rows / 2
        while rows < _MOST and rows - low > 1:
            middle = (rows + low) / 2
            enough = self._powered(middle, share, limit, line)
            low, rows = (low, middle) if enough else (middle, rows)
        wanted = "no number of rows could" if rows >= _MOST else f"needs {math.ceil(rows):,}"
        text = f"{self.rows:,} rows cannot show a representation of {max(serious, 0.0):.2f}"
        return Need(powered=False, reason=f"{text} ({wanted})")

    def _powered(self, rows: float, share: float, limit: float, line: float) -> bool:
        if rows <= 0:
            return False
        error = _Z_POWER * math.sqrt(share * (1 - share) / rows)
        high = proportion_bounds(share * rows, rows, self.z)[1]
        return high + error < line * self.population and share + error < limit * self.population


def _capped(ratio: float) -> float:
    return min(ratio, 1.0)
