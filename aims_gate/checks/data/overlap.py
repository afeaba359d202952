"""Train-test overlap: evaluation rows that are in the training data, or are no newer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from aims_gate.checks.column_roles import role_columns
from aims_gate.checks.contract import About, Inputs
from aims_gate.checks.data.near_copies import Hidden, hidden
from aims_gate.checks.data.own_columns import columns_of, unfit
from aims_gate.checks.data.rows import Rows, identifier_reason
from aims_gate.errors import DataError
from aims_gate.facts import LEFT_OUT, NoValue, Statistic
from aims_gate.frames import ColumnKind
from aims_gate.policy.model import Role
from aims_gate.sources.subject import Data


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap(Rows):
    """Share of evaluation rows that occur in the reference data, or are no newer."""

    about: ClassVar[About] = About(
        name="data.overlap",
        summary="Share of evaluation rows that the training (reference) data know already.",
        definition=(
            "Rows of the evaluation data that have an equal row in the reference data, over all "
            "of them; in [0, 1], 0 is a clean split and 1 an evaluation on known rows. Every copy "
            "counts.\n\n"
            "Under `by: rows` the columns are those that both have and that have no role: labels, "
            "predictions, scores, keys, weights and times do not count, because a copied row may "
            "be predicted, named or dated anew.\n\n"
            "A whole number equals the same float, of floats of two widths the narrower one is "
            "compared, null equals null.\n\n"
            "Rows of a few coarse columns are equal without any leak: there ask `by: key`.\n\n"
            "A mark of the split, a name of each row or noise would hide every copy. So rows are "
            "compared once more without the columns of which at most 0.1 % of the rows have a "
            "known value, and besides without each of text or whole numbers with a value for at "
            "least every second row. If more rows are equal then than twice what chance explains "
            "at most (double the share of reference rows that repeat another, after Good 1953), "
            "it is INSUFFICIENT, and names the columns.\n\n"
            "Under `by: time` rows count that are not newer than the newest reference row: a model "
            "that is judged on the past has seen what it is asked.\n\n"
            "The limit is 0.001 for rows, 0 for keys and times. No interval, because nothing is "
            "sampled."
        ),
        roles=(Role.REFERENCE, Role.EVALUATION),
        controls=("iso42001:A.6.2.4", "iso42001:A.7.6"),
        undecided=(
            "there are no reference data",
            "a named column is not there, no key is named, or no column is left to compare",
            "a column holds another kind in the other data, or a row has no key or no time",
            "by: rows, and a column of text or whole numbers differs in each of 100 rows or more",
            "by: rows, and only columns that could hide copies tell rows from reference rows",
        ),
    )
    statistic = "overlap_share"
    of_rows = 0.001

    by: Literal["rows", "key", "time"] = "rows"
    """Rows that are equal in the compared columns, that have a known key, or that are no newer."""

    def problems(self) -> Iterator[tuple[str, str, str]]:
        """Invalid parameters, each as (field, what is wrong, hint)."""
        yield from Rows.problems(self)
        if self.by == "time" and self.columns != "all" and len(self.columns) != 1:
            yield "columns", "a row has one time", "name one column, or state time: of the data"

    def measure(self, inputs: Inputs) -> Iterable[Statistic]:
        """Measure the overlap of rows; NoDataError if a role has no data."""
        reference = inputs.data(Role.REFERENCE)
        data = inputs.data(inputs.on or Role.EVALUATION)
        if data.role is Role.REFERENCE:
            raise DataError("the reference data would be held against themselves")
        columns = self.compared(data, reference)
        for side in (data, reference):
            if not side.frame.rows:
                yield self.lack(NoValue.MISSING, f"the {side.role} data have no rows")
                return
        if not columns:
            reason = f"the {data.role} and reference data have no column in common to compare"
            yield self.lack(NoValue.MISSING, reason)
            return
        if self.columns == "all" and self.by == "rows":
            yield from _left_out(columns, data, reference)
        if self.by == "time":
            yield self._no_newer(columns[0], data, reference)
        else:
            yield self._overlap(columns, data, reference)

    def _overlap(self, columns: list[str], data: Data, reference: Data) -> Statistic:
        if self.by == "key":
            self._refuse_nulls(columns, data, reference)
        shared, rows = data.frame.repeats(columns, reference.frame), data.frame.rows
        if not shared and (column := self.identifier(columns, data.frame)):
            return self.lack(NoValue.INSUFFICIENT, identifier_reason(column, data.role))
        if copies := self._copies(columns, data, reference, shared):
            return self.lack(NoValue.INSUFFICIENT, str(copies))
        told = f"{shared:,} of {rows:,} rows occur in the reference data"
        told += f", compared by {', '.join(columns)}" if len(columns) <= 3 else ""
        told += f", compared by {len(columns):,} columns" if len(columns) > 3 else ""
        if shared and self.by == "rows":
            within = reference.frame.repeats(columns) / reference.frame.rows
            told += f"; {within:.1%} of the reference rows repeat each other"
        return Statistic(
            name=self.statistic,
            value=shared / rows,
            rows=rows,
            total=rows,
            judged=True,
            reason=told,
        )

    def _copies(
        self, columns: list[str], data: Data, reference: Data, shared: int
    ) -> Hidden | None:
        """Near copies, by the columns that nobody chose, where the exact copies would pass."""
        chosen = self.columns != "all" or self.by != "rows"
        if chosen or shared > self.of_rows * data.frame.rows:
            return None
        return hidden(columns, data.frame, reference.frame, allowed=self.of_rows)

    def _no_newer(self, column: str, data: Data, reference: Data) -> Statistic:
        self._refuse_nulls([column], data, reference)
        newest = reference.frame.span(column).newest
        assert newest is not None  # noqa: S101  # there are rows, and each has a time
        known, rows = data.frame.span(column, until=newest).until, data.frame.rows
        return Statistic(
            name=self.statistic,
            value=known / rows,
            rows=rows,
            total=rows,
            judged=True,
            reason=f"{known:,} of {rows:,} rows are no newer than the newest reference row, "
            f"of {newest:%Y-%m-%d}",
        )

    def _refuse_nulls(self, columns: list[str], *sides: Data) -> None:
        for side in sides:
            for column in columns:
                if nulls := side.frame.nulls(column):
                    raise DataError(
                        f"{nulls:,} rows have no {column!r}, so where else they occur is not known",
                        where=f"{side.role} data",
                    )


def _left_out(columns: list[str], data: Data, reference: Data) -> Iterable[Statistic]:
    """Say which columns were not compared, so that nobody takes them for compared."""
    sides = {side.role: columns_of(side) for side in (data, reference)}
    roles = {column for side in (data, reference) for column in role_columns(side.spec)}
    for column in sides[data.role] | sides[reference.role]:
        if column in columns:
            continue
        there = [role for role, found in sides.items() if column in found]
        if len(there) > 1 and column not in roles:
            odd = data if sides[data.role][column] is ColumnKind.OTHER else reference
            yield unfit(column, odd, "cannot be compared")
            continue
        told = f"in the {there[0]} data only" if len(there) == 1 else "a role, not an input"
        yield Statistic(name=LEFT_OUT, slice=column, reason=f"left out: {told}")
