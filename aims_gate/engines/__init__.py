"""Who computes a number: an engine turns small tables into values.

Preconditions and intervals are ours and come first (`checks/`, `stats/`), so that an engine can
only ever refuse more. Adding an engine is one file and one row in `ENGINES`;
`tests/conformance/test_engine.py` holds every one to this contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from aims_gate.frames import Cells, Distribution
from aims_gate.stats.tables import ScoreTable
from aims_gate.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """A group and how often something happened in it: *successes* of *rows*, rows at least 1."""

    group: str
    rows: int
    successes: int


class Engine(Protocol):
    """Computes values from cells or ordered distributions; never rows, never thresholds."""

    @property
    def label(self) -> str:
        """Name and version, as it stands in evidence: `native 0.1.0`."""
        ...

    def ratio(self, low: Trials, high: Trials) -> float:
        """Give the rate of *low* over the rate of *high*: 1 is parity; NaN if *high* has none."""
        ...

    def gap(self, low: Trials, high: Trials) -> float:
        """Give the rate of *high* minus the rate of *low*, in [-1, 1]: 0 is parity."""
        ...

    def drift_of_numbers(
        self, method: str, reference: Distribution, current: Distribution
    ) -> float:
        """Give the distance of two ordered distributions: 0 is none, larger is more."""
        ...

    def drift_of_categories(self, method: str, reference: Cells, current: Cells) -> float:
        """Give the distance of two tables of counts over one column: 0 is none."""
        ...

    def score(self, metric: str, table: ScoreTable) -> float:
        """Give a performance metric of `stats.scores`; NaN where it is undefined."""
        ...


ENGINES: Table[Engine] = Table("engine", {"native": "aims_gate.engines.native:ENGINE"})
