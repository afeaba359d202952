"""Columns as codes of their distinct values, and rows counted and grouped by them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aims_gate.errors import DataError
from aims_gate.frames import Coded, ColumnKind, Counts, Scalar
from aims_gate.frames.column_values import kind_of, numbers, plain
from aims_gate.frames.widths import float_bits, shortest
from aims_gate.stats.rows import Codes

_TABLE = 1 << 16
"""A table of counts of this many cells is never worth avoiding."""
_MOST_CELLS = 1 << 62


def coded(column: pa.ChunkedArray) -> Coded:
    """Dictionary-encode a column; DataError for lists, structs and bytes.

    Whole numbers stay exact at any size; decimals that no float tells apart are refused. Times
    become ISO 8601 text, in UTC with a `Z` if they have a time zone, and without trailing zeros, so
    that the storage unit does not show; a float32 is the shortest decimal that is it and no other.
    """
    column = plain(column)
    if pa.types.is_null(column.type):
        return Coded(codes=np.full(len(column), -1, dtype=np.int8), values=())
    if kind_of(column.type) is ColumnKind.OTHER:
        raise DataError(f"rows cannot be counted by a column of type {column.type}")
    if pa.types.is_dictionary(column.type):
        return _coded_by_dictionary(column)
    bits = float_bits(column.type)
    if pa.types.is_floating(column.type):
        values = numbers(column) + 0.0  # -0.0 becomes 0.0: Arrow would count it apart
        column = pa.chunked_array([pa.array(values, mask=np.isnan(values))])
    indices, dictionary = _encode(pc.dictionary_encode(column))
    if pa.types.is_decimal(dictionary.type):
        dictionary = _apart(dictionary)
    if pa.types.is_floating(dictionary.type):
        dictionary = pa.array(shortest(dictionary.to_numpy(), bits))
    return _ascending(indices, dictionary)


def _apart(decimals: pa.Array) -> pa.Array:
    """Distinct decimals as floats; DataError if two of them become one."""
    floats = pa.array([float(value) for value in decimals.to_pylist()], pa.float64())
    if len(floats.unique()) < len(floats):
        raise DataError(
            f"a column of type {decimals.type} holds values that no float tells apart",
            hint="store them as text, or as whole numbers",
        )
    return floats


def binned(column: pa.ChunkedArray, edges: Sequence[float]) -> Coded:
    """Cut numbers into `(-inf,e0)`, `[e0,e1)` … `[ek,inf)`; values are in this order.

    DataError for other kinds, and for edges that are not finite and strictly ascending.
    """
    if kind_of(column.type) is not ColumnKind.NUMBER:
        raise DataError(
            f"a column of type {column.type} cannot be cut at numbers", hint="leave its edges out"
        )
    if not all(map(math.isfinite, edges)) or any(a >= b for a, b in pairwise(edges)):
        raise DataError(f"the edges {list(edges)} are not finite and ascending")
    values = numbers(column)
    codes = np.searchsorted(np.asarray(edges, dtype=np.float64), values, side="right")
    codes[np.isnan(values)] = -1
    codes = codes.astype(np.min_scalar_type(-len(edges) - 2))
    names = [_edge(edge, float_bits(column.type)) for edge in edges]
    inner = [f"[{low},{high})" for low, high in pairwise(names)]
    return Coded(codes=codes, values=(f"(-inf,{names[0]})", *inner, f"[{names[-1]},inf)"))


def tabulate(
    columns: Sequence[Coded], weights: Counts | None, rows: int
) -> tuple[list[Codes], Counts]:
    """Count rows by the codes of *columns*.

    Returns:
        The codes of each non-empty cell, one array per column, and the cell's count or sum of
        weights; all of shape (cells,), cells in the order of the columns' values, null last.
    """
    size = math.prod(len(column.values) + 1 for column in columns)
    if size <= max(_TABLE, 4 * rows):
        return _table(columns, weights, rows, size)
    _, first, inverse = np.unique(_combined(columns, rows), return_index=True, return_inverse=True)
    return [column.codes[first] for column in columns], _sums(inverse, weights, len(first))


def grouped(
    columns: Sequence[Coded], rows: int
) -> tuple[npt.NDArray[np.int64], list[npt.NDArray[np.int64]]]:
    """Sort rows by the codes of *columns*, cells in the order of `tabulate`.

    Returns:
        A representative row of each cell, shape (cells,); and all rows of each, in their order.
    """
    combined = _combined(columns, rows)
    _, first, inverse = np.unique(combined, return_index=True, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    ends = np.cumsum(np.bincount(inverse, minlength=len(first)))
    return first.astype(np.int64), np.split(order, ends[:-1]) if len(first) else []


def by_code(column: Coded, *arrays: npt.NDArray[Any]) -> list[tuple[npt.NDArray[Any], ...]]:
    """Group by a coded column: for each value its rows of *arrays*, in order.

    Some rows are ordered at a time: an order of all would take as much again as an array.
    """
    rows, size = len(column.codes), len(column.values) + 1
    steps = [slice(start, start + max(_TABLE, size)) for start in range(0, rows, max(_TABLE, size))]
    # null has code -1, and the first place
    counts = [np.bincount(column.codes[step] + 1, minlength=size) for step in steps]
    ends = np.cumsum(sum(counts, np.zeros(size, dtype=np.int64)))
    found = [np.empty_like(array) for array in arrays]
    begun = np.append(0, ends[:-1])
    for step, count in zip(steps, counts, strict=True):
        order = np.argsort(column.codes[step], kind="stable")  # small codes by radix
        places = np.repeat(begun - np.cumsum(count) + count, count) + np.arange(len(order))
        for new, array in zip(found, arrays, strict=True):
            new[places] = array[step][order]
        begun += count
    parts = [slice(start, end) for start, end in pairwise(ends.tolist())]
    return [tuple(array[part] for array in found) for part in parts]


def decoded(column: Coded, codes: Codes) -> list[Scalar | None]:
    """Values that *codes* of a column stand for."""
    return [None if code < 0 else column.values[code] for code in codes.tolist()]


def _combined(columns: Sequence[Coded], rows: int) -> npt.NDArray[np.int64]:
    """One combined code per row, in the order of the columns' values, null last."""
    combined, size = np.zeros(rows, dtype=np.int64), 1
    for column in columns:
        width = len(column.values) + 1
        if size > _MOST_CELLS // width:
            combined = np.unique(combined, return_inverse=True)[1]
            size = rows
        combined = combined * width + _null_last(column, slice(rows))
        size *= width
    return combined


