"""Our own engine for as long as another one loads its libraries: nobody uses what it answers.

A check that is measured with it has read, sorted and compared its columns, which frames keep, when
the engine that was asked for is ready.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from aims_gate.engines import Answer, CountedRows, Engine, Trials
from aims_gate.errors import CheckError
from aims_gate.frames import Distribution
from aims_gate.stats.bins import Binned
from aims_gate.stats.disparity import Measure
from aims_gate.stats.tables import Ranked, ScoreTable


class Ahead:
    """Answers as *own* does, and with a CheckError from then on that *other* is ready."""

    def __init__(self, own: Engine, other: Engine) -> None:
        self._own = own
        self._other = other

    @property
    def label(self) -> str:
        """Name and version, which no evidence ever shows."""
        return self._own.label

    @property
    def ready(self) -> bool:
        """True: it loads nothing."""
        return True

    def start(self, libraries: Iterable[str]) -> None:
        """Do nothing: everything is there."""

    def close(self) -> None:
        """Do nothing: nothing was taken."""

    def compare(
        self, measure: Measure, pairs: Sequence[tuple[Trials, Trials]]
    ) -> tuple[Answer, ...]:
        """Answer, or end the check; so do all others."""
        return self._until_ready().compare(measure, pairs)

    def means(self, samples: Sequence[Distribution]) -> tuple[Answer, ...]:
        """See `Engine.means`."""
        return self._until_ready().means(samples)

    def drift_of_bins(self, method: str, table: Binned) -> Answer:
        """See `Engine.drift_of_bins`."""
        return self._until_ready().drift_of_bins(method, table)

    def drift_of_numbers(
        self, method: str, reference: Distribution, current: Distribution
    ) -> Answer:
        """See `Engine.drift_of_numbers`."""
        return self._until_ready().drift_of_numbers(method, reference, current)

    def score(self, metric: str, table: ScoreTable, sample: Callable[[], CountedRows]) -> Answer:
        """See `Engine.score`."""
        return self._until_ready().score(metric, table, sample)

    def calibration(self, table: Ranked, bins: int) -> Answer:
        """See `Engine.calibration`."""
        return self._until_ready().calibration(table, bins)

    def by_name(self, library: str, name: str, arguments: Mapping[str, object]) -> Answer:
        """Refuse: a library's own numbers are asked for when it is there."""
        return self._until_ready().by_name(library, name, arguments)

    def _until_ready(self) -> Engine:
        if self._other.ready:
            raise CheckError(f"{self._other.label} is ready")
        return self._own
