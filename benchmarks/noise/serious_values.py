"""Values and rates that are serious: how often a column's own bound excludes them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from draws import Rng
from let_through import ALPHA, Case, Draw, Z
from scipy.stats import binom

from aims_gate.stats import new_values
from aims_gate.stats.intervals import Rate, mover_ratio


def values() -> Iterator[Case]:
    """Give new values, unseen categories and changed rates."""
    yield from _new_values()
    yield from _changed_rate()


def _new_values() -> Iterator[Case]:
    """A value new to twice the share of the rows, or ten times as frequent as it was."""
    share = 0.03
    for n, m in ((200, 200), (500, 500), (2_000, 500), (500, 2_000)):
        for before in (0.0, 2 * share / 10):
            yield Case(
                what="drift.new_value",
                effect=f"value of 6 %, {before:.1%} before",
                sizes=f"{n:,}, {m:,}",
                draw=_new_value_drawn(share, before, n, m),
            )
    for n, m in ((500, 500), (2_000, 500), (500, 2_000)):
        yield Case(
            what="drift.new_value",
            effect="unseen categories, 10 %",
            sizes=f"{n:,}, {m:,}",
            draw=_unseen_drawn(n, m),
        )


def _new_value_drawn(share: float, before: float, n: int, m: int) -> Draw:
    sizes = new_values.Sizes(reference=n, current=m, alpha=ALPHA)
    hidden = sizes.hidden(share)

    def draw(rng: Rng) -> bool:
        a, b = int(rng.binomial(n, before)), int(rng.binomial(m, 2 * share))
        most = sizes.most(a, b, serious=2 * share, factor=10.0) if b >= share * m else 0.0
        return max(most, hidden) < 2 * share

    return draw


def _unseen_drawn(n: int, m: int) -> Draw:
    kinds = 400
    usual = 1 / np.arange(1, kinds + 1)
    usual /= usual.sum()

    # of the rows that turn new, chance would have left so many unseen as well
    share = 0.1 / (1 - float((usual * (1 - usual) ** n).sum()))

    def draw(rng: Rng) -> bool:
        before = rng.multinomial(n, usual)
        new = int(rng.binomial(m, share))
        after = rng.multinomial(m - new, usual)
        found = new_values.Unseen(
            sizes=new_values.Sizes(reference=n, current=m, alpha=ALPHA),
            unseen=new + int(after[before == 0].sum()),
            once=int((before == 1).sum()),
            share=0.05,
        )
        return max(found.below(ALPHA), found.value, 0.0) < 0.1

    return draw


def _changed_rate() -> Iterator[Case]:
    """Rates that rose or fell by 40 %, twice the limit of 20 %: counted out."""
    for rate in (0.1, 0.3, 0.5):
        for n, m in ((100, 100), (500, 500), (2_000, 200), (200, 2_000)):
            before, after = (_rates(rows) for rows in (n, m))
            excluded = np.array([[_unchanged(p, q) for q in after] for p in before])
            most = 0.0
            for times in (0.6, 1.4):
                chances = (
                    binom.pmf(np.arange(n + 1), n, rate),
                    binom.pmf(np.arange(m + 1), m, rate * times),
                )
                most = max(most, float(chances[0] @ excluded @ chances[1]))
            yield Case(
                what="positive_rate",
                effect=f"rate {rate:g} changed by 40 %",
                sizes=f"{n:,}, {m:,}",
                exact=100 * most,
            )


def _rates(rows: int) -> list[Rate]:
    return [Rate.of(hits, rows, Z) for hits in range(rows + 1)]


def _unchanged(before: Rate, after: Rate) -> bool:
    if before.value <= 0:
        return False
    low, high = mover_ratio(after, before)
    return max(high - 1, 1 - low) < 0.4
