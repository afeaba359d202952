from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from aims_gate.checks.performance.slices import MOST_SLICES, SHARES, Slices
from aims_gate.engines import Answer
from aims_gate.errors import DataError, PolicyError
from aims_gate.facts import NoValue, Statistic
from aims_gate.policy.model import DecideOn, Threshold
from aims_gate.sources.subject import Data
from aims_gate.verdict import Outcome, Result
from tests.checks.subjects import arrays, context, data, decided, inputs, judged


def binary(rows: int = 6_000, seed: int = 0, *, harm: float = 0.0, **spec: Any) -> Data:
    """Right in 85 % of rows, and less often by *harm* where x is b and the age at least 60."""
    rng = np.random.default_rng(seed)
    y = (rng.random(rows) < 0.4).astype(int)
    x = rng.choice(["a", "b", "c"], rows, p=[0.5, 0.35, 0.15])
    age = rng.integers(18, 80, rows).astype(float)
    hurt = (x == "b") & (age >= 60)
    right = rng.random(rows) < np.where(hurt, 0.85 - harm, 0.85)
    score = np.clip(np.where(right, y, 1 - y) * 0.6 + rng.random(rows) * 0.4, 0, 1)
    columns = {
        "y": y,
        "p": np.where(right, y, 1 - y),
        "s": score,
        "x": x,
        "age": age,
        "n": rng.integers(0, 4, rows),
        "id": np.arange(rows).astype(str),
    }
    return data(columns, **{"label": "y", "prediction": "p", "score": "s", "positive": 1, **spec})


def ruled(parameters: dict[str, Any], *roles: Data, **rule: Any) -> Result:
    return decided({"check": "performance.slices", "parameters": parameters, **rule}, *roles)


BY_X = {"metric": "accuracy", "by": ["x"]}


# refusals first


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"metric": "accuracy", "by": ["x", "x"]}, "attribute is named twice"),
        ({"metric": "accuracy", "by": [["x", "x"]]}, "different columns"),
        ({"metric": "accuracy", "by": ["x"], "bins": {"age": [40]}}, "no column of by"),
        ({"metric": "accuracy", "by": ["x"], "depth": 2}, "makes no pairs"),
        ({"metric": "accuracy", "by": ["x"], "depth": 3}, "depth"),
        ({"metric": "accuracy", "min_cell": 1}, "outside"),
        ({"metric": "accuracy", "max_uncovered": 1}, "outside"),
        ({"metric": "accuracy", "small_share": 0.5}, "not small"),
        ({"metric": "roc_auc"}, "metric"),
        ({"metric": "brier", "by": ["x"]}, "no conventional limit"),
    ],
)
def test_parameters_that_mean_nothing_are_policy_errors(
    parameters: dict[str, Any], why: str
) -> None:
    with pytest.raises(PolicyError, match=why):
        ruled(parameters)


@pytest.mark.parametrize(
    ("parameters", "spec", "outcome", "why"),
    [
        ({"metric": "accuracy"}, {}, Outcome.ERROR, "no column is named as sensitive"),
        ({"metric": "accuracy", "by": ["gone"]}, {}, Outcome.MISSING, "gone"),
        ({"metric": "accuracy", "by": ["id"]}, {}, Outcome.ERROR, "more than 250"),
        ({"metric": "brier", "by": ["id"]}, {}, Outcome.ERROR, "more than 250"),
        ({"metric": "mae", "by": ["x"]}, {}, Outcome.ERROR, "does not fit"),
        (BY_X, {"prediction": "gone"}, Outcome.MISSING, "gone"),
    ],
)
def test_what_cannot_be_cut_or_measured_never_passes(
    parameters: dict[str, Any], spec: dict[str, Any], outcome: Outcome, why: str
) -> None:
    found = binary(600, **spec)
    require = Threshold(at_most=0.2)
    result = ruled(parameters, found, require=require)
    assert (result.outcome, result.blocking) == (outcome, True)
    assert why in result.reason


