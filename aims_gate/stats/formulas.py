"""The table of performance metrics: one row each, from a small table to a value with bounds.

Adding a metric is one row here and one name in `checks.performance`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from scipy.special import ndtri

from aims_gate.stats import auc, classes, confusion, means
from aims_gate.stats.intervals import Bounds, wilson
from aims_gate.stats.tables import Classes, Confusion, Fit, Losses, Ranked, ScoreTable

T = TypeVar("T", bound=ScoreTable)


def _never(_table: object) -> str:
    return ""


def _rows(table: ScoreTable) -> int:
    return table.rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula(Generic[T]):
    """A metric over one kind of table."""

    metric: str
    table: type[T]
    definition: str
    """The formula and what its ends mean."""
    value: Callable[[T], float]
    """NaN where the metric is undefined."""
    low: float = 0.0
    high: float = 1.0
    higher_is_better: bool = True
    undefined: Callable[[T], str] = _never
    """Why there is no value; empty if there is one."""
    bounds: Callable[[T, float], Bounds] | None = None
    """From a table and the error of each side; None where no closed form is known."""
    method: str = ""
    """Name and source of the bounds."""
    short: Callable[[T], str] = _never
    """Why there are no bounds for this table; empty if there are."""
    basis: Callable[[T], int] = _rows
    """The rows that the value rests on."""


def _at_z(bounds: Callable[[T, float], Bounds]) -> Callable[[T, float], Bounds]:
    """Turn bounds that take a normal quantile into bounds that take an error rate."""
    return lambda table, alpha: bounds(table, -float(ndtri(alpha)))


def _proportion(
    metric: str, table: type[T], share: Callable[[T], confusion.Share], of: str, why: str
) -> Formula[T]:
    """Make the row of a proportion: Wilson's interval on its own denominator."""
    return Formula(
        metric=metric,
        table=table,
        definition=f"{of}, in [0, 1]: 1 is perfect, 0 is always wrong",
        value=lambda t: confusion.ratio(share(t)),
        undefined=lambda t: "" if share(t)[1] else why,
        bounds=_at_z(lambda t, z: wilson(*share(t), z)),
        method="Wilson score (1927)",
        basis=lambda t: share(t)[1],
    )


def _one_class(table: Confusion | Ranked) -> str:
    if isinstance(table, Ranked):
        positives, negatives = int(table.positives.sum()), int(table.negatives.sum())
    else:
        positives, negatives = table.positives, table.negatives
    if positives and negatives:
        return ""
    return "only one class in the labels" if positives or negatives else "there are no rows"


def _empty_margin(table: Confusion) -> str:
    predicted = table.tp + table.fp
    if 0 < predicted < table.rows:
        return _one_class(table)
    return _one_class(table) or "every row is predicted as the same class"


def _extreme(table: Confusion) -> str:
    if abs(confusion.mcc(table)) < 1:
        return ""
    what = "wrong" if table.tp else "right"
    return f"no row among {table.rows:,} is {what}, so nothing shows how much mcc varies"


def _few_of_a_class(table: Ranked) -> str:
    rarer = min(int(table.positives.sum()), int(table.negatives.sum()))
    if rarer >= auc.LEAST_CLASS:
        return ""
    return f"the rarer class has {rarer:,} rows, and an interval needs {auc.LEAST_CLASS}"


def _named(classes_: Iterable[str], what: str) -> str:
    names = list(classes_)
    shown = ", ".join(map(repr, names[:3])) + (" and more" if len(names) > 3 else "")
    return f"{what}: {shown}" if names else ""


