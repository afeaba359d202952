"""Model inputs by its signature, and validation of its predictions."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from aims_gate.errors import DataError, MissingColumnError
from aims_gate.frames import ColumnKind
from aims_gate.frames.column_values import kind_of, missing, numbers, undictionary
from aims_gate.frames.convert import to_table
from aims_gate.policy.model import DataSpec
from aims_gate.sources.subject import Signature

_NUMBERS = {
    "integer": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
}
"""MLflow's number types; CSV and Parquet may hold the same numbers in another width."""
_LOG_HINT = "log the model with a signature: the gate does not guess which columns it reads"


def features(
    table: pa.Table, spec: DataSpec, signature: Signature | None, *, where: str
) -> pa.Table:
    """Model inputs: the columns of the model's signature, in its order, and no other.

    Labels, keys, queries, weights and protected attributes that are no features never leave the
    gate.

    Raises:
        DataError: The model has no signature of named columns, names the label, the key, the
            query or the weight as a feature, or a number does not fit its type.
        MissingColumnError: A column that the model needs is not there.
    """
    if signature is None:
        raise DataError("the model names no columns", where=where, hint=_LOG_HINT)
    kept = {"label": spec.label, "key": spec.key, "query": spec.query, "weight": spec.weight}
    found: dict[str, pa.ChunkedArray] = {}
    for name, kind, required in signature.inputs:
        role = next((role for role, column in kept.items() if column == name), None)
        if role is not None:
            hint = "it would be told what it is to predict" if role == "label" else "it is no fact"
            raise DataError(f"the model reads {name!r}, the {role}", where=where, hint=hint)
        if name in table.column_names:
            found[name] = _typed(undictionary(table.column(name)), name, kind, where)
        elif required:
            raise MissingColumnError.from_columns(name, table.column_names, where=where)
    if not found:
        raise DataError("the data have no column that the model reads", where=where)
    return pa.table(found)


def _typed(column: pa.ChunkedArray, name: str, kind: str, where: str) -> pa.ChunkedArray:
    """Cast numbers to the signature's type, where no whole number changes."""
    wanted = _NUMBERS.get(kind)
    is_number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    if wanted is None or not is_number:
        return column
    nulls = int(missing(column).sum()) if pa.types.is_integer(wanted) else 0
    if nulls:
        what = f"column {name!r} has {nulls:,} nulls, and the model's signature ({kind}) none"
        hint = "fill them, or log the model with double in its signature"
        raise DataError(what, where=where, hint=hint)
    try:
        return column.cast(wanted)
    except pa.ArrowInvalid as error:
        what = f"column {name!r} ({column.type}) does not fit {kind}, as the model reads it"
        raise DataError(what, where=where) from error


def answers(content: bytes, table: pa.Table, label: str | None, *, where: str) -> pa.ChunkedArray:
    """Read predictions out of bytes that the model's process may have made up.

    They are numbers or truth values, or text where the labels are text: one per row of *table*.

    Raises:
        DataError: Anything else, a null, or a number that is not finite.
    """
    column = _column(content, table.num_rows, where)
    return accepted(column, table, label, where=where)


def accepted(
    column: pa.ChunkedArray, table: pa.Table, label: str | None, *, where: str
) -> pa.ChunkedArray:
    """Take a column for a model's answer to *table*; DataError for whatever `answers` refuses."""
    if len(column) != table.num_rows:
        what = f"the model gives {len(column):,} predictions for {table.num_rows:,} rows"
        raise DataError(what, where=where)
    kind = kind_of(column.type)
    is_text = label in table.column_names and kind_of(table.column(label).type) is ColumnKind.TEXT
    if kind not in ({ColumnKind.TEXT} if is_text else {ColumnKind.NUMBER, ColumnKind.BOOLEAN}):
        needed = "text, as the labels are" if is_text else "numbers"
        raise DataError(f"the model predicts {column.type}, and not {needed}", where=where)
    bad = missing(column)
    if kind is ColumnKind.NUMBER:
        bad = bad | ~np.isfinite(numbers(column))
    if bad.any():
        what = f"{int(bad.sum()):,} of {len(column):,} predictions of the model are null or not"
        raise DataError(f"{what} finite", where=where)
    return column


def _column(content: bytes, rows: int, where: str) -> pa.ChunkedArray:
    try:
        file = parquet.ParquetFile(pa.BufferReader(content))
        if file.schema_arrow.names != ["prediction"]:
            raise DataError("the model's answer is not one column", where=where)
        given = file.metadata.num_rows
        if given != rows:  # before anything is unpacked
            what = f"the model gives {given:,} predictions for {rows:,} rows"
            raise DataError(what, where=where)
        column = to_table(file.read(), where=where).column("prediction")
    except (pa.ArrowException, OSError, ValueError, KeyError, MemoryError) as error:
        raise DataError("the model's answer cannot be read", where=where) from error
    if len(column) != rows:
        raise DataError("the model's answer cannot be read", where=where)
    return column
