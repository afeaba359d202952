"""Candidate and champion on several classes and on rankings."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from aims_gate.checks.performance.champion import Champion
from aims_gate.checks.performance.paired_intervals import METHODS
from aims_gate.checks.performance.score import Metric, Plain, Score
from aims_gate.facts import NoValue
from aims_gate.policy.model import TaskKind
from aims_gate.sources.subject import Data
from tests.checks.performance.champions import (
    arrays,
    champion,
    only,
)
from tests.checks.subjects import data, inputs, judged


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
    assert [cell.lack for cell in cells] == [None, NoValue.INSUFFICIENT]
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
    assert [cell.lack for cell in cells] == [None, NoValue.INSUFFICIENT]
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
    assert [cell.lack for cell in cells] == [None, NoValue.INSUFFICIENT]
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
