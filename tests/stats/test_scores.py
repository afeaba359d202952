from __future__ import annotations

import math
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from aims_gate.errors import CheckError
from aims_gate.stats import scores
from aims_gate.stats.formulas import FORMULAS
from aims_gate.stats.tables import (
    BetaConfusion,
    Classes,
    ClassRanked,
    Confusion,
    Fit,
    Jackknife,
    Losses,
    OrderedErrors,
    Queries,
    Ranked,
    Residuals,
    ScoreTable,
)
from tests.support.proportions import guarded

LOSSES = Losses(rows=500, mean=0.2, variance=0.04, skewness=0.5)
UNEXPLAINED = Jackknife(rows=500, centre=-1.5, variance=2.0, skewness=0.0, kurtosis=4.0)
RANDOM = np.random.default_rng(5)
RANKED = [
    Ranked(
        scores=np.linspace(0, 1, 90),
        positives=RANDOM.integers(0, 4, 90),
        negatives=RANDOM.integers(0, 9, 90),
    )
    for _ in range(3)
]
TABLES: dict[type[ScoreTable], ScoreTable] = {
    BetaConfusion: BetaConfusion(tp=70, fp=12, fn=25, tn=300, beta=2.0),
    ClassRanked: ClassRanked(labels=("a", "b", "c"), tables=tuple(RANKED)),
    OrderedErrors: OrderedErrors(values=np.linspace(0.5, 9, 60), counts=RANDOM.integers(1, 5, 60)),
    Residuals: Residuals(
        errors=LOSSES, variance=0.9, unexplained=replace(UNEXPLAINED, centre=-3.1)
    ),
    Queries: Queries(values=LOSSES, rows=4_000, left_out=20, k=10),
    Confusion: Confusion(tp=70, fp=12, fn=25, tn=300),
    Classes: Classes(labels=("a", "b", "c"), counts=np.array([[50, 3, 1], [4, 60, 2], [9, 5, 21]])),
    Ranked: RANKED[0],
    Losses: LOSSES,
    Fit: Fit(squared=LOSSES, variance=0.9, unexplained=UNEXPLAINED),
}
EVERY = [(formula.metric, formula.table) for formula in FORMULAS]


def test_an_unknown_metric_is_refused_with_the_near_names() -> None:
    with pytest.raises(CheckError, match=r"no metric 'roc_acu'; did you mean 'roc_auc'"):
        scores.value("roc_acu", TABLES[Ranked])


def test_a_table_of_another_kind_is_refused() -> None:
    with pytest.raises(CheckError, match="roc_auc is computed from Ranked, not from Confusion"):
        scores.value("roc_auc", TABLES[Confusion])
    with pytest.raises(CheckError, match="accuracy is computed from Classes or Confusion"):
        scores.interval("accuracy", TABLES[Losses])


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, -0.1, math.nan])
def test_an_error_rate_that_is_none_is_refused(alpha: float) -> None:
    with pytest.raises(CheckError, match="alpha"):
        scores.interval("accuracy", TABLES[Confusion], alpha=alpha)


def test_every_table_has_a_metric_and_every_kind_of_table_an_example() -> None:
    assert {table for _, table in EVERY} == set(get_args(ScoreTable)) == set(TABLES)
    assert len(set(EVERY)) == len(EVERY)


@pytest.mark.parametrize(("metric", "kind"), EVERY)
def test_a_value_lies_in_its_interval_and_in_its_range(metric: str, kind: type[ScoreTable]) -> None:
    table = TABLES[kind]
    formula = scores.formula(metric, kind)
    value, interval = scores.value(metric, table), scores.interval(metric, table)
    assert formula.low <= value <= formula.high
    assert not scores.undefined(metric, table)
    assert not scores.insufficient(metric, table)
    assert 0 < formula.basis(table) <= table.rows
    assert interval is not None
    assert formula.low <= interval.low < value < interval.high <= formula.high
    assert interval.level == pytest.approx(0.90)
    assert interval.method


@pytest.mark.parametrize(("metric", "kind"), EVERY)
def test_a_smaller_error_rate_widens_the_interval_on_both_sides(
    metric: str, kind: type[ScoreTable]
) -> None:
    near = scores.interval(metric, TABLES[kind], alpha=0.05)
    far = scores.interval(metric, TABLES[kind], alpha=0.005)
    assert near is not None
    assert far is not None
    assert far.low < near.low
    assert near.high < far.high
    assert far.level == pytest.approx(0.99)


@pytest.mark.parametrize(
    ("metric", "hits", "of"),
    [("accuracy", 370, 407), ("precision", 70, 82), ("recall", 70, 95), ("specificity", 300, 312)],
)
def test_a_proportion_has_the_guarded_wilson_interval_of_its_own_denominator(
    metric: str, hits: int, of: int
) -> None:
    """Two one-sided 95 % bounds are the two-sided interval at 90 %."""
    interval = scores.interval(metric, TABLES[Confusion])
    assert interval is not None
    expected = guarded(hits, of, 0.10)
    assert (interval.low, interval.high) == pytest.approx(expected, abs=1e-9)
    assert scores.formula(metric, Confusion).basis(TABLES[Confusion]) == of


