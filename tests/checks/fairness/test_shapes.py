"""Pools of small groups, groups against everybody else, and who counts as selected."""

from __future__ import annotations

import math
from pathlib import Path
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
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_score

from aims_gate.checks.fairness.rates import ImpactRatio, Odds, Parity, PredictiveParity
from aims_gate.errors import DataError
from aims_gate.facts import Lack
from aims_gate.policy.model import DecideOn, Threshold
from aims_gate.sources.subject import Data
from aims_gate.stats.power import GroupDesign
from aims_gate.verdict import Outcome
from tests.checks.fairness.groups import counted
from tests.checks.subjects import context, data, decided, inputs, judged
from tests.published.tables import columns

SPEC: dict[str, Any] = {"label": "y", "prediction": "p", "sensitive": {"sex": None}}


def people(rows: int = 1_500, seed: int = 3, **more: Any) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    sex = rng.choice(["F", "M", "X"], rows, p=[0.5, 0.38, 0.12])
    y = (rng.random(rows) < 0.3 + 0.2 * (sex == "M")).astype(int)
    p = (rng.random(rows) < 0.2 + 0.5 * y + 0.1 * (sex == "X")).astype(int)
    return {"sex": sex, "y": y, "p": p, "s": np.round(rng.random(rows) + 0.2 * y, 2), **more}


# --- small groups together --------------------------------------------------------------------


def test_small_groups_are_judged_together_on_request_and_named() -> None:
    found = counted({"a": (700, 280), "b": (600, 240), "c": (20, 2), "d": (15, 1)})
    alone = judged(ImpactRatio(max_uncovered=0.1), found)
    assert not any("small groups" in name for name in alone)
    cells = judged(ImpactRatio(pool_small=True), found)
    assert cells["sex=(small groups) vs sex=a"].value == pytest.approx(3 / 35 / 0.4)
    assert cells["sex=(small groups) vs sex=a"].rows == 35
    told = context(ImpactRatio(pool_small=True), "selection_rate", found)
    assert told["sex=c"].value is None
    assert told["sex=c"].reason == (
        "20 rows, below min_cell 30: judged only within sex=(small groups)"
    )


def test_a_pool_below_min_cell_is_as_uncovered_as_its_groups() -> None:
    found = counted({"a": (300, 120), "b": (200, 80), "c": (14, 2), "d": (15, 1)})
    cells = judged(ImpactRatio(pool_small=True), found)
    assert cells["sex"].lack is Lack.INSUFFICIENT
    assert not any("small groups" in name for name in cells)


def test_a_pool_is_no_company_for_a_lone_group() -> None:
    """One large group and a pool are two groups; a pool alone is not."""
    found = counted({"a": (500, 200), "c": (20, 2), "d": (15, 1)})
    assert "sex=(small groups) vs sex=a" in judged(Parity(pool_small=True), found)
    few = counted({"c": (20, 2), "d": (15, 1), "e": (10, 4)})
    assert judged(Parity(pool_small=True), few)["sex"].lack is Lack.INSUFFICIENT


def test_what_must_be_covered_is_not_covered_by_a_pool() -> None:
    found = counted({"a": (700, 280), "b": (600, 240), "c": (20, 2), "d": (15, 1)})
    check = ImpactRatio(pool_small=True, must_cover=("sex=c", "sex=(small groups)"))
    cells = judged(check, found)
    assert cells["sex=c"].lack is Lack.INSUFFICIENT
    assert "sex=(small groups)" not in cells


def test_a_group_that_calls_itself_the_pool_is_refused() -> None:
    found = counted({"a": (700, 280), "(small groups)": (600, 240), "c": (20, 2)})
    cell = judged(ImpactRatio(pool_small=True), found)["sex"]
    assert cell.lack is Lack.UNDEFINED
    assert "as the pool is" in cell.reason


