"""Overlap: rows that training knows are found however they are stored, predicted or named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.checks.contract import NoDataError
from aims_gate.checks.data.overlap import Overlap
from aims_gate.checks.parameters import problems_of
from aims_gate.errors import DataError, MissingColumnError
from aims_gate.facts import NoValue
from aims_gate.frames.arrow import ArrowFrame
from aims_gate.policy.model import Role
from aims_gate.sources.subject import Data
from aims_gate.verdict import Outcome
from tests.checks.subjects import context, data, decided, inputs, judged
from tests.support.laws import law

TRAINED: dict[str, Any] = {
    "id": ["a", "b", "c"],
    "age": [30.0, 40.0, 50.0],
    "sex": ["F", "M", None],
    "y": [1, 0, 1],
}
TESTED: dict[str, Any] = {
    "id": ["b", "d", "e", "f"],
    "age": [40, 30, 50, 60],
    "sex": ["M", "M", None, "F"],
    "y": [1, 1, 1, 1],
    "p": [0.1, 0.2, 0.3, 0.4],
}


def reference(columns: dict[str, Any] = TRAINED, **spec: Any) -> Data:
    return data(columns, Role.REFERENCE, **{"key": "id", "label": "y", **spec})


def evaluation(columns: dict[str, Any] = TESTED, **spec: Any) -> Data:
    return data(columns, **{"key": "id", "label": "y", "score": "p", **spec})


def share(check: Overlap, *roles: Data, **options: Any) -> float | None:
    (cell,) = judged(check, *roles, **options).values()
    return cell.value


def test_known_rows_are_found_whatever_label_prediction_and_name_they_carry_now() -> None:
    assert share(Overlap(), evaluation(), reference()) == 0.5
    assert share(Overlap(columns=("age",)), evaluation(), reference()) == 0.75
    cell = judged(Overlap(), evaluation(), reference())[""]
    assert cell.reason == (
        "2 of 4 rows occur in the reference data, compared by age, sex; "
        "0.0% of the reference rows repeat each other"
    )


def test_known_keys_are_found_whatever_the_rows_hold() -> None:
    assert share(Overlap(by="key"), evaluation(), reference()) == 0.25
    assert share(Overlap(by="key", columns=("id",)), evaluation(), reference()) == 0.25
    assert share(Overlap(by="key"), evaluation(), reference({"id": ["x"]})) == 0


def test_one_known_key_is_past_the_limit_and_so_is_one_row_in_five_hundred() -> None:
    rule = {"check": "data.overlap", "parameters": {"by": "key"}}
    assert decided(rule, evaluation(), reference()).outcome is Outcome.FAIL
    clean = np.random.default_rng(1).normal(size=2_000)
    for known, outcome in ((2, Outcome.PASS), (3, Outcome.FAIL)):
        mixed = np.concatenate([clean[:known], np.random.default_rng(2).normal(size=2_000 - known)])
        sides = data({"x": mixed}), data({"x": clean}, Role.REFERENCE)
        assert decided({"check": "data.overlap"}, *sides).outcome is outcome


def test_an_evaluation_on_the_training_data_is_found_through_other_types() -> None:
    """Text that became a dictionary, a whole number a float and a double a single are the same."""
    random = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "age": random.integers(18, 90, 500),
            "x": random.normal(size=500),
            "g": random.choice(["a", "b"], 500),
        }
    )
    stored = frame.astype({"age": "float64", "x": "float32", "g": "category"})
    assert (
        share(Overlap(), data(stored.sample(200, random_state=1)), data(frame, Role.REFERENCE)) == 1
    )
    assert share(Overlap(), data(frame.head(200)), data(stored, Role.REFERENCE)) == 1


def test_names_of_their_own_for_every_row_prove_nothing() -> None:
    """An identifier that nobody named as key would hide an evaluation on the training data."""
    known = {"x": np.linspace(0, 1, 150)}
    sides = (
        data({"row": [f"t{i}" for i in range(150)], **known}),
        data({"row": [f"r{i}" for i in range(150)], **known}, Role.REFERENCE),
    )
    assert judged(Overlap(), *sides)[""].lack is NoValue.INSUFFICIENT
    assert decided({"check": "data.overlap"}, *sides).outcome is Outcome.INSUFFICIENT
    assert share(Overlap(columns=("x",)), *sides) == 1


def population(seed: int, rows: int) -> dict[str, Any]:
    """Amounts, whole numbers and a few categories, as tables of people have them."""
    random = np.random.default_rng(seed)
    return {
        "age": random.integers(18, 90, rows),
        "income": np.round(random.lognormal(10, 0.6, rows), 2),
        "rate": random.normal(size=rows),
        "sex": random.choice(["F", "M"], rows),
        "region": random.choice(list("abcdefgh"), rows),
    }


def split(rows: int = 2_000, *, copied: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """A reference of twice the rows, and evaluation rows of which a share is copied from it."""
    known, fresh = population(1, 2 * rows), population(2, rows)
    copies = round(copied * rows)
    mixed = {name: np.concatenate([known[name][:copies], fresh[name][copies:]]) for name in known}
    order = np.random.default_rng(3).permutation(rows)
    return {name: values[order] for name, values in mixed.items()}, known


def nearly_named(rows: int, start: int) -> list[str]:
    """A name of each row, but for one in fifty that two rows share."""
    return [f"r{start + (i - 1 if i % 50 == 0 else i)}" for i in range(1, rows + 1)]


MARKS: dict[str, Callable[[int, str], dict[str, Any]]] = {
    "a mark of the split": lambda rows, side: {"split": [side] * rows},
    "a day of loading": lambda rows, side: {
        "loaded": [date(2026, 1, 1 if side == "train" else 2)] * rows
    },
    "noise drawn anew": lambda rows, side: {"u": np.random.default_rng(len(side)).random(rows)},
    "a name of nearly each row": lambda rows, side: {"row": nearly_named(rows, 10_000 * len(side))},
    "a number of nearly each row": lambda rows, _: {
        "row": np.random.default_rng(rows).permutation(np.arange(rows) - np.arange(rows) % 50 // 49)
    },
    "a number drawn for each row": lambda rows, _: {
        "row": np.random.default_rng(rows).integers(0, 2_000, rows)
    },
    "two marks": lambda rows, side: {
        "split": [side] * rows,
        "u": np.random.default_rng(len(side)).random(rows),
    },
}


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("copied", [1.0, 0.2, 0.05])
def test_a_column_that_makes_every_copy_new_hides_none(mark: str, copied: float) -> None:
    """Without such a column the copies are found; with it they are not called a clean split."""
    ours, known = split(copied=copied)
    plain = {"check": "data.overlap"}
    assert decided(plain, data(ours), data(known, Role.REFERENCE)).outcome is Outcome.FAIL
    made = MARKS[mark]
    sides = (
        data({**ours, **made(2_000, "test")}),
        data({**known, **made(4_000, "train")}, Role.REFERENCE),
    )
    result = decided(plain, *sides)
    assert result.outcome is Outcome.INSUFFICIENT, result.reason
    named = {**plain, "parameters": {"columns": ["age", "income", "rate", "sex", "region"]}}
    assert decided(named, *sides).outcome is Outcome.FAIL


@pytest.mark.parametrize("mark", MARKS)
def test_a_clean_split_with_such_a_column_passes(mark: str) -> None:
    ours, known = split(copied=0.0)
    made = MARKS[mark]
    sides = (
        data({**ours, **made(2_000, "test")}),
        data({**known, **made(4_000, "train")}, Role.REFERENCE),
    )
    result = decided({"check": "data.overlap"}, *sides)
    assert result.outcome is Outcome.PASS, result.reason


@pytest.mark.parametrize("coarse", [["sex", "region"], ["age", "sex"], ["age", "sex", "region"]])
def test_coarse_rows_behind_an_amount_are_equal_by_chance_and_no_copies(coarse: list[str]) -> None:
    ours, known = (
        {name: values for name, values in side.items() if name in {*coarse, "rate"}}
        for side in split(copied=0.0)
    )
    result = decided({"check": "data.overlap"}, data(ours), data(known, Role.REFERENCE))
    assert result.outcome is Outcome.PASS, result.reason


def test_behind_columns_that_are_all_new_nothing_is_seen() -> None:
    noise = [np.random.default_rng(seed).random((2, 500)) for seed in (1, 2)]
    sides = (dict(zip("uv", part, strict=True)) for part in noise)
    assert share(Overlap(), data(next(sides)), data(next(sides), Role.REFERENCE)) == 0


@pytest.mark.parametrize("rows", [5, 20, 99])
def test_of_few_rows_many_must_be_known(rows: int) -> None:
    for copied, lack in ((1.0, NoValue.INSUFFICIENT), (0.0, None)):
        ours, known = split(rows, copied=copied)
        few = data({**ours, "split": ["test"] * rows})
        trained = data({**known, "split": ["train"] * 2 * rows}, Role.REFERENCE)
        assert judged(Overlap(), few, trained)[""].lack is lack


def test_the_column_that_hides_copies_is_named_with_what_to_do() -> None:
    ours, known = split(copied=0.2)
    sides = (
        data({**ours, "split": ["test"] * 2_000}),
        data({**known, "split": ["train"] * 4_000}, Role.REFERENCE),
    )
    cell = judged(Overlap(), *sides)[""]
    assert cell.lack is NoValue.INSUFFICIENT
    assert cell.reason == (
        "without 'split', 400 of 2,000 rows occur in the reference data: such a column may hide "
        "copies. Name it as key or time, or list the columns to compare"
    )
    known_as_key = [replace(side, spec=replace(side.spec, key="split")) for side in sides]
    assert share(Overlap(), *known_as_key) == 0.2


def amounts(seed: int, columns: int) -> dict[str, Any]:
    """Rows of whole numbers, each of which may name a row; those of both sides occur on either."""
    random = np.random.default_rng(seed)
    return {f"x{i:02d}": random.integers(0, 1_500, 2_000) for i in range(columns)}


def test_looking_behind_many_columns_takes_no_more_than_a_look_at_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two hundred columns that may name rows were hashed two hundred times over: three minutes."""
    looks: list[int] = []
    repeats = ArrowFrame.repeats

    def counted(frame: ArrowFrame, columns: list[str], of: ArrowFrame | None = None) -> int:
        looks.append(len(columns) if of else 0)
        return repeats(frame, columns, of)

    monkeypatch.setattr(ArrowFrame, "repeats", counted)
    trained, tested = amounts(1, 32), amounts(2, 32)
    cell = judged(Overlap(), data(tested), data(trained, Role.REFERENCE))[""]
    assert (cell.value, cell.lack) == (0, None)
    assert sum(looks) < 5 * 32
    copies = {**trained, "x20": tested["x20"]}
    hidden = judged(Overlap(), data(copies), data(trained, Role.REFERENCE))[""]
    assert hidden.lack is NoValue.INSUFFICIENT
    assert "without 'x20', 2,000 of 2,000 rows" in hidden.reason


