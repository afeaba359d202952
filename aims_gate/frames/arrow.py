"""Frames in memory, on Arrow: one sort per distribution, one pass of codes per count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from aims_gate.errors import DataError, MissingColumnError
from aims_gate.frames import (
    Cells,
    Counts,
    Distribution,
    Floats,
    Key,
    Kind,
    Loss,
    Moments,
    Ranking,
    Rankings,
    Scalar,
)
from aims_gate.frames.columns import (
    Coded,
    Codes,
    Mask,
    binned,
    coded,
    kind_of,
    missing,
    numbers,
    plain,
    tabulate,
)
from aims_gate.frames.convert import to_table
from aims_gate.frames.digest import rows_v1
from aims_gate.frames.losses import (
    class_loss,
    moments_of,
    probability_loss,
    refuse_infinite,
    regression_loss,
)
from aims_gate.frames.queries import rankings

_PROBABILITY = (Loss.BRIER, Loss.LOG)
_EXACT = 2.0**53
"""Sums of weights stay exact in float64 below this."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArrowFrame:
    """A `Frame` over a table in memory; make one with `ArrowFrame.of`.

    Rows of weight 0 do not exist for any question but the digest, which covers the table as given.
    """

    table: pa.Table = field(repr=False)  # rows stay out of messages
    weights: Counts | None = field(default=None, repr=False)
    """Shape (rows of the table,), each at least 1; None where every row counts once."""
    given: pa.Table = field(repr=False)
    """The table as handed over, rows of weight 0 included."""
    name: str = "data"

    @classmethod
    def of(cls, data: object, *, weight: str | None = None, name: str = "data") -> ArrowFrame:
        """Take a table of any known library.

        Args:
            data: A pandas or Polars DataFrame, a pyarrow Table, a mapping of names to sequences, or
                anything that speaks the Arrow C stream protocol.
            weight: A column of whole numbers, 0 or more: how many rows each row stands for.
            name: What the data are called in errors.

        Raises:
            DataError: *data* is no table, two columns have one name, or a weight is null, negative,
                not whole or not a number.
            MissingColumnError: There is no column *weight*.
        """
        table = to_table(data, where=name)
        if weight is None:
            return cls(table=table, given=table, name=name)
        if weight not in table.column_names:
            raise MissingColumnError.from_columns(weight, table.column_names, where=name)
        weights = _weights(table.column(weight), where=f"{name}, weight column {weight!r}")
        there = weights > 0
        kept = table if there.all() else table.filter(pa.array(there))
        return cls(table=kept, weights=weights[there], given=table, name=name)

    @property
    def rows(self) -> int:
        """Rows, or the sum of the weights."""
        return self.table.num_rows if self.weights is None else int(self.weights.sum())

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """Columns in their order, and what each holds."""
        return {field.name: kind_of(field.type) for field in self.table.schema}

    @property
    def types(self) -> Mapping[str, str]:
        """Columns and the Arrow type each is stored with."""
        return {field.name: str(field.type) for field in self.table.schema}

    def nulls(self, column: str) -> int:
        """Count null (and, in numbers, NaN)."""
        return self._total(missing(self._column(column)))

    def count(self, *keys: Key) -> Cells:
        """Count rows by the values of *keys*: cells in ascending order of values, null last.

        Without keys there is one cell of all rows, or none if there are no rows.

        Raises:
            MissingColumnError: A column is not there.
            DataError: A column holds lists, structs or bytes; or edges do not fit a column.
        """
        columns = [self._coded(key) for key in keys]
        rows, counts = tabulate(columns, self.weights, self.table.num_rows)
        values = [_decode(column, rows) for column in columns]
        cells = tuple(zip(*values, strict=True)) if values else ((),) * len(counts)
        return Cells(keys=keys, values=cells, counts=counts)

    def distribution(self, column: str) -> Distribution:
        """Give the ordered distribution of a number or boolean; DataError for other kinds."""
        return _distribution(self._numbers(column), self.weights)

    def split(self, column: str, by: str) -> Mapping[Scalar, Distribution]:
        """Give *column* by the values of *by*, ascending, rows with null *by* left out."""
        values, groups = self._numbers(column), self._coded(Key(column=by))
        # small codes are sorted by radix, in linear time
        codes = groups.codes.astype(np.min_scalar_type(len(groups.values)), copy=False)
        codes = np.where(groups.codes < 0, len(groups.values), codes).astype(codes.dtype)
        order = np.argsort(codes, kind="stable")
        values = values[order]
        weights = None if self.weights is None else self.weights[order]
        ends = np.cumsum(np.bincount(codes, minlength=len(groups.values) + 1))
        found: dict[Scalar, Distribution] = {}
        for place, (value, end) in enumerate(zip(groups.values, ends, strict=False)):
            part = slice(int(ends[place - 1]) if place else 0, int(end))
            if part.stop > part.start:
                found[value] = _distribution(
                    values[part], None if weights is None else weights[part]
                )
        return found

    def moments(
        self, loss: Loss, *, label: str, estimate: str, positive: Scalar | None = None
    ) -> Moments:
        """Give the moments of a per-row loss.

        *positive* is needed for the losses of probabilities; it is compared with labels by value,
        so 1, 1.0 and True are one, and text is never a number.

        Raises:
            DataError: A row's loss is not finite, a probability is outside [0, 1], there are no
                rows, or *positive* is missing.
        """
        scores = self._numbers(estimate)
        if loss not in _PROBABILITY:
            return moments_of(regression_loss(loss, self._numbers(label), scores), self.weights)
        if positive is None:
            raise DataError(f"{loss} loss needs the positive class", where=self.name)
        is_positive = self._equals(label, positive)
        return moments_of(probability_loss(loss, is_positive, scores), self.weights)

    def class_moments(self, loss: Loss, *, label: str, estimates: Mapping[Scalar, str]) -> Moments:
        """Give the moments of BRIER or LOG over several classes; see `Frame.class_moments`."""
        found = self._coded(Key(column=label))
        places = {value: place for place, value in enumerate(estimates)}
        absent = [value for value in found.values if value not in places]
        if absent or (found.codes < 0).any():
            what = "null labels" if not absent else f"{len(absent):,} classes without a score"
            raise DataError(f"{label} holds {what}", where=self.name)
        place = np.array([places[value] for value in found.values], dtype=np.int64)[found.codes]
        columns = np.column_stack([self._numbers(column) for column in estimates.values()])
        return moments_of(class_loss(loss, place, columns), self.weights)

    def losses(self, loss: Loss, *, label: str, estimate: str) -> Distribution:
        """Give the ordered distribution of a regression loss; DataError as `moments`."""
        values = regression_loss(loss, self._numbers(label), self._numbers(estimate))
        refuse_infinite(values)
        return _distribution(values, self.weights)

    def rankings(
        self, ranking: Ranking, *, query: str, label: str, score: str, k: int | None = None
    ) -> Rankings:
        """Give a ranking metric of the rows of each query; see `Frame.rankings`."""
        return rankings(
            ranking,
            query=self._coded(Key(column=query)).codes,
            label=self._numbers(label),
            score=self._numbers(score),
            weights=self.weights,
            k=k,
        )

    def digest(self) -> str:
        """Give the `rows-v1` digest: 64 hexadecimal digits, independent of chunking and storage."""
        return rows_v1(self.given)

    def without_nulls(self, columns: Sequence[str]) -> ArrowFrame:
        """Give the frame without the rows that are null in any of *columns*."""
        drop = np.zeros(self.table.num_rows, dtype=np.bool_)
        for column in columns:
            drop |= missing(self._column(column))
        if not drop.any():
            return self
        kept = self.table.filter(pa.array(~drop))
        weights = None if self.weights is None else self.weights[~drop]
        return ArrowFrame(table=kept, weights=weights, given=kept, name=self.name)

    def with_column(self, name: str, values: pa.Array | pa.ChunkedArray) -> ArrowFrame:
        """Give the frame with one more column, which the digest does not cover; it is derived.

        *values* has one value per row of `table`. DataError if a column has this name already.
        """
        if name in self.table.column_names:
            raise DataError(f"there is a column {name!r} already", where=self.name)
        table = self.table.append_column(name, values)
        return ArrowFrame(table=table, weights=self.weights, given=self.given, name=self.name)

    def _column(self, name: str) -> pa.ChunkedArray:
        if name not in self.table.column_names:
            raise MissingColumnError.from_columns(name, self.table.column_names, where=self.name)
        return plain(self.table.column(name))

    def _numbers(self, name: str) -> Floats:
        column = self._column(name)
        if kind_of(column.type) not in {Kind.NUMBER, Kind.BOOLEAN}:
            raise DataError(
                f"column {name!r} is {self.types[name]}, and numbers are needed", where=self.name
            )
        return numbers(column)

    def _coded(self, key: Key) -> Coded:
        column = self._column(key.column)
        try:
            return binned(column, key.edges) if key.edges else coded(column)
        except DataError as error:
            where = f"{self.name}, column {key.column!r}"
            raise DataError(error.what, where=where, hint=error.hint) from error

    def _equals(self, name: str, wanted: Scalar) -> Floats:
        """Give 1 where a column equals *wanted*, 0 where it does not, NaN where it is null."""
        column = self._coded(Key(column=name))
        hits = [float(value == wanted) for value in column.values]
        return np.array([*hits, np.nan])[column.codes]

    def _total(self, rows: Mask) -> int:
        if self.weights is None:
            return int(np.count_nonzero(rows))
        return int(self.weights[rows].sum())


