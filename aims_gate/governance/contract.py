"""Documented information as values: documents that live, log entries that happened, their faults.

A fault never raises and never drops a record: it stands in `problems`, and no check passes a record
that has one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum, StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

MAX_DAYS = 3660
"""Most days between two looks at a record."""


class ProblemKind(StrEnum):
    """What is wrong with a place in a record."""

    MISSING = "missing"
    """A file, key or section that must be there is not."""
    TODO = "todo"
    """It still says TODO, or holds a placeholder such as `{{owner}}`."""
    TEMPLATE = "template"
    """It is still a sentence of the template."""
    UNKNOWN = "unknown"
    """A key, section or file that no kind of record has."""
    UNREADABLE = "unreadable"
    """It cannot be read, or its value is not of its type."""


UNWRITTEN = frozenset({ProblemKind.MISSING, ProblemKind.TODO, ProblemKind.TEMPLATE})
"""Nobody has written it yet; whatever else is wrong was written."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RecordProblem:
    """One fault of a record; prints as `file:line: what`."""

    path: str
    line: int
    """From 1; 0 for the whole file."""
    key: str
    """Such as `risks[0].title`, or the heading of a section; empty for the whole file."""
    kind: ProblemKind
    message: str

    def __str__(self) -> str:
        """The fault as `file:line: what`."""
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDocument:
    """A document that lives: it has an owner, is approved, grows old, and is opened again."""

    kind: str
    """Of `kinds.KINDS`, such as `risks`."""
    id: str
    """Empty where the file is missing or unreadable."""
    path: str
    """From the folder's own name on, such as `aims/data/loans.md`; with `/` on every system."""
    owner: str = ""
    effective: date | None = None
    review_every: int | None = None
    """Days; None where the document leaves it to the organisation's cadence."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Its keys as written: mappings, tuples, text (days too), numbers, truth values."""
    sections: Mapping[str, str] = field(default_factory=dict)
    """Text below each heading of the second level, without comments; of YAML there are none."""
    generated: tuple[str, ...] = ()
    """Lines of its text in generated blocks, which no approval is of."""
    digest: str = ""
    """SHA-256 of the file's bytes; empty where there are none to read."""
    human_digest: str = ""
    """SHA-256 of what people wrote: without generated lines. Approvals are of this."""
    drafted_by: str = ""
    """The tool that wrote it: it counts only after a person's act on these very bytes."""
    problems: tuple[RecordProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """Something that happened: it has a day, may be open, and is closed with its effect."""

    type: str
    """Of `kinds.ENTRY_TYPES`, such as `incident`; empty where it cannot be read."""
    id: str
    path: str
    owner: str = ""
    opened: date | None = None
    due: date | None = None
    closed: date | None = None
    severity: str = ""
    links: tuple[str, ...] = ()
    """Ids of rules, risks and other records that it is about."""
    values: Mapping[str, Any] = field(default_factory=dict)
    sections: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""
    problems: tuple[RecordProblem, ...] = ()


class Strength(IntEnum):
    """Strength of a document's approval."""

    NONE = 0
    """Nobody stands behind it: it is missing, unreadable, or a tool's draft."""
    DECLARED = 1
    """It was committed, by whoever may."""
    REVIEWED = 2
    """Another person approved the pull request that brought these bytes."""
    SIGNED = 3
    """Another person signed these bytes, or the commit that brought them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAct:
    """What a person did about the bytes of a document, whether it counts or not."""

    record: str
    """Id of the document."""
    digest: str
    """Its `human_digest`; empty where the act does not hold."""
    names: tuple[str, ...]
    """Every name of the person, as trust file and forge have them."""
    strength: Strength
    when: datetime
    where: str
    """The file, commit or pull request."""
    authors: tuple[str, ...] = ()
    """Every name of who wrote or proposed the bytes: a claim, which can only forbid."""
    problem: str = ""
    """Why it does not hold; empty where it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """All records of one system and its organisation, faulty ones and missing ones included."""

    system: Path | None = None
    """The folder of the system's records, such as `aims/`; None where there is none."""
    org: Path | None = None
    """The folder of the organisation's records, such as `org/`; None where there is none."""
    documents: tuple[RecordDocument, ...] = ()
    entries: tuple[LogEntry, ...] = ()
    problems: tuple[RecordProblem, ...] = ()
    """Faults that belong to no one record, such as a file of no known name."""
    approvals: tuple[RecordAct, ...] = ()
    """What people signed or approved; `approval.standing` says what counts."""
    material: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What assessments rest on today, by part, such as `protected`; empty where nobody knows."""
    policy: RecordDocument | None = None
    """The release policy's own file, which is the plan of verification and validation."""

    def of(self, kind: str) -> tuple[RecordDocument, ...]:
        """Documents of a kind, in the order of their paths; none where no such kind was read."""
        return tuple(one for one in self.documents if one.kind == kind)

    def all_problems(self) -> Iterator[RecordProblem]:
        """Every fault, of records and of none, in the order of files."""
        for document in self.documents:
            yield from document.problems
        for entry in self.entries:
            yield from entry.problems
        yield from self.problems


def day(value: object) -> date | None:
    """The day that a key of `values` says; None where it says none."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def day_count(value: object) -> int | None:
    """The number of days that a key of `values` says, 1 to 3660; None where it says none."""
    return value if type(value) is int and 1 <= value <= MAX_DAYS else None


def plus_days(start: date, count: int) -> date:
    """The day so many days later, or earlier; at most the last or first one of the calendar."""
    return date.fromordinal(min(max(start.toordinal() + count, 1), date.max.toordinal()))


def has_come(when: date, today: date) -> bool:
    """Whether a day that people wrote has come where they are: up to one ahead of UTC's *today*."""
    return when <= plus_days(today, 1)


def frozen(tree: Any) -> Any:
    """A tree of plain values that nobody can change: mappings are read-only, lists are tuples."""
    if isinstance(tree, Mapping):
        return MappingProxyType({key: frozen(value) for key, value in tree.items()})
    return tuple(map(frozen, tree)) if isinstance(tree, list | tuple) else tree
