"""Data of every task, and what scikit-learn says of them."""

from __future__ import annotations

import warnings
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import metrics as sk

from aims_gate.checks.metrics import BUILDERS
from aims_gate.checks.performance.score import Metric, Score
from aims_gate.facts import Statistic
from aims_gate.policy.model import TaskKind
from aims_gate.sources.subject import Data
from tests.checks.subjects import data, inputs
from tests.support.laws import law

METRICS: tuple[Metric, ...] = get_args(Metric)
PARAMETERS: dict[str, dict[str, Any]] = {
    "f_beta": {"beta": 2.0},
    "ndcg": {"k": 4},
    "precision_at_k": {"k": 3},
    "recall_at_k": {"k": 3},
}
ROLES = ("label", "prediction", "score", "positive", "query", "task")
LAWS = law(25)
Array = npt.NDArray[Any]


def check(metric: Metric) -> Score:
    """The check with the parameters that the metric needs."""
    return Score(metric=metric, **PARAMETERS.get(metric, {}))


def cells(metric: Metric, *roles: Data, **options: Any) -> list[Statistic]:
    """The judged cells, the value first."""
    found = [s for s in check(metric).measure(inputs(*roles, **options)) if s.judged]
    assert all((s.value is None) == (s.lack is not None) for s in found)
    assert all(s.name == metric and s.slice == "" for s in found)
    return found


def only(metric: Metric, *roles: Data, **options: Any) -> Statistic:
    (cell,) = cells(metric, *roles, **options)
    return cell


def same(one: float | None, other: float | None) -> bool:
    """Equal up to the rounding of sums in another order; None equals only None."""
    return one is other or bool(one == pytest.approx(other, rel=1e-11, abs=1e-14))


def binary(seed: int, rows: int = 400, **spec: Any) -> Data:
    """Text labels, unequal classes, scores with ties."""
    random = np.random.default_rng(seed)
    truth = random.random(rows) < 0.3
    scores = np.round(1 / (1 + np.exp(-random.normal(1.5 * truth - 1, 1))), 2)
    columns = {
        "y": np.where(truth, "yes", "no"),
        "p": np.where(scores > 0.45, "yes", "no"),
        "s": scores,
        "n": random.integers(0, 5, rows),
    }
    roles = {"label": "y", "prediction": "p", "score": "s", "positive": "yes"}
    return data(columns, **{**roles, **spec})