def test_one_slice_of_everything_is_nothing_to_compare() -> None:
    columns = {"y": [1, 0] * 100, "p": [1, 0] * 100, "x": ["a"] * 200}
    found = data(columns, label="y", prediction="p")
    result = ruled(BY_X, found)
    assert result.outcome is Outcome.INSUFFICIENT
    assert "less than all of them" in result.reason


def test_small_slices_are_named_and_refuse_where_they_are_many() -> None:
    found = binary(400)
    parameters = {**BY_X, "min_cell": 100}
    result = ruled(parameters, found)
    assert result.outcome is Outcome.INSUFFICIENT
    (small,) = [s for s in result.statistics if s.name == "small_slice"]
    assert small.slice == "x=c"
    assert not small.judged
    assert any("max_uncovered" in s.reason for s in result.statistics if s.judged)


def test_a_metric_that_is_not_there_at_all_is_an_error() -> None:
    columns = {"y": [1, 0] * 100, "p": [0] * 200, "x": ["a", "a", "b", "b"] * 50}
    found = data(columns, label="y", prediction="p", positive=1)
    assert ruled({**BY_X, "metric": "precision"}, found).outcome is Outcome.ERROR


def test_slices_that_could_hide_a_serious_shortfall_are_insufficient_with_their_rows() -> None:
    result = ruled(BY_X, binary(300), serious=0.11)
    assert result.outcome is Outcome.INSUFFICIENT
    assert "does not exclude a serious" in result.reason
    assert "would settle it" in result.reason


def test_a_mean_that_a_few_rows_dominate_is_insufficient() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(0, 1, 400)
    p = y + rng.normal(0, 0.1, 400)
    p[0] += 500
    found = data({"y": y, "p": p, "x": np.repeat(["a", "b"], 200)}, label="y", prediction="p")
    result = ruled({**BY_X, "metric": "mse"}, found, require=Threshold(at_most=1e9))
    assert result.outcome is Outcome.INSUFFICIENT
    assert "dominate" in result.reason


@pytest.mark.parametrize("outside", [1, 2, 29])
def test_a_slice_of_nearly_all_rows_leaves_too_few_and_hides_no_other_slice(outside: int) -> None:
    """One row beside it was 0/0, a crash that took the breach of the other column with it."""
    rng = np.random.default_rng(0)
    y, rows = rng.normal(0, 1, 400), np.arange(400)
    worse = rows % 2 == 0
    columns = {
        "y": y,
        "p": y + rng.normal(0, np.where(worse, 9, 1)),
        "x": np.where(rows < outside, "a", "b"),
        "z": np.where(worse, "c", "d"),
    }
    found = data(columns, label="y", prediction="p")
    parameters = {"metric": "mae", "by": ["x", "z"], "max_uncovered": 0.1}
    result = ruled(parameters, found, require=Threshold(at_most=1.0))
    told = {cell.slice: cell for cell in result.statistics if cell.judged}
    assert told["x=b"].lack is NoValue.INSUFFICIENT
    assert told["x=b"].reason.startswith(f"{outside:,} rows are outside the slice")
    assert (told["z=c"].value or 0) > 1
    assert result.outcome is Outcome.FAIL


@pytest.mark.parametrize("fails", [1, 2])
def test_an_engine_that_fails_on_the_whole_or_on_a_slice_is_an_error(fails: int) -> None:
    class Broken:
        asked = 0

        def ask(self, _question: object) -> tuple[Answer, ...]:
            Broken.asked += 1
            if Broken.asked == fails:
                return (Answer.none("both", "they disagree"),)
            return (Answer(value=0.5, by="both"),)

    made = replace(inputs(binary(600)), engine=Broken())  # type: ignore[arg-type]  # what is asked
    cells = [s for s in Slices(metric="accuracy", by=("x",)).measure(made) if s.judged]
    assert [s.reason for s in cells if s.lack is NoValue.UNDEFINED] == ["they disagree"]


# values


