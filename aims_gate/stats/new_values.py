"""Single values that hold far more rows than they did: stuck sensors, default fills, new nulls.

A value is *new* where it holds a share of the current rows that is notable by itself and many times
its share of the reference. It is *proven* where it is more than twice as frequent: given the a + b
rows that hold it, b of them current, b is binomial with share rm / (rm + n) at a ratio r of the two
frequencies, which bounds r exactly (conditional test of two Poisson rates, Przyborowski and
Wilenski, 1940).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy.special import bdtrc, betaincinv, ndtri

from aims_gate.facts import Need
from aims_gate.stats.intervals import proportion_bounds
from aims_gate.stats.power import LEAST_SAMPLE, POWER, Z_POWER

TWICE = 2.0
"""A value must be provably more frequent than so many times its frequency in the reference."""
MARGIN = 0.01
"""Rows of unseen values, beyond what chance leaves unseen, that must be proven."""
_MOST = 10**9
_STEP = 1.02
"""Rows needed are searched for in steps of 2 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Rows of both samples and the error rate of one comparison."""

    reference: int
    current: int
    alpha: float

    def excess(self, before: int, after: int) -> float:
        """Give the share of current rows that provably is beyond twice the reference's frequency.

        With r the lower bound of the ratio, (after / current) (1 - 2 / r), in [0, 1]; above 0
        exactly where "more than twice as frequent" is proven.
        """
        if after == 0:
            return 0.0
        if before == 0:
            share = self.alpha ** (1 / after)
        else:
            share = float(betaincinv(after, before + 1, self.alpha))
        if share >= 1.0:
            return after / self.current
        ratio = share * self.reference / ((1 - share) * self.current)
        return after / self.current * (1 - TWICE / ratio) if ratio > TWICE else 0.0

    def least(self, *, limit: float, line: float) -> int:
        """Give the least rows of a value unknown to the reference that would be refused."""
        low, high = 0, self.current + 1
        while high - low > 1:
            middle = (low + high) // 2
            enough = middle > limit * self.current and self.excess(0, middle) > line
            low, high = (low, middle) if enough else (middle, high)
        return high


@dataclass(frozen=True, slots=True, kw_only=True)
class NewValueDesign:
    """The sizes behind a column in which a new value is looked for."""

    sizes: Sizes
    share: float
    """Share of current rows from which a value counts; twice that is serious."""

    def need(self, *, limit: float, line: float, serious: float) -> Need:
        """Tell whether a value that is new to *serious* of the rows would be refused."""
        n, m, alpha = self.sizes.reference, self.sizes.current, self.sizes.alpha
        share = max(serious, 2 * self.share)

        def enough(n: int, m: int) -> bool:
            sizes = Sizes(reference=n, current=m, alpha=alpha)
            # a value that holds just the share counts
            least = sizes.least(limit=max(limit, math.nextafter(self.share, 0)), line=line)
            return least <= m and bool(bdtrc(least - 1, m, share) >= POWER)

        if min(n, m) >= LEAST_SAMPLE and enough(n, m):
            return Need(powered=True)
        text = f"{m:,} current and {n:,} reference rows cannot show a new value of {share:.0%}"
        if n >= LEAST_SAMPLE:
            current = _grown(lambda rows: enough(n, rows), start=LEAST_SAMPLE)
            if current:
                return Need(powered=False, reason=f"{text}; needs {current:,} current rows")
        both = _grown(lambda rows: enough(rows, rows), start=LEAST_SAMPLE)
        wanted = f"{both:,} rows in both are needed" if both else "no number of rows could"
        return Need(powered=False, reason=f"{text}; {wanted}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """Rows in categories that the reference does not have, and what chance leaves unseen.

    The share of the reference's rows in categories seen once estimates the share of new rows that
    fall into unseen categories without any drift (Good, 1953). Simulated on 5,000 and 200,000 Zipf
    and 2,000 equal categories, 400 to 100,000 rows, 20 columns: proven without drift in at most
    0.5 % of draws; where `need` says that an excess of 10 % would be seen, it was in 92 % and more.
    """

    sizes: Sizes
    unseen: int
    """Current rows in categories that are absent from the reference."""
    once: int
    """Categories of the reference that are seen once."""
    share: float
    """Share beyond chance from which unseen rows count; twice that is serious."""

    @property
    def value(self) -> float:
        """Share of unseen rows beyond what chance leaves unseen, in [-1, 1]."""
        return self.unseen / self.sizes.current - self.once / self.sizes.reference

    @property
    def proven(self) -> float:
        """What of it is proven beyond 1 %, in [0, 1]: bounds of both shares."""
        return max(0.0, self._proven(self.unseen))

    def need(self, *, limit: float, line: float, serious: float) -> Need:
        """Tell whether *serious* unseen rows beyond chance would be refused."""
        n, m = self.sizes.reference, self.sizes.current
        chance, serious = self.once / n, max(serious, 2 * self.share)
        share = min(serious + chance, 1.0)

        def enough(rows: int) -> bool:
            # f1 / n varies like a count over n; what it estimates varies as much again
            error = Z_POWER * math.sqrt(share * (1 - share) / rows + 2 * chance / n)
            proof = self._proven(share * rows, rows) - line
            return min(proof, share - chance - max(limit, self.share)) >= error

        if min(n, m) >= LEAST_SAMPLE and enough(m):
            return Need(powered=True)
        text = f"{m:,} current and {n:,} reference rows cannot show {serious:.0%} unseen rows"
        current = _grown(enough, start=LEAST_SAMPLE) if n >= LEAST_SAMPLE else 0
        wanted = f"needs {current:,} current rows" if current else "the reference is too small"
        return Need(powered=False, reason=f"{text}; {wanted}")

    def _proven(self, unseen: float, rows: int | None = None) -> float:
        z = -float(ndtri(self.sizes.alpha))
        low = proportion_bounds(unseen, self.sizes.current if rows is None else rows, z)[0]
        return low - proportion_bounds(self.once, self.sizes.reference, z)[1] - MARGIN


def _grown(enough: Callable[[int], bool], *, start: int) -> int:
    """Give a number of rows that is enough, at most 2 % more than needed; 0 if none is."""
    rows = start
    while not enough(rows):
        rows = math.ceil(rows * _STEP)
        if rows > _MOST:
            return 0
    return rows
