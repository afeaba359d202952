"""Values that hold many rows of a column, with the rows that they held before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aims_gate.frames import Frame, Scalar
from aims_gate.frames.widths import alike


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A value and the rows that hold it; None is null."""

    value: Scalar | None
    before: int
    after: int


def numbers(column: str, before: Frame, after: Frame, share: float) -> Sequence[Held]:
    """Numbers that hold *share* of the current rows; found without a loop over all values."""
    known, now = alike(before, after, column)
    least, found = share * after.rows, []
    for place in np.flatnonzero(now.counts >= least):
        value = now.values[place]
        at = int(np.searchsorted(known.values, value))
        there = at < len(known.values) and known.values[at] == value
        rows = int(known.counts[at]) if there else 0
        found.append(Held(value=float(value), before=rows, after=int(now.counts[place])))
    if now.nulls and now.nulls >= least:
        found.append(Held(value=None, before=known.nulls, after=now.nulls))
    return found


def values(
    before: Mapping[Scalar | None, int], after: Mapping[Scalar | None, int], share: float
) -> Sequence[Held]:
    """Categories, times and truth values that hold *share* of the current rows."""
    least = share * sum(after.values())
    return [
        Held(value=value, before=before.get(value, 0), after=rows)
        for value, rows in after.items()
        if rows >= least
    ]
