"""Columns of a table that an engine holds, in the form in which equal values are one group.

What comes back is few rows in Arrow, each with how many it stands for; of them an `ArrowFrame`
answers, so that a value has one meaning whatever engine sent it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import ibis
import pyarrow as pa

from aims_gate.errors import DataError, MissingColumnError
from aims_gate.frames import Column, ColumnKind
from aims_gate.frames.arrow import ArrowFrame
from aims_gate.frames.cache import AnswerCache
from aims_gate.frames.column_values import kind_of
from aims_gate.frames.ibis_forms import Expr, certain, exact, kinds_of, normal
from aims_gate.frames.ibis_session import OWN, EngineSession, EngineTable
from aims_gate.frames.opening import open_rows
from aims_gate.frames.widths import float_bits

COUNT = f"{OWN}rows"
"""The name of what a row stands for, in questions and in answers."""
_EXACT = 2.0**53
_NONE = pa.binary()
"""In the place of a type that no check can use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scan:
    """What one question tells of all columns."""

    rows: int
    nulls: Mapping[str, int]
    ends: Mapping[str, tuple[float, float]]
    """The least and the greatest number."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IbisColumns:
    """A table that an engine holds, with the weights of its rows."""

    given: EngineTable
    """The table as it was given, and its session."""
    table: Expr = field(repr=False)
    """Its columns in their normal form, and `COUNT` if rows are weighted; none of weight 0."""
    types: Mapping[str, pa.DataType | None]
    """Columns in their order, as Arrow has them; None for those that no check can use."""
    weighted: bool = False
    name: str = "data"
    cache: AnswerCache = field(default_factory=AnswerCache, repr=False)
    """Answers that were given before."""

    @property
    def session(self) -> EngineSession:
        """The session in which the engine is asked."""
        return self.given.session

    @property
    def columns(self) -> Mapping[str, Column]:
        """Columns in their order, and what each holds."""
        stored = self.given.table.schema()
        return {
            name: Column(
                kind=ColumnKind.OTHER if kind is None else kind_of(kind),
                type=str(stored.get(name, "other") if kind is None else kind),
                bits=float_bits(_NONE if kind is None else kind),
            )
            for name, kind in self.types.items()
        }

    @property
    def rows(self) -> int:
        """Rows, or the sum of the weights."""
        return self._scan().rows

    def nulls(self, column: str) -> int:
        """Count null (and, in numbers, NaN); one scan for all columns."""
        self.there([column])
        return self._scan().nulls[column]

    def ends(self, column: str) -> tuple[float, float] | None:
        """The least and the greatest number of a column; None where there is none."""
        return self._scan().ends.get(column)

    def _scan(self) -> _Scan:
        return self.cache.get("scan", self._scanned)

    def _scanned(self) -> _Scan:
        asked = {COUNT: self.total()}
        for place, (name, kind) in enumerate(self.types.items()):
            column = self.table[name]
            asked[f"{place}"] = self.total(column.isnull())
            if kind is not None and kind_of(kind) is ColumnKind.NUMBER:
                asked[f"{place} least"] = column.min().cast("float64")
                asked[f"{place} greatest"] = column.max().cast("float64")
        (found,) = self.ask(self.table.aggregate(**asked)).to_pylist()
        return _Scan(
            rows=int(found[COUNT] or 0),
            nulls={name: int(found[f"{place}"] or 0) for place, name in enumerate(self.types)},
            ends={
                name: (found[f"{place} least"], found[f"{place} greatest"])
                for place, name in enumerate(self.types)
                if found.get(f"{place} least") is not None
            },
        )

    def total(self, where: Expr | None = None) -> Expr:
        """Count of rows, or the sum of their weights."""
        if where is not None:  # a third of what a filtered count costs DuckDB
            return ibis.cases((where, self.weights()), else_=0).sum()
        return self.table[COUNT].sum() if self.weighted else self.table.count()

    def weights(self) -> Expr:
        """How many rows each stands for."""
        return self.table[COUNT] if self.weighted else ibis.literal(1, type="int64")

    def ask(self, question: Expr) -> pa.Table:
        """Answer of the engine; errors name this frame."""
        return self.session.ask(question, where=self.name)

    def there(self, columns: Sequence[str]) -> None:
        """Refuse columns that are not there, by MissingColumnError."""
        for column in columns:
            if column not in self.types:
                raise MissingColumnError.from_columns(column, self.types, where=self.name)

    def empty(self) -> ArrowFrame:
        """The frame without its rows: it refuses what it would refuse of any of them."""
        kinds = {name: _NONE if kind is None else kind for name, kind in self.types.items()}
        none = pa.schema(list(kinds.items())).empty_table()
        return open_rows(none, name=self.name)

    def different(self, columns: Sequence[str]) -> ArrowFrame:
        """The different rows of some columns, with how many there are of each.

        DataError if they take more than may still come back, or hold lists, structs or bytes.
        """
        names = tuple(sorted(set(columns)))
        return self.cache.get(
            ("different", names),
            lambda: self._different(names),
            lambda found: 8 * found.table.num_rows * found.table.num_columns,
        )

    def _different(self, names: Sequence[str]) -> ArrowFrame:
        self.there(names)
        for name in names:
            if self.types[name] is None:
                what = f"column {name!r} is {self.columns[name].type}, which no check can use"
                raise DataError(what, where=self.name)
        rows = self.table.group_by(list(names)) if names else self.table
        found = rows.aggregate(**{COUNT: self.total()})
        each = 8 * (len(names) + 1)
        if self.rows * each > self.session.room:  # ask how many before they come
            (count,) = self.ask(found.aggregate(n=found.count()))["n"].to_pylist()
            if count * each > self.session.room:
                raise self.session.too_much(self.name, count)
        return self.in_memory(found, {name: name for name in names})

    def in_memory(self, question: Expr, names: Mapping[str, str]) -> ArrowFrame:
        """Frame over an answer that counts rows; its columns *names* are those of the table."""
        answer = self.ask(question)
        # an engine answers in any order, and evidence must not depend on it
        answer, columns = _ordered(answer), answer.column_names
        for place, name in enumerate(columns):
            kind = self.types.get(names.get(name, ""))
            if kind is not None:
                answer = answer.set_column(place, name, _restored(answer.column(place), kind))
        counted = answer.filter(answer[COUNT].is_valid())
        return open_rows(counted, weight=COUNT, name=self.name)


def normal_table(
    held: EngineTable, *, weight: str | None, name: str
) -> tuple[Expr, dict[str, pa.DataType | None]]:
    """A table's columns in their normal form, with its weights, and the Arrow type of each."""
    forms, kinds = held.session.forms, kinds_of(held.table.schema())
    table = held.table.select(
        **{column: normal(held.table[column], forms) for column, kind in kinds.items() if kind}
        | {column: held.table[column] for column, kind in kinds.items() if not kind}
    )
    if weight is not None:
        table = _weighted(held, table, kinds, weight, name)
    return table, kinds


