"""How well one column tells who belongs to a group: the area under the best ROC curve over it.

Rows are counted by bins of the column, for a group and for everybody else. Ordered by the share of
the group, the bins give the largest area any rule can reach that looks at the bins alone:
1/2 + 1/2 sum over pairs of bins of |p_b q_c - p_c q_b|, with p and q the two distributions.

That order is chosen after looking, so that chance alone gives more than 1/2. Under independence
p_b q_c - p_c q_b is about normal with variance (1/n + 1/m) r_b r_c (r_b + r_c), r being the pooled
distribution, and the mean of the sum follows. Bins are merged until it is small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aims_gate.stats import auc
from aims_gate.stats.tables import Counts, Floats, Ranked

FINE = 100
"""Quantile bins in which a column of numbers is counted."""
MOST_NOISE = 0.125
"""What an order that is chosen after looking may add by chance: half of the way to 0.75."""
_COARSE = (20, 10, 5, 3, 2)
_MOST = 300
"""Categories that are kept apart at most."""
_LEAST = 5
"""A category expected fewer times than this in the smaller part is pooled with its likes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proxy:
    """What a column says of a group."""

    table: Ranked
    """The group (positives) and everybody else by the rank of their bin."""
    noise: float
    """What independence would add to 1/2."""

    @property
    def area(self) -> float:
        """In [0.5, 1]: 0.5 tells nothing, 1 tells the group exactly."""
        return auc.area(self.table)


def of_numbers(group: Counts, rest: Counts, nulls: tuple[int, int]) -> Proxy:
    """Proxy strength of a numeric column: the better of a monotone rule and the best order.

    Args:
        group: Shape (bins,): the group's rows in fine, ascending bins.
        rest: Shape (bins,): everybody else's.
        nulls: Rows of both without a value; null is a bin of its own.
    """
    missing = np.array(nulls, dtype=np.int64).reshape(2, 1)
    fine = np.stack([group, rest])
    ordered = [
        _in_order(np.hstack(parts)[:, ::step])
        for parts in ([missing, fine], [fine, missing])
        for step in (1, -1)
    ]
    best = max(ordered, key=auc.area)
    merged = (np.hstack([_merged(fine, bins), missing]) for bins in _COARSE)
    quiet = (counts for counts in merged if chance(*counts) <= MOST_NOISE)
    counts = next(quiet, np.hstack([_merged(fine, _COARSE[-1]), missing]))
    free = _by_share(*counts)
    return Proxy(table=max((best, free), key=auc.area), noise=chance(*counts))


def of_categories(group: Counts, rest: Counts) -> Proxy | None:
    """Proxy strength of a categorical column, the rarest categories pooled against chance.

    None if nothing is left but the pool: so many categories cannot be told from chance.

    Args:
        group: Shape (categories,): the group's rows.
        rest: Shape (categories,): everybody else's.
    """
    n, m = int(group.sum()), int(rest.sum())
    expected = (group + rest) * min(n, m) / (n + m)
    # beyond the most frequent ones the pairs are too many, and chance is too strong anyway
    least = float(_LEAST)
    if len(expected) > _MOST:
        least = max(least, float(np.nextafter(np.sort(expected)[-_MOST - 1], np.inf)))
    while True:
        often = expected >= least
        counts = np.stack([np.append(part[often], part[~often].sum()) for part in (group, rest)])
        noise = chance(*counts)
        if noise <= MOST_NOISE:
            break
        least *= 2
    if not often.any() and len(group) > 1:
        return None
    return Proxy(table=_by_share(*counts), noise=noise)


def chance(group: Counts, rest: Counts) -> float:
    """Optimism under independence: what the best order of bins adds to 1/2 on average."""
    n, m = group.sum(), rest.sum()
    pooled = (group + rest) / (n + m)
    variance = (1 / n + 1 / m) * np.multiply.outer(pooled, pooled)
    variance *= np.add.outer(pooled, pooled)
    spread = np.sqrt(2 * variance / np.pi)
    return float(np.triu(spread, 1).sum() / 2)


def cuts(values: Floats, counts: Counts) -> tuple[float, ...]:
    """Edges of up to `FINE` quantile bins [low, high) of equal size.

    A value that fills a bin stands alone in it, so that zeros do not hide in a range.

    Args:
        values: Shape (distinct,), strictly ascending, finite or infinite.
        counts: Shape (distinct,), each at least 1.
    """
    if not len(values):
        return ()
    ends = np.cumsum(counts)
    wanted = np.arange(1, FINE) * int(ends[-1]) / FINE
    places = np.unique(np.searchsorted(ends, wanted, side="right"))
    full = np.flatnonzero(counts * FINE >= int(ends[-1]))
    edges = np.concatenate([values[places], values[full], np.nextafter(values[full], np.inf)])
    edges = np.unique(edges[np.isfinite(edges)])
    return tuple((edges[edges > values[0]] + 0.0).tolist())


def _merged(fine: Counts, bins: int) -> Counts:
    """Merge neighbours into about *bins* bins of equal size."""
    total = fine.sum(axis=0)
    ends = np.cumsum(total)
    which = np.minimum((ends - total / 2) * bins // max(int(ends[-1]), 1), bins - 1).astype(int)
    return np.stack([np.bincount(which, weights=part, minlength=bins) for part in fine]).astype(
        np.int64
    )


def _in_order(counts: Counts) -> Ranked:
    ranks = np.arange(counts.shape[1], dtype=np.float64)
    return Ranked(scores=ranks, positives=counts[0].copy(), negatives=counts[1].copy())


def _by_share(group: Counts, rest: Counts) -> Ranked:
    some = (group + rest) > 0
    group, rest = group[some], rest[some]
    shares, place = np.unique(group / (group + rest), return_inverse=True)
    sums = [np.bincount(place, weights=part, minlength=len(shares)) for part in (group, rest)]
    return Ranked(
        scores=shares, positives=sums[0].astype(np.int64), negatives=sums[1].astype(np.int64)
    )
