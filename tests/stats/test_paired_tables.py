"""Paired differences of metrics of counts: laws, a bootstrap, and how often bounds are right."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.errors import CheckError
from aims_gate.stats import classes
from aims_gate.stats.paired import unseen
from aims_gate.stats.paired_tables import (
    GRADIENTS,
    LEAST_ROWS,
    Answered,
    Spread,
    gradient_of,
    spread,
    too_few,
)
from aims_gate.stats.tables import Classes
from tests.support.laws import law

LAWS = law(30)
METRICS = sorted({*GRADIENTS, "f_beta"})
OF_MANY = [m for m in METRICS if m not in {"f1", "f_beta", "precision"}]


def answered(cube: np.ndarray) -> Answered:
    """A table of shape (classes, classes, classes): label, first and second answer."""
    cells = np.argwhere(cube)
    return Answered(classes=len(cube), cells=cells, counts=cube[tuple(cells.T)])


@st.composite
def cubes(draw: st.DrawFn, *, size: int = 2) -> np.ndarray:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    most = draw(st.sampled_from([2, 9, 400]))
    cube = rng.integers(0, most, (size,) * 3)
    for k in range(size):
        cube[k, k, k] += 20 + most
    return cube


@pytest.mark.parametrize("metric", METRICS)
@LAWS
@given(cubes())
def test_exchanging_the_models_mirrors_the_bounds(metric: str, cube: np.ndarray) -> None:
    gradient = gradient_of(metric, beta=0.5)
    one, other = spread(answered(cube), gradient), spread(answered(cube.swapaxes(1, 2)), gradient)
    assert other.error == pytest.approx(one.error, rel=1e-9)
    assert other.degrees == pytest.approx(one.degrees, rel=1e-6)
    low, high = one.bounds(0.03, 0.05, most=1.0)
    assert other.bounds(-0.03, 0.05, most=1.0) == pytest.approx((-high, -low))


@pytest.mark.parametrize("metric", OF_MANY)
@LAWS
@given(cubes(size=3))
def test_how_classes_are_called_changes_nothing(metric: str, cube: np.ndarray) -> None:
    expected = spread(answered(cube), gradient_of(metric))
    for order in permutations(range(3)):
        found = spread(answered(cube[np.ix_(order, order, order)]), gradient_of(metric))
        assert found.error == pytest.approx(expected.error, rel=1e-9)
        assert found.degrees == pytest.approx(expected.degrees, rel=1e-6)


@pytest.mark.parametrize("metric", METRICS)
@LAWS
@given(cubes())
def test_the_same_shares_of_more_rows_prove_more(metric: str, cube: np.ndarray) -> None:
    few, many = (spread(answered(n * cube), gradient_of(metric)) for n in (1, 25))
    assert many.error < few.error
    assert many.bounds(0.0, 0.05, most=2.0)[1] < few.bounds(0.0, 0.05, most=9.0)[1]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("rows", [40, 1_000, 100_000])
def test_two_models_that_never_differ_are_still_not_proven_equal(metric: str, rows: int) -> None:
    """The bounds are wider than that of a share of rows that was never seen."""
    cube = np.zeros((2, 2, 2), dtype=np.int64)
    cube[0, 0, 0], cube[1, 1, 1] = 6 * rows // 10, rows // 5
    cube[0, 1, 1] = cube[1, 0, 0] = rows // 10
    low, high = spread(answered(cube), gradient_of(metric)).bounds(0.0, 0.05, most=2.0)
    assert low == -high
    assert high > unseen(rows, 0.05)
    assert high < 20 / rows


def test_one_fixed_table_has_the_error_of_its_bootstrap() -> None:
    """2,000 tables drawn from the shares of one; the smoothing of half rows is no matter here."""
    cube = np.array(
        [
            [[400, 30, 12], [25, 21, 3], [14, 2, 9]],
            [[18, 14, 1], [22, 500, 20], [2, 16, 11]],
            [[12, 1, 15], [3, 9, 13], [20, 14, 300]],
        ]
    )
    rows = cube.sum()
    rng = np.random.default_rng(2)
    drawn = rng.multinomial(rows, cube.ravel() / rows, size=2_000).reshape(-1, 3, 3, 3)
    for metric, value in (
        ("macro_f1", classes.macro_f1),
        ("mcc", classes.mcc),
        ("weighted_precision", classes.weighted_precision),
        ("balanced_accuracy", classes.macro_recall),
    ):
        sides = [
            [value(Classes(labels=(0, 1, 2), counts=table)) for table in drawn.sum(axis=axis)]
            for axis in (3, 2)
        ]
        found = spread(answered(cube), gradient_of(metric))
        bootstrapped = float(np.std(np.array(sides[0]) - np.array(sides[1])))
        assert found.error == pytest.approx(bootstrapped, rel=0.05)


def test_answers_that_share_nothing_but_the_labels_are_nearly_two_samples() -> None:
    """Two single errors then add up almost in squares: less is what the labels have in common."""
    first = np.array([[0.5, 0.1], [0.1, 0.3]])
    cube = np.rint(1e9 * np.einsum("la,lb->lab", first, first / first.sum(axis=1)[:, None]))
    found = spread(answered(cube.astype(np.int64)), gradient_of("mcc"))
    table = Classes(labels=(0, 1), counts=np.rint(1e9 * first).astype(np.int64))
    low, high = classes.mcc_bounds(table, 1e-3)
    single = (high - low) / 2e-3
    assert 1.0 < found.error / single < 2**0.5


@pytest.mark.parametrize("metric", ["f1", "mcc", "balanced_accuracy"])
def test_bounds_at_95_percent_hold_the_truth(metric: str) -> None:
    """1,500 draws of 100 rows, a better champion, the answers alike in 86 %."""
    cells = np.array([[[0.57, 0.03], [0.02, 0.08]], [[0.05, 0.04], [0.01, 0.20]]])
    gradient, rows = gradient_of(metric), 100

    def values(cube: np.ndarray) -> float:
        tables = [
            Classes(labels=(0, 1), counts=cube.sum(axis=axis).astype(np.int64)) for axis in (2, 1)
        ]
        if metric == "mcc":
            return classes.mcc(tables[0]) - classes.mcc(tables[1])
        if metric == "balanced_accuracy":
            return classes.macro_recall(tables[0]) - classes.macro_recall(tables[1])
        one, other = (t.counts for t in tables)
        return float(
            2 * one[1, 1] / (one[1].sum() + one[:, 1].sum())
            - 2 * other[1, 1] / (other[1].sum() + other[:, 1].sum())
        )

    truth, rng = values(np.rint(1e9 * cells)), np.random.default_rng(5)
    held = 0
    for cube in rng.multinomial(rows, cells.ravel(), size=1_500).reshape(-1, 2, 2, 2):
        low, high = spread(answered(cube), gradient).bounds(values(cube), 0.025, most=2.0)
        held += low <= truth <= high
    assert 0.935 <= held / 1_500 <= 0.99


# refusals


def test_too_few_rows_have_no_bounds() -> None:
    cube = np.zeros((2, 2, 2), dtype=np.int64)
    cube[1, 1, 1] = LEAST_ROWS - 1
    assert too_few(answered(cube)) == "29 rows, and an interval needs 30"
    cube[0, 0, 0] = 1
    assert too_few(answered(cube)) == ""


def test_bounds_stay_where_a_difference_can_be() -> None:
    assert Spread(error=0.4, degrees=5.0).bounds(0.9, 0.05, most=1.0)[1] == 1.0
    assert Spread(error=0.4, degrees=5.0).bounds(-0.9, 0.05, most=1.0)[0] == -1.0


@pytest.mark.parametrize(
    ("kinds", "cells", "counts"),
    [
        (1, [[0, 0, 0]], [5]),
        (2, [[0, 0]], [5]),
        (2, [[0, 0, 2]], [5]),
        (2, [[0, 0, -1]], [5]),
        (2, [[0, 0, 1]], [-5]),
        (2, [[0, 0, 1]], [5, 5]),
    ],
)
def test_what_is_no_table_is_refused(kinds: int, cells: list[list[int]], counts: list[int]) -> None:
    with pytest.raises(CheckError):
        Answered(classes=kinds, cells=np.array(cells), counts=np.array(counts))


def test_a_metric_without_a_gradient_is_refused() -> None:
    with pytest.raises(CheckError, match="roc_auc"):
        gradient_of("roc_auc")