def test_another_kind_on_the_other_side_refuses_and_is_never_a_clean_split() -> None:
    text = reference({**TRAINED, "age": ["30", "40", "50"]})
    with pytest.raises(DataError, match="'age' holds"):
        list(Overlap().measure(inputs(evaluation(), text)))
    assert decided({"check": "data.overlap"}, evaluation(), text).outcome is Outcome.ERROR
    numbered = reference({**TRAINED, "id": [1, 2, 3]})
    rule = {"check": "data.overlap", "parameters": {"by": "key"}}
    assert decided(rule, evaluation(), numbered).outcome is Outcome.ERROR


def test_a_row_without_a_key_refuses_because_it_could_be_any() -> None:
    rule = {"check": "data.overlap", "parameters": {"by": "key"}}
    for sides in (
        (evaluation({**TESTED, "id": ["x", None, "y", "z"]}), reference()),
        (evaluation(), reference({**TRAINED, "id": ["x", None, "y"]})),
    ):
        with pytest.raises(DataError, match="1 rows have no 'id'"):
            list(Overlap(by="key").measure(inputs(*sides)))
        assert decided(rule, *sides).outcome is Outcome.ERROR


def test_without_a_key_or_with_two_of_them_nothing_is_looked_up() -> None:
    for sides, said in (
        ((evaluation(key=None), reference()), "no column is named as key"),
        ((evaluation(), reference(key=None)), "under data.reference"),
        ((evaluation(), reference(key="sex")), "the key is 'id' in one and 'sex' in the other"),
    ):
        with pytest.raises(DataError, match=said):
            list(Overlap(by="key").measure(inputs(*sides)))
    with pytest.raises(MissingColumnError, match="reference data"):
        list(Overlap(columns=("age", "p")).measure(inputs(evaluation(), reference())))