_MOVER = "MOVER over Wilson (Zou, Huang and Zhang 2009)"
_BINARY: tuple[Formula[Confusion], ...] = (
    _proportion(
        "accuracy",
        Confusion,
        confusion.accuracy,
        "(tp + tn) / rows",
        "there are no rows",
    ),
    _proportion(
        "precision",
        Confusion,
        confusion.precision,
        "tp / (tp + fp)",
        "no row is predicted positive",
    ),
    _proportion(
        "recall", Confusion, confusion.recall, "tp / (tp + fn)", "no row is labelled positive"
    ),
    _proportion(
        "specificity",
        Confusion,
        confusion.specificity,
        "tn / (tn + fp)",
        "no row is labelled negative",
    ),
    Formula(
        metric="balanced_accuracy",
        table=Confusion,
        definition="(recall + specificity) / 2, in [0, 1]: 1 is perfect, 0.5 is chance",
        value=confusion.balanced_accuracy,
        undefined=_one_class,
        bounds=_at_z(confusion.balanced_accuracy_bounds),
        method=_MOVER,
    ),
    Formula(
        metric="f1",
        table=Confusion,
        definition="2 tp / (2 tp + fp + fn), in [0, 1]: 1 is perfect, 0 is no true positive",
        value=confusion.f1,
        undefined=lambda t: "" if sum(confusion.jaccard(t)) else "nothing is or is called positive",
        bounds=_at_z(confusion.f1_bounds),
        method="Wilson score on J = tp / (tp + fp + fn), F1 = 2J / (1 + J)",
        basis=lambda t: confusion.jaccard(t)[1],
    ),
    Formula(
        metric="mcc",
        table=Confusion,
        definition="Matthews correlation of label and prediction, in [-1, 1]: 1 is perfect, 0 is "
        "chance, -1 is always wrong",
        low=-1.0,
        value=confusion.mcc,
        undefined=_empty_margin,
        bounds=_at_z(confusion.mcc_bounds),
        method="delta method on atanh",
        short=_extreme,
    ),
)
_RANKED: tuple[Formula[Ranked], ...] = (
    Formula(
        metric="roc_auc",
        table=Ranked,
        definition="P(score of a positive > score of a negative) + P(equal) / 2, in [0, 1]: 1 "
        "ranks every positive first, 0.5 is chance",
        value=auc.area,
        undefined=_one_class,
        bounds=auc.bounds,
        method="logit DeLong (1988) with t; Hanley and McNeil (1982) score bound for few errors",
        short=_few_of_a_class,
    ),
)
_MULTICLASS: tuple[Formula[Classes], ...] = (
    _proportion(
        "accuracy",
        Classes,
        classes.accuracy,
        "rows predicted right / rows",
        "there are no rows",
    ),
    *(
        Formula(
            metric=metric,
            table=Classes,
            definition="mean over classes of the rows predicted right, of the rows labelled so, in "
            "[0, 1]: 1 is perfect, 1/classes is chance",
            value=classes.macro_recall,
            undefined=lambda t: _named(
                classes.unlabelled(t), "classes that are predicted and have no label"
            ),
            bounds=_at_z(classes.macro_recall_bounds),
            method=_MOVER,
        )
        for metric in ("balanced_accuracy", "macro_recall")
    ),
    Formula(
        metric="macro_precision",
        table=Classes,
        definition="mean over classes of the rows labelled so, of the rows predicted as it, in "
        "[0, 1]: 1 is perfect",
        value=classes.macro_precision,
        undefined=lambda t: _named(classes.unpredicted(t), "classes that are never predicted"),
        bounds=_at_z(classes.macro_precision_bounds),
        method=_MOVER,
    ),
    Formula(
        metric="macro_f1",
        table=Classes,
        definition="plain mean over classes of 2 tp / (2 tp + fp + fn), in [0, 1]: 1 is perfect",
        value=classes.macro_f1,
    ),
    Formula(
        metric="weighted_f1",
        table=Classes,
        definition="mean over classes of 2 tp / (2 tp + fp + fn), weighted by labelled rows, in "
        "[0, 1]: 1 is perfect",
        value=classes.weighted_f1,
    ),
)


def _loss(
    metric: str, definition: str, *, high: float = math.inf, rooted: bool = False
) -> Formula[Losses]:
    """Make the row of a mean loss: Hall's bounds."""
    bounds = means.share_bounds if high == 1.0 else means.loss_bounds
    return Formula(
        metric=metric,
        table=Losses,
        definition=definition,
        high=high,
        higher_is_better=False,
        value=means.root if rooted else means.mean,
        bounds=_at_z(means.root_of(bounds) if rooted else bounds),
        method="Hall (1992), skewness-corrected",
        short=means.too_few,
    )


_MEANS: tuple[Formula[Losses], ...] = (
    _loss(
        "brier",
        "mean of (1[label = positive] - score)^2, in [0, 1]: 0 is perfect, 1 is certain and "
        "always wrong",
        high=1.0,
    ),
    _loss(
        "log_loss",
        "mean of -ln(probability given to the label), clipped at 2^-52, in [0, inf): 0 is "
        "perfect, 0.69 is a coin",
    ),
    _loss("mae", "mean of |label - prediction|, in [0, inf), in the label's unit: 0 is perfect"),
    _loss("mse", "mean of (label - prediction)^2, in [0, inf): 0 is perfect"),
    _loss("rmse", "root of mse, in [0, inf), in the label's unit: 0 is perfect", rooted=True),
)
_FITS: tuple[Formula[Fit], ...] = (
    Formula(
        metric="r2",
        table=Fit,
        definition="1 - mse / variance of the labels, in (-inf, 1]: 1 is perfect, 0 is as good as "
        "the labels' mean",
        low=-math.inf,
        value=means.r2,
        undefined=lambda t: "" if t.variance > 0 else "the labels do not vary",
    ),
)
FORMULAS: tuple[Formula[Any], ...] = cast(
    "tuple[Formula[Any], ...]", (*_BINARY, *_RANKED, *_MULTICLASS, *_MEANS, *_FITS)
)
"""Every metric, once per kind of table that it is computed from."""
