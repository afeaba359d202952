"""The rule of the first versions: could a serious effect have been refused, before data are seen?

Kept to print its tables beside those of today. A group is powered if an effect of `SERIOUS` would
be refused with a probability of 0.80, its bounds corrected over all pairs of the rule.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from serious import SERIOUS

from aims_gate.stats.disparity import Group, Measure, quantile
from aims_gate.stats.intervals import proportion_bounds

_Z_POWER = 0.8416
_LIMIT, _LINE = 0.80, 0.90
_MIN_CELL, _SMALL = 30, 0.02


def insufficient(families: Sequence[Sequence[Group]]) -> bool:
    """Tell whether a ratio below 0.60 could have been missed in a group of 2 % of the rows."""
    eligible = [[g for g in family if g.rows >= _MIN_CELL] for family in families]
    z = quantile(0.05, sum(len(groups) * (len(groups) - 1) for groups in eligible))
    for groups, everyone in zip(eligible, families, strict=True):
        rate = (sum(g.successes for g in groups) + 0.5) / (sum(g.rows for g in groups) + 1)
        least = _SMALL * sum(group.rows for group in everyone)
        for group in groups:
            most = max((g.rows for g in groups if g is not group), default=0)
            if group.rows >= least and not (most and _powered(group.rows, most, rate, z)):
                return True
    return False


def _powered(rows: int, most: int, rate: float, z: float) -> bool:
    share = SERIOUS[Measure.RATIO] * rate
    high = proportion_bounds(share * rows, rows, z)[1]
    low = proportion_bounds(rate * most, most, z)[0]
    variance = share * (1 - share) / rows + _LINE**2 * rate * (1 - rate) / most
    error = _Z_POWER * math.sqrt(variance)
    proof = _LINE * rate - share - math.hypot(high - share, _LINE * (rate - low))
    return proof >= error and _LIMIT * rate - share >= error
