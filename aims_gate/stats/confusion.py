"""Metrics of a binary confusion table, with one-sided bounds on each side.

Each value is NaN where it is 0/0. Bounds take z, the standard normal quantile of 1 - alpha.
Formulas and their measured error: statistics 1.5 and 2.9.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from aims_gate.stats.intervals import Bounds, proportion_bounds, root
from aims_gate.stats.tables import BetaConfusion, Confusion

FEW_ROWS = 10
"""Below so many rows a proportion the mean of several takes the wider side on both sides."""
Share = tuple[int, int]
"""Successes and trials."""


def accuracy(table: Confusion) -> Share:
    """Accuracy: rows predicted right, of all rows."""
    return table.tp + table.tn, table.rows


def precision(table: Confusion) -> Share:
    """Precision (positive predictive value): tp of tp + fp."""
    return table.tp, table.tp + table.fp


def recall(table: Confusion) -> Share:
    """Recall (sensitivity, true positive rate): tp of tp + fn."""
    return table.tp, table.positives


def specificity(table: Confusion) -> Share:
    """Specificity (true negative rate): tn of tn + fp."""
    return table.tn, table.negatives


def jaccard(table: Confusion) -> Share:
    """Jaccard index (intersection over union): tp of tp + fp + fn."""
    return table.tp, table.tp + table.fp + table.fn


def ratio(share: Share) -> float:
    """Proportion: successes / trials, in [0, 1]; NaN for no trials."""
    successes, trials = share
    return successes / trials if trials else math.nan


def f1(table: Confusion) -> float:
    """F1 score: 2 tp / (2 tp + fp + fn), in [0, 1]; NaN if tp, fp and fn are 0."""
    return ratio((2 * table.tp, 2 * table.tp + table.fp + table.fn))


def f1_bounds(table: Confusion, z: float) -> Bounds:
    """Interval of F1 from that of the Jaccard index J, with which F1 = 2J / (1 + J) rises."""
    low, high = proportion_bounds(*jaccard(table), z)
    return 2 * low / (1 + low), 2 * high / (1 + high)


def f_beta(table: BetaConfusion) -> float:
    """F-beta score: (1 + b^2) tp / ((1 + b^2) tp + b^2 fn + fp), in [0, 1]; NaN where F1 is."""
    square = table.beta * table.beta
    hits = (1 + square) * table.tp
    of = hits + square * table.fn + table.fp
    return hits / of if of else math.nan


def f_beta_bounds(table: BetaConfusion, z: float) -> Bounds:
    """Score interval of F-beta: the values t at which abs(T(t)) = z sqrt(n V(t)).

    T(t) = (1 + b^2)(1 - t) tp - t (b^2 fn + fp) has mean 0 where t is the truth. V(t) is its
    variance there, over the n = tp + fp + fn rows: a row is a hit with the share that makes the
    mean 0, and the errors keep the shares they were seen with, half a row added to each kind. At
    b = 1 these are Wilson's bounds of J. The guard of J's own bounds (`proportion_bounds`), which
    F-beta rises with, widens them, so that at b = 1 they are `f1_bounds`.
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
    least, most = (
        (1 + square) * j / ((1 + square) * j + (1 - j) * weight)
        for j in proportion_bounds(*jaccard(table), z)
    )
    return min(low, least, value), max(high, most, value)


def balanced_accuracy(table: Confusion) -> float:
    """Balanced accuracy: mean of recall and specificity, in [0, 1]; NaN if a class is missing."""
    return (ratio(recall(table)) + ratio(specificity(table))) / 2


def mean_bounds(shares: Sequence[Share], z: float) -> Bounds:
    """MOVER interval of the mean of independent proportions, corrected for skewness, in [0, 1].

    From the guarded Wilson interval of each of k proportions, with half width h_i and with its
    middle d_i above the proportion: mean + (sum d_i h_i^2 / sum h_i^2 -+ sqrt(sum h_i^2)) / k.
    Widths add as variances do (MOVER; Zou, Huang and Zhang 2009, "A note on confidence interval
    estimation for a linear function of binomial proportions"); what skewness does to an interval
    is its third cumulant over its variance (Cornish and Fisher 1938), and both of these add. MOVER
    alone lets the skewness of k proportions count sqrt(k) times: near 0 or 1 its short side is
    wrong in up to 9 % for 2.5 %, this in up to 3.5 %. On fewer than `FEW_ROWS` rows a proportion
    the larger of its two distances counts on both sides.
    """
    values = [ratio(share) for share in shares]
    limits = [proportion_bounds(*share, z) for share in shares]
    below = [p - low for p, (low, _) in zip(values, limits, strict=True)]
    above = [high - p for p, (_, high) in zip(values, limits, strict=True)]
    if sum(trials for _, trials in shares) < FEW_ROWS * len(shares):
        below = above = list(map(max, below, above))
    halves = [(b + a) / 2 for b, a in zip(below, above, strict=True)]
    spread = math.hypot(*halves)
    leans = [(a - b) / 2 * h * h for b, a, h in zip(below, above, halves, strict=True)]
    lean = math.fsum(leans) / (spread * spread) if spread else 0.0
    mean = math.fsum(values) / len(values)
    return (
        max(mean + (lean - spread) / len(values), 0.0),
        min(mean + (lean + spread) / len(values), 1.0),
    )


def balanced_accuracy_bounds(table: Confusion, z: float) -> Bounds:
    """MOVER interval of balanced accuracy: recall and specificity come from different rows."""
    return mean_bounds([recall(table), specificity(table)], z)


def mcc(table: Confusion) -> float:
    """Matthews correlation coefficient (phi coefficient), in [-1, 1].

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
    """Delta-method interval of MCC by Fisher's z: tanh(atanh M -+ z s / (1 - M^2)); |M| < 1.

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
