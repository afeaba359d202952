"""Ranges: a value that is not allowed counts, and what cannot be held against one refuses."""

from __future__ import annotations

import math
import re
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from aims_gate.checks.contract import Check, NoDataError
from aims_gate.checks.data.value_limits import outside
from aims_gate.checks.parameters import problems_of
from aims_gate.errors import DataError, PolicyError
from aims_gate.facts import NoValue
from aims_gate.frames.opening import open_frame
from aims_gate.frames.widths import limit_at, narrowed
from aims_gate.plan import build
from aims_gate.policy.model import Role, Threshold
from aims_gate.verdict import Outcome
from tests.checks.subjects import context, data, decided, inputs, judged
from tests.support.engine_tables import relation
from tests.support.laws import law
from tests.support.proportions import guarded

ROWS: dict[str, Any] = {
    "age": [-1, 17, 40, 120, 121, None],
    "p": [0.0, 0.5, 1.0, 1.5, math.inf, math.nan],
    "sex": ["F", "M", "F", "X", "f", None],
    "zip": ["12345", "1234", "99999", "1234567", "x", None],
    "vip": [True, False, True, True, None, None],
}
REFERENCE: dict[str, Any] = {
    "age": [18, 60],
    "sex": ["F", "M"],
    "vip": [True, True],
    "n": [600, 600],
}


def ranges(**parameters: Any) -> Check:
    """The check as a policy's `with:` builds it."""
    return build("data.ranges", parameters)


def invalid(check: Check, *roles: Any) -> dict[str, float | None]:
    return {column: cell.value for column, cell in judged(check, *roles).items()}


@pytest.mark.parametrize(
    ("column", "allowed", "bad", "rows"),
    [
        ("age", {"at_least": 0, "at_most": 120}, 2, 5),
        ("age", {"at_least": 0}, 1, 5),
        ("age", {"at_most": 119.5}, 2, 5),
        ("age", {"one_of": [17, 40.0]}, 3, 5),
        ("p", {"at_least": 0, "at_most": 1}, 2, 5),
        ("p", {"at_least": 0}, 1, 5),
        ("p", {"one_of": ["0.5", 1]}, 4, 5),
        ("sex", {"one_of": ["F", "M"]}, 2, 5),
        ("sex", {"one_of": [1, 2]}, 5, 5),
        ("zip", {"matches": "[0-9]{5}"}, 3, 5),
        ("vip", {"one_of": [True]}, 1, 4),
        ("vip", {"one_of": [1]}, 1, 4),
        ("vip", {"one_of": ["true"]}, 4, 4),
    ],
)
def test_values_outside_of_what_is_declared_are_counted_and_nulls_are_not(
    column: str, allowed: dict[str, Any], bad: int, rows: int
) -> None:
    cell = judged(ranges(allowed={column: allowed}), data(ROWS))[column]
    assert (cell.value, cell.rows, cell.total) == (bad / rows, rows, 6)
    assert f"{6 - rows} rows are null" in cell.reason


def test_one_per_cent_is_the_limit_and_a_value_on_it_meets_it() -> None:
    rule = {"check": "data.ranges", "parameters": {"allowed": {"a": {"at_most": 9}}}}
    on, past = (data({"a": [10, 1], "n": [bad, 100 - bad]}, weight="n") for bad in (1, 2))
    assert decided(rule, on).outcome in {Outcome.PASS, Outcome.WARN}
    assert decided(rule, past).outcome is Outcome.FAIL
    assert decided({**rule, "require": Threshold(at_most=0.1)}, past).outcome is Outcome.PASS


def test_bounds_are_those_of_statsmodels_corrected_for_the_columns() -> None:
    columns = {"a": [5] * 12 + [1] * 388, "b": ["x"] * 400}
    check = ranges(allowed={"a": {"at_most": 4}, "b": {"one_of": ["x", "y"]}})
    cells = judged(check, data(columns))
    for name, bad in {"a": 12, "b": 0}.items():
        interval = cells[name].interval
        assert interval is not None
        low, high = guarded(bad, 400, 2 * 0.05 / 2)
        assert interval.low == pytest.approx(low, abs=1e-9)
        assert interval.high == pytest.approx(high, rel=1e-6)


