"""Ordered distributions, and weights that count rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aims_gate.errors import DataError
from aims_gate.frames import Counts, Distribution, Floats, Kind
from aims_gate.frames.columns import Codes, kind_of, numbers

_EXACT = 2.0**53
"""Sums of weights stay exact in float64 below this."""


def distribution_of(values: Floats, weights: Counts | None) -> Distribution:
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


def weights_of(column: pa.ChunkedArray, *, where: str) -> Counts:
    """Give a column of weights as whole numbers; DataError for anything that does not count."""
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
