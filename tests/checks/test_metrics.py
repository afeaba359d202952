from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from aims_gate.checks.metrics import (
    BUILDERS,
    MOST_CLASSES,
    MetricRequest,
    each_class,
    outcomes,
    task_of,
)
from aims_gate.errors import CheckError, DataError, MissingColumnError
from aims_gate.policy.model import TaskKind
from aims_gate.stats.tables import Classes, Confusion, Ranked
from tests.checks.subjects import data

LABELS = [1, 1, 1, 0, 0, 0, 0]
CALLED = [1, 0, 1, 0, 0, 1, 0]
SCORES = [0.9, 0.4, 0.8, 0.1, 0.2, 0.6, 0.2]


def binary(**spec: Any) -> Any:
    columns = {"y": LABELS, "p": CALLED, "s": SCORES}
    return data(columns, **{"label": "y", "prediction": "p", "score": "s", "positive": 1, **spec})


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        ([True, False, True], TaskKind.BINARY),
        ([0, 1, 1], TaskKind.BINARY),
        ([0.0, 1.0, 1.0], TaskKind.BINARY),
        (["yes", "no", "no"], TaskKind.BINARY),
        (["cat", "dog", "fox"], TaskKind.MULTICLASS),
        ([0, 1, 2, 2], TaskKind.MULTICLASS),
        ([0.5, 1.0, 2.25], TaskKind.REGRESSION),
    ],
)
def test_labels_that_tell_the_task_are_enough(labels: list[object], task: TaskKind) -> None:
    assert task_of(data({"y": labels}, label="y")) is task


@pytest.mark.parametrize(
    "labels",
    [
        list(range(21)),
        [0.0, 1.0, 2.0],
        [0.5, 1.5, 1.5],
        [0.5, 1.5, math.inf],
        [b"a", b"b", b"b"],
    ],
)
def test_labels_that_do_not_tell_the_task_are_refused(labels: list[object]) -> None:
    with pytest.raises(DataError, match=r"do not tell the task; state task:"):
        task_of(data({"y": labels}, label="y"))


def test_a_stated_task_or_positive_class_outranks_the_labels() -> None:
    labels = {"y": [0, 1, 2, 2]}
    assert task_of(data(labels, label="y", task=TaskKind.REGRESSION)) is TaskKind.REGRESSION
    assert task_of(data(labels, label="y", positive=2)) is TaskKind.BINARY


@pytest.mark.parametrize(
    ("metric", "task", "hint"),
    [
        ("mae", TaskKind.BINARY, "roc_auc"),
        ("roc_auc", TaskKind.MULTICLASS, "macro_f1"),
        ("precision", TaskKind.MULTICLASS, "macro_precision"),
        ("accuracy", TaskKind.REGRESSION, "mae, mape, mse, rmse"),
        ("roc_auc", TaskKind.RANKING, "ndcg, map, mrr"),
    ],
)
def test_a_metric_that_does_not_fit_the_task_names_those_that_do(
    metric: str, task: TaskKind, hint: str
) -> None:
    with pytest.raises(DataError, match=f"{metric} does not fit a {task} task.*{hint}"):
        outcomes(metric, binary(task=task))


def test_the_four_cells_are_not_mixed_up() -> None:
    table = outcomes("f1", binary()).table
    assert table == Confusion(tp=2, fn=1, fp=1, tn=3)
    assert outcomes("f1", binary(positive=0)).table == Confusion(tp=3, fn=1, fp=1, tn=2)


def test_text_is_never_a_number() -> None:
    """Labels 1 and predictions "1" would agree nowhere: that is an error, not an accuracy of 0."""
    for task, metric in ((TaskKind.BINARY, "accuracy"), (TaskKind.MULTICLASS, "macro_f1")):
        mixed = data(
            {"y": [0, 1, 2], "p": ["0", "1", "2"]}, label="y", prediction="p", positive=1, task=task
        )
        with pytest.raises(DataError, match="different kinds"):
            outcomes(metric, mixed)


def test_a_label_compared_with_itself_is_refused() -> None:
    with pytest.raises(DataError, match="both as label and as prediction"):
        outcomes("accuracy", binary(prediction="y"))
    with pytest.raises(DataError, match="both as label and as score"):
        outcomes("roc_auc", binary(score="y"))
    with pytest.raises(DataError, match="both as label and as score"):
        outcomes("roc_auc", binary(score={"1": "y"}))


@pytest.mark.parametrize("metric", ["roc_auc", "brier", "log_loss"])
@pytest.mark.parametrize("bad", [math.nan, None, math.inf, -math.inf])
def test_scores_that_are_not_finite_are_refused(metric: str, bad: float | None) -> None:
    columns = {"y": LABELS, "s": [*SCORES[:-1], bad]}
    with pytest.raises(DataError):
        outcomes(metric, data(columns, label="y", score="s", positive=1))


