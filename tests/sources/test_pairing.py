"""Another model's answers are matched by key, and whatever is not one to one is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from aims_gate.errors import DataError, MissingColumnError
from aims_gate.policy.model import Role
from aims_gate.sources.pairing import paired
from aims_gate.sources.subject import Data
from tests.checks.subjects import data

OURS = {"id": [10, 20, 30], "y": [1, 0, 1], "p": [1, 0, 0], "s": [0.9, 0.2, 0.4], "g": list("aab")}
THEIRS = {"id": [30, 10, 20], "q": [1, 0, 0], "t": [0.7, 0.4, 0.1]}


def ours(columns: Any = None, **spec: Any) -> Data:
    roles = {"label": "y", "prediction": "p", "score": "s", "positive": 1, "key": "id", **spec}
    return data(columns or OURS, **roles)


def theirs(columns: Any = None, **spec: Any) -> Data:
    found = data(columns or THEIRS, Role.CHAMPION, **{"prediction": "q", "score": "t", **spec})
    return replace(found, identity=replace(found.identity, digest="1" * 64))


def column(found: Data, name: str | None) -> list[Any]:
    assert name is not None
    return list(found.frame.table.column(name).to_pylist())  # type: ignore[attr-defined]


def test_answers_are_found_by_key_whatever_the_order_of_rows() -> None:
    found = paired(ours(), theirs())
    assert found.role is Role.CHAMPION
    assert column(found, found.spec.prediction) == [0, 0, 1]
    assert isinstance(found.spec.score, str)
    assert column(found, found.spec.score) == [0.4, 0.1, 0.7]
    assert (found.spec.label, found.spec.positive) == ("y", 1)
    assert column(found, "p") == OURS["p"]
    assert found.identity.digest == "1" * 64


def test_each_side_may_call_the_key_by_its_own_name() -> None:
    renamed = {"case": THEIRS["id"], "q": THEIRS["q"]}
    found = paired(ours(), theirs(renamed, key="case", score=None))
    assert column(found, found.spec.prediction) == [0, 0, 1]


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"id": [30, 10, 10], "q": [1, 0, 0]}, "there before"),
        ({"id": [30, 10], "q": [1, 0]}, "not there"),
        ({"id": [30, 10, 20, 40], "q": [1, 0, 0, 0]}, "not there"),
        ({"id": [30, 10, None], "q": [1, 0, 0]}, "null"),
        ({"id": ["30", "10", "20"], "q": [1, 0, 0]}, "not the same key"),
        ({"id": [30, 10, 20], "q": [1, 0, 0], "y": [1, 1, 1]}, "labels differ .* 1 rows"),
        ({"id": [30, 10, 20], "q": [1, 0, 0], "y": ["1", "1", "0"]}, "labels differ .* type"),
        ({"id": [30, 10, 20], "q": [1, 0, 0], "y": [1, None, 0]}, "labels differ .* 1 rows"),
    ],
)
def test_rows_that_are_not_one_to_one_or_another_label_are_refused(columns: Any, why: str) -> None:
    with pytest.raises(DataError, match=why):
        paired(ours(), theirs(columns, score=None))


def test_equal_labels_in_another_type_of_number_or_text_are_the_same() -> None:
    assert paired(ours(), theirs({**THEIRS, "y": [1.0, 1.0, 0.0]})).frame.rows == 3
    text = {**OURS, "y": ["yes", "no", None]}
    same = {**THEIRS, "y": [None, "yes", "no"]}
    assert paired(ours(text, positive="yes"), theirs(same)).frame.rows == 3


def test_rows_are_never_matched_by_their_order() -> None:
    in_order = {"id": OURS["id"], "q": [0, 0, 1]}
    with pytest.raises(DataError, match="no key"):
        paired(ours(key=None), theirs(in_order, score=None))


def test_columns_of_the_same_bytes_need_no_key() -> None:
    """A champion whose answers are a column of the evaluation file itself."""
    both = {**OURS, "old": [0, 0, 1]}
    other = data(both, Role.CHAMPION, prediction="old")
    found = paired(ours(both, key=None), other)
    assert column(found, found.spec.prediction) == [0, 0, 1]
    with pytest.raises(DataError, match="no key"):
        paired(ours(both, key=None), replace(other, spec=replace(other.spec, weight="id")))


def test_a_score_alone_becomes_a_prediction_at_its_own_threshold() -> None:
    found = paired(ours(), theirs(prediction=None, threshold=0.3))
    assert column(found, found.spec.prediction) == [1, 0, 1]


@pytest.mark.parametrize(
    ("spec", "error", "why"),
    [
        ({"prediction": None, "score": None}, DataError, "neither prediction nor score"),
        ({"prediction": "gone"}, MissingColumnError, "gone"),
        ({"key": "gone"}, MissingColumnError, "gone"),
        ({"label": "q"}, DataError, "both as label and as answer"),
    ],
)
def test_what_is_not_there_is_an_error(
    spec: dict[str, Any], error: type[Exception], why: str
) -> None:
    with pytest.raises(error, match=why):
        paired(ours(), theirs(**spec))


def test_many_rows_are_matched_as_few_are() -> None:
    """In any order, without a loop over them."""
    rows = 200_000
    order = np.random.default_rng(0).permutation(rows)
    one = {"id": np.arange(rows), "y": np.arange(rows) % 2, "p": np.zeros(rows, dtype=np.int64)}
    other = {"id": order, "q": order % 3}
    found = paired(ours(one, score=None), theirs(other, score=None))
    assert column(found, found.spec.prediction)[:6] == [0, 1, 2, 0, 1, 2]


def test_a_row_of_weight_0_is_not_there_on_either_side() -> None:
    """Its champion's answer is left over; a key that is nowhere on our side still is an error."""
    weighted = {**OURS, "n": [2, 0, 1]}
    found = paired(ours(weighted, weight="n"), theirs())
    assert column(found, found.spec.prediction) == [0, 1]
    assert found.frame.rows == 3
    strange = {"id": [30, 10, 20, 40], "q": [1, 0, 0, 0], "t": [0.7, 0.4, 0.1, 0.2]}
    with pytest.raises(DataError, match="not there"):
        paired(ours(weighted, weight="n"), theirs(strange))
    without = {"id": [30, 20], "q": [1, 0], "t": [0.7, 0.1]}
    with pytest.raises(DataError, match="not there"):
        paired(ours(weighted, weight="n"), theirs(without))
