"""Column matching: which columns of two data sets can be compared, and why others cannot.

No column is lost: each can be compared, or is judged without a value, or is noted as left out. Only
`all` leaves columns out; a column that is named is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from aims_gate.checks.column_roles import role_columns
from aims_gate.checks.parameters import ColumnNames
from aims_gate.errors import near
from aims_gate.facts import LEFT_OUT, NoValue, Statistic
from aims_gate.frames import ColumnKind, Distribution, Frame
from aims_gate.sources.subject import Data

_NULLS = 0.01
CATEGORIES = (ColumnKind.TEXT, ColumnKind.BOOLEAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """The columns of a rule, sorted by what can be done with them."""

    fit: tuple[str, ...]
    lacks: tuple[tuple[str, NoValue, str], ...]
    """Columns that must be judged and cannot be compared: name, lack, reason."""
    notes: tuple[Statistic, ...]
    """What was left out, or is new, for people."""

    @property
    def judged(self) -> int:
        """Columns that have a judged cell."""
        return len(self.fit) + len(self.lacks)


def matched(
    columns: ColumnNames, reference: Data, current: Data, no_method: Callable[[ColumnKind], str]
) -> Matched:
    """Sort *columns*; *no_method* says why a kind cannot be compared, and nothing if it can."""
    lacks: list[tuple[str, NoValue, str]] = []
    notes: list[Statistic] = []
    fit: list[str] = []
    before, after = reference.frame, current.frame
    for column in _all(reference, current) if columns == "all" else columns:
        missing = _absent(column, before, after)
        kind = None if missing else kind_of_both(before, after, column)
        unfit = "" if missing or kind is None else no_method(kind)
        if kind is ColumnKind.OTHER:
            unfit = _unfit(column, before)
        if missing:
            lacks.append((column, NoValue.MISSING, missing))
        elif kind is None:
            changed = f"type changed from {_told(before, column)} to {_told(after, column)}"
            lacks.append((column, NoValue.UNDEFINED, changed))
        elif unfit and columns != "all":
            lacks.append((column, NoValue.UNDEFINED, unfit))
        elif unfit:
            notes.append(_unjudged(column, kind, unfit))
        else:
            fit.append(column)
    if columns == "all":
        notes += _left_out(reference, current)
    notes += [
        Statistic(name="new_column", slice=column, reason="in the current data only")
        for column in after.columns
        if column not in before.columns
    ]
    return Matched(fit=tuple(fit), lacks=tuple(lacks), notes=tuple(notes))


def kind_of_both(before: Frame, after: Frame, column: str) -> ColumnKind | None:
    """Kind of a column that both frames have; None if it changed.

    A column without any value holds what the other one does: writers store it without a type.
    """
    kinds = [frame.columns[column].kind for frame in (before, after)]
    if kinds[0] is not kinds[1]:
        kinds = [
            kind
            for kind, frame in zip(kinds, (before, after), strict=True)
            if frame.nulls(column) < frame.rows
        ]
    return kinds[0] if len(set(kinds)) == 1 else None if kinds else ColumnKind.OTHER


def _told(frame: Frame, column: str) -> str:
    """Name what a column holds; lists, times of day and such have no kind but their type."""
    kind = frame.columns[column].kind
    return frame.columns[column].type if kind is ColumnKind.OTHER else str(kind)


def _unfit(column: str, frame: Frame) -> str:
    empty = frame.nulls(column) == frame.rows
    return "every value is null" if empty else f"no method fits {frame.columns[column].type}"


def _unjudged(column: str, kind: ColumnKind, unfit: str) -> Statistic:
    """Why a column of `all` is not judged; the rule's line names it if no method fits."""
    lack = None if kind in (*CATEGORIES, ColumnKind.NUMBER) else NoValue.UNDEFINED
    return Statistic(name=LEFT_OUT, slice=column, lack=lack, reason=f"left out: {unfit}")


def nulls_moved(before: Distribution, after: Distribution) -> str:
    """Say how the share of nulls changed, if by more than 1 %: many distances do not see it."""
    return share_moved(before.nulls / before.rows, after.nulls / after.rows)


def share_moved(before: float, after: float) -> str:
    """Say how a share of nulls changed, if by more than 1 %."""
    if abs(before - after) <= _NULLS:
        return ""
    return f"their share changed from {before:.1%} to {after:.1%}: use drift.columns with psi"


def _absent(column: str, before: Frame, after: Frame) -> str:
    for where, frame in (("reference", before), ("current", after)):
        if column not in frame.columns:
            return f"no column {column!r} in the {where} data; {near(column, frame.columns)}"
    return ""


def _all(reference: Data, current: Data) -> Iterator[str]:
    roles = {*role_columns(reference.spec), *role_columns(current.spec)}
    return (column for column in reference.frame.columns if column not in roles)


def _left_out(reference: Data, current: Data) -> Iterator[Statistic]:
    """Say which columns have a role instead: roles are logged with the data, by their author."""
    of = {c: data.role for data in (current, reference) for c in role_columns(data.spec)}
    for column in filter(of.__contains__, reference.frame.columns):
        reason = f"left out: a role of the {of[column]} data, not an input"
        yield Statistic(name=LEFT_OUT, slice=column, reason=reason)
