"""Single values that hold far more rows than they did: stuck sensors, default fills, new nulls.

A value is *new* where it holds a share of the current rows that is notable by itself and many times
its share of the reference. It is *proven* where it is more than twice as frequent: given the a + b
rows that hold it, b of them current, b is binomial with share rm / (rm + n) at a ratio r of the two
frequencies, which bounds r exactly (conditional test of two Poisson rates, Przyborowski and
Wilenski, 1940).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import betaincinv, ndtri

from aims_gate.stats.intervals import Rate, mover_difference, proportion_bounds
from aims_gate.stats.power import CURRENT, LEAST_SAMPLE, NormalDesign

TWICE = 2.0
"""A value must be provably more frequent than so many times its frequency in the reference."""
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
    what: str = CURRENT

    def chance(self, factor: float, *, serious: float) -> float:
        """Power: 1 where a new value in *serious* of the rows is found for certain, else 0."""
        current = math.floor(self.rows * factor)
        sizes = Sizes(reference=self.reference, current=current, alpha=self.alpha)
        return float(sizes.hidden(self.share) < serious)


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
