"""Joins: one to one by key, never by the order of rows, and every doubt is an error."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.errors import DataError, MissingColumnError
from aims_gate.policy.model import JoinSpec
from aims_gate.sources.join import join
from tests.support.laws import law

LEFT = {"id": [7, 3, 5], "p": [0, 1, 1]}
RIGHT = {"id": [3, 5, 7], "y": ["c", "e", "g"], "sex": ["F", None, "M"]}


def joined(left: Any, right: Any, *columns: str, on: str = "id") -> Any:
    spec = JoinSpec(source="file:labels.csv", on=on, columns=columns)
    here, there = (v if isinstance(v, pa.Table) else pa.table(v) for v in (left, right))
    return join(here, there, spec, where="evaluation data", source="labels.csv").to_pydict()


def test_rows_find_each_other_by_key_and_keep_their_order() -> None:
    assert joined(LEFT, RIGHT) == {**LEFT, "y": ["g", "c", "e"], "sex": ["M", "F", None]}
    assert joined(LEFT, RIGHT, "y") == {**LEFT, "y": ["g", "c", "e"]}


@law(60)
@given(st.sets(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=40), st.randoms())
def test_no_order_of_either_side_changes_who_belongs_to_whom(
    keys: set[int], shuffle: random.Random
) -> None:
    left, right = list(keys), list(keys)
    shuffle.shuffle(left)
    shuffle.shuffle(right)
    found = joined({"id": left}, {"id": right, "y": [str(key) for key in right]})
    assert found == {"id": left, "y": [str(key) for key in left]}


@pytest.mark.parametrize(
    ("left", "right", "told"),
    [
        (
            LEFT,
            {**RIGHT, "id": [3, 5, 8]},
            "1 rows of the evaluation data .* not there, first row 1",
        ),
        (
            LEFT,
            {"id": [3, 5, 7, 9], "y": [1, 2, 3, 4]},
            "1 rows of labels.csv have a key 'id' that is not there, first row 4",
        ),
        (
            LEFT,
            {"id": [3, 5, 5, 7], "y": [1, 2, 3, 4]},
            "labels.csv: .*there before in 1 rows.* row 3",
        ),
        ({"id": [7, 3, 3, 5]}, RIGHT, "evaluation data: .*there before in 1 rows, first in row 3"),
        (LEFT, {**RIGHT, "id": [3, None, 7]}, "labels.csv: the key 'id' is null in 1 rows"),
        ({"id": [None, 3, 5]}, RIGHT, "evaluation data: the key 'id' is null in 1 rows"),
        (LEFT, {**RIGHT, "id": ["3", "5", "7"]}, "int64 in the evaluation data and large_string"),
        (LEFT, {**RIGHT, "id": [3.0, 5.0, 7.0]}, "the key 'id' is double.*keys are whole numbers"),
        (LEFT, {**RIGHT, "id": [True, False, None]}, "the key 'id' is bool"),
        (LEFT, {**RIGHT, "p": [1, 2, 3]}, "the column 'p' is on both sides"),
        (LEFT, {"id": [3, 5, 7]}, "no column but the key"),
    ],
    ids=str,
)
def test_what_is_not_one_to_one_is_an_error_that_shows_no_key(
    left: Any, right: Any, told: str
) -> None:
    with pytest.raises(DataError, match=told):
        joined(left, right)


def test_columns_that_are_not_there_are_named_with_their_neighbours() -> None:
    with pytest.raises(MissingColumnError, match=r"'ids'.*did you mean 'id'"):
        joined(LEFT, RIGHT, on="ids")
    with pytest.raises(MissingColumnError, match=r"labels\.csv: no column 'yy'"):
        joined(LEFT, RIGHT, "yy")


def test_one_type_in_two_widths_or_encodings_is_one_key() -> None:
    narrow = pa.table({"id": pa.array([7, 3, 5], pa.int8())})
    assert joined(narrow, RIGHT, "y")["y"] == ["g", "c", "e"]
    texts = pa.table({"id": pa.array(["b", "a"]).dictionary_encode()})
    assert joined(texts, {"id": ["a", "b"], "y": [1, 2]})["y"] == [2, 1]
    days = {"id": [date(2026, 1, 2), date(2026, 1, 1)]}
    assert joined(days, {"id": [date(2026, 1, 1), date(2026, 1, 2)], "y": [1, 2]})["y"] == [2, 1]
    chunked = pa.concat_tables([pa.table({"id": [7]}), pa.table({"id": [3, 5]})])
    assert joined(chunked, RIGHT, "y")["y"] == ["g", "c", "e"]


def test_no_rows_on_both_sides_are_no_rows() -> None:
    empty = pa.table({"id": pa.array([], pa.int64())})
    more = pa.table({"id": pa.array([], pa.int64()), "y": pa.array([], pa.int8())})
    assert joined(empty, more) == {"id": [], "y": []}
    with pytest.raises(DataError, match="not there"):
        joined(LEFT, more)
