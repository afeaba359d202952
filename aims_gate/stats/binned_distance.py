"""A distance over bins as a sum, with the bounds that follow from its noncentral chi-square law."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import betaincinv, chdtr, chdtrc, chdtri, chndtr, chndtrinc

from aims_gate.errors import CheckError
from aims_gate.stats.bins import Binned, Counts, Floats
from aims_gate.stats.distance import Distance
from aims_gate.stats.intervals import Bounds

Context = tuple[tuple[str, float], ...]
GUARD = 1.5
"""An upper bound aims at so many times less error: half a row in each bin takes from a sum that is
not 0, and a sum of few bins is lopsided (docs/statistics.md, "Other statistics")."""
NO_SHARE = 1e-12
"""Stands for a share of 0, of which there is no logarithm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence(Distance):
    """How a sum over bins becomes the distance that people read, and what its law is."""

    terms: Callable[[Floats, Floats], Floats]
    """From the shares of both samples, each of shape (bins,), the summands, each at least 0."""
    factor: float
    """factor * N * sum is chi-square distributed without drift."""
    smooth: bool = True
    """Half a row is added to every bin."""
    least: float = 0.0
    """A share below this counts as this: a logarithm of shares has no end."""
    beside: Callable[[Counts, Counts], Context] = lambda _reference, _current: ()
    """What else statisticians ask for of both samples' counts: names and values."""

    def distance(self, total: float) -> float:
        """Distance from the sum over bins: the sum itself or its root, at most `most`."""
        return min(math.sqrt(total) if self.rooted else total, self.most)

    def total(self, distance: float) -> float:
        """Sum over bins that a distance comes from: the inverse of `distance`."""
        return distance * distance if self.rooted else distance

    def guarded(self, alpha: float) -> float:
        """Nominal error of an upper bound, so that it is wrong with *alpha*."""
        return alpha / GUARD if self.smooth else alpha

    def plain(self, reference: Counts, current: Counts) -> float:
        """Plug-in distance of two tables of counts: not smoothed, not corrected for bias.

        Args:
            reference: Counts of shape (bins,), with *smooth* each at least 1.
            current: The same of the other sample.
        """
        p, q = reference / reference.sum(), current / current.sum()
        return self.distance(float(self.terms(p, q).sum()))


@dataclass(frozen=True, slots=True, kw_only=True)
class BinnedDistance:
    """A distance over bins, and what its bounds follow from."""

    raw: float
    """The sum over bins."""
    df: int
    """Bins minus one; 0 if one bin holds everything, and the distance is then exactly 0."""
    size: float
    """Harmonic size N = nm/(n+m), over the design effect."""
    top_bin: str
    """The bin that contributes most."""
    of: Divergence
    design_effect: float = 1.0
    """Rows per independent row, at least 1."""
    reach: Callable[[float], float] = lambda _alpha: 0.0
    """How far above the sum the true one may lie, as each bin's own counts tell it."""

    @property
    def value(self) -> float:
        """The distance without the df/(factor N) that noise alone adds to the sum, at least 0."""
        return self.of.distance(max(0.0, self.raw - self.df / self._scale))

    def of_dependent_rows(self, value: float) -> float:
        """Correct a value, which an engine computes for independent rows, for the design effect."""
        added = self.df / self._scale * (1 - 1 / self.design_effect)
        return self.of.distance(max(0.0, self.of.total(value) - added)) if added else value

    @property
    def p_value(self) -> float:
        """Probability of so large a sum without drift, in [0, 1]."""
        return float(chdtrc(self.df, self._scale * self.raw)) if self.df else 1.0

    def bounds(self, alpha: float) -> Bounds:
        """One-sided bounds, each at level *alpha* in (0, 1), from the noncentral chi-square law.

        factor*N*raw follows a noncentral chi-square with noncentrality factor*N*truth; a bound is
        where what was seen would be just that unlikely. That law is too narrow where drift leaves a
        bin few rows: the upper bound is then what the bins tell, each by itself (`_reach`).
        CheckError if the law cannot be inverted.
        """
        if self.df == 0:
            return 0.0, 0.0
        guarded = self.of.guarded(alpha)
        told = self.of.distance(self.of.total(self.value) + self.reach(guarded))
        return self._bound(1 - alpha), max(self._bound(guarded), told)

    def noise(self, alpha: float) -> float:
        """Critical value: what noise alone exceeds with probability *alpha* at these sizes."""
        if self.df == 0:
            return 0.0
        return self.of.distance(max(0.0, float(chdtri(self.df, alpha)) - self.df) / self._scale)

    @property
    def _scale(self) -> float:
        return self.of.factor * self.size

    def _bound(self, probability: float) -> float:
        x = self._scale * self.raw
        if chdtr(self.df, x) <= probability:
            return 0.0
        found = float(chndtrinc(x, self.df, probability))
        # a bound that is silently wrong could prove anything
        if not abs(float(chndtr(x, self.df, found)) - probability) < 1e-4:
            told = f"{self.of.name} {self.raw:g} with {self.df} degrees of freedom"
            raise CheckError(f"no bound for {told}")
        return self.of.distance(found / self._scale)


