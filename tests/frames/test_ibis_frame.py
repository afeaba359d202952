"""Frames over tables that an engine holds: as memory answers, and what only they have."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.errors import DataError, MissingColumnError
from aims_gate.frames import WHOLE, ClassLoss, Frame, Grid, Key, Loss, Moments, RowLoss, Scalar
from aims_gate.frames.ibis_frame import IbisFrame
from aims_gate.frames.ibis_session import EngineSession, EngineTable
from aims_gate.frames.opening import count_ahead, in_memory, is_engine_table, open_frame
from tests.support.engine_tables import ENGINES, EVERY_ENGINE, connection, relation
from tests.support.laws import law
from tests.support.table_v1 import of_arrow

BUT_IBIS = pytest.mark.parametrize(
    "hold", [hold for name, hold in ENGINES.items() if name != "ibis"]
)
Hold = Callable[[pa.Table], Any]
_ROW = st.tuples(
    st.sampled_from(["a", "A", "", "é", None]),
    st.none() | st.floats() | st.sampled_from([0.5, -0.0, 1e308, -1e308]),
    st.none() | st.floats(width=32),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.booleans(),
    st.none() | st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1)),  # noqa: DTZ001
    st.integers(0, 3),
)
_KINDS = {
    "g": pa.string(),
    "x": pa.float64(),
    "f": pa.float32(),
    "i": pa.int64(),
    "b": pa.bool_(),
    "t": pa.timestamp("us"),
    "n": pa.int64(),
}


def engine_frame(data: Any, **options: Any) -> IbisFrame:
    found = open_frame(relation(data) if isinstance(data, pa.Table) else data, **options)
    assert isinstance(found, IbisFrame)
    return found


def told(frame: Frame) -> list[Any]:
    """What a frame says to every question, in a form that can be compared."""
    grid = Grid(low=-1.0, high=1.0, cells=5)
    answers: list[Any] = [frame.rows, dict(frame.columns), [frame.nulls(c) for c in _KINDS]]
    for keys in (
        *([], [Key(column="g")], [Key(column="f"), Key(column="b")], [Key(column="t")]),
        *([Key(column="g", contains="(?i)A")], [Key(column="g", matches="a"), Key(column="b")]),
    ):
        cells = frame.count(*keys)
        answers.append((cells.values, cells.counts.tolist()))
    binned = Key(column="x", edges=(-1.0, 0.0, 0.1)), Key(column="i", edges=(2.0**53,))
    answers.append((frame.count(*binned).values, frame.count(*binned).counts.tolist()))
    for column in "xfib":
        found = frame.distribution(column)
        answers.append((found.values.tolist(), found.counts.tolist(), found.nulls))
        for cells_of in (
            {None: frame.histogram(column, grid)},
            frame.histogram(column, grid, "g"),
            frame.histogram(column, grid, "t"),
        ):
            answers.extend(
                (name, h.least.tolist(), h.greatest.tolist(), h.counts.tolist(), h.nulls, h.rows)
                for name, h in cells_of.items()
            )
    answers += [frame.span("t", until=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))]
    answers += [frame.repeats(list(columns)) for columns in ("g", "xf", "gxfibt")]
    answers += [frame.without_nulls(["x"]).rows]
    narrow = frame.at_one_width(["x", "f"])
    answers += [narrow.columns["x"], narrow.distribution("x").values.tolist()]
    for keys in ([Key(column="g")], [Key(column="f")], [Key(column="t")], list(binned)):
        for cell, part in frame.parts(*keys, columns=["b", "x"]):
            answers.append((cell, part.rows, list(part.columns), part.nulls("x")))
    return answers


@law(4)
@given(rows=st.lists(_ROW, min_size=1, max_size=8))
def test_an_engine_says_of_any_rows_what_memory_says(rows: list[tuple[Any, ...]]) -> None:
    columns = zip(*rows, strict=True)
    table = pa.table({n: pa.array(c, _KINDS[n]) for n, c in zip(_KINDS, columns, strict=True)})
    ours, theirs = (open_frame(data, weight="n") for data in (table, relation(table)))
    for one, other in zip(told(ours), told(theirs), strict=True):
        assert repr(one) == repr(other)
    assert repr(told(theirs.unweighted())) == repr(told(ours.unweighted()))


def near(one: Moments, other: Moments) -> None:
    assert one.rows == other.rows
    assert one.mean == pytest.approx(other.mean, rel=1e-9, abs=1e-15)
    assert one.variance == pytest.approx(other.variance, rel=1e-7, nan_ok=True)
    assert one.skewness == pytest.approx(other.skewness, rel=1e-6, abs=1e-6)
    assert one.kurtosis == pytest.approx(other.kurtosis, rel=1e-6, abs=1e-6)


@BUT_IBIS
def test_sums_of_an_engine_give_the_moments_of_memory(hold: Hold) -> None:
    rng = np.random.default_rng(4)
    p, q = rng.random(300), rng.random(300)
    table = pa.table(
        {
            "y": rng.integers(0, 2, 300),
            "text": np.where(rng.random(300) < 0.5, "Yes", "yes"),
            "p": p,
            "q": q,
            "rest": 1 - p,
            "other": 1 - q,
            "r": rng.standard_t(3, 300) * 1e6 + 1e9,
            "e": rng.standard_t(3, 300) * 1e6 + 1e9,
            "n": rng.integers(0, 4, 300),
        }
    )
    ours, theirs = (open_frame(data, weight="n") for data in (table, hold(table)))
    yes: tuple[dict[Scalar, str], dict[Scalar, str]] = (
        {"Yes": "p", "yes": "rest"},
        {"Yes": "q", "yes": "other"},
    )
    asked: list[RowLoss | ClassLoss] = [
        RowLoss(loss=loss, label="r", estimate="e", against=against)
        for loss in (Loss.SIGNED, Loss.ABSOLUTE, Loss.SQUARED, Loss.ABSOLUTE_PERCENT)
        for against in (None, "p")
    ]
    for loss in (Loss.BRIER, Loss.LOG):
        asked += [
            RowLoss(loss=loss, label="y", estimate="p", positive=True),
            RowLoss(loss=loss, label="text", estimate="p", positive="yes", against="q"),
            ClassLoss(loss=loss, label="text", estimates=yes[0]),
            ClassLoss(loss=loss, label="text", estimates=yes[0], against=yes[1]),
        ]
    for of in asked:
        near(theirs.moments(of), ours.moments(of))
    same = RowLoss(loss=Loss.LOG, label="y", estimate="p", positive=1, against="p")
    assert theirs.moments(same) == ours.moments(same)


def test_different_rows_beyond_the_budget_are_refused_before_they_come() -> None:
    table = pa.table({"x": np.arange(5000.0), "g": ["a", "b"] * 2500})
    frame = engine_frame(table, max_bytes=30_000)
    with pytest.raises(
        DataError, match=r"5,000 different rows of duckdb .* budget of 30,000 bytes"
    ):
        frame.distribution("x")
    with pytest.raises(DataError, match="budget"):
        frame.gather(numbers=["x"])
    assert frame.histogram("x", Grid(low=0, high=5000, cells=10)).counts.tolist() == [500] * 10
    assert frame.count(Key(column="g")).counts.tolist() == [2500, 2500]
    assert 0 < frame.read_bytes < 2000


def test_rows_are_compared_where_both_tables_are_and_across_engines() -> None:
    table = pa.table({"g": ["a", "A", None, "a"], "x": [1.0, 2.0, math.nan, 1.0]})
    connection().from_arrow(table).create("ours")
    connection().from_arrow(table.slice(1, 2)).create("theirs")
    session = engine_frame(table).session
    import ibis

    backend = ibis.duckdb.from_connection(connection())
    one, other = (engine_frame(backend.table(name)) for name in ("ours", "theirs"))
    assert one.repeats(["g", "x"], other) == 2
    assert other.repeats(["g"], one) == 2
    assert one.repeats(["g", "x"], engine_frame(table)) == 4
    assert one.repeats(["g", "x"], open_frame(table.slice(0, 1))) == 2
    assert open_frame(table).repeats(["g", "x"], other) == 2
    assert in_memory(one) is None
    assert session.read_bytes == 0


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The questions of a test."""
    found: list[Any] = []
    ask = EngineSession.ask

    def noted(session: EngineSession, question: Any, *, where: str) -> pa.Table:
        found.append(question)
        return ask(session, question, where=where)

    monkeypatch.setattr(EngineSession, "ask", noted)
    return found


