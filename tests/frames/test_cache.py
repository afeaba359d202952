"""Answers are kept while there is room, and are the same whether they are kept or not."""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa
import pytest

from aims_gate.errors import DataError
from aims_gate.frames import Key
from aims_gate.frames.arrow import ArrowFrame
from aims_gate.frames.cache import AnswerCache, size_of
from aims_gate.frames.opening import open_rows

TABLE = pa.table(
    {
        "x": [0.5, None, 2.0, 0.5, 1.0],
        "k": [1, 1, 2, 3, None],
        "s": ["a", "b", None, "a", "c"],
    }
)


def test_what_fits_is_kept_and_what_does_not_is_made_again() -> None:
    cache, made = AnswerCache(250), []

    def answer(name: str) -> str:
        made.append(name)
        return name

    for name in ("a", "b", "c", "a", "b", "c"):
        assert cache.get(name, partial(answer, name)) == name
    assert made == ["a", "b", "c", "c"]
    assert cache.held == 2 * size_of("a") <= 250
    assert (cache.kept("a"), cache.kept("c")) == ("a", None)


def test_answers_of_a_kind_are_forgotten_and_leave_room() -> None:
    cache = AnswerCache(200)
    for key in (("a", 1), ("b", 1)):
        cache.get(key, lambda: "x")
    cache.drop("a")
    assert cache.held == size_of("x")
    assert (cache.kept(("a", 1)), cache.kept(("b", 1))) == (None, "x")
    assert cache.get(("a", 2), lambda: "y") == cache.kept(("a", 2)) == "y"


def test_parts_by_group_go_where_columns_are_kept_no_longer() -> None:
    frame = open_rows(TABLE)
    first = frame.distribution("x", by="k")
    assert frame.distribution("x", by="k") is first
    held = frame.cache.held
    frame.keep_sorted(keep=False)
    assert frame.cache.held < held
    again = frame.distribution("x", by="k")
    assert again is not first
    assert {by: part.values.tolist() for by, part in again.items()} == {1: [0.5], 2: [2], 3: [0.5]}


def test_an_error_is_not_kept() -> None:
    cache = AnswerCache()

    def fail() -> str:
        raise DataError("no")

    with pytest.raises(DataError):
        cache.get("a", fail)
    assert cache.get("a", lambda: "yes") == "yes"


def test_a_frame_without_room_gives_the_same_answers() -> None:
    frames = [
        ArrowFrame(table=TABLE, given=TABLE, cache=AnswerCache(most)) for most in (0, 1 << 20)
    ]
    for _ in range(2):
        for ask in (
            lambda frame: frame.distribution("x").values.tolist(),
            lambda frame: frame.distribution("k").counts.tolist(),
            lambda frame: [frame.nulls(name) for name in "xks"],
            lambda frame: frame.count(Key(column="s"), Key(column="k")).values,
            lambda frame: frame.count(Key(column="x", edges=(1.0,))).counts.tolist(),
            lambda frame: frame.without_nulls(["x", "s"]).rows,
        ):
            assert ask(frames[0]) == ask(frames[1])
    assert frames[0].cache.held == 0 < frames[1].cache.held


def test_rows_left_out_are_left_out_once() -> None:
    frame = open_rows(TABLE)
    assert frame.without_nulls(["x"]) is frame.without_nulls(["x"])
    assert frame.without_nulls(["s"]) is not frame.without_nulls(["x"])


def test_sizes_are_those_of_the_arrays() -> None:
    values = np.random.default_rng(3).normal(size=10_000)
    frame = open_rows({"x": values, "y": np.round(values, 1)})
    assert size_of(frame.distribution("x")) == values.nbytes
    found = frame.distribution("y")
    assert size_of(found) == found.values.nbytes + found.counts.nbytes


def test_columns_that_nobody_asks_for_again_are_not_kept_and_their_nulls_are() -> None:
    frame = open_rows(TABLE)
    frame.keep_sorted(keep=False)
    first = frame.distribution("x")
    assert frame.cache.kept(("distribution", "x")) is None
    assert frame.nulls("x") == frame.cache.kept(("nulls", "x")) == 1
    frame.keep_sorted(keep=True)
    second = frame.distribution("x")
    assert second is not first
    assert second.values.tolist() == first.values.tolist()
    frame.keep_sorted(keep=False)
    assert frame.distribution("x") is second, "what is kept stays"
