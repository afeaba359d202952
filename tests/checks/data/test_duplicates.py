"""Duplicates: a repeated row or key counts, and rows that could never repeat prove nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from aims_gate.checks.data.duplicates import Duplicates
from aims_gate.errors import DataError, MissingColumnError
from aims_gate.facts import NoValue
from aims_gate.policy.model import Role
from aims_gate.verdict import Outcome
from tests.checks.subjects import data, decided, inputs, judged

ROWS: dict[str, Any] = {
    "id": [1, 2, 3, 4, 4],
    "age": [30, 30, None, None, 50],
    "sex": ["F", "F", "M", "M", "M"],
    "y": [1, 1, 0, 0, 1],
}


def share(check: Duplicates, *roles: Any, **options: Any) -> float | None:
    (cell,) = judged(check, *roles, **options).values()
    return cell.value


def test_a_key_does_not_hide_that_a_row_was_copied() -> None:
    assert share(Duplicates(), data(ROWS, key="id")) == 0.4
    assert share(Duplicates(), data(ROWS)) == 0.0
    assert share(Duplicates(columns=("sex",)), data(ROWS)) == 0.6


def test_a_copy_that_was_predicted_anew_is_still_a_copy_and_another_label_or_day_is_not() -> None:
    rows = {"x": [1.5, 1.5], "p": [0.2, 0.3], "yhat": [0, 1], "y": [0, 0]}
    assert share(Duplicates(), data(rows, label="y", score="p", prediction="yhat")) == 0.5
    assert (
        share(Duplicates(), data({**rows, "y": [0, 1]}, label="y", score="p", prediction="yhat"))
        == 0
    )
    dated = {**rows, "day": [date(2026, 1, 1), date(2026, 1, 2)]}
    assert share(Duplicates(), data(dated, score="p", prediction="yhat", time="day")) == 0


def test_one_repeated_key_is_past_the_limit_and_so_is_more_than_one_row_in_a_hundred() -> None:
    rule = {"check": "data.duplicates", "parameters": {"by": "key"}}
    assert decided(rule, data(ROWS, key="id")).outcome is Outcome.FAIL
    assert decided(rule, data({"id": [1, 2]}, key="id")).outcome is Outcome.PASS
    on = {"x": [*np.linspace(0, 1, 99), 0.0]}
    past = {"x": [*np.linspace(0, 1, 98), 0.0, 0.0]}
    assert decided({"check": "data.duplicates"}, data(on)).outcome is Outcome.PASS
    assert decided({"check": "data.duplicates"}, data(past)).outcome is Outcome.FAIL


def test_two_rows_without_a_key_have_the_same_one() -> None:
    assert share(Duplicates(by="key"), data({"id": ["a", None, None, "b"]}, key="id")) == 0.25


def test_a_key_names_a_row_whatever_it_weighs() -> None:
    """A table that an engine counted first has each key once; a repeated key stays one."""
    counted = data({"id": [1, 2, 3], "n": [3, 1, 5]}, key="id", weight="n")
    assert share(Duplicates(by="key"), counted) == 0.0
    twice = data({"id": [1, 2, 2, 4], "n": [900, 1, 1, 0]}, key="id", weight="n")
    assert share(Duplicates(by="key"), twice) == pytest.approx(1 / 3)


def test_a_row_of_weight_three_is_three_equal_rows() -> None:
    weighted = data({"x": [1.5, 2.5], "n": [3, 1]}, weight="n")
    assert (
        share(Duplicates(), weighted) == share(Duplicates(), data({"x": [1.5] * 3 + [2.5]})) == 0.5
    )


def test_names_of_their_own_for_every_row_prove_nothing() -> None:
    """An identifier that nobody named as key would let every copy through."""
    copied = {"id": range(120), "x": [1.0] * 120}
    for ids in (copied["id"], [f"row-{i}" for i in range(120)]):
        cells = judged(Duplicates(), data({**copied, "id": ids}))
        assert cells[""].lack is NoValue.INSUFFICIENT
        assert "name it as key:" in cells[""].reason
    assert decided({"check": "data.duplicates"}, data(copied)).outcome is Outcome.INSUFFICIENT
    assert share(Duplicates(), data(copied, key="id")) == 119 / 120
    assert share(Duplicates(columns=("id",)), data(copied)) == 0
    assert share(Duplicates(), data({"x": np.linspace(0, 1, 120)})) == 0


def test_nothing_to_compare_is_missing_and_never_free_of_duplicates() -> None:
    for nothing in (
        data({"v": pa.nulls(3)}),
        data({"id": [1]}, key="id"),
        data({"x": pa.array([], pa.int8())}),
    ):
        assert judged(Duplicates(), nothing)[""].lack is NoValue.MISSING
        assert decided({"check": "data.duplicates"}, nothing).outcome is Outcome.MISSING


def test_a_column_or_key_that_is_not_there_refuses() -> None:
    with pytest.raises(MissingColumnError, match="did you mean 'age'"):
        list(Duplicates(columns=("agee",)).measure(inputs(data(ROWS))))
    with pytest.raises(DataError, match="state key: under data"):
        list(Duplicates(by="key").measure(inputs(data(ROWS))))
    rule = {"check": "data.duplicates", "parameters": {"by": "key"}}
    assert decided(rule, data(ROWS)).outcome is Outcome.ERROR
    assert decided(rule, data(ROWS, key="idd")).outcome is Outcome.MISSING


def test_the_rule_may_be_about_other_data() -> None:
    current = data({"x": [1.5, 1.5]}, Role.CURRENT)
    assert share(Duplicates(), current, on=Role.CURRENT) == 0.5


def test_the_share_is_that_of_pandas() -> None:
    random = np.random.default_rng(2)
    frame = pd.DataFrame(
        {"a": random.integers(0, 40, 3_000), "b": random.choice(["x", "y"], 3_000)}
    )
    assert share(Duplicates(), data(frame)) == frame.duplicated().mean()
