"""A column as its ordered distribution: numbers are sorted in their own width, and only once.

Whole numbers in a narrow range and truth values are counted without a sort.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aims_gate.frames import Counts, Distribution, Floats
from aims_gate.frames.columns import numbers, plain, undictionary
from aims_gate.stats.counting import once

_NARROW = 1 << 16
"""A range of this many whole numbers is always counted, a wider one if there are as many rows."""
_FLOATS = {pa.float32(): "f4", pa.float64(): "f8"}
Numbers = npt.NDArray[Any]


def ordered(column: pa.ChunkedArray) -> Distribution:
    """Give the distribution of a number or boolean column, every row counted once."""
    column = undictionary(plain(column))
    types, kind = pa.types, column.type
    if types.is_boolean(kind):
        column, kind = column.cast(pa.int8()), pa.int8()
    whole, nulls = types.is_integer(kind), column.null_count
    if whole:
        values = _joined(column.drop_null() if nulls else column)
    elif types.is_float32(kind) or types.is_float64(kind):
        values = _joined(column)
    else:
        values = numbers(column).copy()
    del column  # its memory is needed for what follows
    return _whole(values, nulls) if whole else by_sorting(values)


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
    order = np.argsort(values, kind="stable")
    return _runs(values[order], weights[order], nulls)


def _whole(values: Numbers, nulls: int) -> Distribution:
    if not len(values):
        return _runs(values, None, nulls)
    low, high = int(values.min()), int(values.max())
    if high - low >= max(_NARROW, len(values)):
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
    wide: Floats = values.astype(np.float64, copy=False)
    changes = wide[1:] != wide[:-1]
    if changes.all():
        return Distribution(
            values=wide, counts=once(len(wide)) if counts is None else counts, nulls=nulls
        )
    starts = np.flatnonzero(np.append(True, changes))
    if counts is None:
        summed = np.empty_like(starts)
        np.subtract(starts[1:], starts[:-1], out=summed[:-1])
        summed[-1] = len(wide) - starts[-1]
    else:
        summed = np.add.reduceat(counts, starts)
    return Distribution(
        values=wide[starts], counts=summed.astype(np.int64, copy=False), nulls=nulls
    )


def _joined(column: pa.ChunkedArray) -> Numbers:
    """Give a copy of all chunks as one array that may be sorted in place, null as NaN."""
    # Arrow would know the NumPy type too, but imports pandas to tell it
    found = np.empty(len(column), dtype=_FLOATS.get(column.type) or str(column.type))
    start = 0
    for chunk in column.chunks:
        found[start : start + len(chunk)] = chunk.to_numpy(zero_copy_only=False)
        start += len(chunk)
    return found
