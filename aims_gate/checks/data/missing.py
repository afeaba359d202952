"""Missing values: the share of nulls in each column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from aims_gate.checks.cells import lacking
from aims_gate.checks.contract import About, Inputs, StatisticSpec
from aims_gate.checks.data.own_columns import columns_of, share
from aims_gate.checks.parameters import ColumnNames, column_problems
from aims_gate.errors import near
from aims_gate.facts import NoValue, Statistic
from aims_gate.policy.model import Role

_MISSING = "missing_share"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Share of rows in which a column is null."""

    about: ClassVar[About] = About(
        name="data.missing",
        summary="Share of rows in which each column is null.",
        definition=(
            "Null or NaN over all rows, per column; in [0, 1], 0 is complete and 1 a column "
            "without any value. Bounds are guarded Wilson ones, one-sided and Bonferroni-corrected "
            "over the columns."
        ),
        roles=(Role.EVALUATION,),
        controls=("iso42001:A.7.4",),
        undecided=("a named column is not there", "there are no rows"),
    )

    columns: ColumnNames = "all"
    """Names, or all columns that came with the data."""

    def judged(self) -> StatisticSpec:
        """Describe the judged statistic: a share."""
        return StatisticSpec(
            name=_MISSING, low=0.0, high=1.0, higher_is_better=False, limit=0.05, unit="of rows"
        )

    def problems(self) -> Iterable[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        return column_problems(self.columns)

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Count nulls in every column; NoDataError if the role has no data."""
        data = inputs.data(inputs.on or Role.EVALUATION)
        there = columns_of(data)
        named = tuple(there) if self.columns == "all" else self.columns
        if not named:
            yield lacking(_MISSING, NoValue.MISSING, "the data have no columns")
        for column in named:
            if column not in there:
                reason = f"no column {column!r} in the {data.role} data; {near(column, there)}"
                yield lacking(_MISSING, NoValue.MISSING, reason, where=column)
            elif data.frame.rows == 0:
                yield lacking(
                    _MISSING, NoValue.MISSING, f"the {data.role} data have no rows", where=column
                )
            else:
                nulls, rows = data.frame.nulls(column), data.frame.rows
                cells = inputs.alpha, len(named)
                cell = share(_MISSING, column, nulls, data, rows=rows, cells=cells)
                yield replace(cell, reason=f"{nulls:,} of {rows:,} rows are null")