def test_nothing_to_compare_is_missing_and_never_a_clean_split() -> None:
    apart = evaluation({"id": ["b"], "height": [2.5], "p": [0.5], "y": [1]})
    assert judged(Overlap(), apart, reference())[""].lack is NoValue.MISSING
    assert decided({"check": "data.overlap"}, apart, reference()).outcome is Outcome.MISSING
    none = reference({"id": pa.array([], pa.string()), "age": pa.array([], pa.float64())})
    assert judged(Overlap(), evaluation(), none)[""].lack is NoValue.MISSING
    with pytest.raises(NoDataError):
        list(Overlap().measure(inputs(evaluation())))
    assert decided({"check": "data.overlap"}, evaluation()).outcome is Outcome.MISSING
    with pytest.raises(DataError, match="themselves"):
        list(Overlap().measure(inputs(reference(), on=Role.REFERENCE)))


def test_what_was_not_compared_is_named() -> None:
    more = evaluation({**TESTED, "list": pa.array([[1]] * 4), "extra": [1] * 4})
    told = context(Overlap(), "left_out", more, reference({**TRAINED, "list": pa.array([[1]] * 3)}))
    assert {column: cell.reason for column, cell in told.items()} == {
        "id": "left out: a role, not an input",
        "y": "left out: a role, not an input",
        "p": "left out: in the evaluation data only",
        "list": "left out: list<item: int64> cannot be compared",
        "extra": "left out: in the evaluation data only",
    }