def test_one_question_tells_rows_nulls_and_ends_of_all_columns(asked: list[Any]) -> None:
    table = pa.table({name: [1.5, None, -2.5] for name in "abc"} | {"d": ["x", None, None]})
    frame = engine_frame(table)
    for name in "abc":
        assert frame.histogram(name, WHOLE).least.tolist() == [-2.5]
    assert (frame.rows, frame.nulls("a"), frame.nulls("d"), len(asked)) == (3, 1, 2, 1)


@EVERY_ENGINE
def test_columns_are_counted_together_as_they_are_one_by_one(hold: Hold, asked: list[Any]) -> None:
    rng = np.random.default_rng(0)
    wild = [math.nan, math.inf, -math.inf, -0.0, 7.0, None]
    columns: dict[str, Any] = {
        "a": rng.normal(size=500).round(1),
        "b": pa.array([*wild, *rng.normal(size=494).astype(np.float32)], pa.float32()),
        "c": rng.integers(-9, 9, 500),
        "n": rng.integers(0, 3, 500),
    }
    frame, alone = (
        engine_frame(hold(pa.table(columns)), weight="n", name=name) for name in ("one", "other")
    )
    asked.clear()
    grids = {"a": Grid.over(-3.0, 3.0, 1 << 15), "b": Grid.over(-1, 1, 8), "c": Grid.over(-9, 8, 4)}
    count_ahead(frame, grids, [])
    assert len(asked) == 2  # of so many cells in all
    count_ahead(frame, grids, [])
    for column, grid in grids.items():
        found, expected = frame.histogram(column, grid), alone.histogram(column, grid)
        for part in ("least", "greatest", "counts"):
            assert getattr(found, part).tolist() == getattr(expected, part).tolist()
        assert (found.rows, found.nulls) == (expected.rows, expected.nulls)
        assert (found.below, found.above) == (expected.below, expected.above)
    assert len(asked) == 2 + len(grids)  # of the other frame


