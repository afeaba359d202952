"""Rates of groups: their values, intervals and designs, and what the gate decides on them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    demographic_parity_ratio,
    equal_opportunity_difference,
    equalized_odds_difference,
    selection_rate,
)
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.checks.fairness.rates import ImpactRatio, Odds, Parity
from aims_gate.engines import Answer, RateComparison
from aims_gate.facts import NoValue
from aims_gate.frames import Scalar
from aims_gate.policy.model import DecideOn, Role
from aims_gate.stats.power import PairsDesign
from aims_gate.verdict import Outcome
from tests.checks.fairness.comparing import SPEC, only
from tests.checks.fairness.groups import counted
from tests.checks.subjects import context, data, decided, inputs, judged
from tests.support.laws import law

# --- decisions of the gate as a whole ---------------------------------------------------------

RATIO = {"check": "fairness.impact_ratio"}


def test_fifty_rows_a_group_never_hide_half_the_selection_rate() -> None:
    """True ratio 0.5 at a base rate of 10 %: FAIL or INSUFFICIENT in every draw, never a pass."""
    rng = np.random.default_rng(8)
    found = set()
    for _ in range(150):
        chosen = int(rng.binomial(50, 0.05)), int(rng.binomial(50, 0.10))
        found.add(
            decided(RATIO, counted({"F": (50, chosen[0]), "M": (50, chosen[1])}, label=1)).outcome
        )
    assert found <= {Outcome.FAIL, Outcome.INSUFFICIENT}
    assert Outcome.INSUFFICIENT in found


@pytest.mark.parametrize(
    ("groups", "outcome"),
    [
        ({"F": (4000, 1000), "M": (6000, 2400)}, Outcome.FAIL),
        ({"F": (4000, 1600), "M": (6000, 2400)}, Outcome.PASS),
        ({"F": (400, 155), "M": (600, 300)}, Outcome.FAIL),
        ({"F": (400, 158), "M": (600, 300)}, Outcome.WARN),
        ({"F": (60, 16), "M": (900, 300)}, Outcome.INSUFFICIENT),
        ({"F": (60, 1), "M": (900, 600)}, Outcome.FAIL),
    ],
)
def test_the_four_fifths_rule_with_the_burden_of_proof(
    groups: Mapping[Scalar | None, tuple[int, int]], outcome: Outcome
) -> None:
    assert decided(RATIO, counted(groups)).outcome is outcome


def test_a_group_under_small_share_warns_and_above_it_blocks() -> None:
    groups: dict[Scalar | None, tuple[int, int]] = {
        "a": (3000, 900),
        "b": (2000, 600),
        "c": (60, 14),
    }
    assert decided(RATIO, counted(groups)).outcome is Outcome.WARN
    strict = {**RATIO, "parameters": {"small_share": 0.0}}
    result = decided(strict, counted(groups))
    assert result.outcome is Outcome.INSUFFICIENT
    assert "does not exclude a serious 0.6; about " in result.reason
    assert "rows of the data would settle it" in result.reason


def test_a_proven_pass_is_within_reach_of_enough_rows_and_only_of_them() -> None:
    rule = {**RATIO, "decide_on": DecideOn.PROVEN_PASS}
    many = counted({"F": (40_000, 15_500), "M": (60_000, 24_000)})
    few = counted({"F": (100, 39), "M": (150, 60)})
    assert decided(rule, many).outcome is Outcome.PASS
    assert decided(rule, few).outcome is Outcome.INSUFFICIENT


def test_a_small_favoured_group_is_no_proven_pass() -> None:
    """Its own ratio is above 1 by luck; that it is not far behind is not proven."""
    rule = {**RATIO, "decide_on": DecideOn.PROVEN_PASS}
    found = counted({"a": (40_000, 16_000), "b": (40_000, 16_000), "c": (40, 20)})
    assert decided(rule, found).outcome is Outcome.INSUFFICIENT


def test_no_rows_are_missing() -> None:
    empty = data({"sex": [], "y": [], "p": []}, **SPEC)
    assert decided(RATIO, empty).outcome is Outcome.MISSING


# --- values ------------------------------------------------------------------------------------


@st.composite
def people(draw: st.DrawFn) -> dict[str, list[Any]]:
    size = draw(st.integers(80, 300))
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    return {
        "sex": rng.choice(["F", "M", "X"], size, p=[0.5, 0.3, 0.2]).tolist(),
        "y": rng.integers(0, 2, size).tolist(),
        "p": (rng.random(size) < draw(st.floats(0.2, 0.8))).astype(int).tolist(),
    }


@law(15)
@given(people())
def test_values_are_fairlearns(columns: dict[str, list[Any]]) -> None:
    """With every group large enough to be judged, on rows and on every metric."""
    y, p, sex = columns["y"], columns["p"], columns["sex"]
    found = data(columns, **SPEC)
    every: Any = {"min_cell": 1}
    told = context(ImpactRatio(**every), "least_impact_ratio", found)[""]
    ratio = demographic_parity_ratio(y, p, sensitive_features=sex)
    assert told.value == pytest.approx(ratio)
    least = [c.value for c in judged(ImpactRatio(**every), found).values() if c.value is not None]
    assert min(least) == pytest.approx(ratio)
    gaps = [c.value for c in judged(Parity(**every), found).values() if c.value is not None]
    expected = demographic_parity_difference(y, p, sensitive_features=sex)
    assert max(gaps) == pytest.approx(expected)
    odds = context(Odds(**every), "largest_gap", found)[""]
    assert odds.value == pytest.approx(equalized_odds_difference(y, p, sensitive_features=sex))
    opportunity = context(Odds(rates=("tpr",), **every), "largest_gap", found)[""]
    expected = equal_opportunity_difference(y, p, sensitive_features=sex)
    assert opportunity.value == pytest.approx(expected)
    by_group = MetricFrame(
        metrics=selection_rate, y_true=y, y_pred=p, sensitive_features=sex
    ).by_group
    rates = context(ImpactRatio(**every), "selection_rate", found)
    assert {k: s.value for k, s in rates.items()} == pytest.approx(
        {f"sex={k}": v for k, v in by_group.items()}
    )


def test_values_are_those_that_fairlearns_user_guide_prints() -> None:
    columns = {
        "y": [0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1],
        "p": [0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0],
        "sex": list("bbabbcccaacabccbcc"),
    }
    found, every = data(columns, **SPEC), {"min_cell": 1, "max_uncovered": 0.9}
    printed = {ImpactRatio: 0.66667, Parity: 0.25, Odds: 1.0}
    for check, value in printed.items():
        made: Any = check
        summary = "least_impact_ratio" if check is ImpactRatio else "largest_gap"
        told = context(made(**every), summary, found)[""]
        assert told.value == pytest.approx(value, abs=5e-6)
    rates = context(Odds(min_cell=1), "true_positive_rate", found)
    assert [rates[f"sex={g}"].value for g in "abc"] == pytest.approx([0.5, 0.6, 0.4])


def test_intersections_are_groups_of_their_own() -> None:
    rng = np.random.default_rng(4)
    columns = {
        "sex": rng.choice(["F", "M"], 2_000).tolist(),
        "old": rng.choice([True, False], 2_000, p=[0.3, 0.7]).tolist(),
        "p": rng.integers(0, 2, 2_000).tolist(),
    }
    spec: Any = {"prediction": "p", "sensitive": {"sex": None, "old": None}}
    cells = judged(ImpactRatio(by=(("sex", "old"),)), data(columns, **spec))
    names = {slice_.replace(" (best)", "").split(" vs ")[0] for slice_ in cells}
    assert names == {f"sex={s} & old={o}" for s in "FM" for o in ("true", "false")}
    alone = judged(ImpactRatio(), data(columns, **spec))
    assert not any("&" in name for name in alone)


def test_whole_numbers_name_their_group_alike_however_they_are_stored() -> None:
    """A null turns a column of whole numbers into floats in pandas; 1.0 is still group 1."""
    codes = [1.0, 2.0, math.nan] * 200
    found = data({"race": codes, "p": [0, 1] * 300}, prediction="p", sensitive={"race": None})
    rates = context(Parity(), "selection_rate", found)
    assert set(rates) == {"race=1", "race=2", "race=(missing)"}


def test_numbers_are_grouped_by_the_edges_of_the_policy() -> None:
    rng = np.random.default_rng(6)
    columns = {"age": rng.integers(18, 90, 3_000).tolist(), "p": rng.integers(0, 2, 3_000).tolist()}
    found = data(columns, prediction="p", sensitive={"age": (25.0, 45.0, 65.0)})
    rates = context(Parity(), "selection_rate", found)
    assert set(rates) == {"age=(-inf,25)", "age=[25,45)", "age=[45,65)", "age=[65,inf)"}


def test_weighted_rows_count_like_repeated_ones() -> None:
    groups: dict[Scalar | None, tuple[int, int]] = {"F": (130, 31), "M": (90, 44)}
    repeated = {
        "sex": [name for name, (n, _) in groups.items() for _ in range(n)],
        "p": [int(i < x) for n, x in groups.values() for i in range(n)],
    }
    plain = judged(ImpactRatio(), data({**repeated, "y": repeated["p"]}, **SPEC))
    assert plain == judged(ImpactRatio(), counted(groups))


def test_a_pair_says_whom_it_is_about_on_how_many_rows_and_how_sure() -> None:
    cells = judged(ImpactRatio(), counted({"F": (400, 80), "M": (600, 180)}))
    cell = cells["sex=F vs sex=M"]
    assert cell.value == pytest.approx(2 / 3)
    assert (cell.rows, cell.total) == (400, 1000)
    assert cell.engine.startswith("native ")
    assert cell.interval is not None
    assert cell.interval.level == 0.95
    assert cell.interval.method == "MOVER-R, Bonferroni over 2 ordered pairs"
    assert isinstance(cell.design, PairsDesign)
    best = cells["sex=M (best)"]
    assert (best.value, best.rows) == (1.0, 600)
    assert best.interval is not None
    assert best.interval.low == 1.0


@pytest.mark.parametrize("check", [ImpactRatio(), Parity(), Odds()])
def test_every_group_that_is_large_enough_carries_its_design(check: Any) -> None:
    rng = np.random.default_rng(9)
    columns = {
        "sex": rng.choice(list("abcde"), 4_000, p=[0.4, 0.3, 0.15, 0.1, 0.05]).tolist(),
        "y": rng.integers(0, 2, 4_000).tolist(),
        "p": rng.integers(0, 2, 4_000).tolist(),
    }
    cells = judged(check, data(columns, **SPEC))
    prefixes = ("TPR ", "FPR ") if isinstance(check, Odds) else ("",)
    for prefix in prefixes:
        for group in "abcde":
            mine = [c for name, c in cells.items() if name.startswith(f"{prefix}sex={group} ")]
            assert mine
            for cell in mine:
                assert isinstance(cell.design, PairsDesign)
                assert cell.rows in cell.design.sizes
                assert (len(cell.design.pairs), cell.design.rows) == (20, 4_000)


def test_both_rates_of_odds_share_one_correction() -> None:
    rng = np.random.default_rng(10)
    columns = {
        "sex": rng.choice(["F", "M"], 900, p=[0.4, 0.6]).tolist(),
        "y": rng.integers(0, 2, 900).tolist(),
        "p": rng.integers(0, 2, 900).tolist(),
    }
    for cell in judged(Odds(), data(columns, **SPEC)).values():
        assert cell.interval is not None
        assert "over 4 ordered pairs" in cell.interval.method


def test_a_design_effect_asks_for_more_rows_and_says_so() -> None:
    groups: dict[Scalar | None, tuple[int, int]] = {"F": (400, 155), "M": (600, 300)}
    assert decided(RATIO, counted(groups)).outcome is Outcome.FAIL
    clustered = {**RATIO, "parameters": {"design_effect": 4.0}}
    result = decided(clustered, counted(groups))
    assert result.outcome in {Outcome.WARN, Outcome.INSUFFICIENT}
    cell = judged(ImpactRatio(design_effect=4.0), counted(groups))["sex=F vs sex=M"]
    assert cell.value == pytest.approx(155 / 400 * 2)
    assert cell.interval is not None
    assert cell.interval.method.endswith("design effect 4")


def test_a_reference_is_the_only_one_that_others_are_held_against() -> None:
    groups: dict[Scalar | None, tuple[int, int]] = {
        "a": (900, 450),
        "b": (800, 300),
        "c": (700, 400),
    }
    cells = judged(ImpactRatio(by=("sex",), reference="sex=a"), counted(groups))
    assert set(cells) == {"sex=b vs sex=a", "sex=a vs sex=c", "sex=c (best)"}
    for cell in cells.values():
        assert isinstance(cell.design, PairsDesign)
        assert len(cell.design.pairs) == 4
    assert all("over 4 ordered pairs" in c.interval.method for c in cells.values() if c.interval)


@pytest.mark.parametrize("rows", [0, 12])
def test_a_reference_that_is_absent_or_small_is_insufficient(rows: int) -> None:
    groups: dict[Scalar | None, tuple[int, int]] = {"b": (800, 300), "c": (700, 400)}
    if rows:
        groups["a"] = (rows, 6)
    cell = only(judged(ImpactRatio(by=("sex",), reference="sex=a"), counted(groups)))
    assert cell.lack is NoValue.INSUFFICIENT
    assert "'sex=a' is absent or below min_cell" in cell.reason


def test_another_role_is_read_when_the_rule_names_it() -> None:
    current = data({"sex": ["F", "M"] * 50, "p": [0, 1, 1, 1] * 25}, Role.CURRENT, prediction="p")
    check = ImpactRatio(by=("sex",))
    cells = judged(check, current, on=Role.CURRENT)
    assert cells["sex=F vs sex=M"].value == 0.5


def test_an_engine_without_a_value_is_undefined_and_kept() -> None:
    class Broken:
        label = "broken 1.0"

        def ask(self, question: RateComparison) -> tuple[Answer, ...]:
            return (Answer(value=math.nan, by=self.label),) * len(question.pairs)

    found = inputs(counted({"F": (400, 80), "M": (600, 180)}))
    broken: Any = Broken()
    given = type(found)(
        subject=found.subject, engine=broken, alpha=0.05, alpha_alone=0.05, now=found.now
    )
    cells = {s.slice: s for s in ImpactRatio().measure(given) if s.judged}
    assert cells["sex=F vs sex=M"].lack is NoValue.UNDEFINED
    assert "broken 1.0 gives no value" in cells["sex=F vs sex=M"].reason
