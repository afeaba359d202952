"""A linear rule over columns tells groups as scikit-learn's does, and never rows that it saw."""

# ruff: noqa: PD011  # `.values` are those of Distribution, not of pandas

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from aims_gate.checks.row_statistics import discriminant_scores
from aims_gate.frames import Key
from aims_gate.frames.opening import open_rows
from aims_gate.stats import auc
from aims_gate.stats.rows.discriminant import FOLDS, scores, values
from aims_gate.stats.tables import Ranked
from tests.support.laws import law


def area(columns: dict[str, Any], group: str, inputs: list[str]) -> float:
    sides = discriminant_scores(open_rows(columns), Key(column="g"), inputs)[group]
    ours, rest = ((side.values, side.counts) for side in sides)
    return auc.area(Ranked.merge(ours, rest))


def test_the_area_is_scikit_learns_cross_validated_one() -> None:
    random = np.random.default_rng(1)
    member = random.random(4_000) < 0.25
    columns: dict[str, Any] = {"g": np.where(member, "a", "b")}
    columns |= {f"x{i}": random.normal(member * 0.5, 1.0) for i in range(4)}
    columns["c"] = np.where(random.random(4_000) < 0.3 + 0.3 * member, "u", "v")
    names = [*(f"x{i}" for i in range(4)), "c"]
    frame = pd.DataFrame(columns)
    ranks = (frame[names[:4]].apply(rankdata) / 4_000).assign(c=frame["c"] == "u")
    asked = cross_val_predict(
        LogisticRegression(C=1e3), ranks, member, cv=5, method="predict_proba"
    )
    assert area(columns, "a", names) == pytest.approx(roc_auc_score(member, asked[:, 1]), abs=0.01)


def test_rows_that_are_equal_but_for_the_group_are_half_right() -> None:
    """With one input of two values the area is scikit-learn's of that input, ties included."""
    random = np.random.default_rng(2)
    member = random.random(3_000) < 0.4
    flag = random.random(3_000) < np.where(member, 0.8, 0.3)
    columns = {"g": np.where(member, "a", "b"), "flag": flag}
    found = area(columns, "a", ["flag"])
    assert found == pytest.approx(roc_auc_score(member, flag), abs=2e-3)


def test_noise_in_many_columns_tells_nothing() -> None:
    """60 columns and 300 rows: a rule that saw its rows would reach 0.8."""
    areas = []
    for seed in range(12):
        random = np.random.default_rng(seed)
        columns: dict[str, Any] = {"g": random.choice(["a", "b"], 300, p=[0.2, 0.8])}
        columns |= {f"x{i}": random.normal(size=300) for i in range(30)}
        columns |= {f"c{i}": random.choice(list("abcde"), 300) for i in range(30)}
        areas.append(area(columns, "a", [name for name in columns if name != "g"]))
    assert np.mean(areas) == pytest.approx(0.5, abs=0.04)


def test_extremes_nulls_and_constants_do_not_move_a_rule() -> None:
    random = np.random.default_rng(4)
    member = random.random(2_000) < 0.5
    x = random.normal(member * 2.0, 1.0)
    columns: dict[str, Any] = {"g": np.where(member, "a", "b"), "x": x, "one": np.ones(2_000)}
    clean = area(columns, "a", ["x", "one"])
    wild = np.where(np.arange(2_000) == 7, 1e300, x)
    assert area({**columns, "x": wild}, "a", ["x", "one"]) == pytest.approx(clean, abs=2e-3)
    nulls = np.where(member, np.nan, x)
    assert area({**columns, "x": nulls}, "a", ["x"]) > 0.99