@EVERY_ENGINE
def test_categories_are_counted_together_as_they_are_one_by_one(
    hold: Hold, asked: list[Any]
) -> None:
    rng = np.random.default_rng(1)
    texts = pa.array(["é", "e\u0301", "A", "a", "", "' --", None])
    columns = {
        "a": texts.take(rng.integers(0, 7, 2000)),
        "b": texts.take(rng.integers(0, 2, 2000)),
        "many": [f"row {row}" for row in range(2000)],
        "t": pa.array([True, None, False, True] * 500),
        "u": pa.array([None, None, None, True] * 500),
        "lone": rng.integers(0, 5, 2000),
        "n": rng.integers(0, 3, 2000),
    }
    frame, alone = (
        engine_frame(hold(pa.table(columns)), weight="n", name=name) for name in ("one", "other")
    )
    asked.clear()
    count_ahead(frame, {}, [name for name in columns if name != "n"])
    assert len(asked) == 2  # one of texts, one of truths; a lone column is not counted ahead
    count_ahead(frame, {}, ["a", "t"])
    for column in columns:
        found, expected = (one.count(Key(column=column)) for one in (frame, alone))
        assert found.keys == expected.keys
        assert found.by_value() == expected.by_value()
        assert found.values == expected.values
    left = {"many", "lone", "n"}  # of the first frame, which asked of the others before
    assert len(asked) == 2 + len(left) + len(columns)


def test_a_parquet_footer_that_is_silent_about_nan_hides_none(tmp_path: Path) -> None:
    values = pa.table({"x": [1.0, math.nan, -math.inf, 2.0], "y": [1.0, math.nan, 3.0, 2.0]})
    pq.write_table(values, tmp_path / "x.parquet")  # whose least and greatest leave NaN out
    con = connection()
    frame = engine_frame(con.sql(f"from read_parquet('{tmp_path}/x.parquet')"))
    assert (frame.nulls("x"), frame.nulls("y")) == (1, 1)
    assert frame.digest() == of_arrow(values)
    for column, ends in (("x", [1.0, 2.0, 1]), ("y", [1.0, 3.0, 0])):
        found, exact = (one.histogram(column, WHOLE) for one in (frame, open_frame(values)))
        assert [*found.least, *found.greatest, found.below] == ends
        assert (found.rows, found.nulls) == (exact.rows, exact.nulls)


