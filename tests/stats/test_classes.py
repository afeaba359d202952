from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from aims_gate.stats import classes, confusion
from aims_gate.stats.tables import Classes, Confusion

Z = 1.6448536269514722
LAWS = settings(deadline=None, max_examples=60)


def table_of(counts: npt.NDArray[np.int64]) -> Classes:
    return Classes(labels=tuple(f"c{i}" for i in range(len(counts))), counts=counts)


@st.composite
def tables(draw: st.DrawFn) -> Classes:
    """Two to six classes, each labelled and predicted at least once."""
    size = draw(st.integers(2, 6))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return table_of(random.integers(0, 30, (size, size)) + np.eye(size, dtype=np.int64))


def test_a_class_that_is_never_predicted_leaves_macro_precision_undefined() -> None:
    """Where scikit-learn counts a 0 and warns."""
    table = table_of(np.array([[50, 3, 0], [4, 60, 0], [5, 2, 0]]))
    assert math.isnan(classes.macro_precision(table))
    assert classes.unpredicted(table) == ("c2",)
    assert classes.macro_recall(table) == pytest.approx((50 / 53 + 60 / 64 + 0) / 3)


def test_a_class_without_a_label_leaves_macro_recall_undefined() -> None:
    table = table_of(np.array([[50, 3, 1], [4, 60, 2], [0, 0, 0]]))
    assert math.isnan(classes.macro_recall(table))
    assert classes.unlabelled(table) == ("c2",)


def test_no_rows_have_no_score() -> None:
    nobody = table_of(np.zeros((2, 2), dtype=np.int64))
    nothing = table_of(np.zeros((0, 0), dtype=np.int64))
    for metric in (
        classes.macro_recall,
        classes.macro_precision,
        classes.macro_f1,
        classes.weighted_f1,
    ):
        assert math.isnan(metric(nobody))
        assert math.isnan(metric(nothing))


@LAWS
@given(tables())
def test_values_agree_with_scikit_learn(table: Classes) -> None:
    size = len(table.labels)
    y = np.repeat(np.repeat(np.arange(size), size), table.counts.ravel())
    p = np.repeat(np.tile(np.arange(size), size), table.counts.ravel())
    expected = [
        metrics.accuracy_score(y, p),
        metrics.balanced_accuracy_score(y, p),
        metrics.precision_score(y, p, average="macro"),
        metrics.recall_score(y, p, average="macro"),
        metrics.f1_score(y, p, average="macro"),
        metrics.f1_score(y, p, average="weighted"),
    ]
    found = [
        confusion.ratio(classes.accuracy(table)),
        classes.macro_recall(table),
        classes.macro_precision(table),
        classes.macro_recall(table),
        classes.macro_f1(table),
        classes.weighted_f1(table),
    ]
    assert found == pytest.approx(expected, abs=1e-12)


@LAWS
@given(tables())
def test_the_order_of_classes_changes_nothing(table: Classes) -> None:
    order = np.arange(len(table.labels))[::-1]
    turned = table_of(table.counts[np.ix_(order, order)])
    for metric in (classes.macro_recall, classes.macro_precision, classes.macro_f1):
        assert metric(turned) == pytest.approx(metric(table), abs=1e-12)
    assert classes.weighted_f1(turned) == pytest.approx(classes.weighted_f1(table), abs=1e-12)
    assert classes.macro_recall_bounds(turned, Z) == pytest.approx(
        classes.macro_recall_bounds(table, Z), abs=1e-12
    )


def test_two_classes_have_the_bounds_of_the_binary_balanced_accuracy() -> None:
    table = table_of(np.array([[70, 9], [21, 300]]))
    binary = Confusion(tp=70, fn=9, fp=21, tn=300)
    assert classes.macro_recall_bounds(table, Z) == pytest.approx(
        confusion.balanced_accuracy_bounds(binary, Z), abs=1e-15
    )


@LAWS
@given(tables())
def test_bounds_enclose_the_value_and_stay_in_range(table: Classes) -> None:
    for value, bounds in (
        (classes.macro_recall, classes.macro_recall_bounds),
        (classes.macro_precision, classes.macro_precision_bounds),
    ):
        low, high = bounds(table, Z)
        assert 0 <= low <= value(table) <= high <= 1


@pytest.mark.parametrize(
    ("rows", "recalls", "weights"),
    [
        (60, (0.9, 0.8, 0.6), (0.6, 0.3, 0.1)),
        (300, (0.99, 0.95, 0.5, 0.7, 0.9), (0.4, 0.3, 0.2, 0.05, 0.05)),
        (300, (0.98,) * 10, (0.1,) * 10),
        (300, (0.03,) * 6, (0.3, 0.2, 0.2, 0.1, 0.1, 0.1)),
    ],
)
def test_each_bound_of_macro_recall_is_wrong_in_at_most_about_five_percent(
    rows: int, recalls: tuple[float, ...], weights: tuple[float, ...]
) -> None:
    random = np.random.default_rng(rows + len(recalls))
    low_wrong = high_wrong = 0
    for drawn in random.multinomial(rows, weights, size=2000):
        sizes = np.maximum(drawn, 1)
        hits = random.binomial(sizes, recalls)
        shares = list(zip(hits.tolist(), sizes.tolist(), strict=True))
        low, high = confusion.mean_bounds(shares, Z)
        truth = sum(recalls) / len(recalls)
        low_wrong += truth < low
        high_wrong += truth > high
    assert low_wrong / 2000 <= 0.065
    assert high_wrong / 2000 <= 0.065
