"""Pools of small groups, groups against everybody else, and who counts as selected."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.checks.fairness.rates import ImpactRatio, Odds, Parity
from aims_gate.errors import DataError
from aims_gate.facts import NoValue
from aims_gate.sources.subject import Data
from aims_gate.stats.power import PairsDesign
from aims_gate.verdict import Outcome
from tests.checks.fairness.comparing import SPEC
from tests.checks.fairness.groups import counted
from tests.checks.fairness.people import people
from tests.checks.subjects import context, data, decided, inputs, judged
from tests.published.tables import columns
from tests.support.laws import law

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
        "<30 rows, below min_cell 30: judged only within sex=(small groups)"
    )


def test_a_pool_below_min_cell_is_as_uncovered_as_its_groups() -> None:
    found = counted({"a": (300, 120), "b": (200, 80), "c": (14, 2), "d": (15, 1)})
    cells = judged(ImpactRatio(pool_small=True), found)
    assert cells["sex"].lack is NoValue.INSUFFICIENT
    assert not any("small groups" in name for name in cells)


def test_a_pool_is_no_company_for_a_lone_group() -> None:
    """One large group and a pool are two groups; a pool alone is not."""
    found = counted({"a": (500, 200), "c": (20, 2), "d": (15, 1)})
    assert "sex=(small groups) vs sex=a" in judged(Parity(pool_small=True), found)
    few = counted({"c": (20, 2), "d": (15, 1), "e": (10, 4)})
    assert judged(Parity(pool_small=True), few)["sex"].lack is NoValue.INSUFFICIENT


def test_what_must_be_covered_is_not_covered_by_a_pool() -> None:
    found = counted({"a": (700, 280), "b": (600, 240), "c": (20, 2), "d": (15, 1)})
    check = ImpactRatio(pool_small=True, must_cover=("sex=c", "sex=(small groups)"))
    cells = judged(check, found)
    assert cells["sex=c"].lack is NoValue.INSUFFICIENT
    assert "sex=(small groups)" not in cells


def test_a_group_that_calls_itself_the_pool_is_refused() -> None:
    found = counted({"a": (700, 280), "(small groups)": (600, 240), "c": (20, 2)})
    cell = judged(ImpactRatio(pool_small=True), found)["sex"]
    assert cell.lack is NoValue.UNDEFINED
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
    small = [s for s in rates.values() if s.lack is NoValue.INSUFFICIENT]
    assert sorted(s.rows for s in small) == [0, 0, 0, 0]
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
        if "#" in name:  # of one row, which has no name
            continue
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
    for cell in cells.values():
        assert cell.interval is not None
        assert "over 6 ordered pairs" in cell.interval.method
        assert isinstance(cell.design, PairsDesign)


def test_of_two_groups_each_is_everybody_else() -> None:
    found = counted({"a": (900, 450), "b": (800, 300)})
    assert judged(ImpactRatio(against="rest"), found) == judged(ImpactRatio(), found)


@pytest.mark.parametrize("check", [ImpactRatio, Parity])
def test_a_lone_group_is_not_fair_to_a_rest_that_is_too_small(check: Any) -> None:
    found = counted({"a": (900, 450), "b": (20, 3), "c": (12, 3)})
    (cell,) = judged(check(against="rest"), found).values()
    assert cell.lack is NoValue.INSUFFICIENT


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


@law(25)
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
    assert cells["sex"].lack is NoValue.INSUFFICIENT
    assert "nobody scores above the median in any group" in cells["sex"].reason


def test_labels_are_asked_without_a_model() -> None:
    table = people()
    found = data(table, label="y", sensitive={"sex": None})
    rates = context(Parity(of="label"), "label_rate", found)
    for group in "FMX":
        assert rates[f"sex={group}"].value == pytest.approx(
            table["y"][table["sex"] == group].mean()
        )
