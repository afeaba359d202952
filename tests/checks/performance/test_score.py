from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from aims_gate.checks import NoDataError
from aims_gate.checks.outcomes import BUILDERS, multiclass
from aims_gate.checks.performance.score import Metric, Score
from aims_gate.engines import Answer
from aims_gate.errors import DataError, PolicyError
from aims_gate.facts import Lack, Statistic
from aims_gate.plan import plan
from aims_gate.policy.model import DecideOn, Policy, Role, Rule, TaskKind, Threshold
from aims_gate.sources.subject import Data
from aims_gate.stats.formulas import FORMULAS
from aims_gate.verdict import Outcome
from tests.checks.subjects import context, data, decided, inputs

METRICS: tuple[Metric, ...] = get_args(Metric)
PARAMETERS: dict[str, dict[str, Any]] = {
    "f_beta": {"beta": 2.0},
    "ndcg": {"k": 4},
    "precision_at_k": {"k": 3},
    "recall_at_k": {"k": 3},
}
ROLES = ("label", "prediction", "score", "positive", "query", "task")
LAWS = settings(deadline=None, max_examples=25)
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


# refusals first


def test_without_data_there_is_nothing_to_measure() -> None:
    with pytest.raises(NoDataError, match="no evaluation data"):
        cells("accuracy")


def test_an_unknown_metric_is_a_policy_error_before_anything_is_read() -> None:
    rule = Rule(id="PERF-01", check="performance.score", parameters={"metric": "auc"})
    with pytest.raises(PolicyError, match=r"'metric'.*should be"):
        plan(Policy(id="p", version="1.0.0", rules=(rule,))).sound()


@pytest.mark.parametrize(
    ("parameters", "require", "why"),
    [
        ({}, Threshold(at_least=0.7), "needs the parameter 'metric'"),
        ({"metric": "roc_auc"}, None, "no conventional limit"),
        ({"metric": "roc_auc"}, Threshold(at_least=1.2), "lies in"),
        ({"metric": "roc_auc"}, Threshold(at_least=0.0), "met by every value"),
        ({"metric": "log_loss"}, Threshold(at_least=0.3), "wrong way round"),
        ({"metric": "roc_auc", "average": "macro"}, Threshold(at_least=0.7), "no parameter"),
        ({"metric": "f_beta"}, Threshold(at_least=0.7), "f_beta needs beta"),
        ({"metric": "f_beta", "beta": 0.0}, Threshold(at_least=0.7), "0 is not above 0"),
        ({"metric": "f1", "beta": 2.0}, Threshold(at_least=0.7), "f1 has no beta"),
        ({"metric": "precision_at_k"}, Threshold(at_least=0.7), "precision_at_k needs k"),
        ({"metric": "ndcg", "k": 0}, Threshold(at_least=0.7), "0 is not a number of places"),
        ({"metric": "map", "k": 5}, Threshold(at_least=0.7), "map has no k"),
        ({"metric": "ndcg", "max_uncovered": 1.0}, Threshold(at_least=0.7), "outside"),
        ({"metric": "macro_f1", "classes": "all"}, Threshold(at_least=0.7), "not a metric of sin"),
        ({"metric": "recall", "classes": []}, Threshold(at_least=0.7), "names no class"),
        ({"metric": "recall", "classes": ["a", "a"]}, Threshold(at_least=0.7), "or one twice"),
        ({"metric": "recall", "min_cell": 0}, Threshold(at_least=0.7), "not a number of rows"),
    ],
)
def test_a_rule_that_cannot_refuse_is_a_policy_error(
    parameters: dict[str, Any], require: Threshold | None, why: str
) -> None:
    rule = Rule(id="PERF-01", check="performance.score", parameters=parameters, require=require)
    with pytest.raises(PolicyError, match=why):
        plan(Policy(id="p", version="1.0.0", rules=(rule,))).sound()


@pytest.mark.parametrize("metric", ["weighted_precision", "explained_variance", "r2"])
def test_nothing_can_be_proven_of_a_metric_without_an_interval(metric: str) -> None:
    rule = Rule(
        id="PERF-01",
        check="performance.score",
        parameters={"metric": metric},
        require=Threshold(at_least=0.5),
        decide_on=DecideOn.PROVEN_PASS,
    )
    with pytest.raises(PolicyError, match="has no interval"):
        plan(Policy(id="p", version="1.0.0", rules=(rule,))).sound()


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("positive", [1, None])
def test_one_class_has_no_area_under_the_curve(value: int, positive: int | None) -> None:
    columns = {"y": [value] * 60, "s": np.linspace(0, 1, 60)}
    found = data(columns, label="y", score="s", positive=positive, task=TaskKind.BINARY)
    cell = only("roc_auc", found)
    assert cell.lack is Lack.UNDEFINED
    assert cell.reason == "only one class in the labels"


