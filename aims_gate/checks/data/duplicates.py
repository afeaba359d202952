"""Duplicate rows: how many rows repeat an earlier one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from aims_gate.checks.column_roles import role_columns
from aims_gate.checks.contract import About, Inputs
from aims_gate.checks.data.own_columns import columns_of, unfit
from aims_gate.checks.data.rows import Rows, identifier_reason
from aims_gate.facts import NoValue, Statistic
from aims_gate.frames import ColumnKind
from aims_gate.policy.model import Role
from aims_gate.sources.subject import Data


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates(Rows):
    """Share of rows that repeat an earlier one, or its key."""

    about: ClassVar[About] = About(
        name="data.duplicates",
        summary="Share of rows that repeat another row, or another row's key.",
        definition=(
            "(rows - different rows) / rows, in [0, 1): 0 says that all rows differ. Of three "
            "equal rows two are repeated. Null equals null.\n\n"
            "Under `by: rows` every column counts but key, weight, prediction and score: a copy "
            "may be named or predicted anew. A row of weight 3 stands for three equal rows; by: "
            "key counts each row of the table once: a key names a row whatever it weighs.\n\n"
            "Rows of a few coarse columns are equal without any mistake: there ask `by: key`.\n\n"
            "The limit is 0.01 for rows and 0 for keys. No interval: the share of repeated rows "
            "grows with their number, so none is about anything but these rows."
        ),
        roles=(Role.EVALUATION,),
        controls=("iso42001:A.7.4",),
        undecided=(
            "a named column is not there, no key is named, or no column is left to compare",
            "by: rows, and a column of text or whole numbers differs in each of 100 rows or more",
        ),
    )
    statistic = "duplicate_share"
    of_rows = 0.01

    by: Literal["rows", "key"] = "rows"
    """Rows that are equal in the compared columns, or rows that have the same key."""

    def ignored(self, data: Data) -> Iterable[str]:
        """Name the columns in which a copy may differ: labels and times tell rows apart."""
        apart = {data.spec.label, data.spec.time}
        return (column for column in role_columns(data.spec) if column not in apart)

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Count repeated rows; NoDataError if the role has no data."""
        data = inputs.data(inputs.on or Role.EVALUATION)
        columns = self.compared(data)
        if not columns or not data.frame.rows:
            what = "column is left to compare" if data.frame.rows else "rows"
            yield self.lack(NoValue.MISSING, f"the {data.role} data have no {what}")
            return
        frame = data.frame.unweighted() if self.by == "key" else data.frame
        repeated, rows = frame.repeats(columns), frame.rows
        if not repeated and (column := self.identifier(columns, frame)):
            yield self.lack(NoValue.INSUFFICIENT, identifier_reason(column, data.role))
            return
        if self.columns == "all" and self.by == "rows":
            odd = (c for c, kind in columns_of(data).items() if kind is ColumnKind.OTHER)
            yield from (unfit(column, data, "cannot be compared") for column in odd)
        yield Statistic(
            name=self.statistic,
            value=repeated / rows,
            rows=rows,
            total=rows,
            judged=True,
            reason=f"{repeated:,} of {rows:,} rows repeat another one in {_told(columns)}",
        )


def _told(columns: list[str]) -> str:
    return columns[0] if len(columns) == 1 else f"{len(columns):,} columns"
