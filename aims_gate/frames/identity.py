"""Row equality: 64-bit fingerprints find candidates, and their values decide.

Nothing rests on two fingerprints being different by luck: rows of one fingerprint are compared
value by value. Columns are brought to one form first, so that storage does not show: a whole number
equals the same float, null equals NaN, and an instant itself in every zone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aims_gate.errors import DataError, MissingColumnError
from aims_gate.frames import ColumnKind
from aims_gate.frames.column_values import Mask, kind_of, missing, numbers, plain, undictionary
from aims_gate.frames.lazy import LazyTable
from aims_gate.frames.times import in_nanoseconds, instants, whole
from aims_gate.frames.widths import float_bits, narrowed
from aims_gate.stats.rows import Codes

Words = npt.NDArray[np.uint64]
"""Shape (rows,): 64 bits of each row."""

_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_HALF = np.uint64(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """One column in the tables that are compared, one below the other; read when it is needed."""

    name: str
    tables: tuple[pa.Table | LazyTable, ...]
    where: str

    def words(self) -> tuple[Words, ...]:
        """Hash words that are equal exactly where values are; a second one where some are null.

        Of floats of different widths the narrower one is compared, so that 0.1 equals itself.

        Raises:
            DataError: The columns hold different kinds, or lists, structs or bytes.
        """
        columns = [undictionary(plain(table.column(self.name))) for table in self.tables]
        kinds = {kind_of(column.type) for column in columns}
        if len(kinds) > 1 or ColumnKind.OTHER in kinds:
            told = " and ".join(str(column.type) for column in columns)
            raise DataError(
                f"column {self.name!r} holds {told}, which cannot be compared", where=self.where
            )
        (kind,) = kinds
        if kind is ColumnKind.TIME and not all(in_nanoseconds(c.type) for c in columns):
            columns = [instants(column, self.name, where=self.where) for column in columns]
        values = _FORMS[kind](columns)
        null = np.concatenate([missing(column) for column in columns])
        if not null.any():
            return (values,)
        return np.where(null, np.uint64(0), values), null.astype(np.uint64)


def compared(columns: Sequence[str], *tables: tuple[pa.Table | LazyTable, str]) -> list[Parts]:
    """Columns of one or more tables to compare, each table with its name in errors.

    Raises:
        MissingColumnError: A table does not have a column.
        DataError: There are no columns.
    """
    where = " and ".join(dict.fromkeys(name for _table, name in tables))
    if not columns:
        raise DataError("there is no column to compare rows by", where=where)
    for table, name in tables:
        for column in columns:
            if column not in table.column_names:
                raise MissingColumnError.from_columns(column, table.column_names, where=name)
    return [
        Parts(name=column, tables=tuple(table for table, _name in tables), where=where)
        for column in columns
    ]


def identities(parts: Sequence[Parts], prints: Words | None = None) -> Codes:
    """Number the rows: two of them get one number exactly if they are equal in every column.

    Args:
        parts: At least one column.
        prints: Fingerprints, equal for equal rows; taken of the values unless given.

    Returns:
        Shape (rows,), from 0, every number up to the largest in use.
    """
    prints = fingerprints(parts) if prints is None else prints
    order = np.argsort(prints, kind="stable")
    starts = np.ones(len(order), dtype=np.bool_)
    starts[1:] = np.diff(prints[order]) != 0
    runs = np.cumsum(starts) - 1
    ids = np.empty(len(order), dtype=np.int64)
    ids[order] = runs
    doubtful = order[~starts]
    if not len(doubtful):
        return ids
    first = order[starts][runs[~starts]]
    unlike = _unlike(parts, doubtful, first)
    if unlike.any():  # one fingerprint, different rows
        rows = doubtful[unlike]
        ids[rows] = int(runs[-1]) + 1 + _by_values(parts, rows)
    return ids


def different(parts: Sequence[Parts]) -> int:
    """How many rows differ from all earlier ones."""
    ids = identities(parts)
    return int(ids.max()) + 1 if len(ids) else 0


def same_rows(parts: Sequence[Parts], rows: int) -> bool:
    """Whether the first *rows* rows and the others are the same ones, in whatever order."""
    ids = identities(parts)
    most = int(ids.max()) + 1 if len(ids) else 0
    ours, theirs = (np.bincount(part, minlength=most) for part in (ids[:rows], ids[rows:]))
    return bool((ours == theirs).all())


def known(parts: Sequence[Parts], rows: int) -> Mask:
    """Say which of the first *rows* rows are equal to one of the others in every column."""
    words = parts[0].words() if len(parts) == 1 else ()
    if len(words) == 1:  # one column without null: its words are its values
        found = pc.is_in(pa.array(words[0][:rows]), value_set=pa.array(words[0][rows:]))
        return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.bool_)
    ids = identities(parts)
    there = np.zeros(int(ids.max()) + 1 if len(ids) else 0, dtype=np.bool_)
    there[ids[rows:]] = True
    return there[ids[:rows]]


def fingerprints(parts: Sequence[Parts]) -> Words:
    """Mix every row's words into 64 bits, one column in memory at a time."""
    prints: Words = np.zeros(1, dtype=np.uint64)
    for part in parts:
        for word in part.words():
            mixed = (prints ^ word) * _ODD
            mixed ^= mixed >> _HALF
            mixed *= _MIX
            prints = mixed ^ (mixed >> _HALF)
    return prints