def test_a_model_that_never_says_yes_has_no_precision() -> None:
    """scikit-learn says 0 and warns; here the outcome is ERROR, whatever the limit."""
    columns = {"y": [1] * 40 + [0] * 60, "p": [0] * 100}
    found = data(columns, label="y", prediction="p", positive=1)
    cell = only("precision", found)
    assert (cell.lack, cell.reason) == (Lack.UNDEFINED, "no row is predicted positive")
    rule = {
        "check": "performance.score",
        "parameters": {"metric": "precision"},
        "require": Threshold(at_least=0.01),
    }
    assert decided(rule, found).outcome is Outcome.ERROR


TOO_FEW: list[tuple[Metric, dict[str, Any], dict[str, Any], str]] = [
    (
        "roc_auc",
        {"y": [1] * 19 + [0] * 500, "s": [0.9] * 18 + [0.3] + [0.1] * 499 + [0.95]},
        {"score": "s", "positive": 1},
        "19 rows",
    ),
    ("mcc", {"y": [1] * 40 + [0] * 60, "p": [1] * 40 + [0] * 60}, {"prediction": "p"}, "no row"),
    (
        "brier",
        {"y": [1] * 400 + [0] * 600, "s": [1.0] * 399 + [0.0] * 601},
        {"score": "s"},
        "dominate",
    ),
    ("mae", {"y": np.arange(100) + 0.5, "p": np.arange(100)}, {"prediction": "p"}, "equal"),
    (
        "median_error",
        {"y": np.arange(29) + 0.5, "p": np.arange(29)},
        {"prediction": "p"},
        "29 rows, and a median's interval needs 30",
    ),
    (
        "average_precision",
        {"y": [1] * 60 + [0] * 60, "s": [*np.linspace(0.6, 0.9, 60), *[0.1] * 58, 0.95, 1.0]},
        {"score": "s", "positive": 1},
        "a few rows dominate the ranking",
    ),
    (
        "macro_f1",
        {"y": ["a"] * 90 + ["b"] * 70 + ["c"] * 19, "p": (["a"] * 80 + ["b"] * 90 + ["c"] * 9)},
        {"prediction": "p"},
        "an interval needs 20 rows of each class: 'c' has 19",
    ),
    (
        "mrr",
        {"q": np.repeat(np.arange(29), 3), "y": [1, 0, 0] * 29, "s": np.tile([9, 1, 2], 29)},
        {"score": "s", "query": "q", "task": TaskKind.RANKING},
        "29 queries, and a mean's interval needs 30",
    ),
    (
        "map",
        {
            "q": np.repeat(np.arange(90), 3),
            "y": [1, 0, 0] * 80 + [0] * 30,
            "s": np.tile([9, 1, 2], 90),
        },
        {"score": "s", "query": "q", "task": TaskKind.RANKING},
        "10 of 90 queries have rows of one relevance only",
    ),
]


@pytest.mark.parametrize(("metric", "columns", "spec", "why"), TOO_FEW)
@pytest.mark.parametrize("decide_on", DecideOn)
def test_too_little_data_have_a_value_and_are_insufficient_however_good_it_is(
    metric: Metric, columns: dict[str, Any], spec: dict[str, Any], why: str, decide_on: DecideOn
) -> None:
    found = data(columns, label="y", **spec)
    value, lack = cells(metric, found)
    assert value.value is not None
    assert value.interval is None
    assert lack.lack is Lack.INSUFFICIENT
    assert why in lack.reason
    upward = Score(metric=metric).judged().higher_is_better
    rule = {
        "check": "performance.score",
        "parameters": {"metric": metric},
        "require": Threshold(at_least=0.6) if upward else Threshold(at_most=0.9),
        "decide_on": decide_on,
    }
    assert decided(rule, found).outcome is Outcome.INSUFFICIENT


