"""Join columns from another source: late labels, and attributes that training may not see.

A join is one to one by a key: every row finds exactly one row there, and every row there is found.
The order of rows says nothing. Messages name rows by their number and never show a key.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aims_gate.errors import DataError, MissingColumnError
from aims_gate.frames.column_values import plain, undictionary
from aims_gate.policy.model import JoinSpec


def join(table: pa.Table, other: pa.Table, spec: JoinSpec, *, where: str, source: str) -> pa.Table:
    """One-to-one join: *table* with columns of *other*, its rows and their order unchanged.

    Args:
        table: The role's data.
        other: What is kept elsewhere, with as many rows.
        spec: The key, and the columns to take; all but the key if it names none.
        where: What *table* is called in errors.
        source: What *other* is called in errors.

    Raises:
        MissingColumnError: The key or a column is not there.
        DataError: A key is null, twice, missing on one side, or of another or an unfit type; or a
            column is in both.
    """
    keys, found = _key(table, spec.on, where), _key(other, spec.on, source)
    if keys.type != found.type:
        raise DataError(
            f"the key {spec.on!r} is {keys.type} in the {where} and {found.type} there",
            where=source,
            hint="store both as one type: 7 and '007' are not the same key",
        )
    position = pc.index_in(keys, value_set=found)
    _complete(position, spec.on, f"the {where}", source)
    _complete(pc.index_in(found, value_set=keys), spec.on, source, f"the {where}")
    for name in _taken(table, other, spec, source):
        table = table.append_column(other.schema.field(name), other.column(name).take(position))
    return table


def _taken(table: pa.Table, other: pa.Table, spec: JoinSpec, source: str) -> list[str]:
    names = list(spec.columns) or [name for name in other.column_names if name != spec.on]
    for name in names:
        if name not in other.column_names:
            raise MissingColumnError.from_columns(name, other.column_names, where=source)
        if name in table.column_names:
            hint = "state which columns: to take, or rename it"
            raise DataError(f"the column {name!r} is on both sides", where=source, hint=hint)
    if not names:
        raise DataError("there is no column but the key", where=source)
    return names


def _key(table: pa.Table, name: str, where: str) -> pa.Array:
    """Normalised key column: one form for each type, without nulls, unique."""
    if name not in table.column_names:
        raise MissingColumnError.from_columns(name, table.column_names, where=where)
    column = undictionary(plain(table.column(name)))
    types, kind = pa.types, column.type
    if types.is_string(kind) or types.is_large_string(kind):
        column = column.cast(pa.large_string())
    elif types.is_integer(kind) and kind != pa.uint64():
        column = column.cast(pa.int64())
    elif not (types.is_uint64(kind) or types.is_date32(kind) or types.is_timestamp(kind)):
        hint = "keys are whole numbers, text, dates or times"
        raise DataError(f"the key {name!r} is {kind}", where=where, hint=hint)
    if nulls := column.null_count:
        raise DataError(f"the key {name!r} is null in {nulls:,} rows", where=where)
    keys = column.combine_chunks()
    _once(keys, name, where)
    return keys


def _once(keys: pa.Array, name: str, where: str) -> None:
    codes = keys.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    first = np.unique(codes, return_index=True)[1]
    if len(first) < len(codes):
        row = int(np.setdiff1d(np.arange(len(codes)), first)[0]) + 1
        more = len(codes) - len(first)
        what = f"the key {name!r} has values that are there before in {more:,} rows"
        raise DataError(f"{what}, first in row {row:,}", where=where, hint="a key is there once")


def _complete(position: pa.Array, name: str, here: str, there: str) -> None:
    if lost := position.null_count:
        row = int(np.flatnonzero(position.is_null().to_numpy(zero_copy_only=False))[0]) + 1
        what = f"{lost:,} rows of {here} have a key {name!r} that is not there, first row {row:,}"
        hint = "every row needs exactly one on the other side"
        raise DataError(what, where=there.removeprefix("the "), hint=hint)
