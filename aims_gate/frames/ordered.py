"""Empirical distribution of a column: numbers are sorted in their own width, and only once.

Whole numbers in a narrow range and truth values are counted without a sort.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aims_gate.frames import Counts, Distribution, Floats
from aims_gate.frames.column_values import numbers, plain, undictionary
from aims_gate.stats.counting import once

_NARROW = 1 << 16
"""A range of so many whole numbers is always counted, a wider one if there are twice as many rows:
its counts then take no more memory than they do."""
_STEP = 1 << 16
"""Values processed together; all of them at once would need as much memory again."""
_FLOATS = (pa.float32(), pa.float64())
Numbers = npt.NDArray[Any]


def ordered(pieces: Iterable[pa.ChunkedArray], rows: int) -> Distribution:
    """Empirical distribution of a number or boolean column of *rows* rows, unweighted.

    *pieces* are the column in order, all of one type; none is kept once the next is read.
    """
    values, filled = np.empty(0), 0
    for part in _arrays(pieces):
        if not filled:
            values = np.empty(rows, dtype=part.dtype)
        values[filled : filled + len(part)] = part
        filled += len(part)
    values, nulls = values[:filled], rows - filled
    if not filled:
        return Distribution(values=values, counts=once(0), nulls=nulls)
    return by_sorting(values) if values.dtype.kind == "f" else _whole(values, nulls)


def _arrays(pieces: Iterable[pa.ChunkedArray]) -> Iterator[Numbers]:
    """Values in their own width: whole numbers without null, floats with null as NaN."""
    for piece in pieces:
        column = undictionary(plain(piece))
        types, kind = pa.types, column.type
        if types.is_boolean(kind):
            column, kind = column.cast(pa.int8()), pa.int8()
        if types.is_integer(kind):
            column = column.drop_null() if column.null_count else column
        elif kind not in _FLOATS:
            yield numbers(column)
            continue
        for chunk in column.chunks:
            if len(chunk):
                yield chunk.to_numpy(zero_copy_only=False)


def by_sorting(values: Numbers) -> Distribution:
    """Sort numbers in place; NaN comes last, and runs of one value become one entry."""
    values.sort()
    stop = len(values)
    if stop and np.isnan(values[-1]):
        stop = int(np.searchsorted(values, values.dtype.type(np.nan)))
    nulls, values = len(values) - stop, values[:stop]
    zero = slice(*(int(np.searchsorted(values, 0.0, side)) for side in ("left", "right")))
    values[zero] = 0.0  # -0.0, which sorts as 0.0 does, becomes 0.0
    return _runs(values, None, nulls)


def by_sorting_weighted(values: Floats, weights: Counts) -> Distribution:
    """Sort numbers that count as often as their weights, each at least 1, say."""
    null = np.isnan(values)
    nulls = int(weights[null].sum())
    values, weights = values[~null] + 0.0, weights[~null]
    if np.all(weights == 1):
        return replace(by_sorting(values), nulls=nulls)
    order = np.argsort(values, kind="stable")
    return _runs(values[order], weights[order], nulls)


def _whole(values: Numbers, nulls: int) -> Distribution:
    low, high = int(values.min()), int(values.max())
    if high - low >= max(_NARROW, len(values) // 2):
        values.sort()
        return _runs(values, None, nulls)
    # in unsigned numbers of the same width differences wrap round to the right ones
    unsigned = values.view(f"u{values.itemsize}")
    least = np.array(low, dtype=values.dtype).view(unsigned.dtype)
    counts = np.zeros(high - low + 1, dtype=np.int64)
    step = max(_NARROW, len(counts))
    for start in range(0, len(values), step):
        above = (unsigned[start : start + step] - least).astype(np.int64, copy=False)
        counts += np.bincount(above, minlength=len(counts))
    found = np.flatnonzero(counts)
    distinct = found.astype(unsigned.dtype) + least
    return _runs(distinct.view(values.dtype), counts[found], nulls)


def _runs(values: Numbers, counts: Counts | None, nulls: int) -> Distribution:
    """Count the runs of equal values once they are floats; *values* ascend, *counts* are theirs."""
    new = _new(values)
    if new.all():
        wide: Floats = values.astype(np.float64, copy=False)
        return Distribution(
            values=wide, counts=once(len(wide)) if counts is None else counts, nulls=nulls
        )
    begins = np.flatnonzero(new)
    del new
    wide = values[begins].astype(np.float64, copy=False)
    if counts is None:
        summed = _lengths(begins, len(values))
    else:
        summed = np.add.reduceat(counts, begins).astype(np.int64, copy=False)
    return Distribution(values=wide, counts=summed, nulls=nulls)


def _new(values: Numbers) -> npt.NDArray[np.bool_]:
    """Tell which values differ, as floats, from the one before them; the first does."""
    new = np.ones(len(values), dtype=np.bool_)
    for start in range(0, len(values) - 1, _STEP):
        part = values[start : start + _STEP + 1].astype(np.float64, copy=False)
        np.not_equal(part[1:], part[:-1], out=new[start + 1 : start + len(part)])
    return new


def _lengths(begins: Counts, size: int) -> Counts:
    """Turn the places at which runs begin, in their own memory, into how long the runs are."""
    for start in range(0, len(begins), _STEP):
        part = begins[start : start + _STEP + 1]
        after = part[1:] if len(part) > _STEP else np.append(part[1:], size)
        part[: len(after)] = after - part[: len(after)]
    return begins
