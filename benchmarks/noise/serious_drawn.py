"""How often a serious effect is let through by statistics whose outcomes are too many to count out.

In each draw the effect is exactly what the conventional limit calls serious, and it is let through
where the cell's own bound excludes it: a rule of many cells passes at most as often. Shares and
their gaps are not drawn: they are counted out.

`python benchmarks/noise/serious_drawn.py drift.new_value 20000` prints the rows with these words.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import serious
from draws import Rng
from let_through import ALPHA, Case, Draw, Floats, Sample, Z
from scipy.special import ndtri
from scipy.stats import binom
from serious_drift import drifts
from serious_values import values

from aims_gate.stats import calibration, scores
from aims_gate.stats.gaps import gap_bounds, moments, pooled_deviation, standardised
from aims_gate.stats.intervals import proportion_bounds
from aims_gate.stats.tables import Ranked

HEADS = ("statistic", "effect", "rows", "draws", "let through", "standard error")


def rows_of_table(rng: Rng, draws: int, *, of: str = "") -> Iterator[tuple[str, ...]]:
    """Give percent let through, with its standard error; *draws* of each with the words *of*."""
    for case in cases():
        if of not in f"{case.what}, {case.effect}":
            continue
        found = case.exact
        if case.draw is None:
            yield case.what, case.effect, case.sizes, "exact", f"{found:.1f}", "0"
            continue
        found = sum(case.draw(rng) for _ in range(draws)) / draws
        error = math.sqrt(max(found * (1 - found), 1 / draws) / draws)
        told = f"{100 * found:.1f}", f"{100 * error:.2g}"
        yield case.what, case.effect, case.sizes, f"{draws:,}", *told


def cases() -> Iterator[Case]:
    """Give every statistic, at several sizes and forms of the effect."""
    yield from drifts()
    yield from values()
    yield from _means()
    yield from _areas()
    yield from _calibrations()
    yield from _proportions()


_SCORES: Sequence[tuple[str, Sample, float]] = (
    ("normal", lambda rng, n: rng.normal(size=n), 1.0),
    ("beta(1, 4)", lambda rng, n: rng.beta(1, 4, n), math.sqrt(4 / 150)),
    ("lognormal(0, 0.5)", lambda rng, n: rng.lognormal(0, 0.5, n),
     math.sqrt(math.expm1(0.25) * math.exp(0.25))),
)  # fmt: skip


def _means() -> Iterator[Case]:
    for name, law, spread in _SCORES:
        for n, m in ((30, 30), (30, 300), (300, 30), (300, 300)):
            yield Case(
                what="score_gap",
                effect=f"{name}, 0.4 sd behind",
                sizes=f"{n:,}, {m:,}",
                draw=_score_gap_drawn(law, 0.4 * spread, n, m),
            )
    for name, law, truth in (
        ("brier", lambda rng, n: rng.beta(1, 4, n) ** 2, 2 / 30),
        ("log_loss", lambda rng, n: rng.exponential(0.4, n), 0.4),
        ("mae", lambda rng, n: np.abs(rng.normal(size=n)), math.sqrt(2 / math.pi)),
        ("mae of lognormal", lambda rng, n: rng.lognormal(size=n), math.exp(0.5)),
    ):
        for rows in (30, 100, 1_000):
            yield Case(
                what="floor of a loss",
                effect=f"{name} at its limit",
                sizes=f"{rows:,}",
                draw=_loss_drawn(name.split()[0], law, truth, rows),
            )


def _score_gap_drawn(law: Sample, behind: float, n: int, m: int) -> Draw:
    def draw(rng: Rng) -> bool:
        worse, better = (moments(x, np.ones(len(x), dtype=np.int64)) for x in (
            law(rng, n) - behind, law(rng, m),
        ))  # fmt: skip
        deviation = pooled_deviation((worse, better))
        gap = better.mean - worse.mean
        bounds = gap_bounds(worse, better, Z)
        return standardised(gap, bounds, deviation, n + m - 2, Z)[1] < 0.4

    return draw


def _loss_drawn(metric: str, law: Sample, truth: float, rows: int) -> Draw:
    def draw(rng: Rng) -> bool:
        found = moments(law(rng, rows), np.ones(rows, dtype=np.int64))
        if scores.insufficient(metric, found):
            return False
        bounds = scores.interval(metric, found, alpha=ALPHA)
        return bounds is not None and bounds.high < truth

    return draw


def _areas() -> Iterator[Case]:
    for area in (0.7, 0.9, 0.97):
        shift = math.sqrt(2) * float(ndtri(area))
        for few, many in ((20, 80), (50, 50), (30, 970), (300, 700)):
            yield Case(
                what="floor of roc_auc",
                effect=f"area {area:g} at its limit",
                sizes=f"{few:,}, {many:,}",
                draw=_area_drawn(area, shift, few, many),
            )


def _area_drawn(area: float, shift: float, few: int, many: int) -> Draw:
    def draw(rng: Rng) -> bool:
        values = np.concatenate([rng.normal(shift, 1, few), rng.normal(size=many)])
        order = np.argsort(values)
        positive = (order < few).astype(np.int64)
        table = Ranked(scores=values[order], positives=positive, negatives=1 - positive)
        bounds = scores.interval("roc_auc", table, alpha=ALPHA)
        return bounds is not None and bounds.low > area

    return draw


_OFF: Sequence[tuple[str, Callable[[Floats], Floats]]] = (
    ("every bin 0.1 off", lambda s: np.full(len(s), 0.1)),
    ("half of the bins 0.2 off", lambda s: 0.2 * (s < 0.45)),
    ("one bin in five 0.5 off", lambda s: 0.5 * (s < 0.18)),
    ("overconfident", lambda s: 0.4 * (0.45 - s) / 0.9),
)


def _calibrations() -> Iterator[Case]:
    for effect, off in _OFF:
        for rows in (225, 500, 2_000, 10_000):
            yield Case(
                what="calibration_error",
                effect=effect,
                sizes=f"{rows:,}",
                draw=_calibration_drawn(off, rows),
            )


def _calibration_drawn(off: Callable[[Floats], Floats], rows: int) -> Draw:
    def draw(rng: Rng) -> bool:
        scored = np.sort(0.9 * rng.random(rows))
        positive = (rng.random(rows) < np.clip(scored + off(scored), 0, 1)).astype(np.int64)
        table = Ranked(scores=scored, positives=positive, negatives=1 - positive)
        return calibration.bounds(calibration.reliability(table, 15), Z)[1] < 0.1

    return draw


def _proportions() -> Iterator[Case]:
    gap = serious.Measure.GAP
    for share in (0.1, 0.3):
        for rows in (500, 2_000):
            part = round(share * rows)
            most, rate = serious.let_through(part, rows - part, gap, effect=0.2 / (1 - share))
            yield Case(
                what="performance.slices",
                effect=f"0.2 behind at {rate:.3g}",
                sizes=f"{part:,} of {rows:,}",
                exact=most,
            )
    for n, m in ((100, 100), (500, 150), (2_000, 500)):
        most, rate = serious.let_through(m, n, gap, effect=0.1)
        yield Case(
            what="drift.performance",
            effect=f"accuracy 0.1 lower at {rate:.3g}",
            sizes=f"{n:,}, {m:,}",
            exact=most,
        )
    for floor in (0.8, 0.95):
        for rows in (100, 1_000):
            low = np.array([proportion_bounds(x, rows, Z)[0] for x in range(rows + 1)])
            found = float(binom.pmf(np.arange(rows + 1), rows, floor) @ (low > floor))
            yield Case(
                what="floor of accuracy",
                effect=f"accuracy {floor:g} at its limit",
                sizes=f"{rows:,}",
                exact=100 * found,
            )
    for population in (0.1, 0.3):
        for rows in (300, 2_000):
            low = np.array([proportion_bounds(x, rows, Z)[0] for x in range(rows + 1)])
            chance = binom.pmf(np.arange(rows + 1), rows, population / 4)
            yield Case(
                what="representation",
                effect=f"a quarter of {population:.0%}",
                sizes=f"{rows:,}",
                exact=100 * float(chance @ (low > population / 4)),
            )


if __name__ == "__main__":
    for row in rows_of_table(np.random.default_rng(5), int(sys.argv[2]), of=sys.argv[1]):
        print(f"| {' | '.join(row)} |", flush=True)
