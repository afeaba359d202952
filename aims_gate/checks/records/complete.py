"""Completeness of documented information: nothing missing, no TODO, no sentence of the template."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.record_cells import (
    COUNTS,
    chosen,
    counted,
    faults,
    kind_problems,
    missing,
    records_of,
)
from aims_gate.facts import Statistic
from aims_gate.governance.contract import UNWRITTEN, RecordDocument, RecordProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """Whether every field that a record must have was filled in by a person or from a run."""

    about: ClassVar[About] = About(
        name="records.complete",
        summary="Whether records have every field that they must have, and none that nobody knows.",
        definition=COUNTS
        + (
            "A cell per record, and one per field that is wrong. MISSING: a file that is not there "
            "or cannot be read, and a key or section that is not there, says TODO, holds a "
            "{{placeholder}}, or is still the template's own sentence. Counted: a key that no such "
            "record has, and a value that is not of its type. Without kinds, all records, log "
            "entries and stray files are looked at."
        ),
        controls=("iso42001:7.5.1", "iso42001:7.5.2", "iso42001:A.6.2.7"),
        beside=True,
        undecided=(
            "a record, or a field that it must have, is not there or not written yet",
            "there are no records at all",
        ),
    )

    kinds: tuple[str, ...] = ()
    """Kinds of records, such as `card`; without them all, and the log."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: the number of faults."""
        return counted()

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Refuse a kind that there is not."""
        return kind_problems(self.kinds)

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Count the faults of each record, by field."""
        records = records_of(inputs)
        for one in chosen(records, self.kinds):
            if isinstance(one, RecordDocument):
                yield from _cells(one.path, one.problems)
            else:
                yield one
        if not self.kinds:
            for entry in records.entries:
                yield from _cells(entry.path, entry.problems)
            for path in dict.fromkeys(problem.path for problem in records.problems):
                stray = [problem for problem in records.problems if problem.path == path]
                yield from _cells(path, stray)


def _cells(path: str, found: Sequence[RecordProblem]) -> Iterator[Statistic]:
    if not found:
        yield faults(path, ())
    for key in dict.fromkeys(problem.key for problem in found):
        alike = [problem for problem in found if problem.key == key]
        where, told = f"{path} {key}".rstrip(), [str(problem) for problem in alike]
        if all(problem.kind in UNWRITTEN for problem in alike):
            yield missing(where, "; ".join(told))
        else:
            yield faults(where, told)