def _weighted(
    held: EngineTable, table: Expr, kinds: Mapping[str, pa.DataType | None], weight: str, name: str
) -> Expr:
    if weight not in kinds:
        raise MissingColumnError.from_columns(weight, kinds, where=name)
    where, kind = f"{name}, weight column {weight!r}", kinds[weight]
    if kind is None or kind_of(kind) is not ColumnKind.NUMBER:
        raise DataError(f"weights are whole numbers, not {kind or 'this'}", where=where)
    values = table[weight].cast("float64")
    good = (values >= 0) & (values < exact(_EXACT)) & (values.floor() == values)
    asked = table.aggregate(bad=table.count(where=~certain(good)), total=values.sum(where=good))
    (found,) = held.session.ask(asked, where=where).to_pylist()
    if found["bad"]:
        raise DataError(
            f"{found['bad']:,} weights are not whole numbers of at least 0, and below 2^53",
            where=where,
            hint="weights count rows; sampling weights and null are not supported",
        )
    if (found["total"] or 0) >= _EXACT:
        raise DataError("the weights sum to 2^53 or more", where=where)
    return table.mutate(**{COUNT: values.cast("int64")}).filter(values > 0)


def _ordered(answer: pa.Table) -> pa.Table:
    """An answer in the order of its rows, by number: `.x` is a path to Arrow, and no name."""
    numbered = answer.rename_columns([f"{place}" for place in range(answer.num_columns)])
    found = numbered.sort_by([(place, "ascending") for place in numbered.column_names])
    return found.rename_columns(answer.column_names)


def _restored(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """A column of an answer in the type of the column that was asked about."""
    return column if column.type == kind else column.cast(kind)