def several(seed: int, rows: int = 500, **spec: Any) -> Data:
    """Five unequal classes named by numbers, predictions right in about two of three."""
    random = np.random.default_rng(seed)
    y = random.choice(5, rows, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    p = np.where(random.random(rows) < 0.6, y, random.choice(5, rows))
    chances = np.round(random.dirichlet(np.ones(5), rows) + 0.3 * np.eye(5)[p], 2) + 0.01
    chances /= chances.sum(axis=1, keepdims=True)
    columns = {"y": y, "p": p, "n": random.integers(0, 5, rows)}
    columns |= {f"s{place}": chances[:, place] for place in range(5)}
    score = {str(place): f"s{place}" for place in range(5)}
    return data(columns, **{"label": "y", "prediction": "p", "score": score, **spec})


def numbers(seed: int, rows: int = 300, **spec: Any) -> Data:
    random = np.random.default_rng(seed)
    y = random.normal(10, 3, rows)
    columns = {"y": y, "p": y + random.normal(0.2, 1, rows), "n": random.integers(0, 5, rows)}
    columns["zero"] = np.where(np.arange(rows) == 7, 0.0, y)
    return data(columns, **{"label": "y", "prediction": "p", **spec})


def searches(seed: int, rows: int = 600, **spec: Any) -> Data:
    """Sixty queries of unequal length, four grades of relevance, scores with ties."""
    random = np.random.default_rng(seed)
    y = random.choice(4, rows, p=[0.5, 0.25, 0.15, 0.1])
    columns = {
        "q": np.sort(random.integers(0, 60, rows)),
        "y": y,
        "s": np.round(y + random.normal(0, 1.5, rows), 1),
        "n": random.integers(1, 4, rows),
    }
    roles = {"label": "y", "score": "s", "query": "q", "task": TaskKind.RANKING}
    return data(columns, **{**roles, "max_null_labels": 0.0, **spec})


def arrays(found: Data) -> tuple[dict[str, Array], Array | None]:
    table = found.frame.table.to_pydict()  # type: ignore[attr-defined]  # an ArrowFrame
    columns = {name: np.array(values) for name, values in table.items()}
    return columns, columns["n"] if found.spec.weight else None


def expected(metric: Metric, found: Data) -> float:
    """What scikit-learn says."""
    columns, n = arrays(found)
    if "q" in columns:
        return of_queries(metric, columns, n)
    y, p, s = columns["y"], columns["p"], columns.get("s", np.zeros(0))
    several = np.column_stack([columns[f"s{c}"] for c in range(5)]) if "s0" in columns else None
    yes = (y == "yes").astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        by_name = {
            "accuracy": lambda: sk.accuracy_score(y, p, sample_weight=n),
            "balanced_accuracy": lambda: sk.balanced_accuracy_score(y, p, sample_weight=n),
            "precision": lambda: sk.precision_score(y, p, pos_label="yes", sample_weight=n),
            "recall": lambda: sk.recall_score(y, p, pos_label="yes", sample_weight=n),
            "specificity": lambda: sk.recall_score(y, p, pos_label="no", sample_weight=n),
            "f1": lambda: sk.f1_score(y, p, pos_label="yes", sample_weight=n),
            "f_beta": lambda: sk.fbeta_score(y, p, beta=2, pos_label="yes", sample_weight=n),
            "mcc": lambda: sk.matthews_corrcoef(y, p, sample_weight=n),
            "roc_auc": lambda: sk.roc_auc_score(yes, s, sample_weight=n),
            "average_precision": lambda: sk.average_precision_score(yes, s, sample_weight=n),
            "macro_roc_auc": lambda: sk.roc_auc_score(
                y, several, multi_class="ovr", average="macro", sample_weight=n
            ),
            "macro_average_precision": lambda: sk.average_precision_score(
                np.eye(5)[y], several, average="macro", sample_weight=n
            ),
            "brier": lambda: sk.brier_score_loss(
                yes if several is None else y,
                s if several is None else several,
                sample_weight=n,
                scale_by_half=True,
            ),
            "log_loss": lambda: sk.log_loss(
                yes if several is None else y, s if several is None else several, sample_weight=n
            ),
            "macro_precision": lambda: sk.precision_score(y, p, average="macro", sample_weight=n),
            "macro_recall": lambda: sk.recall_score(y, p, average="macro", sample_weight=n),
            "macro_f1": lambda: sk.f1_score(y, p, average="macro", sample_weight=n),
            "weighted_precision": lambda: sk.precision_score(
                y, p, average="weighted", sample_weight=n
            ),
            "weighted_recall": lambda: sk.recall_score(y, p, average="weighted", sample_weight=n),
            "weighted_f1": lambda: sk.f1_score(y, p, average="weighted", sample_weight=n),
            "mae": lambda: sk.mean_absolute_error(y, p, sample_weight=n),
            "mape": lambda: sk.mean_absolute_percentage_error(y, p, sample_weight=n),
            "median_error": lambda: sk.median_absolute_error(*repeated(n, y, p)),
            "explained_variance": lambda: sk.explained_variance_score(y, p, sample_weight=n),
            "mse": lambda: sk.mean_squared_error(y, p, sample_weight=n),
            "rmse": lambda: sk.root_mean_squared_error(y, p, sample_weight=n),
            "r2": lambda: sk.r2_score(y, p, sample_weight=n),
        }
        return float(by_name[metric]())


def repeated(n: Array | None, *columns: Array) -> list[Array]:
    return [c if n is None else np.repeat(c, n) for c in columns]


def of_queries(metric: Metric, columns: dict[str, Array], n: Array | None) -> float:
    """The mean over queries whose rows differ, each from scikit-learn or by counting places."""
    q, y, s = repeated(n, columns["q"], columns["y"], columns["s"])
    k = PARAMETERS.get(metric, {}).get("k")
    values = []
    for query in np.unique(q):
        truth, scores = y[q == query], s[q == query]
        relevant = truth > 0
        if len(np.unique(truth if metric == "ndcg" else relevant)) == 1:
            continue
        higher = (scores[:, None] < scores[None, :]).sum(axis=1)
        tied = (scores[:, None] == scores[None, :]).sum(axis=1)
        inside = np.clip(k - higher, 0, tied) / tied if k else np.zeros(0)
        by_name = {
            "ndcg": lambda: sk.ndcg_score([truth], [scores], k=k),  # noqa: B023  # used here
            "map": lambda: sk.average_precision_score(relevant, scores),  # noqa: B023
            "mrr": lambda: 1 / (higher + tied)[relevant].min(),  # noqa: B023
            "precision_at_k": lambda: (inside * relevant).sum() / k,  # noqa: B023
            "recall_at_k": lambda: (inside * relevant).sum() / relevant.sum(),  # noqa: B023
        }
        values.append(by_name[metric]())
    return float(np.mean(values))


MAKERS = {
    TaskKind.BINARY: binary,
    TaskKind.MULTICLASS: several,
    TaskKind.REGRESSION: numbers,
    TaskKind.RANKING: searches,
}
FITTING = [(m, task) for task in MAKERS for m in METRICS if m in BUILDERS[task]]
