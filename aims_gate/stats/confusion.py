"""Metrics of a binary confusion table, with one-sided bounds on each side.

Each value is NaN where it is 0/0. Bounds take z, the standard normal quantile of 1 - alpha.
Formulas and their measured error: statistics 1.5 and 2.9.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from aims_gate.stats.intervals import Bounds, root, wilson
from aims_gate.stats.tables import BetaConfusion, Confusion

Share = tuple[int, int]
"""Successes and trials."""


def accuracy(table: Confusion) -> Share:
    """Give the rows predicted right, of all rows."""
    return table.tp + table.tn, table.rows


def precision(table: Confusion) -> Share:
    """Give the true positives, of the rows predicted positive."""
    return table.tp, table.tp + table.fp


def recall(table: Confusion) -> Share:
    """Give the true positives, of the rows labelled positive."""
    return table.tp, table.positives


def specificity(table: Confusion) -> Share:
    """Give the true negatives, of the rows labelled negative."""
    return table.tn, table.negatives


def jaccard(table: Confusion) -> Share:
    """Give the true positives, of the rows labelled or predicted positive."""
    return table.tp, table.tp + table.fp + table.fn


def ratio(share: Share) -> float:
    """Give successes / trials in [0, 1]; NaN for no trials."""
    successes, trials = share
    return successes / trials if trials else math.nan


def f1(table: Confusion) -> float:
    """Give 2 tp / (2 tp + fp + fn) in [0, 1]; NaN if nothing is labelled or predicted positive."""
    return ratio((2 * table.tp, 2 * table.tp + table.fp + table.fn))


def f1_bounds(table: Confusion, z: float) -> Bounds:
    """Give F1's bounds from Wilson's of J = tp / (tp + fp + fn): F1 = 2J / (1 + J) rises with J."""
    low, high = wilson(*jaccard(table), z)
    return 2 * low / (1 + low), 2 * high / (1 + high)


def f_beta(table: BetaConfusion) -> float:
    """Give (1 + b^2) tp / ((1 + b^2) tp + b^2 fn + fp) in [0, 1]; NaN where F1 is."""
    square = table.beta * table.beta
    hits = (1 + square) * table.tp
    of = hits + square * table.fn + table.fp
    return hits / of if of else math.nan


def f_beta_bounds(table: BetaConfusion, z: float) -> Bounds:
    """Give score bounds of F-beta: the values t at which abs(T(t)) = z sqrt(n V(t)).

    T(t) = (1 + b^2)(1 - t) tp - t (b^2 fn + fp) has mean 0 where t is the truth. V(t) is its
    variance there, over the n = tp + fp + fn rows: a row is a hit with the share that makes the
    mean 0, and the errors keep the shares they were seen with, half a row added to each kind. At
    b = 1 these are Wilson's bounds of J, and so `f1_bounds`.
    """
    square, rows = table.beta * table.beta, jaccard(table)[1]
    missed = (table.fn + 0.5) / (table.fn + table.fp + 1)
    weight = missed * square + 1 - missed
    second = missed * square * square + 1 - missed

    def distance(t: float, sign: float) -> float:
        hit, error = (1 + square) * (1 - t), t * weight
        share = error / (hit + error)
        spread = share * hit * hit + (1 - share) * t * t * second
        centred = hit * table.tp - t * (square * table.fn + table.fp)
        return centred - sign * z * math.sqrt(rows * spread)

    value = f_beta(table)
    low = root(lambda t: distance(t, 1), 0.0, value) if table.tp else 0.0
    high = root(lambda t: distance(t, -1), value, 1.0) if value < 1 else 1.0
    return min(low, value), max(high, value)


def balanced_accuracy(table: Confusion) -> float:
    """Give the mean of recall and specificity in [0, 1]; NaN without one of the classes."""
    return (ratio(recall(table)) + ratio(specificity(table))) / 2


def mean_bounds(shares: Sequence[Share], z: float) -> Bounds:
    """Give bounds of the mean of independent proportions, in [0, 1].

    MOVER over Wilson bounds l_i, u_i, for k proportions p_i: mean - sqrt(sum (p_i - l_i)^2) / k and
    mean + sqrt(sum (u_i - p_i)^2) / k (Zou, Huang and Zhang 2009, "A note on confidence interval
    estimation for a linear function of binomial proportions"). With three proportions and more
    each takes the larger of its two distances on both sides: the skewness of many proportions near
    0 or 1 adds up, and the short side alone was measured to be wrong in up to 15 % for 5 %.
    """
    values = [ratio(share) for share in shares]
    limits = [wilson(*share, z) for share in shares]
    below = [p - low for p, (low, _) in zip(values, limits, strict=True)]
    above = [high - p for p, (_, high) in zip(values, limits, strict=True)]
    if len(shares) > 2:
        below = above = list(map(max, below, above))
    mean = math.fsum(values) / len(values)
    return (
        max(mean - math.hypot(*below) / len(values), 0.0),
        min(mean + math.hypot(*above) / len(values), 1.0),
    )


def balanced_accuracy_bounds(table: Confusion, z: float) -> Bounds:
    """Give the bounds of the mean of recall and specificity, which are of different rows."""
    return mean_bounds([recall(table), specificity(table)], z)


def mcc(table: Confusion) -> float:
    """Give the Matthews correlation coefficient in [-1, 1].

    (tp tn - fp fn) / sqrt((tp+fp)(tp+fn)(tn+fp)(tn+fn)): 1 is perfect, 0 is chance, -1 is always
    wrong; NaN if a class is never labelled or never predicted.
    """
    # whole numbers of any size, so that cells of 10^9 rows do not overflow
    margins = (table.tp + table.fp) * table.positives * table.negatives * (table.tn + table.fn)
    if margins == 0:
        return math.nan
    value = (table.tp * table.tn - table.fp * table.fn) / math.sqrt(margins)
    return min(max(value, -1.0), 1.0)


def mcc_bounds(table: Confusion, z: float) -> Bounds:
    """Give tanh(atanh M -+ z s / (1 - M^2)), s from the delta method; needs abs(M) < 1.

    With cell shares and M's gradient g in them, s^2 = (sum share g^2 - (sum share g)^2) / n.
    """
    value = mcc(table)
    share = np.array([table.tp, table.fn, table.fp, table.tn], dtype=np.float64) / table.rows
    tp, fn, fp, tn = share
    predicted, labelled, negative, rejected = tp + fp, tp + fn, tn + fp, tn + fn
    root = math.sqrt(predicted * labelled * negative * rejected)
    half = value / 2
    gradient = np.array(
        [
            tn / root - half * (1 / predicted + 1 / labelled),
            -fp / root - half * (1 / labelled + 1 / rejected),
            -fn / root - half * (1 / predicted + 1 / negative),
            tp / root - half * (1 / negative + 1 / rejected),
        ]
    )
    spread = float(share @ gradient**2) - float(share @ gradient) ** 2
    step = z * math.sqrt(max(spread, 0.0) / table.rows) / (1 - value * value)
    return math.tanh(math.atanh(value) - step), math.tanh(math.atanh(value) + step)
