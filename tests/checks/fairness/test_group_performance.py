"""The metric of each group: against a floor, and against all rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as skm

from aims_gate.checks.fairness.group_performance import GroupPerformance
from aims_gate.checks.parameters import problems_of
from aims_gate.engines import Engines
from aims_gate.errors import DataError
from aims_gate.facts import NoValue
from aims_gate.frames import Scalar
from aims_gate.policy.model import DecideOn, Threshold
from aims_gate.sources.subject import Data
from aims_gate.stats import scores
from aims_gate.stats.tables import Confusion
from aims_gate.verdict import Outcome
from tests.checks.subjects import context, data, decided, inputs, judged
from tests.support.laws import law

SPEC: dict[str, Any] = {
    "label": "y",
    "prediction": "p",
    "score": "s",
    "sensitive": {"sex": None},
    "positive": 1,
}


def people(rows: int = 1_200, seed: int = 5, **more: Any) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    sex = rng.choice(["F", "M", "X"], rows, p=[0.5, 0.35, 0.15])
    y = (rng.random(rows) < 0.4).astype(int)
    noise = np.where(sex == "X", 0.45, 0.25)
    s = np.clip(0.3 + 0.4 * y + rng.normal(size=rows) * noise, 0.01, 0.99)
    return {"sex": sex, "y": y, "p": (s > 0.5).astype(int), "s": s, **more}


def amounts(rows: int = 900, seed: int = 6) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    sex = rng.choice(["F", "M", "X"], rows, p=[0.5, 0.35, 0.15])
    y = rng.gamma(2, 10, rows)
    return {"sex": sex, "y": y, "p": y + rng.normal(size=rows) * np.where(sex == "X", 6, 3)}


def confused(groups: dict[Scalar | None, tuple[int, int]]) -> Data:
    """Rows and right answers of each group, half of the labels positive."""
    rows = [
        (name, y, y if right else 1 - y, count)
        for name, (total, correct) in groups.items()
        for right, part in ((True, correct), (False, total - correct))
        for y, count in ((1, part // 2), (0, part - part // 2))
    ]
    columns = dict(zip(["sex", "y", "p", "n"], map(list, zip(*rows, strict=True)), strict=True))
    return data(columns, weight="n", **{**SPEC, "score": None})


# --- what is no good performance ----------------------------------------------------------------


@pytest.mark.parametrize("relative", [None, "overall"])
def test_a_lone_group_and_no_rows_are_no_pass(relative: Any) -> None:
    check = GroupPerformance(metric="accuracy", relative_to=relative)
    lone = people(sex=np.array(["F"] * 1_200))
    (cell,) = judged(check, data(lone, **SPEC)).values()
    assert cell.lack is NoValue.INSUFFICIENT
    rule = {
        "check": "fairness.group_performance",
        "parameters": {"metric": "accuracy"},
        "require": Threshold(at_least=0.5),
    }
    empty = {name: values[:0] for name, values in people().items()}
    assert decided(rule, data(empty, **SPEC)).outcome is Outcome.MISSING


def test_a_small_group_is_named_and_not_judged_and_too_many_are_a_lack() -> None:
    table = people()
    table["sex"][:20] = "T"
    cells = judged(GroupPerformance(metric="accuracy"), data(table, **SPEC))
    assert set(cells) == {"sex=F", "sex=M", "sex=X"}
    told = context(GroupPerformance(metric="accuracy"), "accuracy", data(table, **SPEC))
    assert told["sex=T"].value is None
    assert told["sex=T"].reason == "<30 rows, below min_cell 30: not judged"
    strict = GroupPerformance(metric="accuracy", max_uncovered=0.01, must_cover=("sex=T",))
    lacks = judged(strict, data(table, **SPEC))
    assert lacks["sex"].lack is lacks["sex=T"].lack is NoValue.INSUFFICIENT


def test_a_metric_rests_on_its_own_rows() -> None:
    """Recall of a group with 29 positives is not judged, however many rows it has."""
    table = people()
    mine = np.flatnonzero(table["sex"] == "X")
    table["y"][mine] = 0
    table["y"][mine[:29]] = 1
    cells = judged(GroupPerformance(metric="recall", max_uncovered=0.5), data(table, **SPEC))
    assert "sex=X" not in cells
    assert "sex=X" in judged(GroupPerformance(metric="accuracy"), data(table, **SPEC))


@pytest.mark.parametrize("relative", [{}, {"relative_to": "overall", "small_share": 0.0}])
def test_a_group_of_no_positive_has_no_recall_and_plans_nothing(relative: dict[str, Any]) -> None:
    """Rows that are 0 now are 0 however many times as many there are."""
    table = people()
    table["y"][table["sex"] == "X"] = 0
    check = GroupPerformance(metric="recall", max_uncovered=0.5, **relative)
    told = context(check, "recall", data(table, **SPEC))
    assert told["sex=X"].design is None


def test_a_group_without_a_positive_still_has_an_accuracy_and_no_area() -> None:
    table = people()
    table["y"][table["sex"] == "X"] = 0
    table["p"][table["sex"] == "X"] = 0
    found = data(table, **SPEC)
    assert judged(GroupPerformance(metric="accuracy"), found)["sex=X"].value == 1.0
    area = judged(GroupPerformance(metric="roc_auc"), found)["sex=X"]
    assert area.lack is NoValue.UNDEFINED
    assert area.reason == "only one class in the labels"


def test_null_is_a_group_and_a_value_written_like_it_is_refused() -> None:
    table = people()
    sex = table["sex"].astype(object)
    sex[table["sex"] == "X"] = None
    cells = judged(GroupPerformance(metric="accuracy"), data({**table, "sex": sex}, **SPEC))
    assert set(cells) == {"sex=F", "sex=M", "sex=(missing)"}
    sex[:40] = "(missing)"
    (cell,) = judged(
        GroupPerformance(metric="accuracy"), data({**table, "sex": sex}, **SPEC)
    ).values()
    assert cell.lack is NoValue.UNDEFINED
    assert "two groups of sex are called 'sex=(missing)'" in cell.reason


@pytest.mark.parametrize(
    ("metric", "column"), [("roc_auc", "s"), ("brier", "s"), ("accuracy", "p")]
)
def test_nan_in_a_needed_column_is_an_error(metric: Any, column: str) -> None:
    table = people()
    table[column] = table[column].astype(float)
    table[column][3] = math.nan
    with pytest.raises(DataError, match="null where they must not be"):
        list(GroupPerformance(metric=metric).measure(inputs(data(table, **SPEC))))


def test_a_vanished_attribute_and_an_identifier_stand_beside_what_can_be_judged() -> None:
    table = people(id=np.arange(1_200).astype(str))
    found = data(table, **SPEC)
    cells = judged(GroupPerformance(metric="accuracy", by=("sex", "race", "id")), found)
    assert cells["race"].lack is NoValue.MISSING
    assert cells["id"].lack is NoValue.UNDEFINED
    assert cells["sex=F"].value is not None


def test_a_metric_of_another_task_is_refused() -> None:
    with pytest.raises(DataError, match="mae does not fit a binary task"):
        list(GroupPerformance(metric="mae").measure(inputs(data(people(), **SPEC))))


# --- values --------------------------------------------------------------------------------------

BINARY: dict[str, Any] = {
    "accuracy": skm.accuracy_score,
    "recall": skm.recall_score,
    "precision": skm.precision_score,
    "f1": skm.f1_score,
    "mcc": skm.matthews_corrcoef,
    "balanced_accuracy": skm.balanced_accuracy_score,
}
SCORED: dict[str, Any] = {
    "roc_auc": skm.roc_auc_score,
    "brier": skm.brier_score_loss,
    "log_loss": skm.log_loss,
}
ERRORS: dict[str, Any] = {"mae": skm.mean_absolute_error, "mse": skm.mean_squared_error}


@pytest.mark.parametrize("metric", [*BINARY, *SCORED, *ERRORS])
def test_values_and_their_spread_are_metric_frames(metric: Any) -> None:
    regression = metric in ERRORS
    table = amounts() if regression else people()
    oracle = {**BINARY, **SCORED, **ERRORS}[metric]
    frame = MetricFrame(
        metrics=oracle,
        y_true=table["y"],
        y_pred=table["s" if metric in SCORED else "p"],
        sensitive_features=table["sex"],
    )
    spec = {**SPEC, "score": None, "positive": None} if regression else SPEC
    found = data(table, **spec)
    cells = judged(GroupPerformance(metric=metric), found)
    for group, value in frame.by_group.items():
        assert cells[f"sex={group}"].value == pytest.approx(value)
    told = {
        (s.name, s.slice): s.value
        for s in GroupPerformance(metric=metric, relative_to="overall").measure(inputs(found))
    }
    assert told[f"overall_{metric}", "sex"] == pytest.approx(frame.overall)
    for method in ("between_groups", "to_overall"):
        where = f"sex, {method.replace('_', ' ')}"
        assert told[f"{metric}_difference", where] == pytest.approx(frame.difference(method))
        assert told[f"{metric}_ratio", where] == pytest.approx(frame.ratio(method))
    sign = 1 if metric in {"brier", "log_loss", *ERRORS} else -1
    for group, value in frame.by_group.items():
        short = told[f"{metric}_shortfall", f"sex={group}"]
        assert short == pytest.approx(sign * (value - frame.overall))


def test_f_beta_is_that_of_each_group_and_of_all_rows() -> None:
    table = people()
    found = data(table, **SPEC)
    check = GroupPerformance(metric="f_beta", beta=2.0, relative_to="overall")
    told = {(s.name, s.slice): s for s in check.measure(inputs(found))}
    y, p = table["y"], table["p"]
    overall = skm.fbeta_score(y, p, beta=2)
    for group in "FMX":
        mine = table["sex"] == group
        value = skm.fbeta_score(y[mine], p[mine], beta=2)
        assert told["f_beta", f"sex={group}"].value == pytest.approx(value)
        short = told["f_beta_shortfall", f"sex={group}"]
        assert short.value == pytest.approx(overall - value)
        assert short.interval is not None
    assert [name for name, _, _ in problems_of(GroupPerformance(metric="f_beta"))] == ["metric"]


def test_a_group_of_several_classes_is_measured_with_all_of_them() -> None:
    rng = np.random.default_rng(2)
    sex, y = rng.choice(["F", "M"], 800, p=[0.7, 0.3]), rng.choice(list("abc"), 800)
    p = np.where(rng.random(800) < 0.6, y, rng.choice(list("abc"), 800))
    found = data({"sex": sex, "y": y, "p": p}, label="y", prediction="p", sensitive={"sex": None})
    cells = judged(GroupPerformance(metric="macro_recall"), found)
    for group in "FM":
        mine = sex == group
        value = skm.recall_score(y[mine], p[mine], average="macro")
        assert cells[f"sex={group}"].value == pytest.approx(value)


def test_every_group_has_the_bounds_of_its_own_table_with_alpha_shared() -> None:
    found = confused({"a": (400, 360), "b": (300, 240), "c": (200, 150)})
    cells = judged(GroupPerformance(metric="accuracy"), found)
    for name, (rows, right) in {"a": (400, 360), "b": (300, 240), "c": (200, 150)}.items():
        wrong = rows - right
        table = Confusion(tp=right, fn=wrong, fp=0, tn=0)
        expected = scores.interval("accuracy", table, alpha=0.05 / 3)
        told = cells[f"sex={name}"].interval
        assert expected is not None
        assert told is not None
        assert (told.low, told.high) == pytest.approx((expected.low, expected.high))
        assert told.level == pytest.approx(1 - 0.1 / 3)
        assert "for each group" in told.method


def test_both_engines_agree_on_every_group(engines: Engines) -> None:
    found = inputs(data(people(), **SPEC))
    for metric in ("accuracy", "roc_auc", "brier"):
        check: Any = GroupPerformance(metric=metric, relative_to="overall")
        given_ = type(found)(
            subject=found.subject,
            engine=engines["both"],
            alpha=0.05,
            alpha_alone=0.05,
            now=found.now,
        )
        for cell in check.measure(given_):
            if cell.judged:
                assert cell.lack is None
                assert cell.engine.endswith("agrees")


# --- decisions -----------------------------------------------------------------------------------

BEHIND = {
    "check": "fairness.group_performance",
    "parameters": {"metric": "accuracy", "relative_to": "overall"},
}


@pytest.mark.parametrize(
    ("groups", "outcome"),
    [
        ({"F": (4_000, 3_600), "M": (4_000, 3_000)}, Outcome.FAIL),
        ({"F": (4_000, 3_400), "M": (4_000, 3_380)}, Outcome.PASS),
        ({"F": (900, 800), "M": (60, 51)}, Outcome.INSUFFICIENT),
        ({"F": (20_000, 18_000), "M": (60, 51)}, Outcome.WARN),
    ],
)
def test_a_shortfall_is_decided_with_the_burden_of_proof(groups: Any, outcome: Outcome) -> None:
    assert decided(BEHIND, confused(groups)).outcome is outcome


def test_a_floor_for_the_worst_group() -> None:
    rule: dict[str, Any] = {
        "check": "fairness.group_performance",
        "parameters": {"metric": "accuracy"},
        "require": Threshold(at_least=0.8),
    }
    good = confused({"F": (4_000, 3_600), "M": (4_000, 3_500)})
    bad = confused({"F": (4_000, 3_600), "M": (4_000, 3_100)})
    few = confused({"F": (4_000, 3_600), "M": (90, 75)})
    proven = {**rule, "decide_on": DecideOn.PROVEN_PASS}
    assert decided(rule, good).outcome is Outcome.PASS
    assert decided(rule, bad).outcome is Outcome.FAIL
    assert decided(proven, few).outcome is Outcome.INSUFFICIENT


def test_a_small_group_is_named_with_rows_of_the_data_that_would_settle_it() -> None:
    few = confused({"F": (900, 800), "M": (60, 51)})
    rule: dict[str, Any] = {
        "check": "fairness.group_performance",
        "parameters": {"metric": "accuracy", "relative_to": "overall"},
    }
    told = decided(rule, few)
    assert told.outcome is Outcome.INSUFFICIENT
    rows = int(told.reason.split("about ")[1].split(" rows of the data")[0].replace(",", ""))
    assert 960 < rows < 6_000
    factor = rows / 960
    more = confused({"F": (int(900 * factor), int(800 * factor)), "M": (int(60 * factor),) * 2})
    cell = judged(GroupPerformance(metric="accuracy", relative_to="overall"), more)["sex=M"]
    assert cell.alone is not None
    assert cell.alone.high < 0.10


@law(12)
@given(st.integers(0, 10_000), st.sampled_from(["accuracy", "roc_auc", "brier", "f1"]))
def test_order_names_and_weights_change_nothing(seed: int, metric: Any) -> None:
    table = people(400, seed)
    rng = np.random.default_rng(seed)
    table["s"] = np.round(table["s"], 2)
    times = rng.integers(1, 3, 400)
    repeated = {name: np.repeat(values, times) for name, values in table.items()}
    order = rng.permutation(len(repeated["y"]))
    shuffled = {name: values[order] for name, values in repeated.items()}
    check = GroupPerformance(metric=metric, relative_to="overall")
    one = judged(check, data({**table, "n": times}, weight="n", **SPEC))
    other = judged(check, data(shuffled, **SPEC))
    assert one.keys() == other.keys()
    for name, cell in one.items():
        assert cell.value == pytest.approx(other[name].value)
        assert cell.rows == other[name].rows
        if cell.interval is not None:
            low, high = other[name].interval.low, other[name].interval.high  # type: ignore[union-attr]
            assert (cell.interval.low, cell.interval.high) == pytest.approx((low, high))


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"small_share": 0.5}, "small_share"),
        ({"min_cell": 0}, "min_cell"),
        ({"beta": 2.0}, "beta"),
        ({"k": 3}, "k"),
    ],
)
def test_parameters_that_hollow_out_the_rule_are_refused(parameters: Any, field: str) -> None:
    found = problems_of(GroupPerformance(metric="accuracy", **parameters))
    assert [name for name, _, _ in found] == [field]


def searches(left_out: int) -> Data:
    """Rankings of two groups; in *left_out* queries of each all rows are worth the same."""
    rng = np.random.default_rng(8)
    queries = [(sex, number) for sex in "FM" for number in range(100)]
    rows = [
        (f"{sex}{number}", sex, 0 if number < left_out else place % 2, float(rng.random()))
        for sex, number in queries
        for place in range(4)
    ]
    names, sex, worth, scores_ = (list(column) for column in zip(*rows, strict=True))
    columns = {"q": names, "sex": sex, "y": worth, "s": scores_}
    return data(columns, label="y", score="s", query="q", sensitive={"sex": None}, task="ranking")


@pytest.mark.parametrize(
    ("left_out", "allowed", "outcome"),
    [
        (20, 0.05, Outcome.INSUFFICIENT),
        (20, 0.3, Outcome.PASS),
        (4, 0.05, Outcome.PASS),
        (4, 0.01, Outcome.INSUFFICIENT),
    ],
)
def test_of_rankings_max_uncovered_is_the_share_of_queries_that_say_nothing(
    left_out: int, allowed: float, outcome: Outcome
) -> None:
    rule = {
        "check": "fairness.group_performance",
        "parameters": {"metric": "ndcg", "max_uncovered": allowed},
        "require": Threshold(at_least=0.1),
    }
    assert decided(rule, searches(left_out)).outcome is outcome
