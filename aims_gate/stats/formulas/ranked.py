"""Metrics of a binary task's scores."""

from __future__ import annotations

from aims_gate.stats import auc, precision_recall
from aims_gate.stats.formulas.formula import Formula, one_class
from aims_gate.stats.tables import Ranked


def _one_class(table: Ranked) -> str:
    return one_class(int(table.positives.sum()), int(table.negatives.sum()))


RANKED: tuple[Formula[Ranked], ...] = (
    Formula(
        metric="roc_auc",
        table=Ranked,
        definition="P(score of a positive > score of a negative) + P(equal) / 2, in [0, 1]: 1 "
        "ranks every positive first, 0.5 is chance",
        value=auc.area,
        undefined=_one_class,
        bounds=auc.bounds,
        method="logit DeLong (1988) with t; Hanley and McNeil (1982) score bound for few errors",
        short=auc.too_few,
        oracle=("roc_auc_score", {}),
        capitals=("roc", "auc"),
    ),
    Formula(
        metric="average_precision",
        table=Ranked,
        definition="mean over positives of the precision at their score, equal scores counted "
        "together, in [0, 1]: 1 ranks every positive first, the share of positives is chance",
        value=precision_recall.average_precision,
        undefined=_one_class,
        bounds=precision_recall.bounds,
        method="logit (Boyd, Eng and Page 2013) with the variance of the influence function and t; "
        "guarded Wilson for few errors",
        short=precision_recall.too_few,
        oracle=("average_precision_score", {}),
    ),
)
