"""Bracket of a difference of two values on different rows, and of its MOVER interval."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from aims_gate.bracket import Bounds
from aims_gate.stats.brackets.cells import Proven, widened

_ROUNDED = 5e-12
"""Share of the larger value by which a difference that is rounded to 12 digits is off at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownValue:
    """A value of all rows, as a bracket whose ends are one."""

    known: float
    interval: Callable[[float], Bounds]
    """Bounds of the value at a level."""
    cells: int = 0

    @property
    def value(self) -> Bounds:
        """The value, twice."""
        return self.known, self.known

    def ends(self, alpha: float) -> tuple[Bounds, Bounds]:
        """Bounds at level *alpha*, twice."""
        bounds = self.interval(alpha)
        return bounds, bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class FallBracket:
    """Bounds of the fall from a value to another, and of its MOVER interval."""

    first: Proven
    second: Proven

    @property
    def value(self) -> Bounds:
        """Of first - second, as `stats.paired.minus` rounds it."""
        one, other = self.first.value, self.second.value
        room = _ROUNDED * max(map(abs, (*one, *other)))
        return widened((one[0] - other[1] - room, one[1] - other[0] + room))

    @property
    def cells(self) -> int:
        """Cells of both."""
        return self.first.cells + self.second.cells

    def ends(self, alpha: float) -> tuple[Bounds, Bounds]:
        """Bounds of `stats.paired.mover` at level *alpha*, where both are low, and both high."""
        down, up = _arms(self.first, alpha)
        other_down, other_up = _arms(self.second, alpha)
        least, most = self.value
        low = widened(
            (least - math.hypot(down[1], other_up[1]), most - math.hypot(down[0], other_up[0]))
        )
        high = widened(
            (least + math.hypot(up[0], other_down[0]), most + math.hypot(up[1], other_down[1]))
        )
        return (low[0], high[0]), (low[1], high[1])


def _arms(of: Proven, alpha: float) -> tuple[Bounds, Bounds]:
    """How far an interval reaches below its value, and above it: the least and the most."""
    value, (lows, highs) = of.value, of.ends(alpha)
    down = max(value[0] - highs[0], 0.0), value[1] - lows[0]
    up = max(lows[1] - value[1], 0.0), highs[1] - value[0]
    return down, up