@st.composite
def people(draw: st.DrawFn) -> dict[str, Any]:
    """Numbers, texts of equally and unequally frequent values, nulls, and rows that are twice."""
    rows = draw(st.integers(60, 200))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    member = random.random(rows) < 0.4
    often = np.array(list("abc"))[(random.random(rows) * 3 * (0.4 + 0.6 * member)).astype(int)]
    columns: dict[str, Any] = {
        "g": np.where(member, "us", "them"),
        "x": np.round(random.normal(member, 1.0), draw(st.sampled_from([0, 3]))),
        "often": [None if random.random() < 0.05 else str(value) for value in often],
        # more values than have an indicator, all as frequent as each other
        "seldom": np.array(
            [f"v{i % 20}" for i in random.permutation(20 * (rows // 20 + 1))[:rows]]
        ),
        "flag": random.random(rows) < np.where(member, 0.7, 0.4),
    }
    copied = random.integers(0, rows, rows // 5)
    return {name: np.append(values, np.asarray(values)[copied]) for name, values in columns.items()}


INPUTS = ["x", "often", "seldom", "flag"]


@law(25)
@given(people(), st.randoms(use_true_random=False))
def test_neither_names_nor_the_order_of_rows_change_a_rule(
    columns: dict[str, Any], random: Random
) -> None:
    """Categories, groups and numbers by other names in the same order; rows in another."""
    expected = area(columns, "us", INPUTS)
    other, group = dict(columns), "us"
    for name in ("often", "seldom", "flag", "g"):
        known = sorted({value for value in columns[name] if value is not None}, key=str)
        names = random.sample([f"n{i}" for i in range(100)], len(known))
        new = dict(zip(known, names, strict=True)) | {None: None}
        other[name] = np.array([new[value] for value in columns[name]], dtype=object)
        group = new.get("us", group)
    other["x"] = np.exp(columns["x"])
    order = list(range(len(columns["g"])))
    random.shuffle(order)
    assert area(other, group, INPUTS) == pytest.approx(expected, abs=1e-9)
    moved = {name: np.asarray(values)[order] for name, values in columns.items()}
    assert area(moved, "us", INPUTS) == pytest.approx(expected, abs=1e-9)
    both = {name: np.asarray(values)[order] for name, values in other.items()}
    assert area(both, group, INPUTS) == pytest.approx(expected, abs=1e-9)


@law(10)
@given(people(), st.permutations(INPUTS))
def test_the_order_of_columns_does_not_change_a_rule(
    columns: dict[str, Any], order: list[str]
) -> None:
    assert area(columns, "us", order) == pytest.approx(area(columns, "us", INPUTS), abs=1e-9)


def test_of_equally_frequent_values_no_name_says_which_has_an_indicator() -> None:
    """Twelve values of 50 rows, ten of them taken, and only the first tells the group."""
    value = np.repeat(np.arange(12), 50)
    x = np.random.default_rng(6).normal(size=600)
    areas = set()
    for first in range(3):
        names = np.roll([f"{i:02d}" for i in range(12)], first)
        columns = {"g": np.where(value < 1, "a", "b"), "c": names[value], "x": x}
        areas.add(round(area(columns, "a", ["c", "x"]), 9))
    assert len(areas) == 1


def test_rows_that_only_names_tell_apart_are_still_dealt_out_evenly() -> None:
    """A balanced stand-in, and a name of everybody's own: no fold is left without rows to learn."""
    columns = {
        "g": np.repeat(["a", "b"], 100),
        "c": np.repeat(["u", "v"], 100),
        "name": [f"n{i}" for i in range(200)],
    }
    assert area(columns, "a", ["c", "name"]) == 1.0


def test_every_copy_of_every_row_is_scored_once() -> None:
    """However many copies a row has, they are dealt out evenly and none is lost."""
    frame = open_rows({"c": ["u", "v", "u", None], "n": [1, 7, 40, 3]}, weight="n")
    column = frame._coded(Key(column="c"))
    weights = np.array([1, 7, 40, 3])
    found = scores([values(column.codes, 1)], np.array([0, 1, 1, -1]), 2, weights)
    totals = np.bincount(found.rows, found.copies, minlength=4)
    assert totals.tolist() == [1, 7, 40, 0]
    (forty,) = {tuple(sorted(found.copies[found.rows == 2].tolist()))}
    assert forty == (40 // FOLDS,) * FOLDS