def expected(metric: str, a: dict[str, Any], part: Any) -> float:
    y, p, s = a["y"][part], a["p"][part], a["s"][part]
    by_name = {
        "accuracy": lambda: sk.accuracy_score(y, p),
        "precision": lambda: sk.precision_score(y, p),
        "recall": lambda: sk.recall_score(y, p),
        "specificity": lambda: sk.recall_score(y, p, pos_label=0),
        "brier": lambda: sk.brier_score_loss(y, s),
        "log_loss": lambda: sk.log_loss(y, s),
    }
    return float(by_name[metric]())


@pytest.mark.parametrize(
    "metric", ["accuracy", "precision", "recall", "specificity", "brier", "log_loss"]
)
def test_every_slice_is_the_difference_of_what_scikit_learn_says(metric: Any) -> None:
    found = binary(3_000)
    check = Slices(metric=metric, by=("x", "age", ("x", "age")), bins={"age": (40.0, 60.0)})
    cells = judged(check, found)
    a = arrays(found)
    assert len(cells) == 3 + 3 + 9
    everything = np.ones(3_000, dtype=bool)
    for name, part in {
        "x=b": a["x"] == "b",
        "age=[60,inf)": a["age"] >= 60,
        "x=c & age=[40,60)": (a["x"] == "c") & (a["age"] >= 40) & (a["age"] < 60),
    }.items():
        sign = 1 if metric in SHARES else -1
        value = sign * (expected(metric, a, everything) - expected(metric, a, part))
        cell = cells[name]
        assert cell.value == pytest.approx(value, abs=1e-10)
        assert cell.interval is not None
        assert cell.interval.low - 1e-10 <= value <= cell.interval.high + 1e-10
        assert "over all slices" in cell.interval.method
    assert context(check, metric, found)[""].value == pytest.approx(expected(metric, a, everything))


def test_classes_and_amounts_have_slices_too() -> None:
    rng = np.random.default_rng(1)
    y = rng.choice(3, 900)
    x = np.repeat(["a", "b", "c"], 300)
    p = np.where(rng.random(900) < np.where(x == "c", 0.5, 0.9), y, (y + 1) % 3)
    cells = judged(
        Slices(metric="accuracy", by=("x",)),
        data({"y": y, "p": p, "x": x}, label="y", prediction="p"),
    )
    assert cells["x=c"].value == pytest.approx((y == p).mean() - (y == p)[600:].mean())
    amounts = rng.normal(0, 1, 900)
    guess = amounts + rng.normal(0, np.where(x == "c", 2, 1))
    found = data({"y": amounts, "p": guess, "x": x}, label="y", prediction="p")
    cells = judged(Slices(metric="mae", by=("x",)), found)
    errors = abs(amounts - guess)
    assert cells["x=c"].value == pytest.approx(errors[600:].mean() - errors.mean())


def test_null_is_a_slice_and_sensitive_columns_are_the_default() -> None:
    found = binary(2_000)
    columns = arrays(found)
    x = columns["x"].astype(object)
    x[:200] = None
    spec: dict[str, Any] = {"sensitive": {"x": None, "age": (40.0,)}}
    holed = data({**columns, "x": x}, label="y", prediction="p", positive=1, **spec)
    assert set(judged(Slices(metric="accuracy"), holed)) == {
        "x=(missing)", "x=a", "x=b", "x=c", "age=(-inf,40)", "age=[40,inf)",
    }  # fmt: skip


def test_weighted_rows_are_repeated_rows() -> None:
    weighted = binary(1_500, weight="n")
    columns = arrays(binary(1_500))
    repeated = data(
        {k: np.repeat(v, columns["n"]) for k, v in columns.items()},
        label="y", prediction="p", score="s", positive=1,
    )  # fmt: skip
    metrics: tuple[Any, ...] = ("recall", "brier")
    for metric in metrics:
        check = Slices(metric=metric, by=("x",))
        one, other = judged(check, weighted), judged(check, repeated)
        assert one.keys() == other.keys()
        for name, cell in one.items():
            assert cell.value == pytest.approx(other[name].value, abs=1e-12)
            assert cell.rows == other[name].rows
            again = other[name].interval
            assert cell.interval is not None
            assert again is not None
            assert cell.interval.low == pytest.approx(again.low, abs=1e-9)


# the search


