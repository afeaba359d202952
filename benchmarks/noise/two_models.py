"""Draws of two models that answer the same rows, for metrics that are computed from counts."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from coverage import ALPHA, Case
from draws import Rng

from aims_gate.stats import scores
from aims_gate.stats.intervals import Bounds
from aims_gate.stats.paired_tables import Answered, gradient_of, spread
from aims_gate.stats.tables import BetaConfusion, Classes, Confusion, ScoreTable

_TWO_MODELS = (
    (((0.75, 0.15), (0.75, 0.15)), 0.5),
    (((0.92, 0.05), (0.88, 0.06)), 0.9),
)
"""True and false positive rates of candidate and champion, and how far their answers are alike:
0 given the label is by chance, 1 is as much as the rates allow. Equal and better models, whose
answers differ in 15 and 3 % of the rows."""


def two_models() -> Iterator[Case]:
    """Give every paired interval of `stats.paired_tables`, of equal and of unequal models."""
    for metric in ("f1", "f_beta", "precision", "balanced_accuracy", "mcc"):
        for sides, alike in _TWO_MODELS:
            yield _two_models(metric, sides, alike)
    for metric in ("macro_f1", "mcc"):
        yield _two_models_of_three_classes(metric)


def _two_models(
    metric: str, sides: tuple[tuple[float, float], tuple[float, float]], alike: float
) -> Case:
    """A difference of two models that are right or wrong together; 30 % of the rows positive."""
    cells = np.zeros((2, 2, 2))
    for label, share in ((1, 0.3), (0, 0.7)):
        one, other = (side[1 - label] for side in sides)
        both = alike * min(one, other) + (1 - alike) * one * other
        cells[label] = share * np.array(
            [[1 - one - other + both, other - both], [one - both, both]]
        )
    return _paired_case(metric, cells)


def _two_models_of_three_classes(metric: str) -> Case:
    """Classes of 50, 30 and 20 %; the champion gives the candidate's answer in 80 % of the rows."""
    right = np.array([[0.80, 0.12, 0.08], [1 / 6, 0.70, 2 / 15], [0.25, 0.15, 0.60]])
    labels = np.array([0.5, 0.3, 0.2])[:, np.newaxis, np.newaxis]
    cells = labels * right[:, :, np.newaxis] * (0.8 * np.eye(3) + 0.2 * right[:, np.newaxis, :])
    return _paired_case(metric, cells)


def _paired_case(metric: str, cells: np.ndarray) -> Case:
    """Take *cells*, of shape (classes, classes, classes), as shares of label, first and second."""
    beta, gradient = 2.0, gradient_of(metric, beta=2.0)
    classes = len(cells)
    places = np.argwhere(np.ones(cells.shape))

    def table(counts: np.ndarray) -> ScoreTable:
        if classes > 2:
            return Classes(labels=tuple(range(classes)), counts=counts)
        tn, fp, fn, tp = counts.ravel().tolist()
        if metric == "f_beta":
            return BetaConfusion(tp=tp, fp=fp, fn=fn, tn=tn, beta=beta)
        return Confusion(tp=tp, fp=fp, fn=fn, tn=tn)

    def difference(cube: np.ndarray) -> float:
        one, other = (scores.value(metric, table(cube.sum(axis=axis))) for axis in (2, 1))
        return one - other

    truth = difference(np.rint(1e12 * cells).astype(np.int64))

    def draw(rng: Rng, rows: int) -> Bounds | None:
        cube = rng.multinomial(rows, cells.ravel() / cells.sum()).reshape(cells.shape)
        value = difference(cube)
        if math.isnan(value):
            return None
        answered = Answered(classes=classes, cells=places, counts=cube.ravel())
        most = scores.scale(metric).span
        return spread(answered, gradient).bounds(value, ALPHA, most=most)

    apart = 100 * (1 - float(np.einsum("laa->", cells)) / float(cells.sum()))
    several = f", {classes} classes" if classes > 2 else ""
    name = f"{metric}{several}, candidate minus champion, {apart:.0f} % apart {truth:.2f}"
    return Case(name=name, truth=truth, draw=draw)
