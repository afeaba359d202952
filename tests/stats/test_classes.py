from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from aims_gate.stats import classes, confusion, jackknife
from aims_gate.stats.tables import Classes, Confusion
from tests.support.laws import law

Z = 1.6448536269514722
LAWS = law(60)


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


@LAWS
@given(tables())
def test_weighted_precision_and_correlation_are_scikit_learns(table: Classes) -> None:
    places = np.indices(table.counts.shape).reshape(2, -1)
    y, p = np.repeat(places[0], table.counts.ravel()), np.repeat(places[1], table.counts.ravel())
    assert classes.weighted_precision(table) == pytest.approx(
        metrics.precision_score(y, p, average="weighted"), abs=1e-12
    )
    assert classes.mcc(table) == pytest.approx(metrics.matthews_corrcoef(y, p), abs=1e-12)


def test_weighted_precision_is_told_by_leaving_out_each_row() -> None:
    """The jackknife of its definition, row by row with scikit-learn."""
    table = table_of(np.array([[9, 2, 1], [1, 7, 0], [2, 0, 4]]))
    places = np.indices(table.counts.shape).reshape(2, -1)
    y, p = np.repeat(places[0], table.counts.ravel()), np.repeat(places[1], table.counts.ravel())

    def logit(labels: npt.NDArray[np.int64], given_: npt.NDArray[np.int64]) -> float:
        value = metrics.precision_score(labels, given_, average="weighted")
        return math.log(value / (1 - value))

    size = len(y)
    left = [logit(np.delete(y, row), np.delete(p, row)) for row in range(size)]
    values = size * logit(y, p) - (size - 1) * np.array(left)
    found = classes.weighted_precision_pseudo(table)
    assert found.rows == size
    assert found.centre == pytest.approx(values.mean())
    assert found.variance == pytest.approx(values.var(ddof=1))
    assert found.kurtosis == pytest.approx(
        ((values - values.mean()) ** 4).mean() / values.var() ** 2
    )


@pytest.mark.parametrize(
    "counts",
    [
        [[20, 0, 1], [5, 20, 0], [3, 0, 0]],
        [[20, 0, 0], [0, 20, 0], [0, 1, 9]],
        [[20, 0, 0], [0, 20, 0], [0, 0, 9]],
    ],
)
def test_a_class_predicted_once_and_a_lone_error_leave_weighted_precision_unbounded(
    counts: list[list[int]],
) -> None:
    found = classes.weighted_precision_pseudo(table_of(np.array(counts)))
    assert "cannot be left out" in jackknife.too_few(found)


def test_without_an_error_or_a_hit_nothing_shows_how_much_a_metric_varies() -> None:
    right, wrong = np.diag([30, 20, 40]), np.array([[0, 30, 0], [0, 0, 20], [40, 0, 0]])
    assert "no row among 90 is wrong" in classes.too_few(table_of(right))
    assert "no row among 90 is right" in classes.too_few(table_of(wrong))
    assert not classes.too_few(table_of(right + np.eye(3, k=1, dtype=np.int64)))


@pytest.mark.parametrize(("rows", "right"), [(60, 0.75), (100, 0.75), (300, 0.9)])
def test_weighted_precision_is_covered_as_often_as_its_interval_says(
    rows: int, right: float
) -> None:
    """94 to 98 % at 95 %, three classes of unequal sizes; the rule errs on the wide side."""
    sizes = np.array([0.5, 0.3, 0.2])
    cells = np.diag(sizes * right) + np.outer(sizes * (1 - right) / 2, np.ones(3)) * (1 - np.eye(3))
    truth = classes.weighted_precision(table_of(np.rint(1e9 * cells).astype(np.int64)))
    random = np.random.default_rng(rows)
    inside = given_ = 0
    for counts in random.multinomial(rows, cells.ravel(), size=2000).reshape(-1, 3, 3):
        table = table_of(counts)
        if not jackknife.too_few(classes.weighted_precision_pseudo(table)):
            given_ += 1
            low, high = classes.weighted_precision_bounds(table, 0.025)
            inside += low <= truth <= high
    assert given_ > 1900
    assert 0.94 <= inside / given_ <= 0.985


