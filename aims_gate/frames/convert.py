"""Frames of other libraries to Arrow, without importing those libraries."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from aims_gate.errors import DataError
from aims_gate.frames.column_values import settle

_TEXT = "give it one type: .astype(str) makes {!r} text, nulls included"
_FOREIGN = "unsupported format string"
"""What Arrow says of a type of a C stream that it does not have."""
_ALIKE = "each column needs one type, and all columns the same length"


class _UnfitError(TypeError):
    """What is wrong with a column, in words that hold no cell of it, and what to do."""

    def __init__(self, what: str, hint: str = _ALIKE) -> None:
        super().__init__(what)
        self.hint = hint


def to_table(data: object, *, where: str) -> pa.Table:
    """Turn a table of any known library into Arrow.

    Args:
        data: A pyarrow Table, RecordBatch or RecordBatchReader; a mapping of names to sequences; a
            pandas DataFrame, whose index is left out unless it has a name, as in a file that
            pandas writes; or anything that speaks the Arrow C stream
            protocol, such as a Polars DataFrame.
        where: What the data are called in errors.

    Raises:
        DataError: *data* is none of these, a column holds values of mixed types, columns differ in
            length, or two columns have one name.
    """
    try:
        table = _convert(data)
    except (pa.ArrowException, ValueError, TypeError, OverflowError, AttributeError) as error:
        if isinstance(error, pa.ArrowNotImplementedError) or _FOREIGN in str(error):
            raise not_read(where) from error
        raise DataError(
            f"not a table: {_reason(error)}",
            where=where,
            hint=error.hint if isinstance(error, _UnfitError) else _ALIKE,
        ) from error
    if table is None:
        raise DataError(
            f"cannot read a {type(data).__module__}.{type(data).__qualname__}",
            where=where,
            hint="give a pandas or Polars DataFrame, a pyarrow Table, a dict of lists, a DuckDB "
            "relation, an Ibis table or a Spark DataFrame",
        )
    twice = [name for name, count in Counter(table.column_names).items() if count > 1]
    if twice:
        raise DataError(
            f"two columns are called {twice[0]!r}", where=where, hint="rename one of them"
        )
    settled = {name: settle(table.column(name)) for name in table.column_names}
    return pa.table(settled).replace_schema_metadata(table.schema.metadata) if settled else table


def not_read(where: str) -> DataError:
    """Error for a valid file or frame whose type or compression Arrow does not support."""
    return DataError(
        "a column is of a type, or packed in a way, that Arrow does not read",
        where=where,
        hint="whole numbers of 128 bits, such as Int128 of Polars: cast them to Int64, Decimal or "
        "text; else write it again with Arrow's own types and codecs",
    )


def _convert(data: object) -> pa.Table | None:
    if isinstance(data, pa.Table):
        return data
    if isinstance(data, pa.RecordBatch):
        return pa.Table.from_batches([data])
    if isinstance(data, Mapping):
        return _from_mapping(data)
    if _is_pandas(data):
        return _from_pandas(data)
    if hasattr(data, "__arrow_c_stream__") and not isinstance(data, pa.ChunkedArray):
        return pa.table(data)
    return None


def _is_pandas(data: object) -> bool:
    """Tell whether *data* is a pandas DataFrame; if it is one, pandas is already imported."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(data, pandas.DataFrame)


def _from_pandas(frame: Any) -> pa.Table:
    """Convert a pandas frame, naming the column that cannot be converted.

    An index that has a name is a column, a range aside, which Parquet does not store either.

    What pandas writes as text and Arrow as structs is text: intervals, such as the bands of `cut`
    and `qcut`, and periods. Sparse columns are spelt out.
    """
    for name, count in Counter(map(str, frame.columns)).items():
        if count > 1:
            raise _UnfitError(f"two columns are called {name!r}", "rename one of them")
    index, columns = frame.index, list(frame.columns)
    levels = [name for name in index.names if name is not None and name not in columns]
    if levels and type(index).__name__ != "RangeIndex" and frame.columns.nlevels == 1:
        frame = frame.reset_index(level=levels)[[*columns, *levels]]
    for name in frame.columns:
        if (found := _spelt_out(frame[name])) is not None:
            frame = frame.assign(**{name: found})
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, ValueError, TypeError, OverflowError, AttributeError):
        for name in frame.columns:
            _array(str(name), frame[name])
        raise


def _spelt_out(series: Any) -> Any:
    """A pandas column of intervals, periods or sparse values as Arrow can hold it; else None."""
    kind = series.dtype
    values = str(getattr(getattr(kind, "categories", None), "dtype", kind)).lower()
    if values.startswith("sparse"):
        return series.sparse.to_dense()
    if values.startswith(("interval", "period")):
        return series.astype("object").map(str, na_action="ignore")
    return None


def _from_mapping(columns: Mapping[Any, Any]) -> pa.Table:
    arrays = {}
    for name, values in columns.items():
        if not isinstance(name, str):
            raise _UnfitError(f"the column name {name!r} is not text")
        arrays[name] = _array(name, values)
    lengths = {len(array) for array in arrays.values()}
    if len(lengths) > 1:
        raise _UnfitError(f"columns have different lengths, {min(lengths)} to {max(lengths)}")
    return pa.table(arrays)


def _array(name: str, values: Any) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    if isinstance(values, (str, bytes, Mapping)):
        raise _UnfitError(f"column {name!r} is a single {type(values).__name__}, not a sequence")
    try:
        return pa.array(values)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise _UnfitError(
            f"column {name!r} holds values of mixed or unknown types", _TEXT.format(name)
        ) from error


def _reason(error: Exception) -> str:
    """Say why, without the values of cells that Arrow puts into its messages."""
    if isinstance(error, _UnfitError):
        return str(error)
    failed = [arg for arg in error.args if str(arg).startswith("Conversion failed for column")]
    return str(failed[-1]) if failed else "a column cannot be converted to Arrow"
