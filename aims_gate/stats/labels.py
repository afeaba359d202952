"""Pre-training bias metrics: how labels differ between a group and everybody else.

Das et al. (2021), "Fairness measures for machine learning in finance", as Amazon SageMaker Clarify
computes them; no model is needed. The group is the disadvantaged side d, everybody else the side a.
P is the distribution of labels on a side and q the share of the positive label.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sides:
    """Rows of a group and of everybody else by label; both have at least one row."""

    group: Counts
    """Shape (labels,): rows of the group; the positive label first."""
    rest: Counts
    """Shape (labels,): rows of everybody else."""
    strata: tuple[tuple[Counts, Counts], ...] = ()
    """The same by stratum: (group, rest), each of shape (labels,)."""


def class_imbalance(sides: Sides) -> float:
    """Class imbalance (CI): (n_a - n_d) / n, in [-1, 1]: 0 is balance, 1 a group without rows."""
    group, rest = int(sides.group.sum()), int(sides.rest.sum())
    return (rest - group) / (rest + group)


def rate_difference(sides: Sides) -> float:
    """Difference in proportions of labels (DPL): q_a - q_d, in [-1, 1]: 0 is parity."""
    group, rest = _shares(sides)
    return float(rest[0] - group[0])


def kl_divergence(sides: Sides) -> float:
    """Kullback-Leibler divergence: sum P_a ln(P_a / P_d), in [0, inf]: inf if d lacks a label."""
    group, rest = _shares(sides)
    return _divergence(rest, group)


def js_divergence(sides: Sides) -> float:
    """Jensen-Shannon divergence: (KL(P_a, M) + KL(P_d, M)) / 2, M their mean, in [0, ln 2]."""
    group, rest = _shares(sides)
    middle = (group + rest) / 2
    return (_divergence(rest, middle) + _divergence(group, middle)) / 2


def lp_norm(sides: Sides) -> float:
    """Lp-norm with p = 2: the Euclidean norm of P_a - P_d, in [0, sqrt 2]: 0 is none."""
    group, rest = _shares(sides)
    return float(np.linalg.norm(rest - group))


def total_variation(sides: Sides) -> float:
    """Total variation distance: half the sum of |P_a - P_d|, in [0, 1]: 1 shares no label."""
    group, rest = _shares(sides)
    return float(np.abs(rest - group).sum()) / 2


def kolmogorov_smirnov(sides: Sides) -> float:
    """Kolmogorov-Smirnov metric of labels: the largest |P_a - P_d|, in [0, 1]: 0 is none."""
    group, rest = _shares(sides)
    return float(np.abs(rest - group).max())


def conditional_disparity(sides: Sides) -> float:
    """Conditional demographic disparity in labels (CDDL), weighted by strata, in [-1, 1].

    Inside a stratum the disparity is the group's share of the rows labelled negative less its share
    of those labelled positive; 0 is none. NaN without strata, and where a stratum has only one kind
    of label.
    """
    total = sum(int(group.sum() + rest.sum()) for group, rest in sides.strata)
    if not total:
        return math.nan
    return math.fsum(_weighted(group, rest) / total for group, rest in sides.strata)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMetric:
    """A metric of labels: its formula, name and range."""

    name: str
    value: Callable[[Sides], float]
    low: float
    high: float
    definition: str


METRICS: Mapping[str, LabelMetric] = {
    "ci": LabelMetric(
        name="class_imbalance",
        value=class_imbalance,
        low=-1.0,
        high=1.0,
        definition="(n_a - n_d) / n, in [-1, 1]: 0 is balance",
    ),
    "dpl": LabelMetric(
        name="label_rate_difference",
        value=rate_difference,
        low=-1.0,
        high=1.0,
        definition="q_a - q_d, in [-1, 1]: 0 is parity",
    ),
    "kl": LabelMetric(
        name="kl_divergence",
        value=kl_divergence,
        low=0.0,
        high=math.inf,
        definition="sum P_a ln(P_a / P_d), in [0, inf): 0 is none",
    ),
    "js": LabelMetric(
        name="js_divergence",
        value=js_divergence,
        low=0.0,
        high=math.log(2),
        definition="the mean of KL(P_a, M) and KL(P_d, M), M = (P_a + P_d) / 2, in [0, 0.69]",
    ),
    "lp": LabelMetric(
        name="lp_norm",
        value=lp_norm,
        low=0.0,
        high=math.sqrt(2),
        definition="the Euclidean norm of P_a - P_d, in [0, 1.41]: 0 is none",
    ),
    "tvd": LabelMetric(
        name="total_variation_distance",
        value=total_variation,
        low=0.0,
        high=1.0,
        definition="half the sum of |P_a - P_d|, in [0, 1]: 0 is none",
    ),
    "ks": LabelMetric(
        name="ks_distance",
        value=kolmogorov_smirnov,
        low=0.0,
        high=1.0,
        definition="the largest |P_a - P_d| of a label, in [0, 1]: 0 is none",
    ),
    "cddl": LabelMetric(
        name="conditional_demographic_disparity",
        value=conditional_disparity,
        low=-1.0,
        high=1.0,
        definition="the mean over strata, weighted by rows, of the group's share of the rows "
        "labelled negative less its share of those labelled positive, in [-1, 1]: 0 is none",
    ),
}
"""Every metric by the abbreviation that the field uses."""


def _shares(sides: Sides) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    return sides.group / sides.group.sum(), sides.rest / sides.rest.sum()


def _divergence(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    terms: Iterable[float] = (
        math.inf if q == 0 else p * math.log(p / q)
        for p, q in zip(one, other, strict=True)
        if p > 0
    )
    return max(math.fsum(terms), 0.0)


def _weighted(group: Counts, rest: Counts) -> float:
    """Demographic disparity of a stratum, times its rows; NaN with one kind of label."""
    both = group + rest
    positive, negative = int(both[0]), int(both[1:].sum())
    if not positive or not negative:
        return math.nan
    disparity = int(group[1:].sum()) / negative - int(group[0]) / positive
    return disparity * (positive + negative)
