"""Schema and missing values: what is absent, of another kind or all null never passes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from aims_gate.checks import NoDataError
from aims_gate.checks.data.missing import Missing
from aims_gate.checks.data.schema import Schema
from aims_gate.errors import DataError
from aims_gate.facts import Lack
from aims_gate.plan import build
from aims_gate.policy.model import Role, Threshold
from aims_gate.sources.predictions import derive_prediction
from aims_gate.sources.subject import Data, Signature
from aims_gate.verdict import Outcome
from tests.checks.subjects import data, decided, inputs, judged

COLUMNS: dict[str, Any] = {
    "age": [30, None, 50, 60],
    "sex": ["F", "M", None, None],
    "y": [1, 0, 1, 0],
}
REFERENCE = data({"age": [1.5, 2.5], "sex": ["F", "M"], "y": [0, 1]}, Role.REFERENCE, label="y")


def violations(check: Schema, *roles: Data, **options: Any) -> dict[str, float | None]:
    return {name: cell.value for name, cell in judged(check, *roles, **options).items()}


def test_a_missing_column_and_another_kind_are_violations_with_their_reason() -> None:
    check = Schema(columns={"age": "text", "sex": "text", "race": None, "y": None})
    cells = judged(check, data(COLUMNS))
    assert {name: cell.value for name, cell in cells.items()} == {
        "age": 1,
        "sex": 0,
        "race": 1,
        "y": 0,
    }
    assert cells["race"].reason == "'race' is not there"
    assert cells["age"].reason == "'age' holds number (int64), not text"
    rule = {"check": "data.schema", "parameters": {"columns": {"race": None}}}
    assert decided(rule, data(COLUMNS)).outcome is Outcome.FAIL


def test_the_right_schema_passes_whatever_the_width_of_numbers() -> None:
    rule = {"check": "data.schema", "parameters": {}}
    assert decided(rule, data(COLUMNS), REFERENCE).outcome is Outcome.PASS
    declared = {"columns": {"age": "number", "sex": "text", "y": "number"}}
    assert decided({"check": "data.schema", "parameters": declared}, data(COLUMNS)).outcome is (
        Outcome.PASS
    )


def test_a_column_that_became_all_null_is_of_another_kind_than_the_reference() -> None:
    empty = data({**COLUMNS, "age": pa.nulls(4)})
    assert violations(Schema(), empty, REFERENCE)["age"] == 1


def test_extra_columns_are_allowed_unless_refused() -> None:
    more = data({**COLUMNS, "ssn": [1, 2, 3, 4]})
    assert "ssn" not in violations(Schema(), more, REFERENCE)
    assert violations(Schema(extra="refuse"), more, REFERENCE)["ssn"] == 1


def test_a_derived_prediction_is_no_column_of_either_side() -> None:
    columns = {"y": [1, 0], "p": [0.9, 0.1]}
    spec = {"label": "y", "score": "p"}
    derived = []
    for role in (Role.EVALUATION, Role.REFERENCE):
        found = data(columns, role, **spec)
        frame, completed = derive_prediction(found.frame, found.spec)  # type: ignore[arg-type]  # it is an ArrowFrame
        derived.append(replace(found, frame=frame, spec=completed))
    evaluation, reference = derived
    assert evaluation.spec.prediction == "prediction (p >= 0.5)"
    strict = Schema(extra="refuse")
    assert violations(strict, evaluation, reference) == {"y": 0, "p": 0}
    plain = data(columns, label="y", prediction="y")
    assert violations(strict, plain, reference) == {"y": 0, "p": 0}
    assert set(judged(Missing(), evaluation)) == {"y", "p"}


def test_nothing_to_compare_with_is_missing_and_never_a_pass() -> None:
    cells = judged(Schema(), data(COLUMNS))
    assert cells[""].lack is Lack.MISSING
    assert decided({"check": "data.schema"}, data(COLUMNS)).outcome is Outcome.MISSING
    cells = judged(Schema(against="signature"), data(COLUMNS))
    assert cells[""].lack is Lack.MISSING
    empty = data({}, Role.REFERENCE)
    assert judged(Schema(), data(COLUMNS), empty)[""].lack is Lack.MISSING


def test_unusable_reference_data_are_an_error_and_not_silence() -> None:
    given_inputs = inputs(data(COLUMNS))
    subject = replace(given_inputs.subject, unread={Role.REFERENCE: DataError("truncated")})
    with pytest.raises(DataError, match="truncated"):
        list(Schema().measure(replace(given_inputs, subject=subject)))


def test_data_are_not_compared_with_themselves() -> None:
    with pytest.raises(DataError, match="themselves"):
        list(Schema().measure(inputs(REFERENCE, on=Role.REFERENCE)))
    rule = {"check": "data.schema", "on": Role.REFERENCE}
    assert decided(rule, REFERENCE).outcome is Outcome.ERROR


def test_labels_may_come_late_to_current_data_only() -> None:
    columns = {name: values for name, values in COLUMNS.items() if name != "y"}
    current = data(columns, Role.CURRENT)
    assert violations(Schema(), current, REFERENCE, on=Role.CURRENT) == {"age": 0, "sex": 0, "y": 0}
    assert violations(Schema(), data(columns), REFERENCE)["y"] == 1
    late = data({**columns, "y": ["a", "b", "c", "d"]}, Role.CURRENT)
    assert violations(Schema(), late, REFERENCE, on=Role.CURRENT)["y"] == 1


def test_the_models_signature_is_a_schema() -> None:
    signature = Signature(
        inputs=(
            ("age", "long", True),
            ("sex", "double", True),
            ("y", "array", True),
            ("race", "string", False),
            ("income", "double", True),
        )
    )
    found = inputs(data(COLUMNS))
    subject = replace(found.subject, signature=signature)
    cells = Schema(against="signature").measure(replace(found, subject=subject))
    assert {cell.slice: cell.value for cell in cells} == {
        "age": 0,
        "sex": 1,
        "y": 0,
        "race": 0,
        "income": 1,
    }


def test_lists_are_compared_by_their_exact_type() -> None:
    reference = data({"v": pa.array([[1.0]])}, Role.REFERENCE)
    assert violations(Schema(), data({"v": pa.array([[1.0]])}), reference) == {"v": 0}
    assert violations(Schema(), data({"v": pa.array([["a"]])}), reference) == {"v": 1}


def test_without_data_there_is_nothing_to_measure() -> None:
    for check in (Schema(), Missing()):
        with pytest.raises(NoDataError):
            list(check.measure(inputs(REFERENCE)))


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"against": "declared"}, "against"),
        ({"columns": {"a": None}, "against": "reference"}, "against"),
        ({"columns": {"": "text"}}, "columns"),
    ],
)
def test_a_schema_that_says_nothing_or_two_things_is_a_problem(
    parameters: dict[str, Any], field: str
) -> None:
    assert [name for name, _what, _hint in build("data.schema", parameters).problems()] == [field]


def test_the_share_of_nulls_and_its_wilson_bounds_are_those_of_statsmodels() -> None:
    rows = 400
    found = data(
        {"a": [None] * 30 + [1] * 370, "b": [1.0] * 399 + [float("nan")], "c": ["x"] * rows}
    )
    cells = judged(Missing(), found)
    for name, nulls in {"a": 30, "b": 1, "c": 0}.items():
        interval = cells[name].interval
        assert interval is not None
        low, high = proportion_confint(nulls, rows, alpha=2 * 0.05 / 3, method="wilson")
        assert cells[name].value == nulls / rows
        assert interval.low == pytest.approx(max(low, 0), abs=1e-12)
        assert interval.high == pytest.approx(high, rel=1e-12)
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
    assert cells["agee"].lack is Lack.MISSING
    assert "did you mean 'age'" in cells["agee"].reason
    assert cells["sex"].value == 0.5
    rule = {"check": "data.missing", "parameters": {"columns": ["agee"]}}
    assert decided(rule, data(COLUMNS)).outcome is Outcome.MISSING


def test_no_rows_and_no_columns_are_missing_and_never_complete() -> None:
    for nothing in (data({"a": pa.array([], pa.int64())}), data({})):
        assert {cell.lack for cell in judged(Missing(), nothing).values()} == {Lack.MISSING}
        assert decided({"check": "data.missing"}, nothing).outcome is Outcome.MISSING


def test_weighted_rows_count_as_often_as_their_weight() -> None:
    cells = judged(Missing(columns=("a",)), data({"a": [None, 1], "n": [1, 99]}, weight="n"))
    assert (cells["a"].value, cells["a"].rows) == (0.01, 100)


def test_the_rule_may_be_about_other_data() -> None:
    current = data({"a": [None, 1]}, Role.CURRENT)
    assert judged(Missing(), current, on=Role.CURRENT)["a"].value == 0.5


@pytest.mark.parametrize("columns", [[], [""], ["a", "a"]])
def test_a_list_of_columns_that_names_none_or_one_twice_is_a_problem(columns: list[str]) -> None:
    assert list(build("data.missing", {"columns": columns}).problems())


@settings(deadline=None, max_examples=60)
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
