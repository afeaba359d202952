"""Missing values: what is absent or nothing but null never passes."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.checks.contract import NoDataError
from aims_gate.checks.data.missing import Missing
from aims_gate.checks.parameters import problems_of
from aims_gate.facts import NoValue
from aims_gate.plan import build
from aims_gate.policy.model import Role, Threshold
from aims_gate.sources.predictions import derive_prediction
from aims_gate.verdict import Outcome
from tests.checks.subjects import data, decided, inputs, judged
from tests.support.laws import law
from tests.support.proportions import guarded

COLUMNS: dict[str, Any] = {
    "age": [30, None, 50, 60],
    "sex": ["F", "M", None, None],
    "y": [1, 0, 1, 0],
}


def test_without_data_there_is_nothing_to_measure() -> None:
    with pytest.raises(NoDataError):
        list(Missing().measure(inputs(data(COLUMNS, Role.REFERENCE))))


def test_a_derived_prediction_is_no_column_that_came_with_the_data() -> None:
    found = data({"y": [1, 0], "p": [0.9, 0.1]}, label="y", score="p")
    assert set(judged(Missing(), derive_prediction(found))) == {"y", "p"}


def test_the_share_of_nulls_and_its_bounds_are_those_of_statsmodels() -> None:
    rows = 400
    found = data(
        {"a": [None] * 30 + [1] * 370, "b": [1.0] * 399 + [float("nan")], "c": ["x"] * rows}
    )
    cells = judged(Missing(), found)
    for name, nulls in {"a": 30, "b": 1, "c": 0}.items():
        interval = cells[name].interval
        assert interval is not None
        low, high = guarded(nulls, rows, 2 * 0.05 / 3)
        assert cells[name].value == nulls / rows
        assert interval.low == pytest.approx(low, abs=1e-9)
        assert interval.high == pytest.approx(high, rel=1e-6)
        assert interval.level == pytest.approx(0.90)


def test_five_per_cent_is_the_limit_and_a_value_on_it_meets_it() -> None:
    on = data({"a": [None] * 5 + [1] * 95})
    past = data({"a": [None] * 6 + [1] * 94})
    assert decided({"check": "data.missing"}, on).outcome in {Outcome.PASS, Outcome.WARN}
    assert decided({"check": "data.missing"}, past).outcome is Outcome.FAIL
    lenient = {"check": "data.missing", "require": Threshold(at_most=0.5)}
    assert decided(lenient, past).outcome is Outcome.PASS


def test_a_column_of_nothing_but_nulls_is_missing_entirely() -> None:
    for empty in (pa.nulls(40), pa.array([None] * 40, pa.string()), [float("nan")] * 40):
        cells = judged(Missing(columns=("a",)), data({"a": empty, "b": [1] * 40}))
        assert cells["a"].value == 1
    assert decided({"check": "data.missing"}, data({"a": pa.nulls(40)})).outcome is Outcome.FAIL


def test_a_named_column_that_is_not_there_is_missing_with_the_near_name() -> None:
    cells = judged(Missing(columns=("agee", "sex")), data(COLUMNS))
    assert cells["agee"].lack is NoValue.MISSING
    assert "did you mean 'age'" in cells["agee"].reason
    assert cells["sex"].value == 0.5
    rule = {"check": "data.missing", "parameters": {"columns": ["agee"]}}
    assert decided(rule, data(COLUMNS)).outcome is Outcome.MISSING


def test_no_rows_and_no_columns_are_missing_and_never_complete() -> None:
    for nothing in (data({"a": pa.array([], pa.int64())}), data({})):
        assert {cell.lack for cell in judged(Missing(), nothing).values()} == {NoValue.MISSING}
        assert decided({"check": "data.missing"}, nothing).outcome is Outcome.MISSING


def test_weighted_rows_count_as_often_as_their_weight() -> None:
    cells = judged(Missing(columns=("a",)), data({"a": [None, 1], "n": [1, 99]}, weight="n"))
    assert (cells["a"].value, cells["a"].rows) == (0.01, 100)


def test_the_rule_may_be_about_other_data() -> None:
    current = data({"a": [None, 1]}, Role.CURRENT)
    assert judged(Missing(), current, on=Role.CURRENT)["a"].value == 0.5


@pytest.mark.parametrize("columns", [[], [""], ["a", "a"]])
def test_a_list_of_columns_that_names_none_or_one_twice_is_a_problem(columns: list[str]) -> None:
    assert list(problems_of(build("data.missing", {"columns": columns})))


@law(60)
@given(values=st.lists(st.none() | st.integers(0, 3), min_size=1, max_size=40))
def test_one_more_null_never_looks_better(values: list[int | None]) -> None:
    if None not in values:
        values = [*values, None]
    fewer = list(values)
    fewer[fewer.index(None)] = 1
    more, less = (
        judged(Missing(), data({"a": pa.array(found, pa.int64())}))["a"]
        for found in (values, fewer)
    )
    assert more.value is not None
    assert less.value is not None
    assert more.interval is not None
    assert less.interval is not None
    assert more.value > less.value
    assert more.interval.low >= less.interval.low
    assert more.interval.high >= less.interval.high