@pytest.mark.parametrize("counts", [[[3, 2], [0, 0]], [[3, 0], [2, 0]], [[0, 0], [0, 0]]])
def test_one_class_alone_has_no_correlation(counts: list[list[int]]) -> None:
    """Where scikit-learn says 0, which is the value of chance."""
    assert math.isnan(classes.mcc(table_of(np.array(counts))))


@LAWS
@given(tables())
def test_correlation_is_chances_when_labels_are_told_apart_no_more(table: Classes) -> None:
    """With two classes it is the Matthews coefficient, and relabelling changes nothing."""
    order = np.random.default_rng(1).permutation(len(table.labels))
    turned = table_of(table.counts[order][:, order])
    assert classes.mcc(turned) == pytest.approx(classes.mcc(table), abs=1e-12)
    two = table_of(table.counts[:2, :2])
    one = classes.one_vs_rest(two, "c1")
    assert classes.mcc(two) == pytest.approx(confusion.mcc(one), abs=1e-12)


@pytest.mark.parametrize(
    ("value", "bounds", "link"),
    [
        (classes.macro_f1, classes.macro_f1_bounds, lambda v: math.log(v / (1 - v))),
        (classes.weighted_f1, classes.weighted_f1_bounds, lambda v: math.log(v / (1 - v))),
        (classes.mcc, classes.mcc_bounds, math.atanh),
    ],
)
def test_the_delta_method_uses_the_gradient(
    value: Callable[[Classes], float],
    bounds: Callable[[Classes, float], tuple[float, float]],
    link: Callable[[float], float],
) -> None:
    """The bound's distance against numeric derivatives over every cell."""
    counts = np.array([[500, 31, 12], [40, 600, 22], [91, 51, 210]]) * 1_000
    table = table_of(counts)
    rows, shares = table.rows, counts / counts.sum()
    gradient = np.zeros((3, 3))
    for cell in np.ndindex(3, 3):
        more, less = counts.copy(), counts.copy()
        more[cell] += 50
        less[cell] -= 50
        gradient[cell] = (link(value(table_of(more))) - link(value(table_of(less)))) / 100 * rows
    spread = (shares * gradient**2).sum() - (shares * gradient).sum() ** 2
    step = Z * math.sqrt(spread / rows)
    low, high = bounds(table, Z)
    assert link(high) - link(value(table)) == pytest.approx(step, rel=1e-3)
    assert link(value(table)) - link(low) == pytest.approx(step, rel=1e-3)


@pytest.mark.parametrize(
    ("bounds", "value", "short"),
    [
        (classes.macro_f1_bounds, classes.macro_f1, classes.too_few_of_a_class),
        (classes.weighted_f1_bounds, classes.weighted_f1, classes.too_few),
        (classes.mcc_bounds, classes.mcc, classes.too_few),
    ],
)
def test_each_bound_of_the_delta_method_is_wrong_about_as_often_as_it_may_be(
    bounds: Callable[[Classes, float], tuple[float, float]],
    value: Callable[[Classes], float],
    short: Callable[[Classes], str],
) -> None:
    """Four unequal classes, 300 rows: a one-sided error of 5 % is aimed at."""
    shares = np.array([[0.34, 0.03, 0.02, 0.01], [0.05, 0.21, 0.03, 0.01]])
    shares = np.vstack([shares, [[0.02, 0.03, 0.12, 0.03], [0.01, 0.01, 0.01, 0.07]]])
    truth = value(table_of(np.round(shares * 100).astype(np.int64)))
    wrong, judged = np.zeros(2), 0
    for drawn in np.random.default_rng(5).multinomial(300, shares.ravel(), 600):
        table = table_of(drawn.reshape(4, 4))
        if not short(table):
            low, high = bounds(table, Z)
            wrong += [low > truth, high < truth]
            judged += 1
    assert judged > 500
    assert (wrong / judged <= 0.08).all()
    assert wrong.sum() / judged / 2 >= 0.03
