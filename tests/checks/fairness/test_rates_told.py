"""Rates of any kind, what is told beside them, and the laws that hold for all of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from fairlearn.metrics import (
    MetricFrame,
    false_negative_rate,
    false_positive_rate,
    selection_rate,
    true_negative_rate,
    true_positive_rate,
)
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_score

from aims_gate.checks.fairness.rates import ImpactRatio, Odds, Parity, PredictiveParity
from aims_gate.facts import NoValue
from aims_gate.policy.model import DecideOn, Threshold
from aims_gate.verdict import Outcome
from tests.checks.fairness.comparing import SPEC
from tests.checks.fairness.groups import counted
from tests.checks.fairness.people import people
from tests.checks.subjects import context, data, decided, inputs, judged
from tests.support.laws import law

ORACLES: dict[str, Any] = {
    "tpr": true_positive_rate,
    "fpr": false_positive_rate,
    "tnr": true_negative_rate,
    "fnr": false_negative_rate,
}
NAMES = {"tpr": "true_positive_rate", "fpr": "false_positive_rate"}
NAMES |= {"tnr": "true_negative_rate", "fnr": "false_negative_rate"}


@pytest.mark.parametrize("rate", list(ORACLES))
@pytest.mark.parametrize("method", ["between_groups", "to_overall"])
def test_rates_and_their_summaries_are_metric_frames(rate: Any, method: Any) -> None:
    table = people()
    frame = MetricFrame(
        metrics=ORACLES[rate],
        y_true=table["y"],
        y_pred=table["p"],
        sensitive_features=table["sex"],
    )
    check, name = Odds(rates=(rate,), compare="ratio"), NAMES[rate]
    told = {(s.name, s.slice): s for s in check.measure(inputs(data(table, **SPEC)))}
    where = f"sex, {method.replace('_', ' ')}"
    assert told[f"{name}_difference", where].value == pytest.approx(frame.difference(method))
    assert told[f"{name}_ratio", where].value == pytest.approx(frame.ratio(method))
    assert told[f"overall_{name}", "sex"].value == pytest.approx(frame.overall)
    for group, value in frame.by_group.items():
        assert told[name, f"sex={group}"].value == pytest.approx(value)
    least = told["least_odds_rate_ratio", ""].value
    assert least == pytest.approx(frame.ratio(method="between_groups"))


def test_predictive_values_are_scikit_learns() -> None:
    table = people()
    y, p, sex = table["y"], table["p"], table["sex"]
    check = PredictiveParity(rates=("ppv", "npv", "fdr", "for"))
    found = data(table, **SPEC)
    for group in "FMX":
        mine = sex == group
        positive = precision_score(y[mine], p[mine])
        negative = precision_score(y[mine], p[mine], pos_label=0)
        for name, value in (
            ("positive_predictive_value", positive),
            ("false_discovery_rate", 1 - positive),
            ("negative_predictive_value", negative),
            ("false_omission_rate", 1 - negative),
        ):
            told = context(check, name, found)[f"sex={group}"]
            assert told.value == pytest.approx(value)
            assert told.rows == (p[mine] == (1 if name[0] == "p" or "disc" in name else 0)).sum()
    gaps = [c.value for c in judged(PredictiveParity(), found).values() if c.value is not None]
    by_group = [precision_score(y[sex == g], p[sex == g]) for g in "FMX"]
    assert max(gaps) == pytest.approx(max(by_group) - min(by_group))


def test_a_group_that_is_never_predicted_positive_has_no_precision() -> None:
    table = people()
    table["p"][table["sex"] == "X"] = 0
    told = context(PredictiveParity(), "positive_predictive_value", data(table, **SPEC))["sex=X"]
    assert told.value is None
    assert told.reason == "<30 rows predicted positive, below min_cell 30: not judged"


def test_a_ratio_of_rates_that_are_zero_everywhere_is_undefined_and_told() -> None:
    table = people()
    table["p"] = table["y"]
    cells = judged(Odds(rates=("fpr",), compare="ratio"), data(table, **SPEC))
    assert cells["FPR sex"].lack is NoValue.INSUFFICIENT
    assert "the false positive rate is 0 in any group: no ratio" in cells["FPR sex"].reason
    told = context(Odds(rates=("fpr",)), "false_positive_rate_ratio", data(table, **SPEC))
    assert {s.lack for s in told.values()} == {NoValue.UNDEFINED}


def test_the_summary_of_selection_rates_is_metric_frames() -> None:
    table = people(seed=8)
    frame = MetricFrame(
        metrics=selection_rate,
        y_true=table["y"],
        y_pred=table["p"],
        sensitive_features=table["sex"],
    )
    told = context(Parity(), "selection_rate_ratio", data(table, **SPEC))
    assert told["sex, to overall"].value == pytest.approx(frame.ratio(method="to_overall"))
    assert told["sex, between groups"].value == pytest.approx(frame.ratio())


@law(20)
@given(st.integers(0, 10_000), st.sampled_from(["each", "rest"]), st.booleans())
def test_order_of_rows_and_names_of_groups_change_nothing(
    seed: int, against: Any, pooled: Any
) -> None:
    table = people(400, seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(400)
    renamed = {"F": "z", "M": "k", "X": "a"}
    check = Parity(against=against, pool_small=pooled, max_uncovered=0.5)
    other = {name: values[order] for name, values in table.items()}
    assert judged(check, data(table, **SPEC)) == judged(check, data(other, **SPEC))
    other["sex"] = np.array([renamed[name] for name in other["sex"]])
    cells, again = judged(check, data(table, **SPEC)), judged(check, data(other, **SPEC))
    assert sorted(_numbers(cells)) == sorted(_numbers(again))


def _numbers(cells: Any) -> list[tuple[float, float, float, int]]:
    return [
        (c.value, round(c.interval.low, 12), round(c.interval.high, 12), c.rows)
        for c in cells.values()
        if c.interval is not None
    ]


MILD = [Outcome.PASS, Outcome.WARN, Outcome.FAIL]


@law(25)
@given(
    st.lists(st.integers(0, 400), min_size=3, max_size=3),
    st.sampled_from(["each", "rest"]),
    st.floats(0.3, 0.9),
    st.floats(0.01, 0.09),
)
def test_a_higher_floor_never_refuses_less(
    chosen: list[int], against: str, floor: float, more: float
) -> None:
    """Of 400 rows a group and more, so that nothing is INSUFFICIENT at an estimate."""
    found = counted({"a": (500, chosen[0]), "b": (400, chosen[1]), "c": (900, chosen[2])}, label=1)
    outcomes = []
    for limit in (floor, floor + more):
        rule = {
            "check": "fairness.impact_ratio",
            "parameters": {"against": against},
            "require": Threshold(at_least=limit),
            "decide_on": DecideOn.ESTIMATE,
        }
        outcomes.append(decided(rule, found).outcome)
    if outcomes[0] in MILD:
        assert MILD.index(outcomes[1]) >= MILD.index(outcomes[0])
    else:
        assert outcomes[1] is outcomes[0]


@law(40)
@given(st.integers(30, 400), st.integers(30, 400), st.data())
def test_one_fewer_selected_in_the_worst_group_never_narrows_the_gap(
    n: int, m: int, draw: st.DataObject
) -> None:
    """And the interval moves with it, so no outcome gets milder."""
    x = draw.draw(st.integers(1, n - 1))
    y = draw.draw(st.integers(math.ceil(m * x / n), m))
    before = judged(Parity(), counted({"F": (n, x), "M": (m, y)}, label=1))
    after = judged(Parity(), counted({"F": (n, x - 1), "M": (m, y)}, label=1))
    one, other = after["sex=F vs sex=M"], before.get("sex=F vs sex=M") or before["sex=F (best)"]
    assert one.value is not None
    assert other.value is not None
    assert one.value > other.value


_TWINS = {
    "a": ["x & b=y"] * 400 + ["x"] * 400 + ["q"] * 400,
    "b": ["z"] * 400 + ["y & b=z"] * 400 + ["w"] * 400,
    "p": [0] * 400 + [0, 1] * 400,
    "c": [None] * 400 + ["(missing)"] * 400 + ["q"] * 400,
}
"""Nobody of the first 400 rows is selected, and half of all others."""


@pytest.mark.parametrize("by", [("a", "b"), ("c",)])
@pytest.mark.parametrize(
    "rule",
    [
        {"check": "fairness.impact_ratio"},
        {"check": "fairness.parity"},
        {"check": "fairness.label_bias", "require": Threshold(at_most=0.9)},
        {"check": "fairness.group_performance", "require": Threshold(at_least=0.1)},
    ],
)
def test_groups_of_one_name_are_refused_and_never_taken_for_each_other(
    rule: dict[str, Any], by: tuple[str, ...]
) -> None:
    """A group that is refused everything could hide behind the name of one that is not."""
    more = {"fairness.label_bias": {"metric": "tvd"}}
    more["fairness.group_performance"] = {"metric": "accuracy"}
    parameters = {"by": [list(by)], **more.get(rule["check"], {})}
    found = data({**_TWINS, "y": _TWINS["p"]}, label="y", prediction="p", positive=1)
    result = decided({**rule, "parameters": parameters}, found)
    assert result.outcome is Outcome.ERROR
    assert "two groups of" in result.reason


def test_a_median_that_is_the_highest_score_tells_no_groups_apart() -> None:
    """Everybody of one group scores 0 and all others 1: nobody is above the median of 1."""
    columns = {"sex": ["F"] * 1_000 + ["M"] * 3_000, "s": [0.0] * 1_000 + [1.0] * 3_000}
    found = data(columns, score="s", sensitive={"sex": None})
    for check in (Parity(of="score"), ImpactRatio(of="score")):
        (cell,) = judged(check, found).values()
        assert cell.lack is NoValue.INSUFFICIENT


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"check": "fairness.predictive_parity"}, "fewer than 30 rows predicted positive"),
        (
            {
                "check": "fairness.group_performance",
                "parameters": {"metric": "precision"},
                "require": Threshold(at_least=0.5),
            },
            "fewer than 30 rows",
        ),
        ({"check": "fairness.odds", "parameters": {"rates": ["fpr"]}}, "fewer than 30 negatives"),
    ],
)
def test_a_large_group_that_a_rate_is_undefined_in_is_not_left_out(
    rule: dict[str, Any], why: str
) -> None:
    """Nobody of a quarter of the rows is predicted positive, or labelled negative: 0/0."""
    quarter = np.arange(4_000) < 1_000
    good = np.arange(4_000) % 2
    label = np.where(quarter, 1, good)
    prediction = np.where(quarter, 0, good)
    sex = np.where(quarter, "F", np.where(np.arange(4_000) % 4 < 2, "M", "X"))
    columns = {"sex": sex, "y": label, "p": prediction}
    result = decided(rule, data(columns, **SPEC, positive=1))
    assert result.outcome is Outcome.INSUFFICIENT
    assert "25.0% of all rows are in groups with" in result.reason
    assert why in result.reason
