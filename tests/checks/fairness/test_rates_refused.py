"""What is never parity: lone, small and vanished groups, and rules that are hollowed out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from fairlearn.metrics import (
    demographic_parity_ratio,
)

from aims_gate.checks.fairness.rates import ImpactRatio, Odds, Parity, PredictiveParity
from aims_gate.checks.parameters import problems_of
from aims_gate.errors import DataError
from aims_gate.facts import NoValue
from aims_gate.frames import Scalar
from tests.checks.fairness.comparing import ALL, SPEC, only
from tests.checks.fairness.groups import counted
from tests.checks.subjects import context, data, inputs, judged


def test_a_lone_group_is_never_parity() -> None:
    """Fairlearn calls one lone group perfectly fair."""
    rows = np.array([1, 0, 1])
    assert demographic_parity_ratio(rows, rows, sensitive_features=["F"] * 3) == 1.0
    for check in (ImpactRatio(), Parity()):
        cell = only(judged(check, counted({"F": (500, 200)})))
        assert cell.lack is NoValue.INSUFFICIENT
        assert "there is nothing to compare" in cell.reason


def test_an_attribute_that_is_null_everywhere_is_one_group() -> None:
    columns = {"sex": pa.array([None] * 500, pa.string()), "p": [0, 1] * 250}
    cell = only(judged(ImpactRatio(), data(pa.table(columns), **SPEC)))
    assert cell.lack is NoValue.INSUFFICIENT
    assert "sex=(missing)" in cell.reason
    columns["sex"] = pa.nulls(500)
    cell = only(judged(ImpactRatio(), data(pa.table(columns), **SPEC)))
    assert cell.lack is NoValue.UNDEFINED
    assert "every value of sex is null, so that there are no groups" in cell.reason


def test_null_is_a_group_that_is_compared_like_any_other() -> None:
    cells = judged(ImpactRatio(), counted({"F": (500, 200), None: (100, 20)}))
    assert cells["sex=(missing) vs sex=F"].value == pytest.approx(0.5)


def test_a_group_of_29_is_named_and_neither_judged_nor_the_best() -> None:
    found = counted({"a": (700, 280), "b": (600, 200), "c": (29, 29)})
    cells = judged(ImpactRatio(), found)
    assert set(cells) == {"sex=b vs sex=a", "sex=a (best)"}
    told = context(ImpactRatio(), "selection_rate", found)["sex=c"]
    assert (told.value, told.rows) == (None, 0)
    assert told.reason == "<30 rows, below min_cell 30: not judged"
    assert "sex=c vs sex=a" not in judged(ImpactRatio(min_cell=29), found)
    assert "sex=a vs sex=c" in judged(ImpactRatio(min_cell=29), found)


def test_a_pair_of_groups_of_which_one_has_29_rows_is_a_lone_group() -> None:
    cells = judged(Parity(max_uncovered=0.5), counted({"F": (29, 2), "M": (800, 400)}))
    assert only(cells).lack is NoValue.INSUFFICIENT


@pytest.mark.parametrize("check", [ImpactRatio(), Parity()])
def test_too_many_rows_in_small_groups_are_too_little_coverage(check: Any) -> None:
    small: dict[Scalar | None, tuple[int, int]] = {f"s{i}": (20, 5) for i in range(4)}
    found = judged(check, counted({"a": (700, 200), "b": (700, 200), **small}))
    assert found["sex"].lack is NoValue.INSUFFICIENT
    assert "5.4% of the rows are in groups below min_cell 30" in found["sex"].reason
    fewer = judged(check, counted({"a": (800, 200), "b": (800, 200), **small}))
    assert "sex" not in fewer


def test_a_group_that_must_be_covered_and_is_not_is_told() -> None:
    found = counted({"a": (700, 200), "b": (650, 200), "c": (12, 3)})
    cells = judged(ImpactRatio(must_cover=("sex=a", "sex=c", "sex=bb")), found)
    assert cells["sex=c"].lack is NoValue.INSUFFICIENT
    assert "has <30 rows" in cells["sex=c"].reason
    assert cells["sex=bb"].lack is NoValue.INSUFFICIENT
    assert "did you mean 'sex=b'" in cells["sex=bb"].reason
    assert "sex=a" not in cells


def test_nobody_selected_anywhere_has_no_ratio() -> None:
    cell = only(judged(ImpactRatio(), counted({"F": (500, 0), "M": (700, 0)}, label=1)))
    assert cell.lack is NoValue.INSUFFICIENT
    assert "nobody is selected" in cell.reason


def test_nobody_selected_in_one_group_is_the_worst_ratio() -> None:
    cells = judged(ImpactRatio(), counted({"F": (500, 0), "M": (700, 70)}))
    assert cells["sex=F vs sex=M"].value == 0
    assert cells["sex=F vs sex=M"].interval is not None


def test_zero_over_zero_beside_a_real_comparison_is_told_and_decides_nothing() -> None:
    found = counted({"a": (500, 0), "b": (400, 0), "c": (700, 70)})
    cells = judged(ImpactRatio(), found)
    assert cells["sex=a vs sex=c"].value == 0
    assert cells["sex=b vs sex=c"].value == 0
    told = context(ImpactRatio(), "impact_ratio", found)
    assert told["sex=a vs sex=b"].lack is NoValue.UNDEFINED


def test_zero_over_zero_with_nothing_beside_it_is_judged_undefined() -> None:
    check = ImpactRatio(by=("sex",), reference="sex=a")
    cells = judged(check, counted({"a": (500, 0), "b": (400, 0), "c": (700, 70)}))
    assert cells["sex=b vs sex=a"].lack is NoValue.UNDEFINED
    assert cells["sex=a vs sex=c"].value == 0


def test_a_rate_that_may_be_zero_leaves_the_interval_open() -> None:
    cells = judged(ImpactRatio(), counted({"F": (40, 1), "M": (40, 2)}), alpha=1e-12)
    interval = cells["sex=F vs sex=M"].interval
    assert interval is not None
    assert interval.high > 10


def test_a_vanished_attribute_is_missing_and_the_others_are_still_judged() -> None:
    check = ImpactRatio(by=("sex", "race"))
    cells = judged(check, counted({"F": (500, 100), "M": (600, 300)}))
    assert cells["race"].lack is NoValue.MISSING
    assert cells["sex=F vs sex=M"].value == pytest.approx(0.4)


def test_an_identifier_in_the_place_of_an_attribute_is_undefined() -> None:
    found = data({"sex": [f"id {i}" for i in range(300)], "p": [0, 1] * 150}, **SPEC)
    cell = only(judged(Parity(), found))
    assert cell.lack is NoValue.UNDEFINED
    assert "300 groups, more than 250" in cell.reason


@pytest.mark.parametrize(
    ("values", "edges", "what"),
    [([[1], [2]], None, "not an attribute"), (["F", "M"], (0.0, 1.0), "bin edges, but holds text")],
)
def test_a_column_that_cannot_be_grouped_is_undefined(
    values: list[Any], edges: tuple[float, ...] | None, what: str
) -> None:
    spec = {**SPEC, "sensitive": {"sex": edges}}
    cell = only(judged(Parity(), data({"sex": values, "p": [0, 1]}, **spec)))
    assert cell.lack is NoValue.UNDEFINED
    assert what in cell.reason


@pytest.mark.parametrize("check", ALL)
def test_without_a_sensitive_column_there_is_an_error_not_a_pass(check: Any) -> None:
    found = data({"y": [0, 1], "p": [0, 1]}, label="y", prediction="p")
    with pytest.raises(DataError, match="no column is named as sensitive"):
        list(check().measure(inputs(found)))


@pytest.mark.parametrize("check", ALL)
def test_null_predictions_are_an_error(check: Any) -> None:
    columns = {"sex": ["F", "M"] * 50, "y": [0, 1] * 50, "p": [None, *[1] * 99]}
    with pytest.raises(DataError, match="1 of 100 rows are null"):
        list(check().measure(inputs(data(columns, **SPEC))))


def test_a_group_without_enough_positives_is_too_small_for_the_true_positive_rate() -> None:
    rows = {"sex": ["F"] * 200 + ["M"] * 300, "y": [1] * 29 + [0] * 171 + [1, 0] * 150}
    found = data({**rows, "p": [1, 0] * 250}, **SPEC)
    cells = judged(Odds(), found)
    assert cells["TPR sex"].lack is NoValue.INSUFFICIENT
    assert "TPR sex=F vs sex=M" not in cells
    assert any(name.startswith("FPR sex=") for name in cells)
    told = context(Odds(), "true_positive_rate", found)["sex=F"]
    assert told.reason == "<30 positives, below min_cell 30: not judged"


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"by": ((),)}, "by"),
        ({"by": ("",)}, "by"),
        ({"by": (("sex", "sex"),)}, "by"),
        ({"by": ("sex", ("sex",))}, "by"),
        ({"by": (("sex", "race"), ("race", "sex"))}, "by"),
        ({"min_cell": 0}, "min_cell"),
        ({"max_uncovered": 1.0}, "max_uncovered"),
        ({"max_uncovered": math.nan}, "max_uncovered"),
        ({"small_share": 0.5}, "small_share"),
        ({"small_share": -0.1}, "small_share"),
        ({"design_effect": 0.5}, "design_effect"),
        ({"design_effect": math.inf}, "design_effect"),
        ({"by": ("sex",), "must_cover": ("race=a",)}, "must_cover"),
        ({"reference": "sex=F"}, "reference"),
        ({"by": ("sex", "race"), "reference": "sex=F"}, "reference"),
        ({"by": ("race",), "reference": "sex=F"}, "reference"),
        ({"by": ("sex",), "reference": "sex=F", "against": "rest"}, "against"),
    ],
)
@pytest.mark.parametrize("check", ALL)
def test_a_parameter_that_would_hollow_out_the_rule_is_refused(
    check: Any, parameters: dict[str, Any], field: str
) -> None:
    assert field in {name for name, _, _ in problems_of(check(**parameters))}


@pytest.mark.parametrize("check", [Odds, PredictiveParity])
@pytest.mark.parametrize("rates", [(), ("tpr", "tpr")])
def test_odds_of_no_rate_or_of_one_twice_are_refused(check: Any, rates: tuple[Any, ...]) -> None:
    assert [name for name, _, _ in problems_of(check(rates=rates))] == ["rates"]


@pytest.mark.parametrize("check", ALL)
def test_the_defaults_and_a_full_set_of_parameters_are_sound(check: Any) -> None:
    assert list(problems_of(check())) == []
    full = check(
        by=("sex", "race", ("sex", "race")), must_cover=("sex=F", "sex=F & race=b"), min_cell=50
    )
    assert list(problems_of(full)) == []
