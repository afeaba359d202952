"""Losses and shares explained of a regression, of one model and of two, long tails among them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from coverage import ALPHA, Case, given
from draws import Rng

from aims_gate.checks.metrics import table
from aims_gate.stats.intervals import Bounds
from aims_gate.stats.paired import mean_difference, short_of_mean
from aims_gate.stats.rows.losses import differences, moments_of, root_values
from aims_gate.stats.rows.unexplained import unexplained_of
from aims_gate.stats.tables import Fit, Losses, Residuals

Law = Callable[[Rng, int], np.ndarray]
Drawn = Callable[[Rng, int], tuple[np.ndarray, np.ndarray]]
"""Two columns of so many rows: predictions and errors, or the errors of two models."""


def long_tails() -> Iterator[Case]:
    """Give intervals of losses, labels and errors with long tails, of one model and of two."""
    yield loss("mae of lognormal", lambda rng, n: rng.lognormal(size=n), math.exp(0.5))
    yield loss("mse of lognormal", lambda rng, n: rng.lognormal(size=n) ** 2, math.exp(2))
    yield loss("mse of t(3)", lambda rng, n: rng.standard_t(3, size=n) ** 2, 3.0)
    yield loss("mse, 80 % of errors 0,", lambda rng, n: _mostly_zero(rng, n) ** 2, 0.4)
    for what, law, spread, share in (
        ("exponential", lambda rng, n: rng.exponential(size=n), 1.0, 0.5),
        ("t(3)", lambda rng, n: rng.standard_t(3, size=n), math.sqrt(3), 0.9),
        ("lognormal", lambda rng, n: rng.lognormal(size=n), _LOGNORMAL, 0.5),
        ("lognormal", lambda rng, n: rng.lognormal(size=n), _LOGNORMAL, 0.9),
        ("80 % zero", _mostly_zero, 0.6, 0.5),
    ):
        yield explained("r2", share, _normal_errors(law, spread, share), f", {what} labels")
    for what, law, spread in (
        ("t(3)", lambda rng, n: rng.standard_t(3, size=n), math.sqrt(3)),
        ("lognormal", lambda rng, n: rng.lognormal(size=n) - math.exp(0.5), _LOGNORMAL),
    ):
        for metric in ("r2", "explained_variance"):
            drawn = _normal_predictions(law, spread, 0.6)
            yield explained(metric, 0.6, drawn, f", {what} errors")
    for metric in ("mae", "rmse"):
        yield _difference(metric, "normal", lambda rng, n: rng.normal(size=n))
        yield _difference(metric, "t(3)", lambda rng, n: rng.standard_t(3, size=n))
        yield _difference(metric, "lognormal", lambda rng, n: rng.lognormal(size=n))


_LOGNORMAL = math.sqrt((math.e - 1) * math.e)
"""Standard deviation of a lognormal law."""
_ABSOLUTE = {
    "normal": math.sqrt(2 / math.pi),
    "t(3)": 2 * math.sqrt(3) / math.pi,
    "lognormal": math.exp(0.5),
}
_SQUARED = {"normal": 1.0, "t(3)": 3.0, "lognormal": math.exp(2)}


def _mostly_zero(rng: Rng, rows: int) -> np.ndarray:
    return np.where(rng.random(rows) < 0.8, 0.0, rng.exponential(size=rows))


def _normal_errors(law: Law, spread: float, share: float) -> Drawn:
    scale = spread * math.sqrt(1 / share - 1)
    return lambda rng, rows: (law(rng, rows), scale * rng.normal(size=rows))


def _normal_predictions(law: Law, spread: float, share: float) -> Drawn:
    scale = math.sqrt(1 / share - 1) / spread
    return lambda rng, rows: (rng.normal(size=rows), scale * law(rng, rows))


def loss(metric: str, losses: Law, mean: float) -> Case:
    """Draw losses with a known *mean*; the metric is the first word of its name."""
    truth = math.sqrt(mean) if metric == "rmse" else mean
    first = metric.replace(",", "").split(maxsplit=1)[0]

    def draw(rng: Rng, rows: int) -> Bounds | None:
        return given(first, moments(losses(rng, rows)))

    return Case(name=f"{metric} {truth:.2f}", truth=truth, draw=draw)


def explained(metric: str, share: float, drawn: Drawn, what: str = "") -> Case:
    """Draw predictions that explain *share* of the labels' variance, and errors beside them."""
    centred = metric == "explained_variance"

    def draw(rng: Rng, rows: int) -> Bounds | None:
        predicted, errors = drawn(rng, rows)
        labels = predicted + errors
        unexplained = unexplained_of(labels, predicted, None, centred=centred)
        variance = float(labels.var())
        if centred:
            found = Residuals(errors=moments(errors), variance=variance, unexplained=unexplained)
            return given(metric, found)
        squared = moments(errors**2)
        return given(metric, Fit(squared=squared, variance=variance, unexplained=unexplained))

    return Case(name=f"{metric}{what} {share:.2f}", truth=share, draw=draw)


def moments(losses: np.ndarray) -> Losses:
    """Give the moments of losses as a frame does."""
    return table.losses(moments_of(losses, None))


def _difference(metric: str, what: str, law: Law) -> Case:
    """Draw a model and one with 1.3 times its errors: rows that are hard for one are so for both.

    Each error is that of the row times one of the model, lognormal with a sigma of 0.3.
    """
    rooted = metric == "rmse"
    size = math.sqrt(_SQUARED[what]) * math.exp(0.09) if rooted else _ABSOLUTE[what]
    truth = -0.3 * size * (1 if rooted else math.exp(0.045))

    def draw(rng: Rng, rows: int) -> Bounds | None:
        hard = np.abs(law(rng, rows))
        errors = [hard * factor * rng.lognormal(0, 0.3, size=rows) for factor in (1.0, 1.3)]
        losses = [np.square(side) if rooted else side for side in errors]
        added = [root_values(side, None) if rooted else side for side in losses]
        found = table.jackknife(moments_of(differences(*added), None))
        means = [float(side.mean()) for side in losses]
        first, second = (math.sqrt(mean) if rooted else mean for mean in means)
        if short_of_mean(found, loss=first):
            return None
        return mean_difference(found, ALPHA, value=first - second, loss=first)

    name = f"{metric}, candidate minus champion, {what} errors {truth:.2f}"
    return Case(name=name, truth=truth, draw=draw)