@pytest.mark.parametrize(
    ("column", "allowed", "lack"),
    [
        ("agee", {"at_least": 0}, NoValue.MISSING),
        ("empty", {"at_least": 0}, NoValue.MISSING),
        ("nothing", {"one_of": ["a"]}, NoValue.MISSING),
        ("sex", {"at_least": 0}, NoValue.UNDEFINED),
        ("vip", {"at_least": 0}, NoValue.UNDEFINED),
        ("day", {"at_least": 0}, NoValue.UNDEFINED),
        ("age", {"matches": "[0-9]+"}, NoValue.UNDEFINED),
        ("list", {"one_of": [1]}, NoValue.UNDEFINED),
    ],
)
def test_a_column_that_cannot_be_held_against_its_range_refuses_and_hides_no_other(
    column: str, allowed: dict[str, Any], lack: NoValue
) -> None:
    rows = {
        **ROWS,
        "empty": pa.array([None] * 6, pa.float64()),
        "nothing": pa.nulls(6),
        "day": [date(2026, 1, 1)] * 6,
        "list": pa.array([[1]] * 6),
    }
    parameters = {"allowed": {column: allowed, "p": {"at_least": 0}}}
    cells = judged(ranges(**parameters), data(rows))
    assert cells[column].lack is lack
    assert cells["p"].value == 0.2
    result = decided({"check": "data.ranges", "parameters": parameters}, data(rows))
    assert result.outcome is Outcome.FAIL
    lone = {"check": "data.ranges", "parameters": {"allowed": {column: allowed}}}
    assert decided(lone, data(rows)).outcome in {Outcome.MISSING, Outcome.ERROR}


@pytest.mark.parametrize(
    ("allowed", "said"),
    [
        ({}, "allows everything"),
        ({"one_of": []}, "allows everything"),
        ({"at_least": 0, "one_of": [1]}, "two things at once"),
        ({"at_least": 2, "at_most": 1}, "above at_most"),
        ({"one_of": ["a", "a"]}, "twice"),
        ({"one_of": [1, True]}, "twice"),
        ({"one_of": [2**53]}, "2^53"),
        ({"matches": "[0-9"}, "matches"),
        ({"matches": "(?=a)"}, "look-around"),
        ({"matches": "yes)|(no"}, "matches"),
    ],
)
def test_a_range_that_means_nothing_is_a_problem_before_data_are_read(
    allowed: dict[str, Any], said: str
) -> None:
    rule = {"check": "data.ranges", "parameters": {"allowed": {"a": allowed}}}
    with pytest.raises(PolicyError, match=re.escape(said)):
        decided(rule, data({"a": [1]}))


def test_a_misspelt_or_mistyped_range_never_allows_everything() -> None:
    wrong: list[dict[str, Any]] = [
        {"at_mots": 9},
        {"at_most": "9"},
        {"at_most": True},
        {"one_of": "ab"},
    ]
    for allowed in wrong:
        with pytest.raises(ValidationError):
            ranges(allowed={"a": allowed})


def test_two_standards_at_once_and_none_are_problems() -> None:
    declared = {"a": {"at_least": 0}}
    for parameters, field in (
        ({"against": "declared"}, "against"),
        ({"against": "reference", "allowed": declared}, "against"),
        ({"columns": ["a"], "allowed": declared}, "columns"),
        ({"columns": []}, "columns"),
    ):
        assert field in {name for name, _what, _hint in problems_of(ranges(**parameters))}


def test_values_that_the_reference_does_not_span_are_outside() -> None:
    reference = data(REFERENCE, Role.REFERENCE, weight="n")
    assert invalid(ranges(), data(ROWS), reference) == {"age": 0.8, "sex": 0.4, "vip": 0.25}
    assert invalid(ranges(columns=["sex"]), data(ROWS), reference) == {"sex": 0.4}


def test_a_reference_too_small_to_span_what_there_is_is_insufficient() -> None:
    """The ends of 999 values are passed by chance alone about twice in a thousand rows."""
    few = data({**REFERENCE, "n": [499, 500]}, Role.REFERENCE, weight="n")
    cells = judged(ranges(), data(ROWS), few)
    assert {cell.lack for cell in cells.values()} == {NoValue.INSUFFICIENT}
    nulls = data({"age": [18, None], "n": [999, 500]}, Role.REFERENCE, weight="n")
    assert judged(ranges(), data(ROWS), nulls)["age"].lack is NoValue.INSUFFICIENT
    random = np.random.default_rng(3)
    outside = [
        invalid(
            ranges(),
            data({"x": random.normal(size=1_000)}),
            data({"x": random.normal(size=1_000)}, Role.REFERENCE),
        )["x"]
        for _ in range(50)
    ]
    assert max(share or 0 for share in outside) < 0.01


def test_a_column_that_vanished_or_changed_its_kind_refuses() -> None:
    reference = data(
        {**REFERENCE, "gone": [1, 2], "p": ["a", "b"], "none": [math.nan] * 2},
        Role.REFERENCE,
        weight="n",
    )
    cells = judged(ranges(), data({**ROWS, "none": [1.0] * 6}), reference)
    assert cells["gone"].lack is NoValue.MISSING
    assert cells["p"].lack is NoValue.UNDEFINED
    assert cells["none"].lack is NoValue.INSUFFICIENT
    infinite = data({"age": [math.inf, -math.inf], "n": [600, 600]}, Role.REFERENCE, weight="n")
    assert judged(ranges(), data(ROWS), infinite)["age"].lack is NoValue.UNDEFINED


