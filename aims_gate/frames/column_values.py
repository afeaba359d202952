"""Arrow columns in one form each, and as NumPy arrays of numbers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aims_gate.errors import DataError
from aims_gate.frames import ColumnKind, Floats
from aims_gate.frames.widths import narrowed

Mask = npt.NDArray[np.bool_]
_EXACT_INT64 = 2.0**63


def kind_of(kind: pa.DataType) -> ColumnKind:
    """Say what a column of this Arrow type holds; a dictionary holds what its values are."""
    types = pa.types
    if types.is_dictionary(kind) or types.is_run_end_encoded(kind):
        return kind_of(kind.value_type)
    if types.is_boolean(kind):
        return ColumnKind.BOOLEAN
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return ColumnKind.NUMBER
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return ColumnKind.TEXT
    if types.is_date(kind) or types.is_timestamp(kind):
        return ColumnKind.TIME
    return ColumnKind.OTHER


def settle(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Spell out what Arrow cannot yet filter or take: views of strings and run-end encoding."""
    if pa.types.is_run_end_encoded(column.type):
        decoded = [pc.run_end_decode(chunk) for chunk in column.chunks]
        column = pa.chunked_array(decoded, type=column.type.value_type)
    settled = _settled(column.type)
    return column if settled == column.type else column.cast(settled)


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Bring a column to the form that questions are answered from: `stored`, but for decimals.

    Those that are all whole numbers become whole numbers, which are exact at any size.
    """
    column = stored(column)
    if pa.types.is_decimal(column.type):
        for kind in (pa.int64(), pa.uint64()):
            with suppress(pa.ArrowInvalid):  # a fraction, or too large
                return column.cast(kind)
    return column


def stored(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Bring storage variants of one type to one form: views, run-end encoding, extensions, date64.

    Dictionaries stay, because their codes save work. DataError for a date64 with a time of day.
    """
    while isinstance(column.type, pa.BaseExtensionType):
        chunks = [chunk.storage for chunk in column.chunks]
        column = pa.chunked_array(chunks, type=column.type.storage_type)
    column = settle(column)
    if not pa.types.is_date64(column.type):
        return column
    try:
        return column.cast(pa.date32())
    except pa.ArrowInvalid as error:
        raise DataError("a date64 column holds times of day", hint="store timestamps") from error


def _settled(kind: pa.DataType) -> pa.DataType:
    types = pa.types
    if types.is_string_view(kind):
        return pa.large_string()
    if types.is_binary_view(kind):
        return pa.large_binary()
    if types.is_dictionary(kind):
        return pa.dictionary(kind.index_type, _settled(kind.value_type), ordered=kind.ordered)
    if types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_settled(kind.value_type)))
    if types.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(_settled(kind.value_type)))
    if types.is_struct(kind):
        return pa.struct([field.with_type(_settled(field.type)) for field in kind])
    return kind


def undictionary(
    column: pa.ChunkedArray, form: Callable[[pa.ChunkedArray], pa.ChunkedArray] = plain
) -> pa.ChunkedArray:
    """Spell a dictionary-encoded column out, and bring it to a *form*."""
    while pa.types.is_dictionary(column.type):
        chunks = [chunk.dictionary_decode() for chunk in column.chunks]
        column = form(pa.chunked_array(chunks, type=column.type.value_type))
    return column


def numbers(column: pa.ChunkedArray) -> Floats:
    """A number or boolean column as float64, shape (rows,), null as NaN.

    Whole numbers beyond 2^53 and decimals are rounded to the nearest float.
    """
    column = undictionary(plain(column))
    if pa.types.is_decimal(column.type):  # Arrow's own cast is often off by one in the last place
        column = column.cast(pa.string())
    wide = column.cast(pa.float64(), safe=False)
    return cast("Floats", wide.to_numpy())


def whole_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Spell whole numbers in decimal digits, shape (rows,); null for numbers that are none."""
    column = undictionary(plain(column))
    if not pa.types.is_integer(column.type):
        values = numbers(column)
        whole = np.isfinite(values) & (np.abs(values) < _EXACT_INT64) & (np.trunc(values) == values)
        exact = np.where(whole, values, 0).astype(np.int64)
        column = pa.chunked_array([pa.array(exact, mask=~whole)])
    return column.cast(pa.string())


def at_width(column: pa.ChunkedArray, bits: int) -> pa.ChunkedArray:
    """Cast a numeric column to floats of so many bits."""
    values = narrowed(numbers(column), bits).astype(f"f{bits // 8}")
    return pa.chunked_array([pa.array(values, mask=np.isnan(values))])


def missing(column: pa.ChunkedArray) -> Mask:
    """Say which rows are null or NaN, shape (rows,)."""
    column = plain(column)
    if not _is_plain_dictionary(column):
        column = undictionary(column)
    if pa.types.is_floating(column.type):
        return cast("Mask", np.isnan(column.to_numpy()))
    return cast("Mask", column.is_null().to_numpy())


def _is_plain_dictionary(column: pa.ChunkedArray) -> bool:
    """Tell whether a dictionary holds text only, so that rows are null where their code is."""
    return (
        pa.types.is_dictionary(column.type)
        and kind_of(column.type) is ColumnKind.TEXT
        and not any(chunk.dictionary.null_count for chunk in column.chunks)
    )
