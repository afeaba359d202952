"""Gradients of metrics of a table of classes, in the shares of its cells: the delta method.

Each takes the shares of a table of shape (classes, classes), row i and column j being label i
predicted as j, and gives the derivatives in the same shape. A derivative is one up to a constant
over all cells, because shares sum to 1. Every class has to be labelled and predicted.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from aims_gate.stats.tables import Floats

Gradient = Callable[[Floats], Floats]
"""From shares to derivatives, both of shape (classes, classes)."""


def f_beta(shares: Floats, weights: Floats, square: float = 1.0) -> Floats:
    """Gradient of the weighted sum of F-beta scores, weights taken as fixed.

    F_i = (1 + b^2) x_ii / s_i, with s_i the share predicted as i and b^2 times that labelled so:
    (1 + b^2) / s_i at ii, less b^2 F_i / s_i along row i and F_i / s_i along column i.

    Args:
        shares: Shape (classes, classes).
        weights: Shape (classes,).
        square: b^2, above 0; 1 is F1.
    """
    sizes = shares.sum(axis=0) + square * shares.sum(axis=1)
    each = -(1 + square) * weights * shares.diagonal() / sizes**2
    gradient: Floats = np.diag((1 + square) * weights / sizes)
    gradient += square * each[:, np.newaxis] + each[np.newaxis, :]
    return gradient


def weighted_f1(shares: Floats) -> Floats:
    """Gradient of weighted F1: the weights are labelled shares, whose gradient is F_i in row i."""
    labelled = shares.sum(axis=1)
    scores = 2 * shares.diagonal() / (shares.sum(axis=0) + labelled)
    gradient: Floats = f_beta(shares, labelled) + scores[:, np.newaxis]
    return gradient


def precision(shares: Floats, weights: Floats) -> Floats:
    """Gradient of the weighted sum of precisions P_i = x_ii / p_i, weights taken as fixed.

    1 / p_i at ii, less P_i / p_i along column i, with p_i the share predicted as i.
    """
    predicted = shares.sum(axis=0)
    column = -weights * shares.diagonal() / predicted**2
    gradient: Floats = np.diag(weights / predicted) + column[np.newaxis, :]
    return gradient


def weighted_precision(shares: Floats) -> Floats:
    """Gradient of weighted precision: the weights are labelled shares, with P_i in row i."""
    scores = shares.diagonal() / shares.sum(axis=0)
    gradient: Floats = precision(shares, shares.sum(axis=1)) + scores[:, np.newaxis]
    return gradient


def mean_recall(shares: Floats) -> Floats:
    """Gradient of macro recall (balanced accuracy): that of precision on the transposed table."""
    return precision(shares.T, equal(shares)).T


def mcc(shares: Floats) -> Floats:
    """Gradient of the multi-class Matthews correlation M (Gorodkin 2004).

    With t_j and p_k the shares labelled j and predicted k, A = 1 - sum p^2 and B = 1 - sum t^2:
    (1[j = k] - p_j - t_k) / sqrt(A B) + M (p_k / A + t_j / B) at label j and prediction k.
    """
    labelled, predicted = shares.sum(axis=1), shares.sum(axis=0)
    a, b = 1 - float(predicted @ predicted), 1 - float(labelled @ labelled)
    value = (float(shares.trace()) - float(labelled @ predicted)) / math.sqrt(a * b)
    gradient: Floats = np.eye(len(labelled)) - predicted[:, np.newaxis] - labelled[np.newaxis, :]
    gradient /= math.sqrt(a * b)
    gradient += value * (predicted[np.newaxis, :] / a + labelled[:, np.newaxis] / b)
    return gradient


def equal(shares: Floats) -> Floats:
    """Macro weights: the same for every class; they sum to 1."""
    return np.full(len(shares), 1 / len(shares))


def positive(_shares: Floats) -> Floats:
    """Weights of a binary metric: all on the second of two classes, the positive one."""
    return np.array([0.0, 1.0])