@pytest.mark.parametrize("metric", ["brier", "log_loss"])
@pytest.mark.parametrize("bad", [1.0001, -0.2, 87.0])
def test_scores_outside_zero_and_one_are_no_probabilities(metric: str, bad: float) -> None:
    columns = {"y": LABELS, "s": [*SCORES[:-1], bad]}
    with pytest.raises(DataError, match=r"outside \[0, 1\]"):
        outcomes(metric, data(columns, label="y", score="s", positive=1))


@pytest.mark.parametrize(("metric", "role"), [("accuracy", "prediction"), ("roc_auc", "score")])
def test_a_missing_column_is_named_with_the_near_ones(metric: str, role: str) -> None:
    with pytest.raises(MissingColumnError, match=f"{role}: no column 'gone'"):
        outcomes(metric, binary(**{role: "gone"}))
    with pytest.raises(DataError, match=f"no column is named as {role}"):
        outcomes(metric, binary(**{role: None}))


def test_nan_labels_are_refused_and_left_out_only_as_far_as_allowed() -> None:
    columns = {"y": [1.0, math.nan, 0.0, 1.0], "p": [1, 1, 0, 0]}
    with pytest.raises(DataError, match="null"):
        outcomes("accuracy", data(columns, label="y", prediction="p", positive=1))
    lenient = data(columns, label="y", prediction="p", positive=1, max_null_labels=0.25)
    assert outcomes("accuracy", lenient).table == Confusion(tp=1, fn=1, fp=0, tn=1)


def test_zero_rows_are_refused() -> None:
    empty = data({"y": np.zeros(0), "p": np.zeros(0)}, label="y", prediction="p", positive=1)
    with pytest.raises(DataError, match="no rows"):
        outcomes("accuracy", empty)


def test_a_score_per_class_is_looked_up_by_the_positive_class() -> None:
    columns = {"y": LABELS, "p0": [1 - s for s in SCORES], "p1": SCORES}
    table = outcomes("roc_auc", data(columns, label="y", score={"0": "p0", "1": "p1"})).table
    assert isinstance(table, Ranked)
    assert table.scores[table.positives > 0].tolist() == [0.4, 0.8, 0.9]
    with pytest.raises(DataError, match="no column for the class 1"):
        outcomes("roc_auc", data(columns, label="y", score={"0": "p0", "2": "p1"}))


def test_text_in_a_regression_is_refused() -> None:
    columns = {"y": ["1.5", "2.5", "3.5"], "p": [1.0, 2.0, 3.0]}
    with pytest.raises(DataError, match="numbers are needed"):
        outcomes("mae", data(columns, label="y", prediction="p", task=TaskKind.REGRESSION))


def test_classes_of_either_side_have_a_row_and_a_column() -> None:
    columns = {"y": ["dog", "cat", "dog", "fox"], "p": ["dog", "dog", "owl", "fox"]}
    table = outcomes(
        "macro_f1", data(columns, label="y", prediction="p", task=TaskKind.MULTICLASS)
    ).table
    assert isinstance(table, Classes)
    assert table.labels == ("cat", "dog", "fox", "owl")
    assert table.counts.tolist() == [[0, 1, 0, 0], [0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0]]


def test_a_quantity_called_a_class_is_refused_before_it_fills_the_memory() -> None:
    values = list(range(MOST_CLASSES + 1))
    many = data({"y": values, "p": values}, label="y", prediction="p", task=TaskKind.MULTICLASS)
    with pytest.raises(DataError, match="1,001 classes are more than 1,000"):
        outcomes("accuracy", many)


def test_every_task_has_its_row() -> None:
    assert set(BUILDERS) == set(TaskKind)


def test_a_metric_without_what_it_needs_is_refused_and_never_taken_for_another() -> None:
    """F-beta without beta is no F1, and precision at k without k is no precision."""
    with pytest.raises(CheckError, match="f_beta needs beta"):
        outcomes("f_beta", binary())
    ranked = data({"q": [1, 1], "y": [0, 1], "s": [0.1, 0.2]}, label="y", score="s", query="q")
    with pytest.raises(DataError, match="how many places"):
        outcomes("precision_at_k", ranked)
    with pytest.raises(DataError, match="not a metric of single classes"):
        tuple(each_class(MetricRequest(metric="macro_f1"), binary(), None))


def test_too_many_classes_are_no_classes_for_scores_either() -> None:
    labels = [f"c{place}" for place in range(MOST_CLASSES + 1)]
    columns = {"y": labels, "s": [0.5] * len(labels)}
    with pytest.raises(DataError, match="is this a regression task"):
        outcomes("macro_roc_auc", data(columns, label="y", score={"c0": "s"}))


def test_a_class_without_a_column_of_scores_is_an_error() -> None:
    columns = {"y": ["a", "b", "c"] * 9, "s": [0.5] * 27}
    for metric in ("macro_roc_auc", "log_loss"):
        with pytest.raises(DataError, match="names no column for the class 'c'"):
            outcomes(metric, data(columns, label="y", score={"a": "s", "b": "s"}))
