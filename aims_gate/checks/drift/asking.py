"""Arguments of Evidently's tests: two samples of a column, or why they do not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from aims_gate.checks.drift.distances import Lacking
from aims_gate.checks.drift.matching import nulls_moved
from aims_gate.facts import NoValue
from aims_gate.frames import Distribution, Scalar
from aims_gate.stats import drift
from aims_gate.stats.bins import unpooled
from aims_gate.stats.power import LEAST_SAMPLE
from aims_gate.stats.samples import MOST_ROWS, order_statistics

Counted = Mapping[Scalar | None, int]


def numbers(before: Distribution, after: Distribution, *, every: bool) -> dict[str, Any]:
    """Two numeric samples: *every* row, or up to 20,000 order statistics of each."""
    samples = [
        np.repeat(sample.values, sample.counts) if every else order_statistics(sample)
        for sample in (before, after)
    ]
    ones = [np.ones(len(sample), dtype=np.int64) for sample in samples]
    return {
        "kind": "num",
        "reference": samples[0],
        "before": ones[0],
        "current": samples[1],
        "after": ones[1],
    }


def categories(before: Counted, after: Counted) -> dict[str, Any]:
    """Number the values of both samples in ascending order, null last, with their counts."""
    order = sorted({**before, **after}, key=lambda value: (value is None, value))
    counts = unpooled(*({v: c.get(v, 0) for v in order} for c in (before, after)))
    codes = np.arange(len(counts[0]), dtype=np.int64)
    return {
        "kind": "cat",
        "reference": codes,
        "before": counts[0],
        "current": codes,
        "after": counts[1],
    }


def unfit_numbers(before: Distribution, after: Distribution) -> Lacking | None:
    """Refuse what Evidently would drop silently: new nulls and infinite values."""
    moved = nulls_moved(before, after)
    if moved:
        return Lacking(lack=NoValue.UNDEFINED, reason=f"evidently drops nulls, and {moved}")
    if not drift.usable(before, after):
        return Lacking(lack=NoValue.UNDEFINED, reason="there are no values, or infinite ones")
    return None


def unfit_sizes(n: int, m: int, *, every: bool) -> Lacking | None:
    """Refuse samples that are too small to test, or too large to send row by row."""
    if min(n, m) < LEAST_SAMPLE:
        reason = f"{m:,} current and {n:,} reference rows, fewer than {LEAST_SAMPLE}"
        return Lacking(lack=NoValue.INSUFFICIENT, reason=reason, rows=m)
    if every and max(n, m) > MOST_ROWS:
        reason = f"{max(n, m):,} rows, more than {MOST_ROWS:,}: use drift.columns"
        return Lacking(lack=NoValue.UNDEFINED, reason=reason, rows=m)
    return None