@pytest.mark.parametrize(
    ("columns", "spec", "outcome"),
    [
        ({"y": [1, 0, 1, 0], "s": [0.5, math.nan, 0.9, 0.1]}, {"score": "s"}, Outcome.ERROR),
        ({"y": [1, 0, 1, None], "s": [0.5, 0.2, 0.9, 0.1]}, {"score": "s"}, Outcome.ERROR),
        ({"y": [1, 0, 1, 0], "s": [0.5, 0.2, 0.9, 0.1]}, {"score": "gone"}, Outcome.MISSING),
        ({"y": [1, 0, 1, 0], "s": ["a", "b", "c", "d"]}, {"score": "s"}, Outcome.ERROR),
        ({"y": np.zeros(0), "s": np.zeros(0)}, {"score": "s"}, Outcome.MISSING),
    ],
)
def test_unusable_data_never_pass(
    columns: dict[str, Any], spec: dict[str, Any], outcome: Outcome
) -> None:
    rule = {
        "check": "performance.score",
        "parameters": {"metric": "roc_auc"},
        "require": Threshold(at_least=0.01),
    }
    assert decided(rule, data(columns, label="y", positive=1, **spec)).outcome is outcome


# values


def test_the_metrics_of_the_policy_are_those_that_have_a_formula_and_a_task() -> None:
    assert len(METRICS) == len(set(METRICS))
    assert set(METRICS) == {formula.metric for formula in FORMULAS}
    assert set(METRICS) == {metric for fitting in BUILDERS.values() for metric in fitting}
    assert all(metric in Score.about.definition for metric in METRICS)


@pytest.mark.parametrize(("metric", "task"), FITTING)
@LAWS
@given(st.integers(0, 2**32 - 1))
def test_values_agree_with_scikit_learn(metric: Metric, task: TaskKind, seed: int) -> None:
    found = MAKERS[task](seed)
    cell = cells(metric, found)[0]
    assert cell.value == pytest.approx(expected(metric, found), rel=1e-9, abs=1e-12)
    assert cell.engine.startswith("native ")
    assert cell.rows <= cell.total == found.frame.rows


@pytest.mark.parametrize(("metric", "task"), FITTING)
def test_weighted_rows_are_repeated_rows(metric: Metric, task: TaskKind) -> None:
    """Value, interval, rows and context agree with the repeated rows and with scikit-learn."""
    weighted = MAKERS[task](7, weight="n")
    columns, n = arrays(weighted)
    spec = {role: getattr(weighted.spec, role) for role in ROLES}
    assert n is not None
    written_out = data({name: np.repeat(c, n) for name, c in columns.items()}, **spec)
    found = check(metric).measure(inputs(weighted))
    again = check(metric).measure(inputs(written_out))
    for one, other in zip(found, again, strict=True):
        assert (one.name, one.slice, one.rows, one.total) == (
            other.name,
            other.slice,
            other.rows,
            other.total,
        )
        assert same(one.value, other.value)
        assert (one.interval is None) == (other.interval is None)
        if one.interval is not None and other.interval is not None:
            assert one.interval.low == pytest.approx(other.interval.low, rel=1e-9)
            assert one.interval.high == pytest.approx(other.interval.high, rel=1e-9)
    cell = cells(metric, weighted)[0]
    assert cell.value == pytest.approx(expected(metric, weighted), rel=1e-9)


@pytest.mark.parametrize(("metric", "task"), FITTING)
def test_the_order_of_rows_changes_nothing(metric: Metric, task: TaskKind) -> None:
    plain = MAKERS[task](11)
    columns, _ = arrays(plain)
    order = np.random.default_rng(1).permutation(len(columns["y"]))
    spec = {role: getattr(plain.spec, role) for role in ROLES}
    turned = data({name: values[order] for name, values in columns.items()}, **spec)
    for one, other in zip(cells(metric, plain), cells(metric, turned), strict=True):
        assert one.lack == other.lack
        assert same(one.value, other.value)


@pytest.mark.parametrize("metric", BUILDERS[TaskKind.BINARY])
def test_the_names_of_the_classes_change_nothing(metric: Metric) -> None:
    plain = binary(3)
    columns, _ = arrays(plain)
    for yes, no in ((1, 0), (True, False), (1.0, 0.0), ("a", "b"), (7, 12)):
        renamed = {name: np.where(columns[name] == "yes", yes, no) for name in ("y", "p")}
        found = data({**columns, **renamed}, label="y", prediction="p", score="s", positive=yes)
        one, other = only(metric, plain), only(metric, found)
        assert (one.value, one.interval) == (other.value, other.interval)


