"""Metrics of a binary task's scores."""

from __future__ import annotations

from aims_gate.stats import auc
from aims_gate.stats.formulas.formula import Formula, one_class
from aims_gate.stats.tables import Ranked


def _one_class(table: Ranked) -> str:
    return one_class(int(table.positives.sum()), int(table.negatives.sum()))


def _few_of_a_class(table: Ranked) -> str:
    rarer = min(int(table.positives.sum()), int(table.negatives.sum()))
    if rarer >= auc.LEAST_CLASS:
        return ""
    return f"the rarer class has {rarer:,} rows, and an interval needs {auc.LEAST_CLASS}"


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
        short=_few_of_a_class,
    ),
)