def test_a_pool_of_intersections_has_a_name_for_each_column() -> None:
    rng = np.random.default_rng(1)
    race = rng.choice(list("abcdef"), 900, p=[0.5, 0.44, 0.015, 0.015, 0.015, 0.015])
    found = data({**people(900), "race": race}, **SPEC)
    cells = judged(Parity(by=(("sex", "race"),), pool_small=True), found)
    assert any(name.startswith("sex=(small groups) & race=(small groups) ") for name in cells)


def census(**spec: Any) -> Data:
    table = columns(Path(__file__).parent / "ma_employment.csv")
    numbers = {name: list(map(int, table[name])) for name in ("employed", "prediction", "n")}
    roles: dict[str, Any] = {"label": "employed", "prediction": "prediction", "weight": "n"}
    return data({**table, **numbers}, **roles, sensitive={"SEX": None, "RAC1P": None}, **spec)


def test_seventeen_groups_of_real_people_of_which_four_are_tiny_are_decided() -> None:
    """Sex and race of 68,785 people: 41 of them are in groups of 1 to 18, judged together."""
    parameters = {"by": [["SEX", "RAC1P"]], "pool_small": True}
    rule = {"check": "fairness.parity", "parameters": parameters}
    result = decided(rule, census())
    assert result.outcome in {Outcome.WARN, Outcome.FAIL}
    names = [s.slice for s in result.statistics if s.judged]
    assert any(name.startswith("SEX=(small groups) & RAC1P=(small groups)") for name in names)
    rates = {s.slice: s for s in result.statistics if s.name == "selection_rate"}
    small = [s for s in rates.values() if s.lack is Lack.INSUFFICIENT]
    assert sorted(s.rows for s in small) == [1, 9, 13, 18]
    pool = rates["SEX=(small groups) & RAC1P=(small groups)"]
    assert pool.rows == 41


def test_rates_of_intersections_are_those_of_a_plain_count() -> None:
    """Selection and true positive rates of every judged cell of sex and race, from the table."""
    table = columns(Path(__file__).parent / "ma_employment.csv")
    rows = list(zip(*table.values(), strict=True))
    by: Any = (("SEX", "RAC1P"),)
    selected = context(Parity(by=by), "selection_rate", census())
    hits = context(Odds(by=by), "true_positive_rate", census())
    assert len(selected) == 17
    for name, told in selected.items():
        sex, race = (part.split("=")[1] for part in name.split(" & "))
        mine = [(y, p, int(n)) for s, r, y, p, n in rows if (s, r) == (sex, race)]
        if told.value is not None:
            total = sum(n for _, _, n in mine)
            assert told.value == pytest.approx(sum(n for _, p, n in mine if p == "1") / total)
        if hits[name].value is not None:
            positives = sum(n for y, _, n in mine if y == "1")
            right = sum(n for y, p, n in mine if y == p == "1")
            assert hits[name].value == pytest.approx(right / positives)


# --- each group against everybody else ---------------------------------------------------------


def test_each_group_is_held_against_everybody_else_in_both_directions() -> None:
    found = counted({"a": (900, 450), "b": (800, 300), "c": (700, 400), "d": (20, 20)})
    cells = judged(ImpactRatio(against="rest"), found)
    rest_of_b = (450 + 400 + 20) / (900 + 700 + 20)
    assert cells["sex=b vs all but sex=b"].value == pytest.approx(300 / 800 / rest_of_b)
    assert cells["all but sex=c vs sex=c"].value == pytest.approx(770 / 1720 / (400 / 700))
    assert len(cells) == 6
    for name, cell in cells.items():
        assert cell.interval is not None
        assert "over 6 ordered pairs" in cell.interval.method
        assert isinstance(cell.design, GroupDesign) == name.startswith("sex=")


def test_of_two_groups_each_is_everybody_else() -> None:
    found = counted({"a": (900, 450), "b": (800, 300)})
    assert judged(ImpactRatio(against="rest"), found) == judged(ImpactRatio(), found)


@pytest.mark.parametrize("check", [ImpactRatio, Parity])
def test_a_lone_group_is_not_fair_to_a_rest_that_is_too_small(check: Any) -> None:
    found = counted({"a": (900, 450), "b": (20, 3), "c": (12, 3)})
    (cell,) = judged(check(against="rest"), found).values()
    assert cell.lack is Lack.INSUFFICIENT