def test_constant_scores_are_chance_and_perfect_scores_are_one() -> None:
    labels = [1] * 40 + [0] * 70
    constant = data({"y": labels, "s": [0.3] * 110}, label="y", score="s", positive=1)
    assert only("roc_auc", constant).value == 0.5
    perfect = data({"y": labels, "s": np.array(labels) * 0.9}, label="y", score="s", positive=1)
    cell = only("roc_auc", perfect)
    assert cell.value == 1.0
    assert cell.interval is not None
    assert cell.interval.low < 0.99


def test_the_rules_alpha_sets_the_level() -> None:
    for alpha in (0.05, 0.01):
        interval = only("roc_auc", binary(5), alpha=alpha).interval
        assert interval is not None
        assert interval.level == pytest.approx(1 - 2 * alpha)


def test_another_role_can_be_measured() -> None:
    current = binary(5, role=Role.CURRENT)
    evaluation = binary(6)
    on_current = only("roc_auc", current, evaluation, on=Role.CURRENT)
    assert on_current.value == pytest.approx(expected("roc_auc", current))
    assert only("roc_auc", current, evaluation).value == pytest.approx(
        expected("roc_auc", evaluation)
    )


def test_the_counts_behind_a_value_are_context() -> None:
    found = data(
        {"y": [1, 1, 1, 0, 0, 0, 0], "p": [1, 1, 0, 1, 0, 0, 0], "s": [0.1] * 7},
        label="y",
        prediction="p",
        score="s",
        positive=1,
    )
    counted = {
        "rows": 7,
        "positives": 3,
        "true_positives": 2,
        "false_positives": 1,
        "false_negatives": 1,
        "true_negatives": 3,
    }
    for name, count in counted.items():
        assert context(Score(metric="recall"), name, found)[""].value == count
    assert context(Score(metric="roc_auc"), "negatives", found)[""].value == 4
    assert only("recall", found).rows == 3


def test_dropped_rows_are_told() -> None:
    columns = {"y": [1, 0, None, 1] * 30, "p": [1, 0, 1, 0] * 30}
    found = data(columns, label="y", prediction="p", positive=1, max_null_labels=0.25)
    assert context(Score(metric="accuracy"), "dropped_rows", found)[""].value == 30
    cell = only("accuracy", found)
    assert (cell.rows, cell.total) == (90, 120)


def test_the_class_found_least_often_is_named_unless_it_is_tiny() -> None:
    y = ["cat"] * 100 + ["dog"] * 50 + ["fox"] * 29
    p = ["cat"] * 90 + ["dog"] * 10 + ["dog"] * 30 + ["cat"] * 20 + ["fox"] * 1 + ["cat"] * 28
    found = data({"y": y, "p": p}, label="y", prediction="p")
    worst = context(Score(metric="macro_f1"), "least_recall", found)
    assert list(worst) == ["dog"]
    assert worst["dog"].value == pytest.approx(0.6)
    assert worst["dog"].rows == 50


@pytest.mark.parametrize(
    ("limit", "outcome"),
    [(0.86, Outcome.FAIL), (0.85, Outcome.INSUFFICIENT), (0.80, Outcome.PASS)],
)
def test_a_floor_is_passed_only_with_proof(limit: float, outcome: Outcome) -> None:
    """Accuracy 0.85 of 400 rows: its bound 0.818 meets 0.80 and not 0.85, which the value meets."""
    columns = {"y": [1, 0], "p": [1, 1], "n": [340, 60]}
    found = data(columns, label="y", prediction="p", positive=1, weight="n")
    rule = {
        "check": "performance.score",
        "parameters": {"metric": "accuracy"},
        "require": Threshold(at_least=limit),
        "decide_on": DecideOn.PROVEN_PASS,
    }
    assert decided(rule, found).outcome is outcome


class Optimist:
    """An engine that calls everything perfect."""

    label = "optimist 1"

    def score(self, metric: str, table: object, sample: object) -> Answer:
        return Answer(value=1.0, by=self.label)


def test_an_engine_cannot_give_a_value_to_what_is_undefined() -> None:
    """No row is labelled positive: our precondition comes before the engine."""
    nobody = data({"y": [0] * 40, "p": [0, 1] * 20}, label="y", prediction="p")
    for found, lack, value in ((nobody, Lack.UNDEFINED, None), (binary(1), None, 1.0)):
        optimistic = replace(
            inputs(found),
            engine=Optimist(),  # type: ignore[arg-type]  # no other method is needed here
        )
        (cell,) = [s for s in Score(metric="recall").measure(optimistic) if s.judged]
        assert (cell.lack, cell.value) == (lack, value)


