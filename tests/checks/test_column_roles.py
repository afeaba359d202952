from __future__ import annotations

from typing import Any

import pytest

from aims_gate.checks.column_roles import labelled, positive_class
from aims_gate.errors import DataError, MissingColumnError
from aims_gate.frames import Scalar
from aims_gate.policy.model import TaskKind
from tests.checks.subjects import data

BOTH: dict[str, Any] = {"label": "y", "prediction": "yhat"}


def positive(columns: dict[str, list[object]], **spec: Any) -> Scalar:
    found = data(columns, **BOTH, **spec)
    return positive_class(found, labelled(found, ["label", "prediction"]))


def test_a_role_without_a_column_says_how_to_name_one() -> None:
    with pytest.raises(DataError, match=r"no column is named as prediction; state prediction:"):
        labelled(data({"y": [1, 0]}, label="y"), ["label", "prediction"])


def test_a_column_that_is_not_there_is_missing_and_the_near_name_is_told() -> None:
    with pytest.raises(MissingColumnError, match=r"no column 'yhatt'; did you mean 'yhat'\?"):
        labelled(data({"y": [1], "yhat": [1]}, label="y", prediction="yhatt"), ["prediction"])


def test_a_column_of_a_class_score_that_is_not_there_is_missing() -> None:
    spec: dict[str, Any] = {"score": {"a": "pa", "b": "pb"}}
    with pytest.raises(MissingColumnError, match="no column 'pb'"):
        labelled(data({"pa": [0.5]}, **spec), ["score"])
    found = labelled(data({"pa": [0.5], "pb": [0.5]}, **spec), ["score"])
    assert found.score == spec["score"]


@pytest.mark.parametrize("null", [None, float("nan")])
def test_one_null_label_is_refused_unless_the_policy_allows_it(null: float | None) -> None:
    columns = {"y": [1.0, 0.0, null, 1.0], "yhat": [1, 0, 1, 1]}
    with pytest.raises(DataError, match=r"1 of 4 rows are null .* \(1 in y\)"):
        labelled(data(columns, **BOTH), ["label", "prediction"])
    with pytest.raises(DataError, match="null"):
        labelled(data(columns, **BOTH, max_null_labels=0.24), ["label"])
    found = labelled(data(columns, **BOTH, max_null_labels=0.25), ["label", "prediction"])
    assert (found.frame.rows, found.dropped) == (3, 1)
    (told,) = found.context()
    assert (told.name, told.value, told.total) == ("dropped_rows", 1.0, 4)


def test_a_null_in_a_column_that_is_not_needed_is_nobodys_business() -> None:
    found = labelled(data({"y": [1, None], "yhat": [1, 0]}, **BOTH), ["prediction"])
    assert found.dropped == 0
    assert list(found.context()) == []


def test_all_rows_null_leave_nothing_to_measure_whatever_is_allowed() -> None:
    columns = {"y": [None, None], "yhat": [1, 0]}
    with pytest.raises(DataError, match="no rows are left"):
        labelled(data(columns, **BOTH, max_null_labels=1.0), ["label"])


def test_no_rows_at_all_are_refused() -> None:
    with pytest.raises(DataError, match="no rows are left"):
        labelled(data({"y": [], "yhat": []}, **BOTH), ["label"])


def test_text_one_is_not_the_number_one() -> None:
    with pytest.raises(DataError, match=r"positive class '1' occurs nowhere .* there are 0, 1"):
        positive({"y": [0, 0, 1, 1], "yhat": [1, 1, 0, 0]}, positive="1")
    with pytest.raises(DataError, match="occurs nowhere"):
        positive({"y": ["0", "1"], "yhat": ["1", "1"]}, positive=1)


@pytest.mark.parametrize("one", [1, 1.0, True])
@pytest.mark.parametrize("values", [[0, 1], [0.0, 1.0], [False, True]])
def test_one_and_true_are_one_value(one: Scalar, values: list[object]) -> None:
    assert positive({"y": values, "yhat": values}, positive=one) == 1
    assert positive({"y": values, "yhat": values}) == 1


def test_a_model_that_never_says_yes_is_usable_if_the_labels_know_the_class() -> None:
    columns = {"y": ["yes", "no"], "yhat": ["no", "no"]}
    found = data(columns, **BOTH, positive="yes")
    assert positive_class(found, labelled(found, ["prediction"])) == "yes"
    unknown = data(columns, **BOTH, positive="ja")
    with pytest.raises(DataError, match="'ja' occurs nowhere in yhat"):
        positive_class(unknown, labelled(unknown, ["prediction"]))
    unlabelled = data({"yhat": ["no", "no"]}, prediction="yhat", positive="yes")
    with pytest.raises(DataError, match="'yes' occurs nowhere in yhat"):
        positive_class(unlabelled, labelled(unlabelled, ["prediction"]))


def test_labels_and_predictions_of_different_kinds_are_refused() -> None:
    """Otherwise the positive class occurs among the labels and no prediction ever equals it."""
    with pytest.raises(DataError, match=r"different kinds: y holds text, yhat holds numbers"):
        positive({"y": ["yes", "no"], "yhat": [1, 0]}, positive="yes")


def test_predictions_in_another_spelling_are_refused() -> None:
    with pytest.raises(DataError, match="more than two classes"):
        positive({"y": ["yes", "no"], "yhat": ["YES", "NO"]}, positive="yes")


def test_scores_in_the_place_of_predictions_are_refused() -> None:
    with pytest.raises(DataError, match="more than two classes: 8 different values"):
        positive({"y": [0, 1, 0, 1, 0, 1], "yhat": [0.1, 0.2, 0.3, 0.7, 0.8, 0.9]}, positive=1)


def test_numbers_are_not_said_to_be_classes() -> None:
    """Of a regression nobody should name a positive class."""
    columns: dict[str, list[object]] = {"y": [1, 2, 3], "yhat": [1.5, 2.5, 3.0]}
    with pytest.raises(DataError, match="these are numbers and no classes") as told:
        positive(columns)
    assert "multiclass" not in str(told.value)


def test_text_classes_need_a_stated_positive_one() -> None:
    with pytest.raises(
        DataError, match=r"which class is positive .* 'bad', 'good'; state positive"
    ):
        positive({"y": ["good", "bad"] * 2, "yhat": ["good"] * 4})


def test_one_class_is_held_against_the_others_only_when_the_task_says_so() -> None:
    columns: dict[str, list[object]] = {"y": ["a", "b", "c"], "yhat": ["a", "b", "b"]}
    with pytest.raises(DataError, match="multiclass"):
        positive(columns, positive="a")
    assert positive(columns, positive="a", task=TaskKind.MULTICLASS) == "a"


def test_lists_cannot_be_classes() -> None:
    with pytest.raises(DataError, match="cannot be classes"):
        positive({"y": [[1], [0]], "yhat": [1, 0]}, positive=1)