def _unlike(parts: Sequence[Parts], rows: Codes, others: Codes) -> Mask:
    """Say where a row differs from the other one in any column."""
    differ = (word[rows] != word[others] for part in parts for word in part.words())
    return reduce(np.logical_or, differ)


def _by_values(parts: Sequence[Parts], rows: Codes) -> Codes:
    table = np.stack([word[rows] for part in parts for word in part.words()], axis=1)
    return np.unique(table, axis=0, return_inverse=True)[1].reshape(-1)


def _of_numbers(columns: Sequence[pa.ChunkedArray]) -> Words:
    first = columns[0].type
    if pa.types.is_decimal(first) and all(column.type == first for column in columns):
        return _of_text(columns)  # digits of one scale, which floats may not tell apart
    if all(pa.types.is_integer(column.type) for column in columns):
        exact = _of_integers(columns)
        if exact is not None:
            return exact
    values = np.concatenate([numbers(column) for column in columns])
    values = narrowed(values, min(float_bits(column.type) for column in columns))
    values += 0.0  # -0.0 is 0.0
    return values.view(np.uint64)


def _of_integers(columns: Sequence[pa.ChunkedArray]) -> Words | None:
    """Whole numbers exactly, as 64-bit words; None if some are negative and others above 2^63."""
    for kind in (pa.int64(), pa.uint64()):
        try:
            exact = [column.cast(kind).fill_null(0).to_numpy() for column in columns]
        except pa.ArrowInvalid:
            continue
        return np.concatenate(exact).view(np.uint64)
    return None


def _of_booleans(columns: Sequence[pa.ChunkedArray]) -> Words:
    truths = [column.cast(pa.uint8()).fill_null(0).to_numpy() for column in columns]
    return np.concatenate(truths).astype(np.uint64)


def _of_text(columns: Sequence[pa.ChunkedArray]) -> Words:
    chunks = [chunk for column in columns for chunk in column.cast(pa.large_string()).chunks]
    together = pa.chunked_array(chunks, type=pa.large_string())
    encoded = pc.dictionary_encode(together.combine_chunks())
    parts = encoded.chunks if isinstance(encoded, pa.ChunkedArray) else [encoded]
    codes = [part.indices.cast(pa.int64()).fill_null(0).to_numpy() for part in parts]
    return cast("Words", np.concatenate(codes).view(np.uint64))


def _of_times(columns: Sequence[pa.ChunkedArray]) -> Words:
    return np.concatenate([whole(column) for column in columns]).view(np.uint64)


_FORMS: dict[Any, Callable[[Sequence[pa.ChunkedArray]], Words]] = {
    ColumnKind.NUMBER: _of_numbers,
    ColumnKind.BOOLEAN: _of_booleans,
    ColumnKind.TEXT: _of_text,
    ColumnKind.TIME: _of_times,
}