def cells_of(result: Result) -> list[Statistic]:
    return [s for s in result.statistics if s.judged]


def test_a_pair_of_columns_hides_what_neither_shows_alone() -> None:
    found = binary(12_000, harm=0.3)
    bins = {"age": [40, 60]}
    alone = ruled({"metric": "accuracy", "by": ["x", "age"], "bins": bins}, found)
    assert alone.outcome is not Outcome.FAIL
    pairs = ruled({"metric": "accuracy", "by": ["x", "age"], "bins": bins, "depth": 2}, found)
    assert pairs.outcome is Outcome.FAIL
    assert "x=b & age=[60,inf)" in pairs.reason
    assert len(cells_of(pairs)) == 6 + 9
    quiet = ruled(
        {"metric": "accuracy", "by": ["x", "age"], "bins": bins, "depth": 2}, binary(12_000)
    )
    assert quiet.outcome is Outcome.PASS, quiet.reason


def test_every_slice_that_is_looked_at_widens_the_others() -> None:
    found = binary(3_000)
    few = judged(Slices(metric="accuracy", by=("x",)), found)["x=b"].interval
    many = judged(
        Slices(metric="accuracy", by=("x", "age"), bins={"age": (40.0, 60.0)}, depth=2), found
    )["x=b"].interval
    assert few is not None
    assert many is not None
    assert many.low < few.low
    assert many.high > few.high
    assert few.level == many.level == pytest.approx(0.9)


def test_small_slices_of_pairs_are_counted_and_do_not_refuse() -> None:
    found = binary(700)
    check = Slices(metric="accuracy", by=("x", "age"), bins={"age": (30.0, 70.0)}, depth=2)
    counted = context(check, "small_slices", found)["x & age"]
    assert counted.value is not None
    assert counted.value >= 1
    assert all(s.lack is None for s in check.measure(inputs(found)) if s.judged)
    named = replace(check, by=("x", "age", ("x", "age")))
    assert any(s.name == "small_slice" for s in named.measure(inputs(found)))


def test_a_search_through_too_many_slices_is_refused() -> None:
    rng = np.random.default_rng(0)
    rows = 40_000
    columns = {"y": rng.integers(0, 2, rows), "p": rng.integers(0, 2, rows)}
    columns |= {f"c{n}": rng.integers(0, 14, rows) for n in range(5)}
    found = data(columns, label="y", prediction="p")
    check = Slices(metric="accuracy", by=tuple(f"c{n}" for n in range(5)), depth=2)
    with pytest.raises(DataError, match=f"more than {MOST_SLICES:,}"):
        tuple(check.measure(inputs(found)))


@pytest.mark.parametrize(
    ("harm", "rule", "outcome"),
    [
        (0.0, {}, Outcome.PASS),
        (0.35, {}, Outcome.FAIL),
        (0.35, {"decide_on": DecideOn.ESTIMATE}, Outcome.FAIL),
        (0.06, {}, Outcome.WARN),
    ],
)
def test_a_slice_that_is_provably_behind_is_refused(
    harm: float, rule: dict[str, Any], outcome: Outcome
) -> None:
    parameters = {"metric": "accuracy", "by": [["x", "age"]], "bins": {"age": [60]}}
    result = ruled(parameters, binary(9_000, harm=harm), **rule)
    assert result.outcome is outcome, result.reason


@pytest.mark.parametrize("metric", ["accuracy", "recall", "brier"])
def test_a_column_of_one_value_is_said_to_be_so_beside_others(metric: str) -> None:
    """It has no slice to hold against the whole, and must not be taken for fair."""
    columns = {**arrays(binary()), "one": ["same"] * 6_000}
    found = data(columns, label="y", prediction="p", score="s", positive=1)
    check = {"metric": metric, "by": ["x", "one"]}
    result = ruled(check, found, require=Threshold(at_most=0.5))
    assert result.outcome is Outcome.INSUFFICIENT
    lacking = [s for s in result.statistics if s.judged and s.lack is not None]
    assert [(s.slice, s.lack) for s in lacking] == [("one", NoValue.INSUFFICIENT)]
