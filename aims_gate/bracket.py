"""Brackets: proven bounds of what all rows give, from counts of cells and not from every value.

A confidence interval says how far the truth may lie from what was measured, and is wrong now and
then; a bracket says how far what was measured may lie from what was counted, and is never wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Bounds = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """The least and the greatest value that a statistic of all rows can have, given some cells.

    With each end go the bounds of its intervals there, each as low, and each as high, as it can be.

    Raises:
        ValueError: An end is NaN, or lies above the other.
    """

    low: float
    high: float
    cells: int
    """Cells that rows were counted in."""
    interval: tuple[Bounds, Bounds] | None = None
    """Bounds of the statistic's `interval` at the low end, and at the high one."""
    alone: tuple[Bounds, Bounds] | None = None
    """The same of `alone`."""

    def __post_init__(self) -> None:
        if not (self.cells >= 1 and all(low <= high for low, high in self._pairs())):
            raise ValueError(f"no bracket: {self.low:g} to {self.high:g} in {self.cells} cells")

    def _pairs(self) -> Iterator[Bounds]:
        yield from self._opened()
        for ends in (self.interval, self.alone):
            yield from ends or ()

    @property
    def is_settled(self) -> bool:
        """Whether its ends are one, and those of each bound: all rows give just that."""
        return all(low == high for low, high in self._opened())

    def _opened(self) -> Iterator[Bounds]:
        """Bounds of the value, and of each bound of an interval."""
        yield self.low, self.high
        for ends in (self.interval, self.alone):
            if ends is not None:
                yield from zip(*ends, strict=True)

    def holds(self, value: float | None) -> bool:
        """Whether a value lies within."""
        return value is not None and self.low <= value <= self.high

    def said(self, number: Callable[[float], object]) -> dict[str, object]:
        """Write it as JSON has it, each value by *number*; null is unbounded."""
        bounds = {
            side: None if ends is None else [[number(one) for one in end] for end in ends]
            for side, ends in (("interval", self.interval), ("alone", self.alone))
        }
        return {"low": number(self.low), "high": number(self.high), "cells": self.cells, **bounds}

    @classmethod
    def read(
        cls, said: Mapping[str, Any], number: Callable[[Any], float | None] = lambda value: value
    ) -> Bracket:
        """Read what `said` wrote, each value by *number*; ValueError if it is no bracket."""

        def bounds(pair: Any) -> Bounds:
            low, high = map(number, pair)
            return -math.inf if low is None else low, math.inf if high is None else high

        def ends(pair: Any) -> tuple[Bounds, Bounds] | None:
            if pair is None:
                return None
            low, high = map(bounds, pair)
            return low, high

        if said.keys() != {"low", "high", "cells", "interval", "alone"}:
            raise ValueError("its keys are not those of a bracket")
        if type(said["cells"]) is not int:
            raise ValueError("its cells are no count")
        low, high = bounds((said["low"], said["high"]))
        both = {side: ends(said[side]) for side in ("interval", "alone")}
        return cls(low=low, high=high, cells=said["cells"], **both)
