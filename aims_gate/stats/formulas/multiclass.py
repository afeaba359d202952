"""Metrics of a multi-class confusion table."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from aims_gate.stats import auc, classes, jackknife, precision_recall
from aims_gate.stats.formulas.formula import MEAN, UNDEFINED, Formula, at_z, named, proportion
from aims_gate.stats.intervals import Bounds
from aims_gate.stats.tables import Classes, ClassRanked, Ranked

_UNPREDICTED = (
    "a precision of 0/0 has no value, a recall or F1 has one; classes that are never predicted"
)
_DELTA = "logit of the delta method over all cells"


def _alone(table: ClassRanked) -> str:
    alone = [
        str(label)
        for label, ranked in zip(table.labels, table.tables, strict=True)
        if not ranked.positives.any() or not ranked.negatives.any()
    ]
    return named(alone, "classes without a label, or without another class beside them")


def _mean(value: Callable[[Ranked], float], table: ClassRanked) -> float:
    # NaN wins over every number, so no undefined class is averaged away
    values = [value(ranked) for ranked in table.tables]
    return math.fsum(values) / len(values) if values else math.nan


def _mean_bounds(
    bounds: Callable[[Ranked, float], Bounds], table: ClassRanked, alpha: float
) -> Bounds:
    each = [bounds(ranked, alpha) for ranked in table.tables]
    low, high = (math.fsum(side) / len(each) for side in zip(*each, strict=True))
    return low, high


def _short(short: Callable[[Ranked], str], table: ClassRanked) -> str:
    found = (
        (label, short(ranked)) for label, ranked in zip(table.labels, table.tables, strict=True)
    )
    return next((f"class {label!r}: {why}" for label, why in found if why), "")


MULTICLASS: tuple[Formula[Any], ...] = (
    proportion(
        "accuracy",
        Classes,
        classes.accuracy,
        "rows predicted right / rows",
        "there are no rows",
        oracle=("accuracy_score", {}),
    ),
    *(
        Formula(
            metric=metric,
            table=Classes,
            definition="mean over classes of the rows predicted right, of the rows labelled so, in "
            "[0, 1]: 1 is perfect, 1/classes is chance",
            value=classes.macro_recall,
            undefined=lambda t: named(
                classes.unlabelled(t), "classes that are predicted and have no label"
            ),
            bounds=at_z(classes.macro_recall_bounds),
            method=MEAN,
            oracle=oracle,
        )
        for metric, oracle in (
            ("balanced_accuracy", ("balanced_accuracy_score", {})),
            ("macro_recall", ("recall_score", {"average": "macro", **UNDEFINED})),
        )
    ),
    Formula(
        metric="macro_precision",
        table=Classes,
        definition="mean over classes of the rows labelled so, of the rows predicted as it, in "
        "[0, 1]: 1 is perfect",
        value=classes.macro_precision,
        undefined=lambda t: named(classes.unpredicted(t), _UNPREDICTED),
        bounds=at_z(classes.macro_precision_bounds),
        method=MEAN,
        oracle=("precision_score", {"average": "macro", **UNDEFINED}),
    ),
    Formula(
        metric="macro_f1",
        table=Classes,
        definition="plain mean over classes of 2 tp / (2 tp + fp + fn), in [0, 1]: 1 is perfect",
        value=classes.macro_f1,
        bounds=at_z(classes.macro_f1_bounds),
        method=f"{_DELTA} (Takahashi and others 2022)",
        short=classes.too_few_of_a_class,
        oracle=("f1_score", {"average": "macro"}),
    ),
    Formula(
        metric="weighted_f1",
        table=Classes,
        definition="mean over classes of 2 tp / (2 tp + fp + fn), weighted by labelled rows, in "
        "[0, 1]: 1 is perfect",
        value=classes.weighted_f1,
        bounds=at_z(classes.weighted_f1_bounds),
        method=f"{_DELTA} (Takahashi and others 2022)",
        short=classes.too_few,
        oracle=("f1_score", {"average": "weighted"}),
    ),
    Formula(
        metric="weighted_precision",
        table=Classes,
        definition="mean over classes of the rows labelled so, of the rows predicted as it, "
        "weighted by labelled rows, in [0, 1]: 1 is perfect",
        value=classes.weighted_precision,
        undefined=lambda t: named(classes.unpredicted(t), _UNPREDICTED),
        bounds=classes.weighted_precision_bounds,
        method="jackknife on the logit (Miller 1974), with t",
        short=lambda t: jackknife.too_few(classes.weighted_precision_pseudo(t)),
        oracle=("precision_score", {"average": "weighted", **UNDEFINED}),
    ),
    proportion(
        "weighted_recall",
        Classes,
        classes.accuracy,
        "mean over classes of recall weighted by labelled rows, which is accuracy",
        "there are no rows",
        oracle=("recall_score", {"average": "weighted", **UNDEFINED}),
    ),
    Formula(
        metric="mcc",
        table=Classes,
        definition="correlation of label and prediction over all classes (Gorodkin 2004), in "
        "[-1, 1]: 1 is perfect, 0 is chance",
        low=-1.0,
        value=classes.mcc,
        undefined=lambda _: "one class only in the labels or in the predictions",
        bounds=at_z(classes.mcc_bounds),
        method="delta method on atanh",
        short=classes.too_few,
        oracle=("matthews_corrcoef", {}),
    ),
    *(
        Formula(
            metric=f"macro_{metric}",
            table=ClassRanked,
            definition=f"plain mean over classes of {metric}, each class against all others, in "
            "[0, 1]: 1 is perfect",
            value=partial(_mean, value),
            undefined=_alone,
            bounds=partial(_mean_bounds, bounds),
            method="mean of the classes' own bounds: right if they err together, else too wide",
            short=partial(_short, short),
            oracle=(f"{metric}_score", {}),
        )
        for metric, value, bounds, short in (
            ("roc_auc", auc.area, auc.bounds, auc.too_few),
            (
                "average_precision",
                precision_recall.average_precision,
                precision_recall.bounds,
                precision_recall.too_few,
            ),
        )
    ),
)
