"""Distances and shares of columns: how often a column's own bound excludes a serious one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from draws import Rng
from let_through import ALPHA, Case, Draw, Floats, Sample
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from aims_gate.checks.drift.distances import METHODS, judged_of
from aims_gate.frames import Distribution
from aims_gate.limits import bars_of, conventional
from aims_gate.stats import divergence, drift
from aims_gate.stats.bins import categorical, numeric


def drifts() -> Iterator[Case]:
    """Give distances over bins and of ordered values, and shares of columns."""
    for method in divergence.DIVERGENCES:
        yield from _divergences(method)
    yield from _ordered()
    yield from _share()


def serious_distance(method: str) -> float:
    """Give what the conventional limit of a distance calls serious."""
    judged = judged_of(method)
    threshold = conventional(judged)
    (bar,) = bars_of(threshold, judged, None) if threshold else ()
    return math.nan if bar.serious is None else bar.serious


_CUTS = ndtri(np.linspace(0.1, 0.9, 9))
_ZIPF = 1 / np.arange(1, 13)


def _normal(shift: float, spread: float) -> Floats:
    return np.diff(np.concatenate(([0.0], ndtr((_CUTS - shift) / spread), [1.0])))


def _grown(shares: Sequence[float], place: int) -> Callable[[float], Floats]:
    p = np.array(shares)
    return lambda x: p * (1 - x) + x * (np.arange(len(p)) == place)


_BINNED: Sequence[tuple[str, Floats, Callable[[float], Floats]]] = (
    ("2 values, 0.3 grows", np.array([0.3, 0.7]), _grown((0.3, 0.7), 0)),
    ("2 values, 0.03 grows", np.array([0.03, 0.97]), _grown((0.03, 0.97), 0)),
    ("2 values, 0.3 shrinks", np.array([0.3, 0.7]), _grown((0.3, 0.7), 1)),
    ("12 values, reversed", _ZIPF / _ZIPF.sum(), lambda x: (
        ((1 - x) * _ZIPF + x * _ZIPF[::-1]) / _ZIPF.sum()
    )),
    ("a new value", np.array([0.7, 0.3, 0.0]), _grown((0.7, 0.3, 0.0), 2)),
    ("a rare value grows", np.array([0.6, 0.39, 0.01]), _grown((0.6, 0.39, 0.01), 2)),
)  # fmt: skip
_PAIRS = ((100, 100), (300, 300), (2_000, 200), (200, 2_000), (2_000, 2_000))


def _divergences(method: str) -> Iterator[Case]:
    limit = serious_distance(method)
    pairs = _PAIRS if method == "psi" else _PAIRS[:3]
    for effect, p, law in _BINNED:
        x = _solved(lambda x, p=p, law=law: _truth(method, p, law(x)), limit)
        if x is None:
            continue
        for n, m in pairs:
            yield Case(
                what=method,
                effect=effect,
                sizes=f"{n:,}, {m:,}",
                draw=_categories_drawn(method, p, law(x), (n, m), limit),
            )
    for effect, moved in (
        ("shift of a normal law", lambda x: (x, 1.0)),
        ("spread of a normal law", lambda x: (0.0, 1 + x)),
        ("narrowing of a normal law", lambda x: (0.0, 1 - x)),
    ):
        even = np.full(10, 0.1)
        x = _solved(
            lambda x, moved=moved, even=even: _truth(method, even, _normal(*moved(x))), limit
        )
        if x is None:
            continue
        for n, m in pairs[:4]:
            yield Case(
                what=method,
                effect=effect,
                sizes=f"{n:,}, {m:,}",
                draw=_numbers_drawn(method, moved(x), (n, m), limit),
            )


def _truth(method: str, p: Floats, q: Floats) -> float:
    of = divergence.DIVERGENCES[method]
    p, q = (np.maximum(shares, max(of.least, 1e-12)) for shares in (p, q))
    return of.distance(float(of.terms(p, q).sum()))


def _solved(distance: Callable[[float], float], limit: float) -> float | None:
    """Give how large an effect is serious; None if none is."""
    grid = np.linspace(1e-6, 0.995, 200)
    for low, high in pairwise(grid.tolist()):
        if distance(high) >= limit:
            return float(brentq(lambda x: distance(x) - limit, low, high))
    return None


def _categories_drawn(
    method: str, p: Floats, q: Floats, sizes: tuple[int, int], limit: float
) -> Draw:
    n, m = sizes

    def draw(rng: Rng) -> bool:
        sides = [dict(enumerate(rng.multinomial(*of).tolist())) for of in ((n, p), (m, q))]
        return divergence.of_table(method, categorical(*sides)).bounds(ALPHA)[1] < limit

    return draw


def _numbers_drawn(
    method: str, law: tuple[float, float], sizes: tuple[int, int], limit: float
) -> Draw:
    def draw(rng: Rng) -> bool:
        before, after = rng.normal(size=sizes[0]), rng.normal(*law, sizes[1])
        table = numeric(_sorted(before), _sorted(after))
        return divergence.of_table(method, table).bounds(ALPHA)[1] < limit

    return draw


def _sorted(values: Floats) -> Distribution:
    ordered = np.sort(values)
    return Distribution(values=ordered, counts=np.ones(len(ordered), dtype=np.int64), nulls=0)


_LAWS: Sequence[tuple[str, Sample, Sample]] = (
    ("normal", lambda rng, n: rng.normal(size=n), lambda rng, n: rng.normal(size=n)),
    ("exponential", lambda rng, n: rng.exponential(size=n), lambda rng, n: rng.exponential(size=n)),
    ("gamma(0.5)", lambda rng, n: rng.gamma(0.5, 2**0.5, n),
     lambda rng, n: rng.gamma(0.5, 2**0.5, n)),
    ("t(3)", lambda rng, n: rng.standard_t(3, n) / 3**0.5,
     lambda rng, n: rng.standard_t(3, n) / 3**0.5),
)  # fmt: skip


def _ordered() -> Iterator[Case]:
    shifts = {"normal": 2 * float(ndtri(0.7)), "exponential": -math.log(0.6)}
    for name, before, after in _LAWS:
        for n, m in _PAIRS[:4]:
            sizes = f"{n:,}, {m:,}"
            yield Case(
                what="wasserstein",
                effect=f"{name} law moved",
                sizes=sizes,
                draw=_wasserstein_drawn(before, after, lambda x: x + 1.0, n, m),
            )
            if name == "exponential":
                yield Case(
                    what="wasserstein",
                    effect="exponential law stretched",
                    sizes=sizes,
                    draw=_wasserstein_drawn(before, after, lambda x: 2 * x, n, m),
                )
            if name in shifts:
                shift = shifts[name]
                yield Case(
                    what="ks",
                    effect=f"{name} law moved",
                    sizes=sizes,
                    draw=_ks_drawn(before, after, shift, n, m),
                )


def _wasserstein_drawn(
    before: Sample, after: Sample, moved: Callable[[Floats], Floats], n: int, m: int
) -> Draw:
    limit = serious_distance("wasserstein")

    def draw(rng: Rng) -> bool:
        sides = _sorted(before(rng, n)), _sorted(moved(after(rng, m)))
        return drift.wasserstein(*sides) + drift.wasserstein_error(*sides, ALPHA) < limit

    return draw


def _ks_drawn(before: Sample, after: Sample, shift: float, n: int, m: int) -> Draw:
    limit, noise = serious_distance("ks"), drift.ks_noise(n, m, ALPHA)

    def draw(rng: Rng) -> bool:
        return drift.ks(_sorted(before(rng, n)), _sorted(after(rng, m) + shift)) + noise < limit

    return draw


def _share() -> Iterator[Case]:
    """Of k columns 60 % have moved by twice the line, all others not at all."""
    line, method = METHODS["psi"].line, "psi"
    even = np.full(10, 0.1)
    q = _normal(_solved(lambda x: _truth(method, even, _normal(x, 1.0)), 2 * line) or math.nan, 1.0)
    for columns in (5, 20):
        for n, m in ((300, 300), (1_000, 1_000)):
            moved = math.ceil(0.5998 * columns)
            yield Case(
                what="drift.share",
                effect=f"{moved} of {columns} columns moved",
                sizes=f"{n:,}, {m:,}",
                draw=_share_drawn(moved, columns, q, (n, m), 2 * line),
            )


def _share_drawn(moved: int, columns: int, q: Floats, sizes: tuple[int, int], twice: float) -> Draw:
    n, m = sizes
    even = np.full(10, 0.1)

    def draw(rng: Rng) -> bool:
        seen = 0
        for place in range(columns):
            after = q if place < moved else even
            sides = [
                dict(enumerate(rng.multinomial(*of).tolist())) for of in ((n, even), (m, after))
            ]
            found = divergence.of_table("psi", categorical(*sides))
            seen += found.bounds(ALPHA / columns)[1] > twice
        return seen / columns < 0.5998

    return draw
