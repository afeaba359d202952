"""Metrics of a multi-class confusion table.

Recalls are proportions of disjoint sets of rows (by label), precisions too (by prediction), so
their means have the bounds of `confusion.mean_bounds`. The rows behind F1 scores overlap: means of
them, and the correlation of label and prediction, have bounds from the delta method over all cells.
Measured with three to ten unequal classes and 30 to 5,000 rows, where `too_few` and
`too_few_of_a_class` let them be: wrong on one side in 2-8 % for an aim of 5 %. Weighted precision
has bounds from leaving out each row, because those of the delta method were wrong in up to 23 %.

scikit-learn counts a 0/0 precision or recall as 0 and warns, and leaves classes without a label
out of balanced accuracy; here the mean over all classes is NaN, because an undefined rate is
neither good nor bad.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit

from aims_gate.stats import gradients
from aims_gate.stats.confusion import Share, mean_bounds, ratio
from aims_gate.stats.intervals import Bounds
from aims_gate.stats.jackknife import limits, of_values
from aims_gate.stats.tables import Classes, Confusion, Floats, Jackknife

LEAST_CLASS = 20
"""Below so many labelled rows of a class no bound is given of a mean that counts it in full."""


def accuracy(table: Classes) -> Share:
    """Accuracy: rows predicted right, of all rows."""
    return sum(_hits(table)), table.rows


def recalls(table: Classes) -> list[Share]:
    """Recall of each class: rows predicted as it, of the rows labelled as it."""
    return list(zip(_hits(table), table.counts.sum(axis=1).tolist(), strict=True))


def precisions(table: Classes) -> list[Share]:
    """Precision of each class: rows labelled as it, of the rows predicted as it."""
    return list(zip(_hits(table), table.counts.sum(axis=0).tolist(), strict=True))


def macro_recall(table: Classes) -> float:
    """Macro recall (balanced accuracy): unweighted mean, in [0, 1]; NaN if a class has no label."""
    return _mean(recalls(table))


def macro_precision(table: Classes) -> float:
    """Macro precision: unweighted mean, in [0, 1]; NaN if a class is never predicted."""
    return _mean(precisions(table))


def macro_recall_bounds(table: Classes, z: float) -> Bounds:
    """Interval of macro recall, by MOVER over the classes (`confusion.mean_bounds`)."""
    return mean_bounds(recalls(table), z)


def macro_precision_bounds(table: Classes, z: float) -> Bounds:
    """Interval of macro precision, by MOVER over the classes (`confusion.mean_bounds`)."""
    return mean_bounds(precisions(table), z)


def macro_f1(table: Classes) -> float:
    """Macro F1: unweighted mean of 2 tp / (2 tp + fp + fn), in [0, 1]; NaN without a class."""
    scores = _f1(table)
    return math.fsum(scores) / len(scores) if scores else math.nan


def weighted_f1(table: Classes) -> float:
    """Weighted F1: mean weighted by the rows labelled as each class, in [0, 1]; NaN for no rows."""
    labelled = [trials for _, trials in recalls(table)]
    if not sum(labelled):
        return math.nan
    pairs = zip(_f1(table), labelled, strict=True)
    return math.fsum(score * rows for score, rows in pairs) / sum(labelled)


def weighted_precision(table: Classes) -> float:
    """Weighted precision: mean weighted by labelled rows, in [0, 1]; NaN as `macro_precision`."""
    labelled = [trials for _, trials in recalls(table)]
    if not sum(labelled):
        return math.nan
    pairs = zip(precisions(table), labelled, strict=True)
    return math.fsum(ratio(share) * rows for share, rows in pairs) / sum(labelled)


def weighted_precision_pseudo(table: Classes) -> Jackknife:
    """Jackknife pseudo-values of logit(weighted precision): each row is left out once.

    With x_jj hits, c_j predictions and t_j labels of class j, P_j = x_jj / c_j and T = sum t_j P_j,
    T without a row of label i and prediction j is T - P_i + (P'_j - P_j) (t_j - 1[i = j]), where
    P'_j = (x_jj - 1[i = j]) / (c_j - 1). All but the rows is NaN where a class is predicted once,
    or only one row is wrong.
    """
    hits, labelled = np.diag(table.counts), table.counts.sum(axis=1)
    predicted, own, rows = table.counts.sum(axis=0), np.eye(len(hits)), table.rows
    with np.errstate(all="ignore"):  # what cannot be left out is not finite
        each = hits / predicted
        without = (hits - own) / (predicted - 1)
        total = np.float64(labelled @ each)
        left = total - each[:, np.newaxis] + (without - each) * (labelled - own)
        value = np.log(total / (rows - total))
        values = rows * value - (rows - 1) * np.log(left / (rows - 1 - left))
    return of_values(values, table.counts)


def weighted_precision_bounds(table: Classes, alpha: float) -> Bounds:
    """Jackknife interval of weighted precision, on the logit scale, in [0, 1]."""
    value = weighted_precision(table)
    low, high = limits(weighted_precision_pseudo(table), alpha)
    return min(float(expit(low)), value), max(float(expit(high)), value)


def mcc(table: Classes) -> float:
    """Matthews correlation coefficient of several classes (Gorodkin 2004, R_K), in [-1, 1].

    (c - sum t p) / sqrt((1 - sum p^2) (1 - sum t^2)) with c the share predicted right, t and p the
    shares of the classes among labels and predictions: 1 is perfect, 0 is chance. With two classes
    it is the usual MCC. NaN if labels or predictions hold one class only.
    """
    labelled, predicted = _margins(table)
    # whole numbers of any size, so that cells of 10^9 rows do not overflow
    rows = table.rows
    spread = rows * rows - sum(t * t for t in labelled), rows * rows - sum(p * p for p in predicted)
    if not all(spread):
        return math.nan
    product = sum(t * p for t, p in zip(labelled, predicted, strict=True))
    value = (sum(_hits(table)) * rows - product) / math.sqrt(spread[0] * spread[1])
    return min(max(value, -1.0), 1.0)


def macro_f1_bounds(table: Classes, z: float) -> Bounds:
    """Delta-method interval of macro F1 on the logit scale; see `too_few`.

    expit(logit F -+ z s / (F (1 - F))). Takahashi, Yamamoto, Kuchiba and Koyama (2022),
    "Confidence interval for micro-averaged F1 and macro-averaged F1 scores", on the logit.
    """
    shares = _shares(table)
    gradient = gradients.f_beta(shares, gradients.equal(shares))
    return _on_logit(macro_f1(table), gradient, table, z)


def weighted_f1_bounds(table: Classes, z: float) -> Bounds:
    """Delta-method interval of weighted F1, as `macro_f1_bounds`; the weights vary, too."""
    return _on_logit(weighted_f1(table), gradients.weighted_f1(_shares(table)), table, z)


def mcc_bounds(table: Classes, z: float) -> Bounds:
    """Delta-method interval of MCC by Fisher's z: tanh(atanh M -+ z s / (1 - M^2)); |M| < 1."""
    value, shares = mcc(table), _shares(table)
    step = z * _error(shares, gradients.mcc(shares), table.rows) / (1 - value * value)
    return math.tanh(math.atanh(value) - step), math.tanh(math.atanh(value) + step)


def too_few(table: Classes) -> str:
    """Say why the delta method gives no bounds; empty if it does.

    One error is enough. To ask for more is worse, because it picks the samples with unusually many:
    with ten, intervals at 95 % of 30 rows held the truth in 77-91 %, with one in 91-98 %.
    """
    right = sum(_hits(table))
    if 0 < right < table.rows:
        return ""
    what = "wrong" if right else "right"
    return f"no row among {table.rows:,} is {what}, so nothing shows how much the metric varies"


def too_few_of_a_class(table: Classes) -> str:
    """Say why there are no bounds of a mean that counts small classes in full; empty if not."""
    small = [
        f"{label!r} has {rows:,}"
        for label, (_, rows) in zip(table.labels, recalls(table), strict=True)
        if rows < LEAST_CLASS
    ]
    if small:
        more = f" and {len(small) - 1} more are below" if len(small) > 1 else ""
        return f"an interval needs {LEAST_CLASS} rows of each class: {small[0]}{more}"
    return too_few(table)


def one_vs_rest(table: Classes, label: object) -> Confusion:
    """One-vs-rest confusion table of a class, its rows positive; ValueError if it is unknown."""
    place = list[object](table.labels).index(label)
    tp = int(table.counts[place, place])
    fn, fp = int(table.counts[place].sum()) - tp, int(table.counts[:, place].sum()) - tp
    return Confusion(tp=tp, fn=fn, fp=fp, tn=table.rows - tp - fn - fp)


def unlabelled(table: Classes) -> tuple[str, ...]:
    """Name the classes that are predicted and have no label."""
    return _empty(table, recalls(table))


def unpredicted(table: Classes) -> tuple[str, ...]:
    """Name the classes that are never predicted."""
    return _empty(table, precisions(table))


def _hits(table: Classes) -> list[int]:
    hits: list[int] = table.counts.diagonal().tolist()
    return hits


def _mean(shares: list[Share]) -> float:
    # NaN wins over every number, so no undefined class is averaged away
    return math.fsum(map(ratio, shares)) / len(shares) if shares else math.nan


def _f1(table: Classes) -> list[float]:
    pairs = zip(recalls(table), precisions(table), strict=True)
    return [ratio((2 * hits, labelled + predicted)) for (hits, labelled), (_, predicted) in pairs]


def _margins(table: Classes) -> tuple[list[int], list[int]]:
    return [rows for _, rows in recalls(table)], [rows for _, rows in precisions(table)]


def _shares(table: Classes) -> Floats:
    shares: Floats = table.counts / table.rows
    return shares


def _error(shares: Floats, gradient: Floats, rows: int) -> float:
    """Delta-method standard error of a function of multinomial shares."""
    spread = float((shares * gradient**2).sum()) - float((shares * gradient).sum()) ** 2
    return math.sqrt(max(spread, 0.0) / rows)


def _on_logit(value: float, gradient: Floats, table: Classes, z: float) -> Bounds:
    step = z * _error(_shares(table), gradient, table.rows) / (value * (1 - value))
    centre = math.log(value / (1 - value))
    return 1 / (1 + math.exp(step - centre)), 1 / (1 + math.exp(-step - centre))


def _empty(table: Classes, shares: list[Share]) -> tuple[str, ...]:
    pairs = zip(table.labels, shares, strict=True)
    return tuple(str(label) for label, (_, trials) in pairs if not trials)
