"""How a group's share of the data compares with its share of a population.

The population's shares are taken as exact: whoever declares them answers for them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtr

from aims_gate.stats.intervals import Bounds, proportion_bounds
from aims_gate.stats.power import DATA


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareDesign:
    """The rows behind a group's share, which may be too small or, folded, too large."""

    population: float
    """The group's share of the population, in (0, 1)."""
    z: float
    """Standard normal quantile of the group's own bounds."""
    rows: int
    both: bool
    """Whether a group that is there too often counts, too."""
    what: str = DATA

    def chance(self, factor: float, *, serious: float) -> float:
        """Power: the probability that too few and too many are excluded at the right share."""
        error = math.sqrt((1 - self.population) / self.population / (self.rows * factor))
        above = (
            float(ndtr((1 / serious - 1) / error - self.z)) if self.both and serious > 0 else 1.0
        )
        return max(float(ndtr((1 - serious) / error - self.z)) + above - 1, 0.0)


def folded(ratio: float) -> float:
    """Folded ratio min(r, 1/r), in [0, 1]: 1 is the population's share, 0.5 half or twice it."""
    return min(ratio, 1 / ratio) if ratio > 0 else 0.0


def representation(
    group: int, rows: int, population: float, z: float, *, both: bool
) -> tuple[float, Bounds]:
    """Representation ratio of a group: its share of the data over that of the population.

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


def _capped(ratio: float) -> float:
    return min(ratio, 1.0)