def test_dates_of_a_copy_do_not_make_it_new() -> None:
    trained = {"day": [date(2025, 1, 1)], "x": [1.5]}
    tested = {"day": [date(2026, 1, 1)], "x": [1.5]}
    sides = data(tested, time="day"), data(trained, Role.REFERENCE, time="day")
    assert share(Overlap(), *sides) == 1


def test_rows_that_are_no_newer_than_the_training_data_are_counted() -> None:
    """A split by time holds if each case of the evaluation came after the last of the training."""
    days = [date(2026, 3, day) for day in (1, 9, 10, 11)]
    trained = {"day": [date(2026, 3, 10), date(2025, 1, 1)]}
    sides = data({"day": days}, time="day"), data(trained, Role.REFERENCE, time="day")
    cell = judged(Overlap(by="time"), *sides)[""]
    assert (cell.value, cell.rows) == (0.75, 4)
    assert cell.reason == ("3 of 4 rows are no newer than the newest reference row, of 2026-03-10")
    rule = {"check": "data.overlap", "parameters": {"by": "time"}}
    assert decided(rule, *sides).outcome is Outcome.FAIL
    late = data({"day": days[3:]}, time="day")
    assert decided(rule, late, sides[1]).outcome is Outcome.PASS
    assert share(Overlap(by="time", columns=("day",)), late, sides[1]) == 0


def test_a_row_without_a_time_and_data_without_times_are_refused() -> None:
    known = data({"day": [date(2026, 3, 10)]}, Role.REFERENCE, time="day")
    rule = {"check": "data.overlap", "parameters": {"by": "time"}}
    for other, said in (
        (data({"day": [date(2026, 4, 1), None]}, time="day"), "1 rows have no 'day'"),
        (data({"day": ["2026-04-01"]}, time="day"), "times are needed"),
        (data({"day": [date(2026, 4, 1)]}), "no column is named as time"),
    ):
        with pytest.raises(DataError, match=said):
            list(Overlap(by="time").measure(inputs(other, known)))
        assert decided(rule, other, known).outcome is Outcome.ERROR
    problems = problems_of(Overlap(by="time", columns=("day", "month")))
    assert [name for name, _what, _hint in problems] == ["columns"]


@law(40)
@given(
    known=st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab")), min_size=1, max_size=12),
    asked=st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab")), min_size=1, max_size=12),
)
def test_the_share_is_that_of_pandas_isin_and_grows_with_what_is_known(
    known: list[tuple[int, str]], asked: list[tuple[int, str]]
) -> None:
    def side(rows: list[tuple[int, str]], role: Role) -> Data:
        return data({"i": [row[0] for row in rows], "s": [row[1] for row in rows]}, role)

    ours = side(asked, Role.EVALUATION)
    found = share(Overlap(), ours, side(known, Role.REFERENCE))
    index = pd.MultiIndex.from_tuples(asked)
    assert found == index.isin(known).mean()
    assert share(Overlap(), ours, side([*known, asked[0]], Role.REFERENCE)) >= found  # type: ignore[operator]  # a value
    assert share(Overlap(), ours, side(asked, Role.REFERENCE)) == 1