def test_the_digest_is_that_of_the_table_as_it_is_and_is_taken_again_when_asked() -> None:
    connection().execute("create or replace table moving as select 1 as a, 0 as n").fetchall()
    import ibis

    frame = engine_frame(ibis.duckdb.from_connection(connection()).table("moving"), weight="n")
    first = pa.table({"a": pa.array([1], pa.int32()), "n": pa.array([0], pa.int32())})
    assert frame.digest() == of_arrow(first)
    connection().execute("insert into moving values (2, 1)").fetchall()
    assert frame.digest() == of_arrow(first)
    assert frame.digest(again=True) != of_arrow(first)
    assert frame.engine.startswith("duckdb ")


@EVERY_ENGINE
def test_rows_after_a_moment_and_a_prediction_from_scores(hold: Hold) -> None:
    noon = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    times = [noon, noon + dt.timedelta(microseconds=1), None]
    table = pa.table({"t": pa.array(times, pa.timestamp("us", "UTC")), "s": [0.5, None, 0.49]})
    frame = engine_frame(hold(table))
    assert frame.after("t", noon).rows == 1
    for values in (("no", "yes"), (0, 1), (False, True)):
        derived = frame.with_threshold("s", 0.5, "derived", values)
        assert derived.count(Key(column="derived")).by_value() == {
            values[0]: 1,
            values[1]: 1,
            None: 1,
        }
        assert derived.digest() == frame.digest()
    with pytest.raises(DataError, match="which engines take for one"):
        frame.with_threshold("s", 0.5, "S", ("no", "yes"))
    with pytest.raises(DataError, match="times are needed"):
        frame.after("s", noon)


@pytest.mark.parametrize(
    "weights", [[1, -1], [1.0, 0.5], [1, None], ["1", "2"], [2**53, 1], [[1], [1]]]
)
def test_weights_that_count_no_rows_are_refused(weights: list[Any]) -> None:
    with pytest.raises(DataError, match="weight"):
        engine_frame(pa.table({"n": weights}), weight="n")
    with pytest.raises(MissingColumnError):
        engine_frame(pa.table({"n": weights}), weight="m")


@pytest.mark.parametrize("name", [".x", ".*", "[0]", "a.b", "\\.x", "."])
def test_a_column_of_any_name_is_counted(name: str) -> None:
    """`.x` was taken for a path to what is in a column, so that no rule could be measured."""
    rows = pa.table({name: ["a", "b", "a"], "x": [1, 2, 3]})
    one, two = (IbisFrame.over(relation(rows), weight=None, name="data") for _ in "12")
    assert one.count(Key(column=name)).by_value() == {"a": 2, "b": 1}
    assert [part.rows for _, part in one.parts(Key(column=name), columns=["x"])] == [2, 1]
    assert one.repeats([name], two) == 3


def test_a_column_of_lists_is_there_and_no_question_about_it_is_answered() -> None:
    frame = engine_frame(pa.table({"l": [[1], None], "x": [1, 2]}))
    assert frame.columns["l"].kind == "other"
    assert frame.nulls("l") == 1
    for ask in (
        lambda: frame.count(Key(column="l")),
        lambda: frame.distribution("l"),
        lambda: frame.repeats(["l"]),
        lambda: frame.different(["l"]),
        frame.digest,
    ):
        with pytest.raises(DataError):
            ask()


def test_limits_that_are_stated_hold_for_every_table_of_a_session() -> None:
    frame = engine_frame(pa.table({"x": [1.0, 2.0]}))
    held = EngineTable(session=frame.session, table=frame.given.table)
    assert is_engine_table(held)
    again = engine_frame(held, max_bytes=10, seconds=5.0)
    assert again.session is frame.session
    assert (frame.session.most_bytes, frame.session.seconds) == (10, 5.0)
    with pytest.raises(DataError, match="budget of 10 bytes"):
        replace(frame, name="again").distribution("x")
