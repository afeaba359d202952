"""Schema: what is absent or of another kind never passes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from aims_gate.checks.contract import NoDataError
from aims_gate.checks.data.schema import Schema
from aims_gate.checks.parameters import problems_of
from aims_gate.errors import DataError, PolicyError
from aims_gate.facts import NoValue
from aims_gate.plan import build
from aims_gate.policy.model import Role
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


def test_a_column_without_a_value_is_of_no_kind() -> None:
    """Nulls have a type or none as their writer likes; `data.missing` counts them."""
    for nulls in (pa.nulls(4), pa.nulls(4, pa.string())):
        empty = {**COLUMNS, "age": nulls}
        assert violations(Schema(), data(empty), REFERENCE)["age"] == 0
        assert violations(Schema(), data(COLUMNS), data(empty, Role.REFERENCE))["age"] == 0


def test_extra_columns_are_allowed_unless_refused() -> None:
    more = data({**COLUMNS, "ssn": [1, 2, 3, 4]})
    assert "ssn" not in violations(Schema(), more, REFERENCE)
    assert violations(Schema(extra="refuse"), more, REFERENCE)["ssn"] == 1


def test_a_derived_prediction_is_no_column_of_either_side() -> None:
    columns = {"y": [1, 0], "p": [0.9, 0.1]}
    spec = {"label": "y", "score": "p"}
    evaluation, reference = (
        derive_prediction(data(columns, role, **spec)) for role in (Role.EVALUATION, Role.REFERENCE)
    )
    assert evaluation.spec.prediction == "prediction (p >= 0.5)"
    strict = Schema(extra="refuse")
    assert violations(strict, evaluation, reference) == {"y": 0, "p": 0}
    plain = data(columns, label="y", prediction="y")
    assert violations(strict, plain, reference) == {"y": 0, "p": 0}


def test_nothing_to_compare_with_is_missing_and_never_a_pass() -> None:
    cells = judged(Schema(), data(COLUMNS))
    assert cells[""].lack is NoValue.MISSING
    assert decided({"check": "data.schema"}, data(COLUMNS)).outcome is Outcome.MISSING
    cells = judged(Schema(against="signature"), data(COLUMNS))
    assert cells[""].lack is NoValue.MISSING
    empty = data({}, Role.REFERENCE)
    assert judged(Schema(), data(COLUMNS), empty)[""].lack is NoValue.MISSING


def test_unusable_reference_data_are_an_error_and_not_silence() -> None:
    given_inputs = inputs(data(COLUMNS))
    subject = replace(given_inputs.subject, unread={Role.REFERENCE: DataError("truncated")})
    with pytest.raises(DataError, match="truncated"):
        list(Schema().measure(replace(given_inputs, subject=subject)))


def test_data_are_not_compared_with_themselves() -> None:
    with pytest.raises(DataError, match="themselves"):
        list(Schema().measure(inputs(REFERENCE, on=Role.REFERENCE)))
    rule = {"check": "data.schema", "on": Role.REFERENCE}
    with pytest.raises(PolicyError, match="against themselves"):
        decided(rule, REFERENCE)


def test_what_is_compared_with_the_reference_reads_both() -> None:
    """Reference data that are handed over for this rule alone are not refused as unread."""
    assert build("data.schema", {}).judged().roles == (Role.REFERENCE, Role.EVALUATION)
    for parameters in ({"against": "signature"}, {"columns": {"a": None}}):
        assert build("data.schema", parameters).judged().roles is None


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
            ("age", "float", True),
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


def test_a_null_in_whole_numbers_of_the_signature_is_a_violation() -> None:
    """MLflow refuses such rows, because pandas makes floats of them."""
    signature = Signature(inputs=(("age", "long", True), ("n", "integer", False)))
    found = inputs(data({**COLUMNS, "n": [1, 2, 3, 4]}))
    subject = replace(found.subject, signature=signature)
    age, n = Schema(against="signature").measure(replace(found, subject=subject))
    assert (age.value, n.value) == (1, 0)
    assert age.reason == "'age' has 1 nulls, and the signature none"


def test_lists_are_compared_by_their_exact_type() -> None:
    reference = data({"v": pa.array([[1.0]])}, Role.REFERENCE)
    assert violations(Schema(), data({"v": pa.array([[1.0]])}), reference) == {"v": 0}
    assert violations(Schema(), data({"v": pa.array([["a"]])}), reference) == {"v": 1}


def test_without_data_there_is_nothing_to_measure() -> None:
    with pytest.raises(NoDataError):
        list(Schema().measure(inputs(REFERENCE)))


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
    assert [name for name, _what, _hint in problems_of(build("data.schema", parameters))] == [field]