# --- who counts as selected --------------------------------------------------------------------


def test_scores_above_the_median_are_the_selected_ones() -> None:
    table = people()
    found = data(table, score="s", sensitive={"sex": None})
    above = table["s"] > np.median(table["s"])
    rates = context(ImpactRatio(of="score"), "scoring_rate", found)
    for group in "FMX":
        assert rates[f"sex={group}"].value == pytest.approx(above[table["sex"] == group].mean())
    least = min(s.value for s in rates.values() if s.value)
    most = max(s.value for s in rates.values() if s.value)
    ratios = judged(ImpactRatio(of="score"), found).values()
    assert min(c.value for c in ratios if c.value is not None) == pytest.approx(least / most)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(-3, 6), min_size=60, max_size=90), st.integers(0, 50))
def test_the_median_is_numpys_and_weights_are_repeated_rows(scores: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    sex, times = rng.choice(["F", "M"], len(scores)), rng.integers(1, 4, len(scores))
    plain = {"sex": np.repeat(sex, times), "s": np.repeat(np.array(scores, dtype=float), times)}
    weighted = {"sex": sex, "s": np.array(scores, dtype=float), "n": times}
    check = Parity(of="score", min_cell=1)
    spec: dict[str, Any] = {"score": "s", "sensitive": {"sex": None}}
    one = context(check, "scoring_rate", data(plain, **spec))
    other = context(check, "scoring_rate", data(weighted, weight="n", **spec))
    assert one == other
    above = plain["s"] > np.median(plain["s"])
    for group, told in one.items():
        assert told.value == pytest.approx(above[plain["sex"] == group[-1]].mean())


@pytest.mark.parametrize("bad", [math.inf, -math.inf])
def test_an_infinite_score_is_an_error(bad: float) -> None:
    table = people()
    table["s"][4] = bad
    with pytest.raises(DataError, match="not finite"):
        list(Parity(of="score").measure(inputs(data(table, score="s", sensitive={"sex": None}))))


def test_a_score_that_is_nan_or_the_same_for_everybody_is_no_parity() -> None:
    table = people()
    table["s"][4] = math.nan
    with pytest.raises(DataError, match="null where they must not be"):
        list(Parity(of="score").measure(inputs(data(table, score="s", sensitive={"sex": None}))))
    table["s"][:] = 0.5
    cells = judged(ImpactRatio(of="score"), data(table, score="s", sensitive={"sex": None}))
    assert cells["sex"].lack is Lack.INSUFFICIENT
    assert "nobody scores above the median in any group" in cells["sex"].reason


def test_labels_are_asked_without_a_model() -> None:
    table = people()
    found = data(table, label="y", sensitive={"sex": None})
    rates = context(Parity(of="label"), "label_rate", found)
    for group in "FMX":
        assert rates[f"sex={group}"].value == pytest.approx(
            table["y"][table["sex"] == group].mean()
        )


# --- rates and what is told beside them --------------------------------------------------------

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
    assert told.reason == "0 rows predicted positive, below min_cell 30: not judged"


def test_a_ratio_of_rates_that_are_zero_everywhere_is_undefined_and_told() -> None:
    table = people()
    table["p"] = table["y"]
    cells = judged(Odds(rates=("fpr",), compare="ratio"), data(table, **SPEC))
    assert cells["FPR sex"].lack is Lack.INSUFFICIENT
    assert "the false positive rate is 0 in any group: no ratio" in cells["FPR sex"].reason
    told = context(Odds(rates=("fpr",)), "false_positive_rate_ratio", data(table, **SPEC))
    assert {s.lack for s in told.values()} == {Lack.UNDEFINED}


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


@settings(deadline=None, max_examples=20)
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


@settings(deadline=None, max_examples=25)
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


@settings(deadline=None, max_examples=40)
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
        assert cell.lack is Lack.INSUFFICIENT


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