# each class against the rest


def by_class(metric: Metric, found: Data, **parameters: Any) -> dict[str, Statistic]:
    made = Score(metric=metric, **{"classes": "all", "min_cell": 1, **parameters})
    measured = [s for s in made.measure(inputs(found)) if s.judged and s.value is not None]
    return {cell.slice: cell for cell in measured}


@pytest.mark.parametrize("metric", multiclass.BY_CLASS)
def test_a_class_is_measured_as_a_binary_task_of_its_own(metric: Metric) -> None:
    """Each cell is what the metric of the class against all others is, bounds included."""
    found, parameters = several(4), PARAMETERS.get(metric, {})
    columns, _ = arrays(found)
    measured = by_class(metric, found, **parameters)
    assert list(measured) == ["0", "1", "2", "3", "4"]
    for name, cell in measured.items():
        alone = data(
            {
                "y": columns["y"] == int(name),
                "p": columns["p"] == int(name),
                "s": columns[f"s{name}"],
            },
            label="y",
            prediction="p",
            score="s",
        )
        measured_alone = Score(metric=metric, **parameters).measure(inputs(alone, alpha=0.05 / 5))
        same_cell = next(s for s in measured_alone if s.judged)
        assert cell.value == pytest.approx(same_cell.value, rel=1e-12)
        assert (cell.interval is None) == (same_cell.interval is None)
        if cell.interval is not None and same_cell.interval is not None:
            assert cell.interval.low == pytest.approx(same_cell.interval.low, rel=1e-9)
            assert cell.interval.level == pytest.approx(1 - 2 * 0.05 / 5)


def test_the_mean_over_classes_is_the_macro_metric() -> None:
    found = several(9)
    for metric, macro in (("recall", "macro_recall"), ("roc_auc", "macro_roc_auc")):
        each = [c.value for c in by_class(metric, found).values()]  # type: ignore[arg-type]
        assert np.mean(np.array(each, dtype=float)) == pytest.approx(
            only(macro, found).value,  # type: ignore[arg-type]
            rel=1e-12,
        )


def test_a_tiny_class_is_insufficient_however_well_it_is_found() -> None:
    y = ["cat"] * 100 + ["dog"] * 50 + ["fox"] * 29
    found = data({"y": y, "p": y}, label="y", prediction="p")
    rule = {
        "check": "performance.score",
        "parameters": {"metric": "recall", "classes": "all"},
        "require": Threshold(at_least=0.5),
    }
    result = decided(rule, found)
    assert result.outcome is Outcome.INSUFFICIENT
    assert "29 labelled rows, below min_cell 30" in result.reason
    named = {**rule, "parameters": {"metric": "recall", "classes": ["cat", "dog"]}}
    assert decided(named, found).outcome is Outcome.PASS


def test_a_class_that_is_never_predicted_has_no_precision_and_the_rule_does_not_pass() -> None:
    y = ["cat"] * 100 + ["dog"] * 50 + ["fox"] * 40
    p = ["cat"] * 100 + ["dog"] * 90
    found = data({"y": y, "p": p}, label="y", prediction="p")
    rule = {
        "check": "performance.score",
        "parameters": {"metric": "precision", "classes": "all"},
        "require": Threshold(at_least=0.1),
    }
    assert decided(rule, found).outcome is Outcome.ERROR


@pytest.mark.parametrize("classes", [("0",), (7,), (0, "1")])
def test_a_class_that_occurs_nowhere_is_an_error(classes: tuple[Any, ...]) -> None:
    """Text and numbers differ, so a misspelt class is never left out of a rule."""
    with pytest.raises(DataError, match="occurs nowhere"):
        tuple(Score(metric="recall", classes=classes).measure(inputs(several(1))))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"s0": 0.9}, "do not sum to 1"),
        ({"s0": -0.2}, "outside"),
        ({"s0": math.nan}, "null"),
    ],
)
def test_scores_of_several_classes_that_are_no_probabilities_are_refused(
    change: dict[str, float], why: str
) -> None:
    found = several(2)
    columns, _ = arrays(found)
    broken = data({**columns, "s0": np.full(500, change["s0"])}, label="y", score=found.spec.score)
    for metric in ("log_loss", "brier"):
        with pytest.raises(DataError, match=why):
            tuple(Score(metric=metric).measure(inputs(broken)))