def _table(
    columns: Sequence[Coded], weights: Counts | None, rows: int, size: int
) -> tuple[list[Codes], Counts]:
    """Count into a table of all *size* cells that could be, some rows at a time."""
    counts = np.zeros(size, dtype=np.int64)
    step = max(_TABLE, size)
    for start in range(0, rows, step):
        part = slice(start, min(start + step, rows))
        cells = np.zeros(part.stop - start, dtype=np.int64)
        for column in columns:
            cells *= len(column.values) + 1
            cells += _null_last(column, part)
        counts += _sums(cells, None if weights is None else weights[part], size)
    found = np.flatnonzero(counts)
    codes: list[Codes] = []
    rest = found
    for column in reversed(columns):
        rest, code = np.divmod(rest, len(column.values) + 1)
        codes.append(np.where(code < len(column.values), code, -1))
    return codes[::-1], counts[found]


def _null_last(column: Coded, part: slice) -> Codes:
    """Codes in which null is one more than the last."""
    codes = column.codes[part]
    null = codes < 0
    return np.where(null, len(column.values), codes) if null.any() else codes


def _sums(codes: Codes, weights: Counts | None, size: int) -> Counts:
    if weights is None:
        return np.bincount(codes, minlength=size).astype(np.int64, copy=False)
    # exact: `open_frame` refuses weights that sum to 2^53 or more
    return np.bincount(codes, weights=weights, minlength=size).astype(np.int64)


def _coded_by_dictionary(column: pa.ChunkedArray) -> Coded:
    """Code the dictionary instead of the rows; it may itself hold nulls, NaN and duplicates."""
    indices, dictionary = _encode(column)
    inner = coded(pa.chunked_array([dictionary]))
    lookup = np.append(
        inner.codes, inner.codes.dtype.type(-1)
    )  # the last place is where index -1, a null, looks
    return Coded(codes=lookup[indices], values=inner.values)


def _encode(column: pa.ChunkedArray) -> tuple[Codes, pa.Array]:
    """Indices of a dictionary column, -1 for null, and its one dictionary."""
    column = column.unify_dictionaries()
    if not column.num_chunks:
        return np.zeros(0, dtype=np.int64), pa.array([], type=column.type.value_type)
    parts = [_indices(chunk.indices) for chunk in column.chunks]
    return np.concatenate(parts), column.chunk(0).dictionary


def _indices(codes: pa.Array) -> Codes:
    if pa.types.is_unsigned_integer(codes.type):
        codes = codes.cast(pa.int64())
    return cast("Codes", (codes.fill_null(-1) if codes.null_count else codes).to_numpy())


def _ascending(indices: Codes, dictionary: pa.Array) -> Coded:
    sortable = dictionary.cast(pa.uint8()) if pa.types.is_boolean(dictionary.type) else dictionary
    ascending = pc.array_sort_indices(sortable)
    order = ascending.to_numpy()
    rank = np.empty(len(order) + 1, dtype=np.min_scalar_type(-len(order) - 1))
    rank[order] = np.arange(len(order))
    rank[-1] = -1
    return Coded(codes=rank[indices], values=_scalars(dictionary.take(ascending)))


def _scalars(values: pa.Array) -> list[Scalar]:
    if kind_of(values.type) is not ColumnKind.TIME:
        return cast("list[Scalar]", values.to_pylist())
    if pa.types.is_date(values.type):
        days = values.cast(pa.int32()).to_numpy().astype("datetime64[D]")
        return [str(day) for day in days]
    instants = values.cast(pa.int64()).to_numpy().astype(f"datetime64[{values.type.unit}]")
    zone = "Z" if values.type.tz else ""
    return [_without_zeros(str(instant)) + zone for instant in instants]


def _without_zeros(instant: str) -> str:
    return instant.rstrip("0").rstrip(".") if "." in instant else instant


def _edge(edge: float, bits: int) -> str:
    """Write an edge as short as tells it from others of the column's width."""
    if float(edge).is_integer():
        return str(int(edge))
    narrow = np.dtype(f"f{bits // 8}").type(edge)
    return str(narrow) if float(narrow) == edge else repr(float(edge))
