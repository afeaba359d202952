"""Approvals as of a past day: which bytes were in force then, and how strongly they were approved.

Git has the records as they were, and each act has its day; a key must be valid today, as anywhere.
Where neither tells, nothing is said of that day: today's strength is no answer about another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from functools import partial
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory

from aims_gate.errors import GateError, UsageError
from aims_gate.governance.approval import ApprovalStanding, standing
from aims_gate.governance.contract import RecordDocument, Records
from aims_gate.operations.aims.survey import Survey
from aims_gate.policy.base import PolicyBase
from aims_gate.policy.repository import GitRepository
from aims_gate.signoffs import APPROVALS
from aims_gate.system_records import approved_records


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedThen:
    """A document with the approval that it had on a day, by the people of that day."""

    document: RecordDocument
    records: Records
    stands: ApprovalStanding
    unknown: str = ""
    """Why it cannot be told; empty where it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalsThen:
    """Approvals on *day*; of today, they are what is there."""

    day: date
    today: bool
    then: dict[str, Records | str] = field(default_factory=dict)
    """Records as git has them on that day, by system, or why it has none."""

    @classmethod
    def on(cls, day: date, found: Survey) -> ApprovalsThen:
        """Read the records of a day; nothing but the survey is needed for the day that it is of."""
        if day >= found.today and not found.asked.past:
            return cls(day=day, today=True)
        systems = {"": None, **{one.id: one.folder for one in found.systems}}
        read = {name: _of_day(day, folder, found) for name, folder in systems.items()}
        return cls(day=day, today=False, then=read)

    def of(self, whose: str, document: RecordDocument, records: Records) -> ApprovedThen:
        """Approval of a document as of the day.

        Args:
            whose: Id of its system; empty for the organisation.
            document: As it is now.
            records: Now, by which it is judged.
        """
        told: Records | str = ""
        if not self.today:
            told, records = self.then.get(whose, ""), _until(self.day, records)
            if isinstance(told, Records):
                there = [one for one in told.documents if one.path == document.path and one.digest]
                if there:
                    stands = standing(there[0], told, today=self.day)
                    return ApprovedThen(document=there[0], records=told, stands=stands)
                told = f"git does not have it on {self.day}"
        stands = standing(document, records, today=self.day)
        if self.today or stands.by:  # bytes that were approved by then, and are in force still
            return ApprovedThen(document=document, records=records, stands=stands)
        why = f"{told}, and nobody had approved by then what is there now"
        return ApprovedThen(document=document, records=records, stands=stands, unknown=why)

    def removed(
        self, whose: str, kind: str, documents: Sequence[RecordDocument]
    ) -> Iterator[ApprovedThen]:
        """Documents of a kind that git has on that day, and that are not among those of now."""
        told, now = self.then.get(whose), {one.path for one in documents}
        if not isinstance(told, Records):
            return
        for one in told.of(kind):
            if one.digest and one.path not in now:
                stands = standing(one, told, today=self.day)
                yield ApprovedThen(document=one, records=told, stands=stands)


def _until(day: date, records: Records) -> Records:
    """Records with what people did up to a day; what does not hold stays told."""
    acts = tuple(one for one in records.approvals if one.problem or one.when.date() <= day)
    return replace(records, approvals=acts)


def _of_day(day: date, system: Path | None, found: Survey) -> Records | str:
    """Records as of the last commit of a day, or why there are none.

    Commits have the dates that their authors say.
    """
    asked, environ = found.asked, found.asked.history.environ
    roots = [one for one in (system, asked.org) if one is not None]
    try:
        with ExitStack() as stack:
            bases = [stack.enter_context(_base(day, root, environ)) for root in roots]
            if not bases:
                return "there are no records"
            records = approved_records(
                system,
                asked.org,
                trust=asked.history.trust,
                now=found.now,
                environ=environ,
                at=partial(_at, bases),
                commit=bases[0].commit,
            )
            return _until(day, replace(records, approvals=(*found.reviews, *records.approvals)))
    except (GateError, OSError) as error:
        return f"git does not tell: {getattr(error, 'what', error)}"


@contextmanager
def _base(day: date, root: Path, environ: Mapping[str, str]) -> Iterator[PolicyBase]:
    """The repository of a folder as of a day; UsageError if the folder is not in it."""
    repository = GitRepository.around(root, environ)
    commit = _last_of(day, repository)
    if repository.entry(commit, repository.inside(root) or "") is None:
        raise UsageError(f"{root.name} is not in it on {day}")
    with TemporaryDirectory(prefix="aims-gate-") as copy:
        yield PolicyBase(repository=repository, commit=commit, copy=Path(copy))


def _last_of(day: date, repository: GitRepository) -> str:
    """The last commit before any of a later day, on the way to what is checked out.

    Whoever commits may date back: what lies on top of a later commit was not there before it.
    """
    asked = ("--first-parent", "--reverse", "--timestamp", repository.head())
    words = repository.git("rev-list", *asked).decode().split()
    ends = datetime.combine(day, time.max, UTC).timestamp()
    found = [
        commit
        for _, commit in takewhile(
            lambda one: int(one[0]) <= ends, zip(words[::2], words[1::2], strict=True)
        )
    ]
    if not found:
        raise UsageError(f"its history does not reach {day}", hint="git fetch --unshallow")
    return found[-1]


def _at(bases: list[PolicyBase], path: Path) -> Path:
    """Where a file was on that day; signed approvals are read as they are: each has its own day."""
    if path.name == APPROVALS:
        return path
    inside = [one for one in bases if one.repository.inside(path) is not None]
    return inside[0].at(path) if inside else path