def test_one_column_of_scores_does_not_say_which_of_several_classes_it_is_of() -> None:
    columns, _ = arrays(several(2))
    with pytest.raises(DataError, match="does not say which class"):
        cells("macro_roc_auc", data(columns, label="y", score="s0"))


def test_a_label_of_zero_has_no_percentage_error() -> None:
    with pytest.raises(DataError, match="not finite"):
        cells("mape", numbers(1, label="zero"))


# rankings


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"query": None}, "no column is named as query"),
        ({"query": "gone"}, "no column 'gone'"),
        ({"score": {"a": "s"}}, "a ranking has one column of scores"),
        ({"label": "t"}, "relevance is a number"),
        ({"label": "m"}, "not finite numbers of at least 0"),
    ],
)
def test_rankings_without_what_they_need_are_refused(change: dict[str, Any], why: str) -> None:
    columns, _ = arrays(searches(1))
    more = {**columns, "t": np.full(600, "yes"), "m": columns["y"] - 1.0}
    roles = {"label": "y", "score": "s", "query": "q", "task": TaskKind.RANKING, **change}
    with pytest.raises(DataError, match=why):
        cells("ndcg", data(more, **roles))


def test_queries_that_nothing_is_relevant_in_are_counted_and_not_taken_as_good_or_bad() -> None:
    """scikit-learn's ndcg_score calls such a query 0, and one of equal rows 1."""
    columns, _ = arrays(searches(1))
    queries = len(np.unique(columns["q"]))
    more = {
        "q": np.concatenate([columns["q"], [900, 900, 901, 901]]),
        "y": np.concatenate([columns["y"], [0, 0, 2, 2]]),
        "s": np.concatenate([columns["s"], [1.0, 2.0, 1.0, 2.0]]),
    }
    found = data(more, label="y", score="s", query="q", task=TaskKind.RANKING)
    assert only("ndcg", found).value == pytest.approx(only("ndcg", searches(1)).value)
    assert context(check("ndcg"), "queries_left_out", found)[""].value == 2
    assert context(check("ndcg"), "queries", found)[""].value == queries


def test_when_no_query_tells_rows_apart_there_is_no_value() -> None:
    columns = {"q": np.arange(90), "y": [1] * 90, "s": np.linspace(0, 1, 90)}
    cell = only("ndcg", data(columns, label="y", score="s", query="q", task=TaskKind.RANKING))
    assert (cell.lack, cell.reason) == (
        Lack.UNDEFINED,
        "no query has rows of different relevance",
    )


def test_clicks_may_be_ranked_and_classified() -> None:
    columns, _ = arrays(searches(1))
    clicked = data(
        {**columns, "y": (columns["y"] > 1).astype(int)},
        label="y",
        score="s",
        query="q",
        task=TaskKind.BINARY,
    )
    assert only("roc_auc", clicked).value is not None
    assert cells("mrr", clicked)[0].value == pytest.approx(
        of_queries("mrr", arrays(clicked)[0], None), rel=1e-12
    )


def test_a_constant_score_is_never_a_good_ranking() -> None:
    columns, _ = arrays(searches(3))
    flat = data(
        {**columns, "s": np.zeros(600)}, label="y", score="s", query="q", task=TaskKind.RANKING
    )
    for metric in BUILDERS[TaskKind.RANKING]:
        flat_value, value = (
            cells(metric, found)[0].value  # type: ignore[arg-type]
            for found in (flat, searches(3))
        )
        assert flat_value is not None
        assert value is not None
        assert flat_value < value


def test_a_class_with_scores_and_without_labels_is_insufficient() -> None:
    """`classes: all` is every class that the model knows, also one that nobody has looked at."""
    columns: dict[str, Any] = {"y": ["a", "b"] * 200}
    columns |= {"s_a": [0.6, 0.2] * 200, "s_b": [0.2, 0.6] * 200, "s_c": [0.2, 0.2] * 200}
    spec: dict[str, Any] = {"label": "y", "task": TaskKind.MULTICLASS}
    spec |= {"score": {n: f"s_{n}" for n in "abc"}}
    for metric, limit in (("roc_auc", Threshold(at_least=0.5)), ("brier", Threshold(at_most=0.5))):
        rule = {"check": "performance.score", "parameters": {"metric": metric, "classes": "all"}}
        result = decided({**rule, "require": limit}, data(columns, **spec))
        (cell,) = [s for s in result.statistics if s.judged and s.slice == "c"]
        assert cell.lack is Lack.INSUFFICIENT
        assert "0 labelled rows" in cell.reason
