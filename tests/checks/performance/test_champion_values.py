"""Differences of metrics agree with scikit-learn on the joined rows, slice by slice."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from aims_gate.checks.performance.bounds import METHODS
from aims_gate.checks.performance.champion import Champion
from aims_gate.checks.performance.score import Metric, Plain, Score
from aims_gate.engines import Answer
from aims_gate.facts import Lack
from aims_gate.policy.model import TaskKind
from aims_gate.sources.subject import Data
from aims_gate.verdict import Outcome
from tests.checks.performance.champions import (
    LAWS,
    arrays,
    binary,
    champion,
    numbers,
    only,
    ruled,
)
from tests.checks.subjects import data, inputs, judged

# values


def expected(metric: str, y: Any, p: Any, s: Any) -> float:
    """What scikit-learn says of one side."""
    by_name = {
        "accuracy": lambda: sk.accuracy_score(y, p),
        "balanced_accuracy": lambda: sk.balanced_accuracy_score(y, p),
        "precision": lambda: sk.precision_score(y, p),
        "recall": lambda: sk.recall_score(y, p),
        "specificity": lambda: sk.recall_score(y, p, pos_label=0),
        "f1": lambda: sk.f1_score(y, p),
        "mcc": lambda: sk.matthews_corrcoef(y, p),
        "roc_auc": lambda: sk.roc_auc_score(y, s),
        "brier": lambda: sk.brier_score_loss(y, s),
        "log_loss": lambda: sk.log_loss(y, s),
    }
    return float(by_name[metric]())


BINARY = ("accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "mcc",
          "roc_auc", "brier", "log_loss")  # fmt: skip


@pytest.mark.parametrize("metric", BINARY)
@LAWS
@given(st.integers(0, 2**32 - 1))
def test_the_difference_is_scikit_learns_of_the_joined_rows(metric: Plain, seed: int) -> None:
    ours, theirs = binary(seed, rows=500)
    a = arrays(ours, theirs)
    value = expected(metric, a["y"], a["p"], a["s"]) - expected(metric, a["y"], a["q"], a["t"])
    cells = [s for s in Champion(metric=metric).measure(inputs(ours, theirs)) if s.judged]
    assert cells[0].value == pytest.approx(value, abs=1e-10)
    interval = cells[0].interval
    assert interval is not None
    assert interval.low <= value + 1e-10
    assert value - 1e-10 <= interval.high
    assert interval.level == pytest.approx(0.9)
    assert interval.method == METHODS[metric]


@pytest.mark.parametrize("metric", BINARY)
def test_exchanging_candidate_and_champion_flips_every_sign(metric: Plain) -> None:
    ours, theirs = binary(9, rows=900)
    a = arrays(ours, theirs)
    names = {"y": "y", "p": "q", "s": "t", "id": "id"}
    spec: dict[str, Any] = {
        "label": "y",
        "prediction": "p",
        "score": "s",
        "positive": 1,
        "key": "id",
    }
    other = data({ours: a[was] for ours, was in names.items()}, **spec)
    back = champion({"id": a["id"], "q": a["p"], "t": a["s"]})
    one = only(Champion(metric=metric), ours, theirs)
    two = only(Champion(metric=metric), other, back)
    assert one.value is not None
    assert two.value == pytest.approx(-one.value, abs=1e-12)
    assert one.interval is not None
    assert two.interval is not None
    # Hall's cubic and Tango's bisection stop some digits earlier than sums do
    assert two.interval.low == pytest.approx(-one.interval.high, abs=1e-8)
    assert two.interval.high == pytest.approx(-one.interval.low, abs=1e-8)


def test_f_beta_is_compared_with_its_beta() -> None:
    ours, theirs = binary(3, rows=2_000)
    a = arrays(ours, theirs)
    for beta in (0.5, 2.0):
        value = sk.fbeta_score(a["y"], a["p"], beta=beta) - sk.fbeta_score(
            a["y"], a["q"], beta=beta
        )
        cell = only(Champion(metric="f_beta", beta=beta), ours, theirs)
        assert cell.value == pytest.approx(value, abs=1e-10)
        assert cell.interval is not None
        assert cell.interval.low < value < cell.interval.high
    one = only(Champion(metric="f_beta", beta=1.0), ours, theirs)
    plain = only(Champion(metric="f1"), ours, theirs)
    assert one.interval is not None
    assert plain.interval is not None
    assert (one.interval.low, one.interval.high) == (plain.interval.low, plain.interval.high)


@pytest.mark.parametrize("metric", ["mae", "mse", "rmse", "r2"])
def test_regression_metrics_are_compared_too(metric: Plain) -> None:
    ours, theirs = numbers()
    a = arrays(ours, theirs)
    functions = {
        "mae": sk.mean_absolute_error,
        "mse": sk.mean_squared_error,
        "rmse": sk.root_mean_squared_error,
        "r2": sk.r2_score,
    }
    value = functions[metric](a["y"], a["p"]) - functions[metric](a["y"], a["q"])
    cell = only(Champion(metric=metric), ours, theirs)
    assert cell.value == pytest.approx(value, abs=1e-10)
    assert (cell.interval is not None) is (metric in METHODS)


def test_the_interval_of_a_difference_of_rmse_is_that_of_the_delta_method() -> None:
    ours, theirs = numbers(rows=4_000)
    a = arrays(ours, theirs)
    squared = [(a["y"] - a[side]) ** 2 for side in "pq"]
    roots = [np.sqrt(losses.mean()) for losses in squared]
    moved = squared[0] / (2 * roots[0]) - squared[1] / (2 * roots[1])
    step = 1.6449 * moved.std(ddof=1) / np.sqrt(len(moved))
    interval = only(Champion(metric="rmse"), ours, theirs).interval
    assert interval is not None
    assert (interval.high - interval.low) / 2 == pytest.approx(step, rel=0.02)
    assert (interval.high + interval.low) / 2 == pytest.approx(roots[0] - roots[1], abs=step / 5)


def test_a_model_that_is_never_wrong_has_no_interval_of_rmse() -> None:
    ours, theirs = numbers()
    a = arrays(ours, theirs)
    perfect = champion({"id": a["id"], "q": a["y"]}, score=None)
    cells = [s for s in Champion(metric="rmse").measure(inputs(ours, perfect)) if s.judged]
    assert [cell.lack for cell in cells] == [None, Lack.INSUFFICIENT]
    assert cells[0].interval is None
    assert "never wrong" in cells[1].reason


def test_classes_are_right_or_wrong() -> None:
    rng = np.random.default_rng(3)
    y = rng.choice(4, 900)
    columns = {"id": np.arange(900), "y": y, "p": np.where(rng.random(900) < 0.7, y, 0)}
    ours = data(columns, label="y", prediction="p", key="id")
    theirs = champion(
        {"id": np.arange(900), "q": np.where(rng.random(900) < 0.6, y, 1)}, score=None
    )
    cell = only(Champion(metric="accuracy"), ours, theirs)
    a = arrays(ours, theirs)
    assert cell.value == pytest.approx((a["y"] == a["p"]).mean() - (a["y"] == a["q"]).mean())
    assert cell.interval is not None


SEVERAL: dict[str, Any] = {
    "accuracy": sk.accuracy_score,
    "weighted_recall": lambda y, p: sk.recall_score(y, p, average="weighted"),
    "balanced_accuracy": sk.balanced_accuracy_score,
    "macro_recall": lambda y, p: sk.recall_score(y, p, average="macro"),
    "macro_precision": lambda y, p: sk.precision_score(y, p, average="macro"),
    "weighted_precision": lambda y, p: sk.precision_score(y, p, average="weighted"),
    "macro_f1": lambda y, p: sk.f1_score(y, p, average="macro"),
    "weighted_f1": lambda y, p: sk.f1_score(y, p, average="weighted"),
    "mcc": sk.matthews_corrcoef,
}


@pytest.mark.parametrize("metric", SEVERAL)
def test_metrics_of_several_classes_are_compared_with_an_interval(metric: Plain) -> None:
    rng = np.random.default_rng(8)
    rows = 1_500
    y = rng.choice(["a", "b", "c"], rows, p=[0.5, 0.3, 0.2])
    wrong = rng.permutation(y)
    p = np.where(rng.random(rows) < 0.8, y, wrong)
    q = np.where(rng.random(rows) < 0.7, p, wrong)
    ids = np.arange(rows)
    ours = data({"id": ids, "y": y, "p": p}, label="y", prediction="p", key="id")
    cell = only(Champion(metric=metric), ours, champion({"id": ids, "q": q}, score=None))
    of = SEVERAL[metric]
    assert cell.value is not None
    assert cell.value == pytest.approx(of(y, p) - of(y, q), abs=1e-10)
    assert cell.interval is not None
    assert cell.interval.low < cell.value < cell.interval.high
    assert cell.interval.method == METHODS[metric]


def test_means_over_other_classes_have_no_interval() -> None:
    """The champion predicts a class that no row is: its mean is over one class more."""
    rng = np.random.default_rng(3)
    y = rng.choice(["a", "b", "c"], 900)
    ids = np.arange(900)
    p = np.where(rng.random(900) < 0.8, y, "a")
    q = np.where(rng.random(900) < 0.1, "d", p)
    ours = data({"id": ids, "y": y, "p": p}, label="y", prediction="p", key="id")
    theirs = champion({"id": ids, "q": q}, score=None)
    cells = [s for s in Champion(metric="macro_f1").measure(inputs(ours, theirs)) if s.judged]
    assert [cell.lack for cell in cells] == [None, Lack.INSUFFICIENT]
    assert "one model only predicts 'd'" in cells[1].reason
    plain = only(Champion(metric="weighted_f1"), ours, theirs)
    assert plain.interval is not None


def several(seed: int, rows: int = 900) -> tuple[Data, Data]:
    """Three classes with a column of probabilities each, and a champion with others."""
    rng = np.random.default_rng(seed)
    y = rng.choice(3, rows)
    sides = []
    for sharpness in (2.0, 1.5):
        odds = np.exp(rng.normal(0, 1, (rows, 3)) + sharpness * np.eye(3)[y])
        sides.append(odds / odds.sum(axis=1, keepdims=True))
    ids = np.arange(rows)
    g = np.where(rng.random(rows) < 0.4, "a", "b")
    columns = {"id": ids, "y": y, "g": g} | {f"s{c}": sides[0][:, c] for c in range(3)}
    score = {str(c): f"s{c}" for c in range(3)}
    ours = data(columns, label="y", score=score, key="id", task=TaskKind.MULTICLASS)
    other = {"id": ids} | {f"t{c}": sides[1][:, c] for c in range(3)}
    return ours, champion(other, prediction=None, score={str(c): f"t{c}" for c in range(3)})


@pytest.mark.parametrize("metric", ["brier", "log_loss"])
def test_losses_of_several_classes_are_compared_row_by_row(metric: Plain) -> None:
    ours, theirs = several(4)
    a = arrays(ours, theirs)
    one_hot = np.eye(3)[a["y"]]
    p, q = (np.stack([a[f"{side}{c}"] for c in range(3)], axis=1) for side in "st")
    if metric == "brier":
        losses = [((one_hot - x) ** 2).sum(axis=1) / 2 for x in (p, q)]
    else:
        losses = [-np.log((one_hot * x).sum(axis=1)) for x in (p, q)]
    rows = losses[0] - losses[1]
    cells = judged(Champion(metric=metric, by=("g",)), ours, theirs)
    assert cells[""].value == pytest.approx(rows.mean())
    assert cells["g=a"].value == pytest.approx(rows[a["g"] == "a"].mean())
    interval = only(Champion(metric=metric), ours, theirs).interval
    assert interval is not None
    error = 1.6449 * rows.std(ddof=1) / np.sqrt(len(rows))
    assert interval.low == pytest.approx(rows.mean() - error, abs=0.1 * error)
    assert interval.high == pytest.approx(rows.mean() + error, abs=0.1 * error)


def test_the_mean_area_over_classes_has_the_mean_of_their_bounds() -> None:
    ours, theirs = several(4)
    a = arrays(ours, theirs)
    one, other = (np.stack([a[f"{side}{c}"] for c in range(3)], axis=1) for side in "st")
    areas = [sk.roc_auc_score(a["y"], x, multi_class="ovr") for x in (one, other)]
    value = areas[0] - areas[1]
    cell = only(Champion(metric="macro_roc_auc"), ours, theirs)
    assert cell.value == pytest.approx(value, abs=1e-10)
    each = []
    for c in range(3):
        columns = {"id": a["id"], "y": (a["y"] == c).astype(int), "s": a[f"s{c}"]}
        alone = data(columns, label="y", score="s", positive=1, key="id")
        against = champion({"id": a["id"], "t": a[f"t{c}"]}, prediction=None)
        each.append(only(Champion(metric="roc_auc"), alone, against).interval)
    assert cell.interval is not None
    assert cell.interval.low == pytest.approx(np.mean([i.low for i in each if i]))
    assert cell.interval.high == pytest.approx(np.mean([i.high for i in each if i]))


def test_a_mean_area_needs_rows_of_every_class() -> None:
    ours, theirs = several(4, rows=50)
    check = Champion(metric="macro_roc_auc")
    cells = [s for s in check.measure(inputs(ours, theirs)) if s.judged]
    assert [cell.lack for cell in cells] == [None, Lack.INSUFFICIENT]
    assert re.match("class .: the rarer class has", cells[1].reason)


RANKED: dict[str, dict[str, Any]] = {
    "ndcg": {"k": 5},
    "map": {},
    "mrr": {},
    "precision_at_k": {"k": 3},
    "recall_at_k": {"k": 3},
}


@pytest.mark.parametrize("metric", RANKED)
def test_rankings_are_compared_query_by_query(metric: Metric) -> None:
    """Each query's value by itself, from performance.score, and bounds of at least Student's t."""
    rng = np.random.default_rng(2)
    rows = 900
    query, y = np.repeat(np.arange(90), 10), rng.integers(0, 3, rows)
    s, t = y + rng.normal(0, 1, rows), y + rng.normal(0, 3, rows)
    spec: dict[str, Any] = {"label": "y", "score": "s", "query": "q", "task": TaskKind.RANKING}
    ours = data({"id": np.arange(rows), "q": query, "y": y, "s": s}, key="id", **spec)
    theirs = champion({"id": np.arange(rows), "t": t}, prediction=None)
    cell = only(Champion(metric=metric, **RANKED[metric]), ours, theirs)
    values = []
    for of in (s, t):
        each = []
        for one in range(90):
            part = query == one
            alone = data({"q": query[part], "y": y[part], "s": of[part]}, **spec)
            check = Score(metric=metric, **RANKED[metric])
            found = [c.value for c in check.measure(inputs(alone)) if c.judged]
            each += [value for value in found if value is not None]
        values.append(np.array(each))
    moved = values[0] - values[1]
    assert cell.value == pytest.approx(moved.mean(), abs=1e-10)
    step = 1.662 * moved.std(ddof=1) / np.sqrt(len(moved))
    assert cell.interval is not None
    width = (cell.interval.high - cell.interval.low) / 2
    assert step * 0.999 < width < 1.15 * step


def test_queries_that_say_nothing_are_no_way_past_the_interval() -> None:
    rng = np.random.default_rng(2)
    query, y = np.repeat(np.arange(60), 10), rng.integers(0, 3, 600)
    y[:100] = 1
    columns = {"id": np.arange(600), "q": query, "y": y, "s": rng.random(600)}
    spec: dict[str, Any] = {"label": "y", "score": "s", "query": "q", "task": TaskKind.RANKING}
    ours = data(columns, key="id", **spec)
    theirs = champion({"id": np.arange(600), "t": rng.random(600)}, prediction=None)
    cells = [s for s in Champion(metric="ndcg").measure(inputs(ours, theirs)) if s.judged]
    assert [cell.lack for cell in cells] == [None, Lack.INSUFFICIENT]
    assert "max_uncovered" in cells[1].reason
    assert only(Champion(metric="ndcg", max_uncovered=0.2), ours, theirs).interval is not None


def test_rankings_have_slices() -> None:
    rng = np.random.default_rng(2)
    rows = 800
    query, y = np.repeat(np.arange(80), 10), rng.integers(0, 3, rows)
    columns = {"id": np.arange(rows), "q": query, "y": y, "s": y + rng.normal(0, 1, rows)}
    columns["market"] = np.where(query < 35, "a", "b")
    spec: dict[str, Any] = {"label": "y", "score": "s", "query": "q", "task": TaskKind.RANKING}
    ours = data(columns, key="id", **spec)
    theirs = champion({"id": np.arange(rows), "t": y + rng.normal(0, 3, rows)}, prediction=None)
    cells = judged(Champion(metric="ndcg", by=("market",)), ours, theirs)
    assert set(cells) == {"", "market=a", "market=b"}
    assert all(cell.value is not None and cell.value > 0.02 for cell in cells.values())
    assert all(cell.interval is not None for cell in cells.values())


@pytest.mark.parametrize("metric", ["accuracy", "recall", "roc_auc", "brier", "f1", "mcc"])
def test_weighted_rows_are_repeated_rows(metric: Plain) -> None:
    """Keys are then those of the table's rows; the count of each is the evaluation's own."""
    ours, theirs = binary(5, rows=400)
    there = np.array(ours.frame.table.column("n").to_pylist()) > 0  # type: ignore[attr-defined]
    columns = {k: np.array(v)[there] for k, v in ours.frame.table.to_pydict().items()}  # type: ignore[attr-defined]
    a = theirs.frame.table.to_pydict()  # type: ignore[attr-defined]
    kept = np.isin(a["id"], columns["id"])
    answers = {k: np.array(v)[kept] for k, v in a.items()}
    spec: dict[str, Any] = {
        "label": "y",
        "prediction": "p",
        "score": "s",
        "positive": 1,
        "key": "id",
    }
    weighted = only(Champion(metric=metric), data(columns, weight="n", **spec), champion(answers))
    place = {key: row for row, key in enumerate(answers["id"].tolist())}
    order = [place[key] for key in columns["id"].tolist()]
    both = {**columns, **{k: v[order] for k, v in answers.items() if k != "id"}}
    rows = {k: np.repeat(v, columns["n"]) for k, v in both.items()}
    rows["id"] = np.arange(len(rows["y"]))
    repeated = only(Champion(metric=metric), data(rows, **spec), champion(rows))
    assert weighted.value == pytest.approx(repeated.value, abs=1e-12)
    assert weighted.rows == repeated.rows
    assert weighted.interval is not None
    assert repeated.interval is not None
    assert weighted.interval.low == pytest.approx(repeated.interval.low, abs=1e-10)
    assert weighted.interval.high == pytest.approx(repeated.interval.high, abs=1e-10)


def test_rows_that_are_null_on_either_side_count_for_neither() -> None:
    ours, theirs = binary(2, rows=1_000)
    a = arrays(ours, theirs)
    p, q = a["p"].astype(object), a["q"].astype(object)
    p[:3], q[2:7] = None, None
    spec: dict[str, Any] = {
        "label": "y",
        "prediction": "p",
        "positive": 1,
        "key": "id",
        "max_null_labels": 0.01,
    }
    holed = data({"id": a["id"], "y": a["y"], "p": p}, **spec)
    cell = only(Champion(metric="accuracy"), holed, champion({"id": a["id"], "q": q}, score=None))
    kept = slice(7, None)
    value = (a["y"] == a["p"])[kept].mean() - (a["y"] == a["q"])[kept].mean()
    assert cell.value == pytest.approx(value)
    assert cell.rows == 993


def test_a_reference_engine_that_fails_or_disagrees_leaves_no_value() -> None:
    class Broken:
        def score(self, *_: object) -> Answer:
            return Answer.none("both", "they disagree")

    ours, theirs = binary(rows=200)
    made = replace(inputs(ours, theirs), engine=Broken())  # type: ignore[arg-type]  # what is asked
    (cell,) = [s for s in Champion(metric="accuracy").measure(made) if s.judged]
    assert (cell.lack, cell.reason) == (Lack.UNDEFINED, "they disagree")


# slices


def test_every_slice_is_compared_and_shares_alpha() -> None:
    ours, theirs = binary(rows=4_000)
    check = Champion(metric="accuracy", by=("g", ("g", "age")), bins={"age": (40.0,)})
    cells = judged(check, ours, theirs)
    assert len(cells) == 1 + 3 + 6
    assert {"", "g=a", "g=b & age=[40,inf)"} < cells.keys()
    a = arrays(ours, theirs)
    part = (a["g"] == "b") & (a["age"] >= 40)
    value = (a["y"] == a["p"])[part].mean() - (a["y"] == a["q"])[part].mean()
    assert cells["g=b & age=[40,inf)"].value == pytest.approx(value)
    assert cells["g=b & age=[40,inf)"].rows == part.sum()
    alone = only(Champion(metric="accuracy"), ours, theirs)
    assert alone.interval is not None
    shared = cells[""].interval
    assert shared is not None
    assert shared.low < alone.interval.low
    assert shared.level == pytest.approx(1 - 2 * 0.05 / 10)


@pytest.mark.parametrize("metric", ["roc_auc", "brier", "recall", "f1"])
def test_every_metric_has_slices(metric: Plain) -> None:
    ours, theirs = binary(rows=1_500)
    cells = [
        s for s in Champion(metric=metric, by=("g",)).measure(inputs(ours, theirs)) if s.judged
    ]
    a = arrays(ours, theirs)
    part = a["g"] == "b"
    values = [
        expected(metric, a["y"][part], a[p][part], a[s][part]) for p, s in (("p", "s"), ("q", "t"))
    ]
    (cell,) = [s for s in cells if s.slice == "g=b"]
    assert cell.value == pytest.approx(values[0] - values[1], abs=1e-10)


def test_a_small_slice_is_named_and_not_judged_and_many_of_them_refuse() -> None:
    ours, theirs = binary(rows=300)
    check = Champion(metric="accuracy", by=("g",), min_cell=60)
    statistics = tuple(check.measure(inputs(ours, theirs)))
    small = [s for s in statistics if s.name == "small_slice"]
    assert [s.slice for s in small] == ["g=c"]
    (lack,) = [s for s in statistics if s.judged and s.lack]
    assert lack.lack is Lack.INSUFFICIENT
    assert "max_uncovered" in lack.reason
    kept = replace(check, max_uncovered=0.5)
    assert all(s.lack is None for s in kept.measure(inputs(ours, theirs)) if s.judged)


def test_a_slice_without_a_positive_keeps_its_accuracy_and_has_no_recall() -> None:
    ours, theirs = binary(rows=600)
    columns = ours.frame.table.to_pydict()  # type: ignore[attr-defined]
    columns["g"] = [
        "x" if y == 0 and p == 0 else "rest"
        for y, p in zip(columns["y"], columns["p"], strict=True)
    ]
    ours = replace(data(columns), spec=ours.spec)
    assert judged(Champion(metric="accuracy", by=("g",)), ours, theirs)["g=x"].value is not None
    cells = tuple(Champion(metric="recall", by=("g",)).measure(inputs(ours, theirs)))
    assert [s.slice for s in cells if s.name == "small_slice"] == ["g=x"]


def test_a_column_of_slices_that_is_not_there_or_cuts_into_rows_is_refused() -> None:
    ours, theirs = binary(rows=600)
    assert ruled({"metric": "accuracy", "by": ["gg"]}, ours, theirs).outcome is Outcome.MISSING
    result = ruled({"metric": "accuracy", "by": ["s"]}, ours, theirs)
    assert result.outcome is Outcome.ERROR
    assert "more than 250" in result.reason
