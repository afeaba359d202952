"""Gradients of metrics agree with numeric derivatives of the metrics themselves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from aims_gate.stats import classes, confusion
from aims_gate.stats.paired_tables import GRADIENTS, gradient_of
from aims_gate.stats.tables import BetaConfusion, Classes, Confusion

SCALE = 10**6
Value = Callable[[np.ndarray], float]


def several(value: Callable[[Classes], float]) -> Value:
    return lambda counts: value(Classes(labels=tuple(range(len(counts))), counts=counts))


def two(value: Callable[[Confusion], float]) -> Value:
    """The second class is the positive one."""
    return lambda c: value(
        Confusion(tp=int(c[1, 1]), fn=int(c[1, 0]), fp=int(c[0, 1]), tn=int(c[0, 0]))
    )


def f_beta(counts: np.ndarray) -> float:
    tn, fp, fn, tp = (int(count) for count in counts.ravel())
    return confusion.f_beta(BetaConfusion(tp=tp, fn=fn, fp=fp, tn=tn, beta=2.0))


VALUES: dict[str, tuple[Value, int]] = {
    "precision": (two(lambda t: confusion.ratio(confusion.precision(t))), 2),
    "f1": (two(confusion.f1), 2),
    "f_beta": (f_beta, 2),
    "mcc": (several(classes.mcc), 4),
    "balanced_accuracy": (two(confusion.balanced_accuracy), 2),
    "macro_recall": (several(classes.macro_recall), 4),
    "macro_precision": (several(classes.macro_precision), 4),
    "macro_f1": (several(classes.macro_f1), 4),
    "weighted_f1": (several(classes.weighted_f1), 4),
    "weighted_precision": (several(classes.weighted_precision), 4),
}


def test_every_gradient_is_held_against_its_metric() -> None:
    assert set(VALUES) == {*GRADIENTS, "f_beta"}


@pytest.mark.parametrize("metric", VALUES)
def test_a_gradient_is_the_numeric_derivative_up_to_a_constant(metric: str) -> None:
    value, size = VALUES[metric]
    counts = np.random.default_rng(4).integers(3, 90, (size, size)) * SCALE
    counts[np.diag_indices(size)] *= 3
    rows, step = counts.sum(), SCALE // 10
    numeric = np.zeros(counts.shape)
    for cell in np.ndindex(*counts.shape):
        more, less = counts.copy(), counts.copy()
        more[cell] += step
        less[cell] -= step
        numeric[cell] = (value(more) - value(less)) / (2 * step) * rows
    shares = counts / rows
    closed = gradient_of(metric, beta=2.0)(shares)
    # the metric does not change when every share is scaled, so its derivative is centred
    assert closed - (shares * closed).sum() == pytest.approx(numeric, rel=1e-5, abs=1e-6)
