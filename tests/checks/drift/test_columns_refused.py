"""What never passes for stable: columns that are gone, null, few, or compared by no method."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from aims_gate.checks.contract import NoDataError
from aims_gate.checks.drift.columns import Columns
from aims_gate.checks.parameters import problems_of
from aims_gate.facts import NoValue
from aims_gate.verdict import Outcome
from tests.checks.drift.methods import (
    ALL,
    BINNED,
    ORDERED,
    RULE,
    WASSERSTEIN,
    current,
    normal,
    reference,
    rule,
)
from tests.checks.subjects import decided, inputs, judged


def test_a_vanished_column_is_missing_and_the_others_are_still_judged() -> None:
    before = reference({"x": normal(500, 1), "gone": normal(500, 2)})
    cells = judged(Columns(), before, current({"x": normal(400, 3)}))
    assert cells["gone"].lack is NoValue.MISSING
    assert "no column 'gone' in the current data" in cells["gone"].reason
    assert cells["x"].value is not None
    assert decided(RULE, before, current({"x": normal(400, 3)})).outcome is Outcome.MISSING


def test_a_named_column_that_the_reference_lacks_is_missing() -> None:
    both = reference({"income": normal(500, 1)}), current({"income": normal(500, 2)})
    cells = judged(Columns(columns=("incom", "income")), *both)
    assert cells["incom"].lack is NoValue.MISSING
    assert "in the reference data; did you mean 'income'?" in cells["incom"].reason


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ([1, 2] * 200, ["1", "2"] * 200, "number to text"),
        (["1", "2"] * 200, [1, 2] * 200, "text to number"),
        ([True, False] * 200, [1, 0] * 200, "boolean to number"),
        ([datetime(2026, 1, 1, tzinfo=UTC)] * 400, ["2026-01-01"] * 400, "time to text"),
    ],
)
@pytest.mark.parametrize("named", [False, True])
def test_a_column_that_changed_its_kind_is_undefined(
    before: list[Any], after: list[Any], told: str, *, named: bool
) -> None:
    check = Columns(columns=("x",)) if named else Columns()
    cells = judged(check, reference({"x": before}), current({"x": after}))
    assert cells["x"].lack is NoValue.UNDEFINED
    assert cells["x"].reason == f"type changed from {told}"


@pytest.mark.parametrize("check", ALL)
def test_a_column_that_turned_null_has_drifted_as_far_as_it_can(check: Columns) -> None:
    columns = {"x": pa.array([math.nan] * 400, pa.float64())}
    both = reference({"x": normal(500, 1)}), current(pa.table(columns))
    cell = judged(check, *both)["x"]
    if check in ORDERED:
        assert cell.lack is NoValue.UNDEFINED
        assert f"{check.numeric} does not see nulls" in cell.reason
        assert decided(rule(check), *both).outcome is Outcome.ERROR
    else:
        assert cell.value is not None
        assert cell.value > 0.9 * min(check.judged().high, 5)
        assert decided(rule(check), *both).outcome is Outcome.FAIL


@pytest.mark.parametrize("check", ALL)
def test_a_column_that_was_null_all_along_has_no_drift_or_no_values(check: Columns) -> None:
    columns = pa.table({"x": pa.array([None] * 400, pa.float64())})
    cell = judged(check, reference(columns), current(columns))["x"]
    if check in ORDERED:
        assert (cell.lack, cell.reason) == (NoValue.UNDEFINED, "there are no values")
    else:
        assert (cell.value, cell.reason) == (0, "one value in both samples")


@pytest.mark.parametrize("check", ALL)
def test_one_row_is_insufficient(check: Columns) -> None:
    for both in (
        (reference({"x": [1.0]}), current({"x": normal(500, 1)})),
        (reference({"x": normal(500, 1)}), current({"x": [1.0]})),
    ):
        assert judged(check, *both)["x"].lack is NoValue.INSUFFICIENT
        assert decided(rule(check), *both).outcome is Outcome.INSUFFICIENT


@pytest.mark.parametrize("check", ALL)
def test_a_vanished_or_changed_column_is_refused_whatever_the_method(check: Columns) -> None:
    before = reference({"x": normal(500, 1), "y": normal(500, 2)})
    gone = current({"x": normal(500, 3)})
    changed = current({"x": normal(500, 3), "y": ["a", "b"] * 250})
    assert judged(check, before, gone)["y"].lack is NoValue.MISSING
    assert judged(check, before, changed)["y"].lack is NoValue.UNDEFINED
    assert decided(rule(check), before, gone).outcome is Outcome.MISSING
    assert decided(rule(check), before, changed).outcome is Outcome.ERROR


@pytest.mark.parametrize("check", BINNED)
def test_an_unseen_category_or_new_nulls_are_drift_by_every_method(check: Columns) -> None:
    before = reference({"kind": ["a", "b"] * 1_000})
    for new in ("new", None):
        kinds: list[str | None] = [*["a", "b"] * 800, *[new] * 400]
        after = current({"kind": kinds})
        assert decided(rule(check), before, after).outcome is Outcome.FAIL


@pytest.mark.parametrize("check", ALL)
def test_each_method_is_quiet_without_drift_and_refuses_a_large_one(check: Columns) -> None:
    both = reference({"x": normal(3_000, 1)}), current({"x": normal(2_000, 2)})
    assert decided(rule(check), *both).outcome is Outcome.PASS
    moved = current({"x": normal(2_000, 2, shift=0.9)})
    assert decided(rule(check), both[0], moved).outcome is Outcome.FAIL


@pytest.mark.parametrize("check", ALL)
def test_each_method_says_how_many_rows_it_needs(check: Columns) -> None:
    """A serious drift that is not far beyond the limit needs more than 130 rows a side."""
    columns = [f"c{i}" for i in range(20)]
    rows = normal(130, 1), normal(130, 2, shift=0.35)
    both = reference(dict.fromkeys(columns, rows[0])), current(dict.fromkeys(columns, rows[1]))
    serious = 1.05 * (check.judged().limit or math.nan)
    result = decided({**rule(check), "serious": serious}, *both)
    assert result.outcome is Outcome.INSUFFICIENT
    told = r"about [\d,]+ current rows would|more reference rows are needed"
    assert re.search(told, result.reason)


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_a_share_of_new_nulls_is_drift_for_psi_and_undefined_for_wasserstein(share: float) -> None:
    rows = np.array(normal(2_000, 2))
    rows[: int(share * 2_000)] = math.nan
    both = reference({"x": normal(2_000, 1)}), current({"x": rows.tolist()})
    assert decided(RULE, *both).outcome in {Outcome.WARN, Outcome.FAIL}
    assert judged(WASSERSTEIN, *both)["x"].lack is NoValue.UNDEFINED


@pytest.mark.parametrize("check", ALL)
def test_infinite_values_are_the_greatest_there_are_and_have_no_wasserstein(check: Columns) -> None:
    both = reference({"x": normal(500, 1)}), current({"x": [*normal(250, 2), *[math.inf] * 250]})
    cell = judged(check, *both)["x"]
    if check.numeric == "wasserstein":
        assert cell.lack is NoValue.UNDEFINED
        assert cell.reason == "there are infinite values"
    else:
        assert cell.value is not None
        assert cell.value > (check.judged().limit or math.inf)


@pytest.mark.parametrize("check", [Columns(), WASSERSTEIN])
@pytest.mark.parametrize(("n", "m"), [(99, 5_000), (5_000, 99)])
def test_99_rows_are_insufficient_even_for_a_huge_drift(check: Columns, n: int, m: int) -> None:
    both = reference({"x": normal(n, 1)}), current({"x": normal(m, 2, shift=9)})
    cell = judged(check, *both)["x"]
    assert cell.lack is NoValue.INSUFFICIENT
    assert "fewer than 100; observed" in cell.reason


def test_samples_that_cannot_show_a_serious_drift_are_insufficient_with_the_rows_needed() -> None:
    columns = [f"c{i:02}" for i in range(20)]
    before = reference({c: normal(100, i) for i, c in enumerate(columns)})
    after = current({c: normal(100, 50 + i) for i, c in enumerate(columns)})
    result = decided(RULE, before, after)
    assert result.outcome is Outcome.INSUFFICIENT
    assert "does not exclude a serious 0.5; about " in result.reason
    assert "current rows would settle it in 80 % of cases if there is no effect" in result.reason


def test_no_rows_are_missing_never_no_drift() -> None:
    empty = pa.table({"x": pa.array([], pa.float64())})
    for both in (
        (reference(empty), current({"x": normal(500, 1)})),
        (reference({"x": normal(500, 1)}), current(empty)),
        (reference(empty), current(empty)),
    ):
        assert judged(Columns(), *both)["x"].lack is NoValue.MISSING
        assert judged(WASSERSTEIN, *both)["x"].lack is NoValue.MISSING
        assert decided(RULE, *both).outcome is Outcome.MISSING


def test_a_role_without_data_is_missing() -> None:
    with pytest.raises(NoDataError, match="there are no reference data"):
        list(Columns().measure(inputs(current({"x": [1.0]}))))
    assert decided(RULE, reference({"x": [1.0]})).outcome is Outcome.MISSING


def test_identifiers_are_insufficient_not_stable() -> None:
    before = reference({"id": [f"a{i}" for i in range(400)]})
    cell = judged(Columns(), before, current({"id": [f"b{i}" for i in range(400)]}))["id"]
    assert cell.lack is NoValue.INSUFFICIENT
    assert cell.reason == "too many categories for these rows (800 of them)"


def test_nothing_left_to_compare_is_missing_not_a_pass() -> None:
    roles = {"label": "y", "prediction": "p", "key": "k"}
    columns = {"y": [1] * 200, "p": [1] * 200, "k": [1] * 200}
    cells = judged(Columns(), reference(columns, **roles), current(columns))
    assert [c.lack for c in cells.values()] == [NoValue.MISSING]


@pytest.mark.parametrize(
    ("check", "values", "told"),
    [
        (Columns(columns=("x",)), [datetime(2026, 1, 1, tzinfo=UTC)] * 200, "fits time"),
        (Columns(columns=("x",)), [[1.0]] * 200, "fits list<item: double>"),
        (
            Columns(columns=("x",), numeric="wasserstein", categorical="none"),
            ["a", "b"] * 100,
            "for text",
        ),
        (Columns(columns=("x",), numeric="none"), [1.0, 2.0] * 100, "for numbers"),
    ],
)
def test_a_named_column_that_no_method_fits_is_undefined(
    check: Columns, values: list[Any], told: str
) -> None:
    cell = judged(check, reference({"x": values}), current({"x": values}))["x"]
    assert cell.lack is NoValue.UNDEFINED
    assert told in cell.reason


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"numeric": "none", "categorical": "none"}, "numeric"),
        ({"numeric": "wasserstein"}, "numeric"),
        ({"columns": ()}, "columns"),
        ({"columns": ("x", "")}, "columns"),
        ({"columns": ("x", "x")}, "columns"),
    ],
)
def test_a_parameter_that_would_compare_nothing_or_two_things_is_refused(
    parameters: dict[str, Any], field: str
) -> None:
    assert [name for name, _, _ in problems_of(Columns(**parameters))] == [field]
