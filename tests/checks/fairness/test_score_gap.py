"""Gaps of mean scores, predictions and errors between groups."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, mean_prediction
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aims_gate.checks.fairness.score_gap import ScoreGap
from aims_gate.checks.parameters import problems_of
from aims_gate.engines import Answer, Engines, SampleMeans
from aims_gate.errors import DataError
from aims_gate.facts import NoValue
from aims_gate.policy.model import Threshold
from aims_gate.verdict import Outcome
from tests.checks.subjects import context, data, decided, inputs, judged
from tests.support.laws import law

SPEC: dict[str, Any] = {"score": "s", "sensitive": {"sex": None}}
REGRESSION: dict[str, Any] = {"label": "y", "prediction": "p", "sensitive": {"sex": None}}


def people(rows: int = 1_500, seed: int = 1, gap: float = 0.3, **more: Any) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    sex = rng.choice(["F", "M", "X"], rows, p=[0.5, 0.35, 0.15])
    spread = np.where(sex == "M", 2.0, 1.0)
    y = rng.normal(size=rows) * spread + gap * (sex == "M")
    return {"sex": sex, "y": y, "p": y + rng.normal(size=rows) - 0.2 * (sex == "X"), "s": y, **more}


# --- what is never parity ------------------------------------------------------------------------


def test_a_lone_group_and_no_rows_are_no_pass() -> None:
    (cell,) = judged(ScoreGap(), data(people(sex=np.array(["F"] * 1_500)), **SPEC)).values()
    assert cell.lack is NoValue.INSUFFICIENT
    empty = {name: values[:0] for name, values in people().items()}
    assert decided({"check": "fairness.score_gap"}, data(empty, **SPEC)).outcome is Outcome.MISSING


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("of", ["score", "prediction", "error"])
def test_a_number_that_is_not_finite_is_an_error(of: Any, bad: float) -> None:
    table = people()
    table["s"][7] = table["p"][7] = bad
    with pytest.raises(DataError, match=r"not finite|null where they must not"):
        list(ScoreGap(of=of).measure(inputs(data(table, **{**SPEC, **REGRESSION}))))


def test_without_a_score_the_prediction_is_offered_and_not_taken() -> None:
    with pytest.raises(DataError, match=r"named as score; .*{of: prediction}"):
        list(ScoreGap().measure(inputs(data(people(), prediction="p", sensitive={"sex": None}))))


def test_an_unlabelled_regression_has_no_errors() -> None:
    with pytest.raises(DataError, match="no column is named as label"):
        list(ScoreGap(of="error").measure(inputs(data(people(), prediction="p", **SPEC))))


def test_text_is_no_score() -> None:
    table = people(s=np.array(["a"] * 1_500))
    with pytest.raises(DataError, match="numbers are needed"):
        list(ScoreGap().measure(inputs(data(table, **SPEC))))


def test_a_group_of_one_value_or_of_few_rows_is_told() -> None:
    table = people()
    table["s"][table["sex"] == "X"] = 1.0
    cells = judged(ScoreGap(), data(table, **SPEC))
    assert cells["sex=X"].lack is NoValue.INSUFFICIENT
    assert "are equal" in cells["sex=X"].reason
    assert cells["sex=F vs sex=M"].value is not None
    small = people()
    small["sex"][:12] = "Z"
    told = context(ScoreGap(), "mean_score", data(small, **SPEC))["sex=Z"]
    assert (told.value, told.reason) == (None, "<30 rows, below min_cell 30: not judged")


def test_constant_scores_everywhere_are_no_parity() -> None:
    cells = judged(ScoreGap(), data(people(s=np.ones(1_500)), **SPEC))
    assert {cell.lack for cell in cells.values()} == {NoValue.INSUFFICIENT}
    assert "fewer than two groups can be compared" in cells["sex"].reason


def test_null_is_a_group_and_a_vanished_attribute_stands_beside_it() -> None:
    table = people()
    table["sex"] = np.where(table["sex"] == "X", None, table["sex"])
    cells = judged(ScoreGap(by=("sex", "race")), data(table, **SPEC))
    assert cells["race"].lack is NoValue.MISSING
    assert any("sex=(missing)" in name for name in cells)


def test_an_engine_with_a_problem_takes_the_group_away() -> None:
    class Broken:
        label = "broken 1"

        def ask(self, question: SampleMeans) -> tuple[Answer, ...]:
            bad = Answer.none("broken 1", "no second opinion")
            return (*(Answer(value=1.0, by="broken 1"),) * (len(question.samples) - 1), bad)[::-1]

    found = inputs(data(people(), **SPEC))
    broken: Any = Broken()
    given_ = type(found)(
        subject=found.subject, engine=broken, alpha=0.05, alpha_alone=0.05, now=found.now
    )
    cells = {s.slice: s for s in ScoreGap().measure(given_) if s.judged}
    assert cells["sex=F"].lack is NoValue.UNDEFINED
    assert cells["sex=F"].reason == "no second opinion"


# --- values --------------------------------------------------------------------------------------


def test_means_gaps_and_their_spread_are_metric_frames() -> None:
    table = people()
    found = data(table, **SPEC)
    frame = MetricFrame(
        metrics=mean_prediction,
        y_true=table["s"],
        y_pred=table["s"],
        sensitive_features=table["sex"],
    )
    check = ScoreGap(unit="absolute")
    told = {(s.name, s.slice): s.value for s in check.measure(inputs(found))}
    for group, value in frame.by_group.items():
        assert told["mean_score", f"sex={group}"] == pytest.approx(value)
    assert told["overall_mean_score", "sex"] == pytest.approx(frame.overall)
    for method in ("between_groups", "to_overall"):
        where = f"sex, {method.replace('_', ' ')}"
        assert told["mean_score_difference", where] == pytest.approx(frame.difference(method))
    gaps = [cell.value for cell in judged(check, found).values()]
    assert max(gap for gap in gaps if gap is not None) == pytest.approx(frame.difference())


def test_standard_deviations_are_those_inside_groups() -> None:
    table = people()
    parts = [table["s"][table["sex"] == group] for group in "FMX"]
    pooled = math.sqrt(
        sum((len(p) - 1) * p.var(ddof=1) for p in parts) / sum(len(p) - 1 for p in parts)
    )
    absolute = judged(ScoreGap(unit="absolute"), data(table, **SPEC))
    for name, cell in judged(ScoreGap(), data(table, **SPEC)).items():
        assert cell.value == pytest.approx((absolute[name].value or 0) / pooled)


def test_the_interval_of_two_groups_is_nearly_welchs() -> None:
    table = people(3_000)
    keep = table["sex"] != "X"
    pair = {name: values[keep] for name, values in table.items()}
    cells = judged(ScoreGap(unit="absolute"), data(pair, **SPEC))
    cell = next(c for name, c in cells.items() if "best" not in name)
    one, other = (pair["s"][pair["sex"] == g] for g in "MF")
    welch = stats.ttest_ind(one, other, equal_var=False).confidence_interval()
    assert cell.interval is not None
    assert (cell.interval.low, cell.interval.high) == pytest.approx(
        (welch.low, welch.high), rel=0.03
    )


def test_errors_are_predictions_less_labels() -> None:
    table = people()
    error = table["p"] - table["y"]
    cells = judged(ScoreGap(of="error", unit="absolute"), data(table, **REGRESSION))
    worst = max(cell.value or 0 for cell in cells.values())
    means = [error[table["sex"] == group].mean() for group in "FMX"]
    assert worst == pytest.approx(max(means) - min(means))
    assert any(name.startswith("sex=X vs") for name in cells)


def test_the_largest_distance_of_distributions_is_scipys() -> None:
    table = people()
    told = context(ScoreGap(), "ks_distance", data(table, **SPEC))["sex"]
    parts = [table["s"][table["sex"] == group] for group in "FMX"]
    pairs = [(0, 1), (0, 2), (1, 2)]
    assert told.value == pytest.approx(
        max(stats.ks_2samp(parts[i], parts[j]).statistic for i, j in pairs)
    )


def test_both_engines_agree_on_means(engines: Engines) -> None:
    table = people()
    for spec, of in ((SPEC, "score"), (REGRESSION, "error")):
        found = inputs(data(table, **spec))
        given_ = type(found)(
            subject=found.subject,
            engine=engines["both"],
            alpha=0.05,
            alpha_alone=0.05,
            now=found.now,
        )
        check: Any = ScoreGap(of=of)  # type: ignore[arg-type]
        cells = [cell for cell in check.measure(given_) if cell.judged]
        assert {cell.lack for cell in cells} == {None}
        assert all(cell.engine.endswith("agrees") for cell in cells)


# --- decisions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "gap", "outcome"),
    [
        (20_000, 1.0, Outcome.FAIL),
        (20_000, 0.0, Outcome.PASS),
        (300, 0.0, Outcome.INSUFFICIENT),
    ],
)
def test_a_gap_is_decided_with_the_burden_of_proof(rows: int, gap: float, outcome: Outcome) -> None:
    found = data(people(rows, gap=gap), **SPEC)
    result = decided({"check": "fairness.score_gap"}, found)
    assert result.outcome is outcome
    if outcome is Outcome.INSUFFICIENT:
        assert "does not exclude a serious 0.4; about " in result.reason


def test_a_limit_in_the_numbers_own_unit_must_be_stated() -> None:
    check = ScoreGap(unit="absolute")
    assert check.judged().limit is None
    rule = {
        "check": "fairness.score_gap",
        "parameters": {"unit": "absolute"},
        "require": Threshold(at_most=0.5),
    }
    assert decided(rule, data(people(9_000, gap=2.0), **SPEC)).outcome is Outcome.FAIL


@law(15)
@given(st.integers(0, 10_000), st.floats(0.1, 50), st.floats(-100, 100))
def test_unit_origin_order_and_weights_change_nothing(
    seed: int, factor: float, shift: float
) -> None:
    table = people(300, seed)
    table["s"] = np.round(table["s"], 2)
    rng = np.random.default_rng(seed)
    times = rng.integers(1, 3, 300)
    order = rng.permutation(int(times.sum()))
    moved = {
        n: np.repeat(v, times)[order]
        for n, v in {**table, "s": table["s"] * factor + shift}.items()
    }
    one = judged(ScoreGap(), data({**table, "n": times}, weight="n", **SPEC))
    other = judged(ScoreGap(), data(moved, **SPEC))
    assert one.keys() == other.keys()
    for name, cell in one.items():
        assert (cell.value is None) == (other[name].value is None)
        if cell.value is not None and cell.interval is not None:
            told = other[name].interval
            assert told is not None
            assert other[name].value == pytest.approx(cell.value, abs=1e-6)
            assert (told.low, told.high) == pytest.approx(
                (cell.interval.low, cell.interval.high), abs=1e-5
            )


def test_parameters_that_hollow_out_the_rule_are_refused() -> None:
    assert [name for name, _, _ in problems_of(ScoreGap(small_share=0.5))] == ["small_share"]
