"""How often an interval at 95 % holds the truth, on draws whose truth is known.

Where the outcomes are few enough to count out, nothing is drawn: the percents are then exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from draws import Rng

from aims_gate.stats import scores
from aims_gate.stats.intervals import Bounds
from aims_gate.stats.tables import ScoreTable

ALPHA = 0.025
"""Error of each side: both together are an interval at 95 %."""
Z = 1.959963984540054

Outcome = tuple[Bounds | None, float]
"""An interval, or none, and how likely it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A quantity with its truth, and how one draw of *rows* rows gives an interval for it."""

    name: str
    truth: float
    draw: Callable[[Rng, int], Bounds | None]
    """None where no interval is given: INSUFFICIENT, which is counted apart."""
    outcomes: Callable[[int], Iterator[Outcome] | None] = lambda _rows: None
    """Every interval that so many rows can give, with its chance; None if they are too many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """What became of the draws: percent covered of those with an interval, and percent without."""

    inside: float
    below: float
    """Truth below the interval."""
    above: float
    without: float
    exact: bool = False
    """Counted out, not drawn."""


def covered(case: Case, rng: Rng, *, rows: int, runs: int) -> Covered:
    """Count out all outcomes, or draw *runs* times and count."""
    every = case.outcomes(rows)
    outcomes = [*every] if every else [(case.draw(rng, rows), 1 / runs) for _ in range(runs)]
    given = [(bounds, chance) for bounds, chance in outcomes if bounds is not None]
    total = math.fsum(chance for _, chance in given)
    if not given:
        return Covered(inside=math.nan, below=math.nan, above=math.nan, without=100.0)
    below = math.fsum(chance for (low, _), chance in given if case.truth < low)
    above = math.fsum(chance for (_, high), chance in given if case.truth > high)
    return Covered(
        inside=100 * (1 - (below + above) / total),
        below=100 * below / total,
        above=100 * above / total,
        without=100 * max(1 - total, 0.0),
        exact=every is not None,
    )


def given(metric: str, table: ScoreTable) -> Bounds | None:
    """Give the interval of a metric; None where there is none."""
    if scores.undefined(metric, table) or scores.insufficient(metric, table):
        return None
    found = scores.interval(metric, table, alpha=ALPHA)
    return None if found is None else (found.low, found.high)
