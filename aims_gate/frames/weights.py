"""Weights that count rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aims_gate.errors import DataError
from aims_gate.frames import ColumnKind, Counts
from aims_gate.frames.column_values import kind_of, numbers

_EXACT = 2.0**53
"""Sums of weights stay exact in float64 below this."""


def weights_of(column: pa.ChunkedArray, *, where: str) -> Counts:
    """Frequency weights as whole numbers; DataError for anything else."""
    if len(column) == 0:  # a column without rows has no type of its own in CSV
        return np.empty(0, dtype=np.int64)
    if kind_of(column.type) is not ColumnKind.NUMBER:
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
