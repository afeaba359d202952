"""Row identity: the columns by which two rows are equal, for the checks on whole rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from aims_gate.checks.cells import lacking
from aims_gate.checks.column_roles import role_columns
from aims_gate.checks.contract import StatisticSpec
from aims_gate.checks.data.own_columns import columns_of
from aims_gate.checks.parameters import ColumnNames, column_problems
from aims_gate.errors import DataError, MissingColumnError
from aims_gate.facts import NoValue, Statistic
from aims_gate.frames import ColumnKind, Frame
from aims_gate.sources.subject import Data

_MANY = 100
"""With fewer rows, values that all differ are no sign of an identifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What is compared: whole rows or a key."""

    statistic: ClassVar[str]
    of_rows: ClassVar[float]
    """The limit for whole rows; that for keys and times is 0."""

    by: Literal["rows", "key", "time"] = "rows"
    columns: ColumnNames = "all"
    """The columns compared; `all` are every column that can tell rows apart, or the named role."""

    def problems(self) -> Iterator[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        yield from column_problems(self.columns)

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: a share."""
        return StatisticSpec(
            name=self.statistic,
            low=0.0,
            high=1.0,
            higher_is_better=False,
            limit=self.of_rows if self.by == "rows" else 0.0,
            has_interval=False,
            unit="of rows",
            needs=("span" if self.by == "time" else "repeats",),
        )

    def lack(self, lack: NoValue, reason: str) -> Statistic:
        """Judged statistic without a value."""
        return lacking(self.statistic, lack, reason)

    def compared(self, *sides: Data) -> list[str]:
        """Name the columns to compare rows of all *sides* by.

        Raises:
            MissingColumnError: A named column is not there.
            DataError: No column is named as key or time, or the sides name different ones.
        """
        if self.columns != "all":
            named = list(self.columns)
        elif self.by != "rows":
            named = [_of_role(self.by, *sides)]
        else:
            return self.every(*sides)
        for data in sides:
            there = columns_of(data)
            for column in named:
                if column not in there:
                    where = f"{data.role} data"
                    raise MissingColumnError.from_columns(column, there, where=where)
        return named

    def ignored(self, data: Data) -> Iterable[str]:
        """Name the columns in which rows may differ and still be the same."""
        return role_columns(data.spec)

    def every(self, *sides: Data) -> list[str]:
        """Name the columns that every side has and that none ignores.

        Columns of lists, structs, bytes and nothing but nulls are left out: to compare by fewer
        columns only finds more rows that are equal.
        """
        ignored = {column for data in sides for column in self.ignored(data)}
        first, *rest = [columns_of(data) for data in sides]
        return [
            column
            for column, kind in first.items()
            if column not in ignored and ColumnKind.OTHER not in {kind, *_kinds(column, rest)}
        ]

    def identifier(self, columns: list[str], frame: Frame) -> str:
        """Name a column that differs in every row, so that no row can be found again.

        Only where the policy did not choose the columns, and of text and whole numbers: amounts
        may all differ, and the policy may know that they do.
        """
        if self.columns != "all" or self.by != "rows" or frame.rows < _MANY:
            return ""
        for column in columns:
            words = (
                frame.columns[column].kind is ColumnKind.TEXT or "int" in frame.columns[column].type
            )
            if words and not frame.repeats([column]):
                return column
        return ""


def identifier_reason(column: str, role: str) -> str:
    """Why nothing is shown by rows that each have an identifier of their own."""
    return (
        f"{column!r} differs in every row, so no row could be found again; name it as key: under "
        f"data.{role}, or list the columns to compare"
    )


def _of_role(role: Literal["key", "time"], *sides: Data) -> str:
    named = [data.spec.key if role == "key" else data.spec.time for data in sides]
    for data, column in zip(sides, named, strict=True):
        if not column:
            raise DataError(
                f"no column is named as {role}",
                where=f"{data.role} data",
                hint=f"state {role}: under data.{data.role}, or list the columns",
            )
    (column, *others) = dict.fromkeys(column for column in named if column)
    if others:
        raise DataError(
            f"the {role} is {column!r} in one and {others[0]!r} in the other",
            where=" and ".join(f"{data.role} data" for data in sides),
            hint="name both columns alike",
        )
    return column


def _kinds(column: str, sides: Iterable[Mapping[str, ColumnKind]]) -> Iterator[ColumnKind]:
    """Kinds of a column on the other sides; OTHER where it is absent, which is of no use either."""
    return (kinds.get(column, ColumnKind.OTHER) for kinds in sides)
