"""Frames on tables that stay in the engine that holds them: DuckDB and Spark, through Ibis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import overload

import ibis
import numpy as np
import pyarrow as pa

from aims_gate.errors import SourceError
from aims_gate.frames import (
    Cells,
    ClassLoss,
    ColumnKind,
    Distribution,
    Frame,
    Gathered,
    Grid,
    Histogram,
    Key,
    Moments,
    RowLoss,
    Scalar,
    Span,
)
from aims_gate.frames.cache import AnswerCache
from aims_gate.frames.ibis_cells import counted, is_in
from aims_gate.frames.ibis_columns import COUNT, IbisColumns, normal_table
from aims_gate.frames.ibis_digest import table_v1_of
from aims_gate.frames.ibis_forms import Expr, certain, exact, microseconds, narrowed
from aims_gate.frames.ibis_histograms import histogram_of, histograms_by
from aims_gate.frames.ibis_losses import moments_by_sums
from aims_gate.frames.ibis_session import OWN, held_by_engine, refuse_twins
from aims_gate.frames.ibis_times import since_1970, span_by_cells

_LEAST = f"{OWN}least"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IbisFrame(IbisColumns):
    """A `Frame` over a table that an engine holds; make one with `opening.open_frame`.

    Counts, cells of grids, sums and spans are the engine's work, and what comes back does not grow
    with the rows. What needs values gets different ones with their counts, within the budget.
    """

    @classmethod
    def over(
        cls,
        data: object,
        *,
        weight: str | None,
        name: str,
        max_bytes: int | None = None,
        seconds: float | None = None,
    ) -> IbisFrame:
        """Frame over a table of a known engine; see `opening.open_frame`."""
        held = held_by_engine(data, where=name, seconds=seconds, most_bytes=max_bytes)
        table, types = normal_table(held, weight=weight, name=name)
        return cls(given=held, table=table, types=types, weighted=weight is not None, name=name)

    @property
    def engine(self) -> str:
        """The engine's name and version."""
        return self.session.engine

    @property
    def read_bytes(self) -> int:
        """Bytes that came back from the engine so far, for all tables of its session."""
        return self.session.read_bytes

    def unweighted(self) -> IbisFrame:
        """The frame unweighted: every row counts once; rows of weight 0 stay left out."""
        return replace(self, weighted=False, cache=AnswerCache()) if self.weighted else self

    def count(self, *keys: Key) -> Cells:
        """Count rows by the values of *keys*: cells in ascending order of values, null last."""
        self.empty().count(*keys)
        if not keys:
            rows = self.rows
            counts = np.array([rows] if rows else [], dtype=np.int64)
            return Cells(keys=(), values=((),) if rows else (), counts=counts)
        return self.cache.get(("count", keys), lambda: self._count(keys))

    def _count(self, keys: tuple[Key, ...]) -> Cells:
        found, places = counted(self, keys)
        return replace(found.count(*places), keys=keys)

    @overload
    def distribution(self, of: str | RowLoss) -> Distribution: ...

    @overload
    def distribution(self, of: str | RowLoss, by: str) -> Mapping[Scalar, Distribution]: ...

    def distribution(
        self, of: str | RowLoss, by: str | None = None
    ) -> Distribution | Mapping[Scalar, Distribution]:
        """Empirical distribution, of different values; DataError if they are too many."""
        wanted = [of] if isinstance(of, str) else [of.label, of.estimate]
        if isinstance(of, RowLoss) and of.against is not None:
            wanted.append(of.against)
        if by is None:
            return self.different(wanted).distribution(of)
        return self.different([*wanted, by]).distribution(of, by)

    @overload
    def histogram(self, of: str | RowLoss, grid: Grid) -> Histogram: ...

    @overload
    def histogram(self, of: str, grid: Grid, by: str) -> Mapping[Scalar, Histogram]: ...

    def histogram(
        self, of: str | RowLoss, grid: Grid, by: str | None = None
    ) -> Histogram | Mapping[Scalar, Histogram]:
        """Histogram of a number, boolean or loss, or of a column by each value of *by*."""
        if by is None:
            self.empty().histogram(of, grid)
            numeric = {ColumnKind.NUMBER, ColumnKind.BOOLEAN}
            if isinstance(of, str) and self.columns[of].kind not in numeric:
                return self.different([of]).histogram(of, grid)  # if every value is null
            return self.cache.get(("histogram", of, grid), lambda: histogram_of(self, of, grid))
        self.empty().histogram(str(of), grid, by)
        return self.cache.get(
            ("histogram", of, grid, by), lambda: histograms_by(self, str(of), grid, by)
        )

    def moments(self, of: RowLoss | ClassLoss) -> Moments:
        """Moments of a per-row loss, from sums of its powers; errors as `Frame.moments`."""
        return moments_by_sums(self, of)

    def gather(self, *, numbers: Sequence[str] = (), codes: Sequence[Key] = ()) -> Gathered:
        """Gather different rows with their counts; DataError if they are too many."""
        self.empty().gather(numbers=numbers, codes=codes)
        wanted = [*numbers, *(key.column for key in codes)]
        return self.different(wanted).gather(numbers=numbers, codes=codes)

    def repeats(self, columns: Sequence[str], of: Frame | None = None) -> int:
        """Count the rows that repeat one *of* another frame, or else an earlier one."""
        self.empty().repeats(columns)
        if of is None:
            different = self.table.select(*columns).distinct()
            (count,) = self.ask(different.aggregate(n=different.count()))["n"].to_pylist()
            return self.rows - int(count)
        if isinstance(of, IbisFrame) and self._is_beside(of, columns):
            return self._shared(of, columns)
        return self.different(columns).repeats(columns, of)

    def _is_beside(self, other: IbisFrame, columns: Sequence[str]) -> bool:
        """Tell whether one engine can compare rows, because columns are of one type in both."""
        return self.session.place is other.session.place and all(
            column in self.types
            and self.types[column] is not None
            and self.types[column] == other.types.get(column)
            for column in columns
        )

    def _shared(self, other: IbisFrame, columns: Sequence[str]) -> int:
        ours = self.table.select(*columns, **{COUNT: self.weights()})
        theirs = other.table.select(*columns).distinct()
        theirs = theirs.mutate(**{COUNT: ibis.literal(0, type="int64")})
        both = ours.union(theirs)
        rows = both.group_by(list(columns)).aggregate(
            **{COUNT: both[COUNT].sum(), _LEAST: both[COUNT].min()}
        )
        (count,) = self.ask(rows.aggregate(n=rows[COUNT].sum(where=rows[_LEAST] == 0)))["n"]
        return int(count.as_py() or 0)

    def span(self, column: str, *, until: datetime | None = None) -> Span:
        """Say from when to when dates or times are, and how many rows are not after *until*."""
        self.empty().span(column)
        return span_by_cells(self, column, until)

    def digest(self, *, again: bool = False) -> str:
        """`table-v1` digest: 64 hexadecimal digits.

        Taken *again*, not remembered, if so asked; of a snapshot it is the same, and of a file that
        the engine holds its bytes tell that. SourceError if they changed.
        """
        file = self.given.file
        if again and file is None and not self.given.snapshot:
            return table_v1_of(self.given, where=self.name)
        if again and file is not None and not file.is_unchanged():
            what = "the file of the table changed while it was asked about"
            raise SourceError(what, where=self.name, hint="judge a copy that nobody writes to")
        return self.cache.get("digest", lambda: table_v1_of(self.given, where=self.name))

    def parts(
        self, *keys: Key, columns: Sequence[str]
    ) -> Sequence[tuple[tuple[Scalar | None, ...], IbisFrame]]:
        """Partition of the rows by the cells of `count(*keys)`, in its order; *columns* only."""
        self.empty().parts(*keys, columns=columns)
        found, places = counted(self, keys)
        names = list(dict.fromkeys(place.column for place in places))
        kept, parts = self._only(columns), []
        for cell, rows in found.parts(*places, columns=names):
            values = [rows.table.column(place.column) for place in places]
            parts.append((cell, kept._where(is_in(self, keys, values))))  # noqa: SLF001
        return parts

    def _only(self, columns: Sequence[str]) -> IbisFrame:
        return replace(
            self, types={column: self.types[column] for column in columns}, cache=AnswerCache()
        )

    def _where(self, kept: Expr) -> IbisFrame:
        return replace(self, table=self.table.filter(kept), cache=AnswerCache())

    def at_one_width(self, columns: Sequence[str]) -> IbisFrame:
        """The frame with numeric *columns* cast to the lowest precision among them."""
        self.there(columns)
        widths = {column: self.columns[column].bits for column in columns}
        bits = min(widths.values())
        wide = [column for column, width in widths.items() if width > bits]
        if not wide:
            return self
        changed = {column: narrowed(self.table[column], bits) for column in wide}
        types = {**self.types, **dict.fromkeys(wide, pa.float32())}
        table = self.table.mutate(**changed)
        return replace(self, table=table, types=types, cache=AnswerCache())

    def without_nulls(self, columns: Sequence[str]) -> IbisFrame:
        """The frame without rows that are null in any of *columns*."""
        holed = [column for column in columns if self.nulls(column)]
        if not holed:
            return self
        return self._where(ibis.and_(*(self.table[column].notnull() for column in holed)))

    def after(self, column: str, moment: datetime) -> IbisFrame:
        """The frame of the rows whose date or time is later than *moment*."""
        self.empty().span(column)
        times = microseconds(self.table[column], self.session.forms)
        return self._where(certain(times > since_1970(moment)))

    def with_threshold(
        self, score: str, threshold: float, name: str, values: tuple[Scalar, Scalar]
    ) -> IbisFrame:
        """The frame with one more column: *values* of scores below *threshold*, and of others.

        A null score has a null value; the digest does not cover the column. DataError if there is
        a column of this name, or the score is no number.
        """
        refuse_twins([*self.types, name], self.name)
        self.empty().gather(numbers=[score])
        low, high = pa.array(values)
        kind = low.type
        column = self.table[score].cast("float64")
        below, above = (ibis.literal(value.as_py()) for value in (low, high))
        if pa.types.is_string(kind):
            below, above = map(self.session.forms.utf8, (below, above))
        derived = ibis.cases((column < exact(threshold), below), (column.notnull(), above))
        types = {**self.types, name: kind}
        return replace(
            self, table=self.table.mutate(**{name: derived}), types=types, cache=AnswerCache()
        )
