"""Quantities with a known truth, and the interval that a draw of each gives."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np
from coverage import ALPHA, Case, Outcome, Z, given
from draws import Rng
from exact import multinomial
from regression import explained, loss, moments
from scipy.special import ndtr

from aims_gate.stats import scores
from aims_gate.stats.bins import numeric
from aims_gate.stats.calibration import bounds as calibration_bounds
from aims_gate.stats.calibration import reliability, too_few
from aims_gate.stats.divergence import psi
from aims_gate.stats.drift import wasserstein, wasserstein_noise
from aims_gate.stats.intervals import Bounds, Rate, mover_difference, mover_ratio, proportion_bounds
from aims_gate.stats.paired import Discordant, tango
from aims_gate.stats.tables import (
    BetaConfusion,
    Classes,
    Confusion,
    Queries,
    Ranked,
)


def cases() -> Iterator[Case]:
    """Give every interval of the default rules, each at an easy and at a hard truth."""
    for share in (0.5, 0.8, 0.95, 0.99, 0.998):
        yield _share("accuracy", share)
    for share in (0.05, 0.01, 0.002):
        yield _share("share of nulls", share)
    for metric in ("recall", "precision", "f1", "f_beta", "balanced_accuracy", "mcc"):
        yield _confusion_case(metric, tpr=0.75, fpr=0.15, base=0.3)
        yield _confusion_case(metric, tpr=0.9, fpr=0.05, base=0.5)
    for rate in (0.05, 0.3, 0.6):
        yield _two_rates("gap of rates", rate, ratio=0.8)
        yield _two_rates("ratio of rates", rate, ratio=0.8)
    for area in (0.75, 0.9):
        yield _ranked("roc_auc", area, truth=area)
    yield _ranked("average_precision", 0.8, truth=_MEASURED["average_precision"])
    for metric in ("macro_recall", "macro_precision", "weighted_precision", "macro_f1", "mcc"):
        yield _three_classes(metric)
    yield _champion(0.10, 0.02)
    yield _champion(0.30, 0.02)
    yield _rankings()
    yield loss("mae", lambda rng, n: np.abs(rng.normal(size=n)), math.sqrt(2 / math.pi))
    yield loss("rmse", lambda rng, n: rng.normal(size=n) ** 2, 1.0)
    yield loss("brier", lambda rng, n: rng.beta(1, 4, size=n) ** 2, 2 / 30)
    yield loss("log_loss", lambda rng, n: rng.exponential(0.4, size=n), 0.4)
    yield loss("mse of t(5)", lambda rng, n: rng.standard_t(5, size=n) ** 2, 5 / 3)
    for share in (0.5, 0.9):
        yield explained("r2", share, _linear(share))
    yield explained("explained_variance", 0.5, _linear(0.5))
    yield _calibration(0.0, "")
    yield _calibration(0.05, ", every bin off")
    yield _calibration(0.05, ", one bin off")
    yield _psi(0.3)
    yield _wasserstein(0.5)


def _share(what: str, rate: float) -> Case:
    def bounds(hits: int, rows: int) -> Bounds:
        return proportion_bounds(hits, rows, Z)

    def outcomes(rows: int) -> Iterator[Outcome] | None:
        every = multinomial((rate, 1 - rate), rows)
        return every and ((bounds(hits, rows), chance) for (hits, _), chance in every)

    return Case(
        name=f"{what} {rate:.3g}",
        truth=rate,
        draw=lambda rng, rows: bounds(int(rng.binomial(rows, rate)), rows),
        outcomes=outcomes,
    )


def _confusion_case(metric: str, *, tpr: float, fpr: float, base: float) -> Case:
    cells = np.array([base * tpr, (1 - base) * fpr, base * (1 - tpr), (1 - base) * (1 - fpr)])

    def table(counts: list[int]) -> Confusion | BetaConfusion:
        tp, fp, fn, tn = counts
        if metric == "f_beta":
            return BetaConfusion(tp=tp, fp=fp, fn=fn, tn=tn, beta=2.0)
        return Confusion(tp=tp, fp=fp, fn=fn, tn=tn)

    truth = scores.value(metric, table([round(1e12 * cell) for cell in cells]))

    def outcomes(rows: int) -> Iterator[Outcome] | None:
        every = multinomial(cells.tolist(), rows)
        return every and ((given(metric, table(counts)), chance) for counts, chance in every)

    return Case(
        name=f"{metric} {truth:.2f}",
        truth=truth,
        draw=lambda rng, rows: given(metric, table(rng.multinomial(rows, cells).tolist())),
        outcomes=outcomes,
    )


def _two_rates(what: str, rate: float, *, ratio: float) -> Case:
    rates = rate * ratio, rate
    form = mover_ratio if what.startswith("ratio") else mover_difference
    truth = ratio if form is mover_ratio else rates[0] - rates[1]

    def bounds(first: int, second: int, rows: int) -> Bounds | None:
        if first == second == 0:
            return None
        return form(Rate.of(first, rows, Z), Rate.of(second, rows, Z))

    def draw(rng: Rng, rows: int) -> Bounds | None:
        first, second = (int(rng.binomial(rows, r)) for r in rates)
        return bounds(first, second, rows)

    def outcomes(rows: int) -> Iterator[Outcome] | None:
        each = [multinomial((r, 1 - r), rows) for r in rates] if rows <= 100 else [None]
        if None in each:
            return None
        pairs = itertools.product(*each)
        return ((bounds(x, y, rows), p * q) for ((x, _), p), ((y, _), q) in pairs)

    name = f"{what} {rates[0]:.2g} and {rates[1]:.2g} (n each)"
    return Case(name=name, truth=truth, draw=draw, outcomes=outcomes)


_MEASURED = {"average_precision": 0.6750}
"""Truths without a closed form: means over 10,000,000 rows."""


def _ranked(metric: str, area: float, *, truth: float) -> Case:
    """Two normal laws of equal spread, apart by sqrt(2) times the quantile of the area.

    Each row is a positive with chance 1/3: data are sampled by the row, and how many positives
    they hold is part of what average precision varies by.
    """
    shift = math.sqrt(2) * float(_quantile(area))

    def draw(rng: Rng, rows: int) -> Bounds | None:
        few = int(rng.binomial(rows, 1 / 3))
        up, down = (
            np.unique(x, return_counts=True)
            for x in (rng.normal(shift, 1, few), rng.normal(size=rows - few))
        )
        return given(metric, Ranked.merge(up, down))

    return Case(name=f"{metric} {truth:.2f}", truth=truth, draw=draw)


def _three_classes(metric: str) -> Case:
    """Classes of 50, 30 and 20 % of the rows, found in 80, 70 and 60 %."""
    cells = np.array([[0.40, 0.06, 0.04], [0.05, 0.21, 0.04], [0.05, 0.03, 0.12]])

    def table(counts: np.ndarray) -> Classes:
        return Classes(labels=("a", "b", "c"), counts=counts.reshape(3, 3))

    truth = scores.value(metric, table(np.rint(1e12 * cells).astype(np.int64)))

    def draw(rng: Rng, rows: int) -> Bounds | None:
        return given(metric, table(rng.multinomial(rows, cells.ravel())))

    return Case(name=f"{metric}, 3 classes {truth:.2f}", truth=truth, draw=draw)


def _champion(apart: float, gain: float) -> Case:
    """Paired accuracy: two models differ on *apart* of the rows, *gain* in favour of one."""
    cells = (apart + gain) / 2, (apart - gain) / 2, 1 - apart

    def bounds(counts: list[int]) -> Bounds:
        first, second, _ = counts
        return tango(Discordant(first=first, second=second, rows=sum(counts)), Z)

    def outcomes(rows: int) -> Iterator[Outcome] | None:
        every = multinomial(cells, rows)
        return every and ((bounds(counts), chance) for counts, chance in every)

    return Case(
        name=f"accuracy, candidate minus champion {gain:.2f}, {apart:.0%} apart",
        truth=gain,
        draw=lambda rng, rows: bounds(rng.multinomial(rows, cells).tolist()),
        outcomes=outcomes,
    )


def _rankings() -> Case:
    """Reciprocal ranks: the first relevant row is at place 1, 2, ... with chance 1/2 each."""
    truth = math.log(2)

    def draw(rng: Rng, rows: int) -> Bounds | None:
        found = 1.0 / rng.geometric(0.5, size=rows)
        return given("mrr", Queries(values=moments(found), rows=10 * rows))

    return Case(name=f"mrr over n queries {truth:.2f}", truth=truth, draw=draw)


def _linear(share: float) -> Callable[[Rng, int], tuple[np.ndarray, np.ndarray]]:
    """Normal predictions that explain *share* of the labels' variance, and normal errors."""
    spread = math.sqrt(1 / share - 1)
    return lambda rng, rows: (rng.normal(size=rows), spread * rng.normal(size=rows))


