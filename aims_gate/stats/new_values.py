"""Single values that hold far more rows than they did: stuck sensors, default fills, new nulls.

A value is *new* where it holds a share of the current rows that is notable by itself and many times
its share of the reference. It is *proven* where it is more than twice as frequent: given the a + b
rows that hold it, b of them current, b is binomial with share rm / (rm + n) at a ratio r of the two
frequencies, which bounds r exactly (conditional test of two Poisson rates, Przyborowski and
Wilenski, 1940).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass

from scipy.special import betainc, betaincinv, ndtri

from aims_gate.stats.intervals import Rate, mover_difference, proportion_bounds
from aims_gate.stats.power import CURRENT, LEAST_SAMPLE, NormalDesign

TWICE = 2.0
"""A value must be provably more frequent than so many times its frequency in the reference."""
RATIO = 5.0
"""That a value grew less than seriously is told with an error so many times smaller than alpha: a
value is excluded by its share or by its growth, with an error of 1.2 alpha together at most."""
MARGIN = 0.01
"""Rows of unseen values, beyond what chance leaves unseen, that must be proven."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Rows of both samples and the error rate of one comparison."""

    reference: int
    current: int
    alpha: float

    def excess(self, before: int, after: int) -> float:
        """Lower bound of the share of current rows beyond twice the reference's frequency.

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

    def hidden(self, share: float) -> float:
        """Upper bound of the true share of a value that less than *share* of the rows hold.

        The exact upper bound (Clopper and Pearson, 1934) of the most rows below that; 1 where a
        sample is under `LEAST_SAMPLE`.
        """
        if min(self.reference, self.current) < LEAST_SAMPLE:
            return 1.0
        return upper(math.ceil(share * self.current) - 1, self.current, self.alpha)

    def most(self, before: int, after: int, *, serious: float, factor: float) -> float:
        """Upper bound of the true share of a value, in [0, 1]; 0 where it grew less than seriously.

        Clopper and Pearson's at alpha, if that excludes a *serious* share. Else 0 if the exact
        conditional upper bound of the ratio of frequencies, at alpha / 5, is below *factor*.
        """
        share = upper(after, self.current, self.alpha)
        if share < serious or before == 0:
            return share
        grown = self.reference / (self.reference + factor * self.current)
        # the chance of so few current rows among those that hold it, at a ratio of just *factor*
        chance = float(betainc(before, after + 1, grown))
        return share if chance >= self.alpha / RATIO else 0.0


def upper(rows: int, of: int, alpha: float) -> float:
    """Clopper-Pearson upper bound of a proportion, in (0, 1], wrong with *alpha* at most."""
    return float(betaincinv(rows + 1, of - rows, 1 - alpha)) if rows < of else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewValueDesign:
    """The sizes behind a column in which a new value is looked for."""

    reference: int
    rows: int
    alpha: float
    share: float
    """Share of current rows from which a value counts."""
    growth: float
    """Growth from which on a value is serious that holds a serious share."""
    held: tuple[int, int] | None = None
    """Reference and current rows of the value that is least excluded; none if all are."""
    what: str = CURRENT

    def chance(self, factor: float, *, serious: float) -> float:
        """Power: how likely no value may hold *serious* of the rows unseen, and `held` does not.

        0 where a value could be missed, and 1 where none could and none is left.
        """
        current = math.floor(self.rows * factor)
        sizes = Sizes(reference=self.reference, current=current, alpha=self.alpha)
        if sizes.hidden(self.share) >= serious:
            return 0.0
        if self.held is None:
            return 1.0
        before, after = self.held

        def left(rows: int) -> bool:
            return sizes.most(before, rows, serious=serious, factor=self.growth) >= serious

        # ever more rows of the value are ever harder to exclude
        most = bisect_left(range(current + 1), x=True, key=left) - 1
        return float(betainc(current - most, most + 1, 1 - after / self.rows)) if most >= 0 else 0.0


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

    def below(self, alpha: float) -> float:
        """Upper bound of the share of unseen rows beyond chance, at level *alpha*, in [0, 1].

        MOVER over the bounds of both shares; 1 where a sample is under `LEAST_SAMPLE`. What chance
        leaves unseen varies, too, around what the categories seen once say of it: as much again.
        """
        n, m = self.sizes.reference, self.sizes.current
        if min(n, m) < LEAST_SAMPLE:
            return 1.0
        z = -float(ndtri(alpha))
        once = Rate.of(self.once, n, math.sqrt(2) * z)
        return mover_difference(Rate.of(self.unseen, m, z), once)[1]

    def design(self, alpha: float) -> NormalDesign:
        """Power design: what more current rows would show, with as many unseen by chance as now."""
        n, m = self.sizes.reference, self.sizes.current
        chance = (self.once + 0.5) / (n + 1)
        spread = math.sqrt(chance * (1 - chance))
        return NormalDesign(
            error=spread / math.sqrt(m),
            fixed=spread * math.sqrt(2 / n),
            z=-float(ndtri(alpha)),
            rows=m,
            what=CURRENT,
        )

    def _proven(self, unseen: float) -> float:
        z = -float(ndtri(self.sizes.alpha))
        low = proportion_bounds(unseen, self.sizes.current, z)[0]
        return low - proportion_bounds(self.once, self.sizes.reference, z)[1] - MARGIN