EMPTY = Ranked(scores=np.array([0.5]), positives=np.array([0]), negatives=np.array([40]))
NOBODY = Losses(rows=0, mean=math.nan, variance=math.nan, skewness=0.0)
UNDEFINED: list[tuple[str, ScoreTable, str]] = [
    ("accuracy", Confusion(tp=0, fp=0, fn=0, tn=0), "no rows"),
    ("precision", Confusion(tp=0, fp=0, fn=5, tn=9), "no row is predicted positive"),
    ("recall", Confusion(tp=0, fp=5, fn=0, tn=9), "no row is labelled positive"),
    ("specificity", Confusion(tp=3, fp=0, fn=5, tn=0), "no row is labelled negative"),
    ("f1", Confusion(tp=0, fp=0, fn=0, tn=9), "positive"),
    ("balanced_accuracy", Confusion(tp=0, fp=5, fn=0, tn=9), "only one class"),
    ("mcc", Confusion(tp=4, fp=0, fn=5, tn=0), "only one class in the labels"),
    ("mcc", Confusion(tp=0, fp=0, fn=5, tn=9), "every row is predicted as the same class"),
    ("mcc", Confusion(tp=5, fp=9, fn=0, tn=0), "every row is predicted as the same class"),
    ("roc_auc", EMPTY, "only one class in the labels"),
    ("mae", NOBODY, "0/0"),
    ("r2", Fit(squared=LOSSES, variance=0.0, unexplained=UNEXPLAINED), "do not vary"),
    (
        "explained_variance",
        Residuals(errors=LOSSES, variance=0.0, unexplained=UNEXPLAINED),
        "do not vary",
    ),
    ("f_beta", BetaConfusion(tp=0, fp=0, fn=0, tn=9, beta=2.0), "positive"),
    ("average_precision", EMPTY, "only one class in the labels"),
    ("median_error", OrderedErrors(values=np.zeros(0), counts=np.zeros(0, dtype=np.int64)), "0/0"),
    ("ndcg", Queries(values=NOBODY, rows=0, left_out=50), "different relevance"),
    ("mcc", Classes(labels=("cat", "fox"), counts=np.array([[5, 0], [3, 0]])), "one class only"),
    (
        "macro_roc_auc",
        ClassRanked(labels=("cat", "fox"), tables=(RANKED[0], EMPTY)),
        "classes without a label, or without another class beside them: 'fox'",
    ),
    (
        "weighted_precision",
        Classes(labels=("cat", "fox"), counts=np.array([[5, 0], [3, 0]])),
        "never predicted: 'fox'",
    ),
    (
        "macro_precision",
        Classes(labels=("cat", "fox"), counts=np.array([[5, 0], [3, 0]])),
        "never predicted: 'fox'",
    ),
    (
        "macro_recall",
        Classes(labels=("cat", "fox"), counts=np.array([[5, 2], [0, 0]])),
        "no label: 'fox'",
    ),
]


@pytest.mark.parametrize(("metric", "table", "why"), UNDEFINED)
def test_an_undefined_value_is_nan_with_its_reason_and_no_interval(
    metric: str, table: ScoreTable, why: str
) -> None:
    assert math.isnan(scores.value(metric, table))
    assert why in scores.undefined(metric, table)
    assert scores.interval(metric, table) is None
    assert not scores.insufficient(metric, table)


PERFECT = Ranked(
    scores=np.array([0.1, 0.9]), positives=np.array([0, 19]), negatives=np.array([500, 0])
)
TOO_FEW: list[tuple[str, ScoreTable, str]] = [
    ("roc_auc", PERFECT, "the rarer class has 19 rows, and an interval needs 20"),
    ("mcc", Confusion(tp=40, fp=0, fn=0, tn=90), "no row among 130 is wrong"),
    ("mcc", Confusion(tp=0, fp=40, fn=90, tn=0), "no row among 130 is right"),
    ("brier", Losses(rows=29, mean=0.2, variance=0.1, skewness=0.1), "29 rows"),
    ("log_loss", Losses(rows=900, mean=0.2, variance=0.0, skewness=0.0), "equal"),
    (
        "weighted_f1",
        Classes(labels=("a", "b"), counts=np.array([[90, 0], [0, 60]])),
        "no row among 150 is wrong",
    ),
    (
        "mcc",
        Classes(labels=("a", "b"), counts=np.array([[0, 50], [40, 0]])),
        "no row among 90 is right",
    ),
    (
        "macro_average_precision",
        ClassRanked(labels=("cat", "fox"), tables=(RANKED[0], PERFECT)),
        "class 'fox': the rarer class has 19 rows",
    ),
    (
        "mrr",
        Queries(values=LOSSES, rows=4_000, left_out=27),
        "27 of 527 queries have rows of one relevance only, more than max_uncovered 5.0%",
    ),
    (
        "mrr",
        Queries(values=replace(LOSSES, variance=0.0), rows=4_000),
        "values of all 500 queries are equal",
    ),
    (
        "r2",
        Fit(squared=LOSSES, variance=0.9, unexplained=replace(UNEXPLAINED, kurtosis=490.0)),
        "one of the 500 rows dominates",
    ),
    (
        "explained_variance",
        Residuals(errors=LOSSES, variance=0.9, unexplained=replace(UNEXPLAINED, rows=99)),
        "needs 100",
    ),
    ("rmse", Losses(rows=100, mean=0.2, variance=0.3, skewness=9.8), "needs 109 rows"),
]


@pytest.mark.parametrize(("metric", "table", "why"), TOO_FEW)
def test_too_small_a_table_has_a_value_and_no_interval_but_a_reason(
    metric: str, table: ScoreTable, why: str
) -> None:
    assert math.isfinite(scores.value(metric, table))
    assert scores.interval(metric, table) is None
    assert why in scores.insufficient(metric, table)