def distance_over(of: Divergence, table: Binned, *, design_effect: float = 1.0) -> BinnedDistance:
    """Distance of a table; both samples have a row."""
    n, m = table.sizes
    size = n * m / (n + m) / design_effect
    if table.bins == 1:
        return BinnedDistance(raw=0.0, df=0, size=size, top_bin=table.names[0], of=of)
    terms = of.terms(_shares(table.reference, of), _shares(table.current, of))
    return BinnedDistance(
        raw=float(terms.sum()),
        df=table.bins - 1,
        size=size,
        top_bin=table.names[int(terms.argmax())],
        of=of,
        design_effect=design_effect,
        reach=partial(_reach, of, table, design_effect),
    )


def _reach(of: Divergence, table: Binned, design_effect: float, alpha: float) -> float:
    """MOVER distance from the sum over bins to its upper bound, wrong with about *alpha*.

    In each bin one share goes to its exact bound away from the other (Clopper and Pearson), as in
    MOVER (Zou and Donner 2008), less the distance of the share from its own bound: what is left is
    0 where the shares are equal, and the squares of what is left add up. A share that no row shows
    may be 0 in every draw alike: it goes there before all others, and what that adds, adds up.
    """
    counts = [rows / design_effect for rows in (table.reference, table.current)]
    p, q = (_shares(rows, of) for rows in (table.reference, table.current))
    least = max(of.least, NO_SHARE)
    unseen = (counts[0] == 0) & (p < q), (counts[1] == 0) & (q < p)
    ends = [np.where(gone, least, own) for gone, own in zip(unseen, (p, q), strict=True)]
    gained = of.terms(ends[0], ends[1]) - of.terms(p, q)
    squares = 0.0
    for own, other, rows, gone in zip((p, q), reversed(ends), counts, unseen, strict=True):
        few, all_rows = own < other, rows.sum()
        low = betaincinv(np.maximum(rows, 1e-9), all_rows - rows + 1, alpha)
        high = betaincinv(rows + 1, np.maximum(all_rows - rows, 1e-9), 1 - alpha)
        bound = np.where(few, np.minimum(np.where(rows > 0, low, 0.0), own), np.maximum(high, own))
        bound = np.clip(bound, least, 1.0)
        more = of.terms(bound, other) - of.terms(own, other) - of.terms(bound, own)
        squares += float(np.square(np.maximum(more, 0.0)[~gone]).sum())
    return float(gained.sum()) + math.sqrt(squares)


def _shares(counts: Counts, of: Divergence) -> Floats:
    rows = counts + 0.5 if of.smooth else counts
    return np.asarray(np.maximum(rows / rows.sum(), of.least), dtype=np.float64)
