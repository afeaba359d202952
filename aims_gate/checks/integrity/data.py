"""Data integrity: whether data have the declared digest, are unchanged and not reused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import ClassVar

from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.integrity.counting import COUNTS, JUDGED, cell, lacking
from aims_gate.errors import SourceError
from aims_gate.facts import DigestKind, NoValue, Statistic
from aims_gate.frames import ColumnKind
from aims_gate.frames.opening import same_rows
from aims_gate.policy.model import Role
from aims_gate.sources.predictions import derived_name
from aims_gate.sources.subject import Data

_APART = (
    (Role.EVALUATION, Role.REFERENCE),
    (Role.EVALUATION, Role.CURRENT),
    (Role.REFERENCE, Role.CURRENT),
)
"""Roles whose data must differ: otherwise a comparison would be of data with themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataDigests:
    """Whether the data are the declared ones, stay as they were, and differ between roles."""

    about: ClassVar[About] = About(
        name="integrity.data",
        summary="Whether the data are the declared ones, unchanged, and not used for two roles.",
        definition=COUNTS
        + (
            "changed: roles whose bytes hash differently when read again at this point. declared: "
            "roles whose digest is not the policy's sha256. reused: pairs of roles that are the "
            "same bytes, or the same rows in whatever order, answers and weights aside; a model is "
            "not evaluated on its training data, and drift against itself is always none."
        ),
        controls=("iso42001:A.7.4", "iso42001:A.7.6"),
        undecided=("there are no data", "data that were named cannot be read"),
    )

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: the number of violations."""
        return replace(JUDGED, needs=("digest", "repeats"))

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """No invalid parameters: their types say all."""
        return ()

    def measure(self, inputs: Inputs) -> Iterator[Statistic]:
        """Hash every role's data again, and compare the digests."""
        data = [found for _role, found in sorted(inputs.subject.data.items())]
        for role, error in sorted(inputs.subject.unread.items()):
            yield lacking(f"unread {role}", NoValue.UNDEFINED, str(error))
        if not data:
            yield lacking("data", NoValue.MISSING, "there are no data of any role")
            return
        yield cell("changed", lambda: _rewritten(data), total=len(data))
        yield cell("declared", lambda: _undeclared(data), total=len(data))
        yield cell("reused", lambda: _reused(data), total=len(data))


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
    """Tell whether two roles are the same bytes, or the same rows, in whatever order and file.

    What the model answered may be beside the rows in one of them only, and weigh them.
    """
    if one.identity.digest == two.identity.digest:
        return True
    answers = {*_answers(one), *_answers(two)}
    facts = [
        {name: column.kind for name, column in d.frame.columns.items() if name not in answers}
        for d in (one, two)
    ]
    if not facts[0] or facts[0] != facts[1]:
        return False
    plain = [name for name, kind in facts[0].items() if kind is not ColumnKind.OTHER]
    if plain:
        return same_rows(one.frame, two.frame, plain)
    return one.frame.digest() == two.frame.digest()


def _answers(data: Data) -> Iterator[str | None]:
    """Columns with the model's answers and the row weight."""
    yield from (data.spec.prediction, data.spec.weight, derived_name(data.spec))
    score = data.spec.score
    yield from [score] if isinstance(score, str) else (score or {}).values()
