"""Tables as the samples that other libraries take: rows again, but few of them.

Two engines can only be compared if both see the same sample, so every engine
that needs one comes through here.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aims_gate.stats.bins import Binned, Counts, Floats, OrderedSample
from aims_gate.stats.counting import total
from aims_gate.stats.divergence import over_bins

MOST_ROWS = 4_000_000
"""Rows that a table of bins is written out to at most."""
WRITTEN_ROWS = 50_000_000
"""Rows that weights are written out to at most, where each row has to stand by itself: some
gigabytes."""
COMPARED_ROWS = 50_000
"""Rows a side of a table of bins that two engines compute: all of one shape prove as much,
and a library counts the rows one by one."""
ORDER_STATISTICS = 20_000
"""Values that stand for a numeric sample: an error below 1e-4 standard deviations where the tails
are those of a normal law."""


def drawn(method: str, table: Binned) -> tuple[Counts, Counts]:
    """Whole counts with the smoothed distance of *table*, for libraries that count rows.

    Where half a row is added to each bin, 2c + 1 rows a bin are exactly that. From two million rows
    on they would be too many, and shares are rounded to one in four million, at least one row each,
    after raising those that `stats.divergence` raises.

    Returns:
        Reference and current, each of shape (bins,).
    """
    of = over_bins(method)
    if not of.smooth:
        return table.reference, table.current
    return _smoothed(table.reference, of.least), _smoothed(table.current, of.least)


def scaled(table: Binned) -> Binned:
    """The table, scaled down to `COMPARED_ROWS` a side with the same shares if it is larger.

    Counts are rounded, and none above 0 becomes 0.
    """
    return replace(table, reference=_scaled(table.reference), current=_scaled(table.current))


def order_statistics(sample: OrderedSample) -> Floats:
    """Order statistics: all values of up to 20,000 rows, else 20,000 at equally spaced ranks.

    Returns:
        Ascending, shape (min(rows, 20,000),); nulls are left out.
    """
    rows = total(sample.counts)
    if rows <= ORDER_STATISTICS:
        return np.repeat(sample.values, sample.counts)
    ranks = (np.arange(ORDER_STATISTICS) * 2 + 1) * rows // (2 * ORDER_STATISTICS)
    if rows == len(sample.values):  # every value once: its rank is its place
        return np.asarray(sample.values[ranks], dtype=np.float64)
    places = np.searchsorted(np.cumsum(sample.counts), ranks, side="right")
    return np.asarray(sample.values[places], dtype=np.float64)


def _smoothed(counts: Counts, least: float) -> Counts:
    doubled = 2 * counts + 1
    if int(doubled.sum()) <= MOST_ROWS:
        return np.asarray(doubled, dtype=np.int64)
    shares = np.maximum(doubled / doubled.sum(), least)
    rows: Counts = np.maximum(np.rint(shares * MOST_ROWS), 1).astype(np.int64)
    return rows


def _scaled(counts: Counts) -> Counts:
    rows = total(counts)
    if rows <= COMPARED_ROWS:
        return counts
    shares = np.rint(counts * (COMPARED_ROWS / rows))
    found: Counts = np.maximum(shares, counts > 0).astype(np.int64)
    return found