def test_roles_and_times_are_left_out_by_name_unless_they_are_named() -> None:
    columns = {"y": [0, 1], "day": [date(2026, 1, 1)] * 2, "age": [20, 30], "n": [600, 600]}
    reference = data(columns, Role.REFERENCE, weight="n", label="y")
    now = data({"y": [7, 7], "age": [25, 25], "day": [date(2027, 1, 1)] * 2}, label="y")
    assert invalid(ranges(), now, reference) == {"age": 0}
    assert set(context(ranges(), "left_out", now, reference)) == {"y", "day", "n"}
    named = judged(ranges(columns=["y", "day"]), now, reference)
    assert named["y"].value == 1
    assert named["day"].lack is NoValue.UNDEFINED


def test_nothing_to_look_at_and_nothing_to_compare_with_are_missing() -> None:
    reference = data({"day": [date(2026, 1, 1)] * 2}, Role.REFERENCE)
    assert judged(ranges(), data(ROWS), reference)[""].lack is NoValue.MISSING
    with pytest.raises(NoDataError):
        list(ranges().measure(inputs(data(ROWS))))
    assert decided({"check": "data.ranges"}, data(ROWS)).outcome is Outcome.MISSING
    with pytest.raises(DataError, match="themselves"):
        list(ranges().measure(inputs(reference, on=Role.REFERENCE)))


def test_no_value_of_a_row_stands_in_a_reason() -> None:
    cells = judged(ranges(allowed={"sex": {"one_of": ["F"]}, "age": {"at_most": 9}}), data(ROWS))
    assert not re.search(r"121|X|'f'", " ".join(cell.reason for cell in cells.values()))


@law(40)
@given(
    values=st.lists(st.none() | st.integers(-5, 5), min_size=1, max_size=30),
    low=st.integers(-5, 5),
    high=st.integers(-5, 5),
)
def test_the_share_is_that_of_a_plain_count_and_falls_as_the_range_widens(
    values: list[int | None], low: int, high: int
) -> None:
    held = [value for value in values if value is not None]
    if not held or low > high:
        return
    found = data({"a": pa.array(values, pa.int32())})
    share = invalid(ranges(allowed={"a": {"at_least": low, "at_most": high}}), found)["a"]
    wider = invalid(ranges(allowed={"a": {"at_least": low - 1, "at_most": high + 1}}), found)["a"]
    listed = invalid(ranges(allowed={"a": {"one_of": [*range(low, high + 1)]}}), found)["a"]
    assert share == listed == sum(not low <= value <= high for value in held) / len(held)
    assert wider is not None
    assert wider <= share


_NEAR = [0.1, float(np.float32(0.1)), float(np.nextafter(np.float32(0.1), np.float32(1)))]
_NEAR += [math.nextafter(value, end) for value in _NEAR for end in (-1, 1)]
_NEAR += [(_NEAR[1] + _NEAR[2]) / 2, 0.0, -0.0, 5e-324, 1e38, 1e300, math.inf, -math.inf]


@law(30)
@given(
    values=st.lists(st.sampled_from(_NEAR), min_size=1, max_size=8),
    ends=st.tuples(*[st.none() | st.sampled_from([v for v in _NEAR if abs(v) < 1e300])] * 2),
    widths=st.tuples(*[st.sampled_from([32, 64])] * 2),
)
def test_values_are_outside_of_a_range_at_the_narrower_width(
    values: list[float], ends: tuple[float | None, float | None], widths: tuple[int, int]
) -> None:
    """Counts of cells say what a look at each value says, rounded as it and the limits are."""
    low, high = ends
    if None not in ends and low > high:  # type: ignore[operator]  # of two numbers
        low, high = high, low
    own, bits = widths
    if bits < own:  # limits are values of that width, then
        low, high = (None if end is None else float(np.float32(end)) for end in (low, high))
    stored = narrowed(np.array(values), own)
    column = pa.array(stored, pa.float32() if own == 32 else pa.float64())
    ours = narrowed(stored, min(widths))
    least, most = (None if end is None else limit_at(end, min(widths)) for end in (low, high))
    bad = sum(
        math.isinf(kept)
        or (least is not None and value < least)
        or (most is not None and value > most)
        for value, kept in zip(ours, stored, strict=True)
    )
    for held in (pa.table({"x": column}), relation(pa.table({"x": column}))):
        assert outside(open_frame(held), "x", low, high, bits=bits) == bad