def _decode(column: Coded, rows: Codes) -> list[Scalar | None]:
    return [None if code < 0 else column.values[code] for code in column.codes[rows].tolist()]


def _distribution(values: Floats, weights: Counts | None) -> Distribution:
    """Sort once; runs of one value become one entry."""
    null = np.isnan(values)
    holes = int(null.sum() if weights is None else weights[null].sum())
    if weights is None:
        ordered = np.sort(values[~null] if holes else values)
        starts = _starts(ordered)
        counts = np.diff(starts, append=len(ordered))
    else:
        values, weights = values[~null], weights[~null]
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        starts = _starts(ordered)
        counts = np.add.reduceat(weights[order], starts) if len(starts) else weights[:0]
    # adding zero turns -0.0, which sorts as 0.0 does, into 0.0
    return Distribution(
        values=ordered[starts] + 0.0, counts=counts.astype(np.int64, copy=False), nulls=holes
    )


def _starts(ordered: Floats) -> Codes:
    changes = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    return np.concatenate(([0], changes)) if len(ordered) else changes


def _weights(column: pa.ChunkedArray, *, where: str) -> Counts:
    if len(column) == 0:  # a column without rows has no type of its own in CSV
        return np.empty(0, dtype=np.int64)
    if kind_of(column.type) is not Kind.NUMBER:
        raise DataError(f"weights are whole numbers, not {column.type}", where=where)
    values = numbers(column)
    bad = np.flatnonzero(~((values >= 0) & (np.floor(values) == values) & np.isfinite(values)))
    if bad.size:
        raise DataError(
            f"the weight of row {bad[0] + 1:,} is not a whole number of at least 0",
            where=where,
            hint="weights count rows; sampling weights and null are not supported",
        )
    if values.sum() >= _EXACT:
        raise DataError("the weights sum to 2^53 or more", where=where)
    return values.astype(np.int64)
