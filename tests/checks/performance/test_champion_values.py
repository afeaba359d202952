"""Differences of metrics agree with scikit-learn on the joined rows, slice by slice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from aims_gate.checks.performance.champion import Champion
from aims_gate.checks.performance.pairs import METHODS
from aims_gate.checks.performance.score import Plain
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
    if interval is not None:
        assert interval.low <= value + 1e-10
        assert value - 1e-10 <= interval.high
        assert interval.level == pytest.approx(0.9)
        assert interval.method == METHODS[metric]


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


def test_rankings_are_compared_without_an_interval() -> None:
    rng = np.random.default_rng(2)
    rows = 600
    query, y = np.repeat(np.arange(60), 10), rng.integers(0, 3, rows)
    columns = {"id": np.arange(rows), "q": query, "y": y, "s": y + rng.normal(0, 1, rows)}
    columns["market"] = np.where(query < 25, "a", "b")
    spec: dict[str, Any] = {"label": "y", "score": "s", "query": "q", "task": TaskKind.RANKING}
    ours = data(columns, key="id", **spec)
    theirs = champion({"id": np.arange(rows), "t": y + rng.normal(0, 3, rows)}, prediction=None)
    cells = judged(Champion(metric="ndcg", by=("market",)), ours, theirs)
    assert set(cells) == {"", "market=a", "market=b"}
    assert all(cell.value is not None and cell.value > 0.02 for cell in cells.values())
    assert all(cell.interval is None for cell in cells.values())


@pytest.mark.parametrize("metric", ["accuracy", "recall", "roc_auc", "brier"])
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