def _calibration(off: float, how: str) -> Case:
    """Uniform scores, too low by *off* everywhere, or by 15 times that in one bin of 15."""

    def draw(rng: Rng, rows: int) -> Bounds | None:
        scored = np.sort(rng.random(rows))
        if how.endswith("one bin off"):
            rate = scored + 15 * off * ((scored >= 0.2) & (scored < 4 / 15))
        else:
            scored *= 0.9
            rate = scored + off
        positive = rng.random(rows) < rate
        table = Ranked(
            scores=scored,
            positives=positive.astype(np.int64),
            negatives=(~positive).astype(np.int64),
        )
        found = reliability(table, 15)
        return None if too_few(found) else calibration_bounds(found, Z)

    return Case(name=f"calibration error {off:.2f}{how}", truth=off, draw=draw)


def _psi(shift: float) -> Case:
    """A normal law moved by *shift*, cut at the deciles of the unmoved one."""
    cuts = np.array([float(_quantile(p)) for p in np.linspace(0.1, 0.9, 9)])
    p = np.full(10, 0.1)
    q = np.diff(np.concatenate(([0.0], ndtr(cuts - shift), [1.0])))
    truth = float(((p - q) * np.log(p / q)).sum())

    def draw(rng: Rng, rows: int) -> Bounds | None:
        if rows < 100:
            return None
        before, after = rng.normal(size=rows), rng.normal(shift, 1, size=rows)
        return psi(numeric(_ordered(before), _ordered(after))).bounds(ALPHA)

    return Case(name=f"psi {truth:.2f} (n each)", truth=truth, draw=draw)


def _wasserstein(shift: float) -> Case:
    def draw(rng: Rng, rows: int) -> Bounds | None:
        if rows < 100:
            return None
        before, after = _ordered(rng.normal(size=rows)), _ordered(rng.normal(shift, 1, size=rows))
        value = wasserstein(before, after)
        noise = wasserstein_noise(before, after, ALPHA)
        return max(value - noise, 0.0), value + noise

    return Case(name=f"wasserstein {shift:.2f} (n each)", truth=shift, draw=draw)


def _ordered(values: np.ndarray):  # noqa: ANN202  # the frame's own value type
    from aims_gate.frames import Distribution

    distinct, counts = np.unique(values, return_counts=True)
    return Distribution(values=distinct, counts=counts, nulls=0)


def _quantile(p: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(p))
