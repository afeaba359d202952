"""Samples and tables as formulas take them, made of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aims_gate.stats.bins import Counts, Floats
from aims_gate.stats.tables import Ranked


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An ordered distribution."""

    values: Floats
    counts: Counts
    nulls: int = 0

    @classmethod
    def of(cls, rows: Floats | list[float], nulls: int = 0) -> Sample:
        values, counts = np.unique(np.asarray(rows, dtype=np.float64), return_counts=True)
        return cls(values=values, counts=counts.astype(np.int64), nulls=nulls)


def ranked(truth: Floats, scores: Floats) -> Ranked:
    """Positives and negatives by score; *truth* is 1 or 0."""
    values, place = np.unique(scores, return_inverse=True)
    positives = np.bincount(place, truth, len(values)).astype(np.int64)
    return Ranked(
        scores=values,
        positives=positives,
        negatives=np.bincount(place, minlength=len(values)) - positives,
    )
