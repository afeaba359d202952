"""Metrics of a binary confusion table."""

from __future__ import annotations

from typing import Any

from aims_gate.stats import confusion
from aims_gate.stats.formulas.formula import (
    MEAN,
    UNDEFINED,
    Formula,
    at_z,
    one_class,
    proportion,
)
from aims_gate.stats.tables import BetaConfusion, Confusion

_NOBODY = "nothing is or is called positive"


def _one_class(table: Confusion) -> str:
    return one_class(table.positives, table.negatives)


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


BINARY: tuple[Formula[Any], ...] = (
    proportion(
        "accuracy",
        Confusion,
        confusion.accuracy,
        "(tp + tn) / rows",
        "there are no rows",
        oracle=("accuracy_score", {}),
    ),
    proportion(
        "precision",
        Confusion,
        confusion.precision,
        "tp / (tp + fp)",
        "no row is predicted positive",
        oracle=("precision_score", UNDEFINED),
    ),
    proportion(
        "recall",
        Confusion,
        confusion.recall,
        "tp / (tp + fn)",
        "no row is labelled positive",
        oracle=("recall_score", UNDEFINED),
    ),
    proportion(
        "specificity",
        Confusion,
        confusion.specificity,
        "tn / (tn + fp)",
        "no row is labelled negative",
        oracle=("recall_score", {"pos_label": 0, **UNDEFINED}),
    ),
    Formula(
        metric="balanced_accuracy",
        table=Confusion,
        definition="(recall + specificity) / 2, in [0, 1]: 1 is perfect, 0.5 is chance",
        value=confusion.balanced_accuracy,
        undefined=_one_class,
        bounds=at_z(confusion.balanced_accuracy_bounds),
        method=MEAN,
        oracle=("balanced_accuracy_score", {}),
    ),
    Formula(
        metric="f1",
        table=Confusion,
        definition="2 tp / (2 tp + fp + fn), in [0, 1]: 1 is perfect, 0 is no true positive",
        value=confusion.f1,
        undefined=lambda t: "" if sum(confusion.jaccard(t)) else _NOBODY,
        bounds=at_z(confusion.f1_bounds),
        method="guarded Wilson on J = tp / (tp + fp + fn), F1 = 2J / (1 + J)",
        basis=lambda t: confusion.jaccard(t)[1],
        oracle=("f1_score", UNDEFINED),
        capitals=("f1",),
    ),
    Formula(
        metric="f_beta",
        table=BetaConfusion,
        definition="(1 + beta^2) tp / ((1 + beta^2) tp + beta^2 fn + fp), in [0, 1]: 1 is perfect, "
        "0 is no true positive",
        value=confusion.f_beta,
        undefined=lambda t: "" if sum(confusion.jaccard(t)) else _NOBODY,
        bounds=at_z(confusion.f_beta_bounds),
        method="score bounds on the trinomial of tp, fp and fn; at beta = 1 those of f1",
        basis=lambda t: confusion.jaccard(t)[1],
        needs="beta",
        oracle=("fbeta_score", UNDEFINED),
    ),
    Formula(
        metric="mcc",
        table=Confusion,
        definition="Matthews correlation of label and prediction, in [-1, 1]: 1 is perfect, 0 is "
        "chance, -1 is always wrong",
        low=-1.0,
        value=confusion.mcc,
        undefined=_empty_margin,
        bounds=at_z(confusion.mcc_bounds),
        method="delta method on atanh",
        short=_extreme,
        oracle=("matthews_corrcoef", {}),
        capitals=("mcc",),
    ),
)
