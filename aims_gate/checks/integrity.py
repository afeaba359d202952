"""Integrity: is what was judged what was fetched, declared and run?

Each kind of violation is a cell with a count; 0 is none, and the reason names the first ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

from aims_gate.attest.manifest import compare, scan
from aims_gate.checks import About, Inputs, Judged
from aims_gate.checks.formats import Format, flagged
from aims_gate.errors import GateError, SourceError
from aims_gate.facts import MEMORY, DigestKind, Lack, Statistic
from aims_gate.policy.model import DecideOn, Role
from aims_gate.sources.subject import Data, MetricPoint, RunFacts, Subject

_NAME = "violations"
_SHOWN = 3
_JUDGED = Judged(
    name=_NAME,
    low=0.0,
    high=math.inf,
    higher_is_better=False,
    neutral=0.0,
    limit=0.0,
    has_interval=False,
    decide_on=DecideOn.ESTIMATE,
)
_COUNTS = "A count per kind of violation in [0, inf); 0 is none. No interval: nothing is sampled. "
_APART = (
    (Role.EVALUATION, Role.REFERENCE),
    (Role.EVALUATION, Role.CURRENT),
    (Role.REFERENCE, Role.CURRENT),
)
"""Roles whose data must not be the same: each comparison would hold them against themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Whether the private copy is still what was hashed, and what its files are made of."""

    about: ClassVar[About] = About(
        name="integrity.model",
        summary="Whether the model's files are whole, and none is in a format that runs code.",
        definition=_COUNTS
        + (
            "manifest: files missing, added or changed since the model was hashed. formats: files "
            "in a denied format, by name, by first bytes, inside archives, and by MLmodel's "
            "serialization_format. files: required files that are not there. size: 1 if the files "
            "have more than max_bytes."
        ),
        controls=("iso42001:A.6.2.4", "iso42001:A.7.6"),
        undecided=("a file of the private copy cannot be read", "the model is in memory only"),
    )

    deny: tuple[Format, ...] = ()
    """Formats that no file may be in; every one of them runs code when it is loaded."""
    require_files: tuple[str, ...] = ()
    """Paths that must be there, such as `MLmodel` or `requirements.txt`."""
    max_bytes: int | None = None
    """Most bytes of all files together."""

    def judged(self) -> Judged:
        """Describe the judged statistic: the number of violations."""
        return _JUDGED

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Give what is wrong with the parameters."""
        if self.max_bytes is not None and self.max_bytes < 1:
            yield (
                "max_bytes",
                f"no model has {self.max_bytes} bytes or fewer",
                "use a size in bytes",
            )
        for path in self.require_files:
            if not path or path.startswith("/") or ".." in path.split("/"):
                yield "require_files", f"{path!r} is not a path inside a model", "such as MLmodel"

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Hash the private copy again, and look at every file's name and first bytes."""
        subject = inputs.subject
        if subject.model.reader == MEMORY:
            yield _lacking("manifest", Lack.MISSING, "a model in memory has no files to look at")
            return
        paths = tuple(entry.path for entry in subject.manifest.entries)
        yield _cell("manifest", lambda: _changed(subject), total=len(paths))
        yield _cell("formats", lambda: self._denied(subject, paths), total=len(paths))
        lost = [path for path in self.require_files if path not in paths]
        yield _cell("files", lambda: [f"{path} is not there" for path in lost], total=len(paths))
        yield _cell("size", lambda: self._too_large(subject), total=len(paths))

    def _denied(self, subject: Subject, paths: tuple[str, ...]) -> list[str]:
        found = flagged(subject.folder, paths, frozenset(self.deny))
        return [f"{path} is {' and '.join(sorted(formats))}" for path, formats in found]

    def _too_large(self, subject: Subject) -> list[str]:
        size = subject.manifest.bytes
        if self.max_bytes is None or size <= self.max_bytes:
            return []
        return [f"{size:,} bytes, more than {self.max_bytes:,}"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataDigests:
    """Whether the data are the declared ones, stay as they were, and differ between roles."""

    about: ClassVar[About] = About(
        name="integrity.data",
        summary="Whether the data are the declared ones, unchanged, and not used for two roles.",
        definition=_COUNTS
        + (
            "changed: roles whose bytes hash differently when read again at this point. declared: "
            "roles whose digest is not the policy's sha256. reused: pairs of roles that are the "
            "same bytes or the same rows; a model is not evaluated on its training data, and "
            "drift against itself is always none."
        ),
        controls=("iso42001:A.7.4", "iso42001:A.7.6"),
        undecided=("there are no data", "data that were named cannot be read"),
    )

    def judged(self) -> Judged:
        """Describe the judged statistic: the number of violations."""
        return _JUDGED

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Give what is wrong with the parameters: there are none."""
        return ()

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Hash every role's data again and hold the digests against each other."""
        data = [found for _role, found in sorted(inputs.subject.data.items())]
        for role, error in sorted(inputs.subject.unread.items()):
            yield _lacking(f"unread {role}", Lack.UNDEFINED, str(error))
        if not data:
            yield _lacking("data", Lack.MISSING, "there are no data of any role")
            return
        yield _cell("changed", lambda: _rewritten(data), total=len(data))
        yield _cell("declared", lambda: _undeclared(data), total=len(data))
        yield _cell("reused", lambda: _reused(data), total=len(data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Whether the training run ended well, and nothing was logged after its end."""

    about: ClassVar[About] = About(
        name="integrity.run",
        summary="Whether the training run finished, and no metric was logged after its end.",
        definition=_COUNTS
        + (
            "status: 1 unless MLflow says FINISHED. late: metric points whose time is after the "
            "run's end, or that have none; a point can be dated back, so 0 is not a proof. "
            "commit: 1 if a commit is required and none was recorded; it is the author's claim."
        ),
        controls=("iso42001:A.4.4", "iso42001:A.7.6"),
        undecided=("there is no training run", "the run is finished and has no end"),
    )

    require_commit: bool = False
    """Whether `mlflow.source.git.commit` must be recorded."""

    def judged(self) -> Judged:
        """Describe the judged statistic: the number of violations."""
        return _JUDGED

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Give what is wrong with the parameters: nothing can be."""
        return ()

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Look at the run's status, its end, its metric points and its commit."""
        run = inputs.subject.run
        if run is None:
            reason = "the model has no training run that MLflow still knows"
            yield _lacking("run", Lack.MISSING, reason)
            return
        status = (
            [] if run.status == "FINISHED" else [f"the run is {run.status or 'without status'}"]
        )
        yield _cell("status", lambda: status, total=1)
        yield _late(run)
        lost = self.require_commit and not run.commit
        yield _cell("commit", lambda: ["no commit is recorded"] if lost else [], total=1)


def _changed(subject: Subject) -> list[str]:
    again = scan(subject.folder)
    return [str(difference) for difference in compare(subject.manifest, again)]


def _rewritten(data: Sequence[Data]) -> list[str]:
    """Read files again; frames in memory were hashed as they are and cannot be read twice."""
    files = [d for d in data if d.identity.digest_kind is not DigestKind.ROWS]
    changed = [
        f"the {d.role} data hash differently now" for d in files if _again(d) != d.identity.digest
    ]
    lent = [(d.role, other) for d in data for other in d.joined]
    return changed + [
        f"what the {role} data are joined with hashes differently now"
        for role, other in lent
        if other.read_twice() != other.identity.digest
    ]


def _again(data: Data) -> str:
    if data.read_twice is None:
        raise SourceError(f"the {data.role} data cannot be read again", where=data.identity.uri)
    return data.read_twice()


def _undeclared(data: Sequence[Data]) -> list[str]:
    return [
        f"the {d.role} data are not the declared {d.spec.sha256[:12]}…"
        for d in data
        if d.spec.sha256 is not None and d.spec.sha256.lower() != d.identity.digest
    ]


def _reused(data: Sequence[Data]) -> list[str]:
    pairs = ((one, two) for one, two in combinations(data, 2) if _kept_apart(one.role, two.role))
    return [f"{one.role} and {two.role} are the same data" for one, two in pairs if _same(one, two)]


def _kept_apart(one: Role, two: Role) -> bool:
    return (one, two) in _APART or (two, one) in _APART


def _same(one: Data, two: Data) -> bool:
    """Tell whether two roles are the same bytes, or the same rows in another file."""
    if one.identity.digest == two.identity.digest:
        return True
    alike = one.frame.rows == two.frame.rows and one.frame.kinds == two.frame.kinds
    return alike and one.frame.digest() == two.frame.digest()


def _late(run: RunFacts) -> Statistic:
    total = len(run.metrics)
    if run.ended is None:
        return _lacking("late", Lack.UNDEFINED, f"the run is {run.status} and has no end")
    ended = run.ended
    late = [p for p in run.metrics if p.timestamp is None or p.timestamp > ended]
    return _cell("late", lambda: [_point(point) for point in late], total=total)


def _point(point: MetricPoint) -> str:
    when = (
        "without a time" if point.timestamp is None else f"at {point.timestamp:%Y-%m-%d %H:%M:%S}Z"
    )
    return f"metric {point.key!a} {when}"


def _cell(kind: str, look: Callable[[], Sequence[str]], *, total: int) -> Statistic:
    """Count what *look* finds; if it cannot look, the cell says so and the others still count."""
    try:
        found = look()
    except GateError as error:
        return _lacking(kind, Lack.UNDEFINED, str(error))
    except OSError as error:
        return _lacking(kind, Lack.UNDEFINED, f"a file cannot be read: {error.strerror}")
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return Statistic(
        name=_NAME,
        slice=kind,
        value=float(len(found)),
        rows=total,
        total=total,
        judged=True,
        reason="; ".join(found[:_SHOWN]) + more,
    )


def _lacking(kind: str, lack: Lack, reason: str) -> Statistic:
    return Statistic(name=_NAME, slice=kind, judged=True, lack=lack, reason=reason)
