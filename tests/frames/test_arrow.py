"""What ArrowFrame takes, and what it makes of each library's columns."""

# ruff: noqa: PD011  # `.values` are those of Cells and Distribution, not of pandas

from __future__ import annotations

import datetime as dt
import math
import subprocess
import sys
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import brier_score_loss, log_loss, mean_absolute_error, mean_squared_error

from aims_gate.errors import DataError, MissingColumnError
from aims_gate.frames import ColumnKind, Frame, Key, Loss, RowLoss
from aims_gate.frames.opening import open_rows
from tests.support.laws import law

COLUMNS: dict[str, list[Any]] = {
    "s": ["a", None, "b"],
    "x": [1.5, None, 2.0],
    "b": [True, False, True],
}


@pytest.mark.parametrize(
    "data",
    [
        COLUMNS,
        pa.table(COLUMNS),
        pa.record_batch(COLUMNS),
        pa.table(COLUMNS).to_reader(),
        pl.DataFrame(COLUMNS),
        pl.DataFrame(COLUMNS).with_columns(pl.col("s").cast(pl.Categorical)),
        pd.DataFrame(COLUMNS),
        pd.DataFrame(COLUMNS, index=["p", "q", "r"]),
        pd.DataFrame(COLUMNS).convert_dtypes(),
        pd.DataFrame(COLUMNS).astype({"s": "category"}),
        {name: np.array(values, dtype=object) for name, values in COLUMNS.items()},
    ],
    ids=[
        "dict", "table", "batch", "reader", "polars", "polars categorical", "pandas",
        "pandas with an index", "pandas nullable", "pandas categorical", "numpy objects",
    ],
)  # fmt: skip
def test_every_library_gives_the_same_frame(data: object) -> None:
    frame: Frame = open_rows(data)
    assert {name: column.kind for name, column in frame.columns.items()} == {
        "s": ColumnKind.TEXT,
        "x": ColumnKind.NUMBER,
        "b": ColumnKind.BOOLEAN,
    }
    assert [frame.nulls(column) for column in frame.columns] == [1, 1, 0]
    assert frame.count(Key(column="s"), Key(column="b")).values == (
        ("a", True),
        ("b", True),
        (None, False),
    )
    kept = frame.without_nulls(["x"])
    assert kept.distribution("x").values.tolist() == [1.5, 2.0]
    assert kept.distribution("x", "s").keys() == {"a", "b"}


@pytest.mark.parametrize(
    "data",
    [
        None,
        3,
        [1, 2],
        [{"a": 1}],
        "rows.csv",
        pd.Series([1, 2]),
        pa.array([1, 2]),
        pa.chunked_array([[1]]),
        {"a": "text"},
        {"a": 1},
        {"a": {"b": 1}},
        {1: [1]},
        {"a": [1, 2], "b": [1]},
        {"a": [1, "two"]},
        {"a": [2**64]},
        {"a": np.zeros((2, 2))},
        pd.DataFrame({"a": [1, "two"]}),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]),
    ],
    ids=lambda data: type(data).__name__,
)
def test_what_is_no_table_is_refused_as_data(data: object) -> None:
    with pytest.raises(DataError, match="training data"):
        open_rows(data, name="training data")


def test_messages_name_the_column_and_hold_no_cell() -> None:
    for data in ({"who": [1, "Mary Smith"]}, pd.DataFrame({"who": [1, "Mary Smith"]})):
        with pytest.raises(DataError, match="who") as caught:
            open_rows(data)
        assert "Mary" not in str(caught.value)
    assert "Mary" not in repr(open_rows({"who": ["Mary Smith"]}))


def test_a_machine_without_pandas_and_polars_reads_a_dict() -> None:
    code = """
import sys
class Absent:
    def find_spec(self, name, *_):
        if name in {"pandas", "polars"}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from aims_gate.frames.opening import open_rows
open_rows({'a': [1, None]}).without_nulls(['a']).digest()
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_whole_numbers_beyond_2_to_the_53_are_counted_exactly() -> None:
    ids = pa.array([2**53, 2**53 + 1, 2**64 - 1, 2**53 + 1], pa.uint64())
    cells = open_rows({"id": ids}).count(Key(column="id"))
    assert cells.values == ((2**53,), (2**53 + 1,), (2**64 - 1,))
    assert cells.counts.tolist() == [1, 2, 1]
    found = open_rows({"id": ids}).distribution("id")
    assert np.all(np.diff(found.values) > 0)
    assert found.rows == 4


def test_decimals_are_numbers_at_float64() -> None:
    frame = open_rows({"a": [Decimal("1.10"), None, Decimal("-2.25")]})
    assert frame.columns["a"].kind is ColumnKind.NUMBER
    assert frame.distribution("a").values.tolist() == [-2.25, 1.1]
    assert frame.count(Key(column="a")).values == ((-2.25,), (1.1,), (None,))


def test_times_are_iso_text_whatever_unit_they_are_stored_in() -> None:
    moments = [dt.datetime(2020, 1, 1, 3, 4, 5, 120_000, tzinfo=dt.UTC), None]
    for unit in ("ms", "us", "ns"):
        frame = open_rows({"t": pa.array(moments, pa.timestamp(unit, tz="Europe/Berlin"))})
        assert frame.columns["t"].kind is ColumnKind.TIME
        assert frame.count(Key(column="t")).values == (("2020-01-01T03:04:05.12Z",), (None,))
    days = open_rows({"d": [dt.date(2020, 10, 10), dt.date(1969, 12, 31)]})
    assert days.count(Key(column="d")).values == (("1969-12-31",), ("2020-10-10",))
    with pytest.raises(DataError):
        days.distribution("d")


def test_a_dictionary_may_hold_nulls_duplicates_and_unused_values() -> None:
    dictionary = pa.DictionaryArray.from_arrays(
        pa.array([0, 1, 2, 3, None]), pa.array(["b", None, "b", "a", "unused"])
    )
    frame = open_rows({"g": dictionary})
    cells = frame.count(Key(column="g"))
    assert (cells.values, cells.counts.tolist()) == ((("a",), ("b",), (None,)), [1, 2, 2])
    assert frame.nulls("g") == 2
    numbers = pa.DictionaryArray.from_arrays(pa.array([0, 1, None]), pa.array([math.nan, 2.0]))
    found = open_rows({"x": numbers}).distribution("x")
    assert (found.values.tolist(), found.nulls) == ([2.0], 2)


def test_a_column_of_nothing_but_nulls_is_one_group_and_holds_no_number() -> None:
    frame = open_rows({"g": [None, None], "y": [1, 0]})
    assert frame.columns["g"].kind is ColumnKind.OTHER
    assert frame.nulls("g") == 2
    cells = frame.count(Key(column="g"), Key(column="y"))
    assert cells.values == ((None, 0), (None, 1))
    assert frame.distribution("y", "g") == {}
    assert (frame.distribution("g").values.size, frame.distribution("g").nulls) == (0, 2)


def test_lists_structs_and_bytes_are_kept_and_cannot_be_counted() -> None:
    frame = open_rows(pl.DataFrame({"l": [["a"], None], "s": [{"u": "v"}, None], "y": [1, None]}))
    assert frame.columns["l"].kind is ColumnKind.OTHER
    assert frame.nulls("l") == 1
    assert frame.without_nulls(["y"]).rows == 1
    with pytest.raises(DataError, match="column 'l'"):
        frame.count(Key(column="l"))


def test_run_lengths_extensions_and_views_are_read_as_what_they_hold() -> None:
    runs = open_rows({"g": pa.RunEndEncodedArray.from_arrays([2, 3], ["a", None])})
    assert runs.columns["g"].kind is ColumnKind.TEXT
    cells = runs.count(Key(column="g"))
    assert (cells.values, cells.counts.tolist()) == ((("a",), (None,)), [2, 1])
    assert runs.without_nulls(["g"]).rows == 2
    assert runs.digest() == open_rows({"g": ["a", "a", None]}).digest()
    ids = pa.array([b"0" * 16, None], pa.binary(16))
    plain = open_rows({"id": ids})
    for stored in (
        pa.ExtensionArray.from_storage(pa.uuid(), ids),
        ids.cast(pa.binary()).cast(pa.binary_view()),
    ):
        frame = open_rows({"id": stored})
        assert (frame.columns["id"].kind, frame.nulls("id")) == (ColumnKind.OTHER, 1)
        assert frame.without_nulls(["id"]).rows == 1
        assert frame.digest() == plain.digest()
        with pytest.raises(DataError):
            frame.count(Key(column="id"))


def test_a_weighted_table_without_rows_has_none() -> None:
    assert open_rows({"n": pa.nulls(0), "a": pa.nulls(0)}, weight="n").rows == 0


def test_a_date64_with_a_time_of_day_is_refused_and_not_rounded() -> None:
    frame = open_rows({"d": pa.array([86_400_001], pa.date64())})
    for ask in (lambda: frame.count(Key(column="d")), lambda: frame.nulls("d"), frame.digest):
        with pytest.raises(DataError, match="times of day"):
            ask()


def test_the_weight_column_stays_a_column_and_rows_of_weight_zero_vanish() -> None:
    data = {"g": ["a", "b", "c"], "n": [2.0, 0.0, 3.0]}
    frame = open_rows(data, weight="n")
    assert frame.rows == 5
    assert frame.count(Key(column="g")).values == (("a",), ("c",))
    assert frame.distribution("n").values.tolist() == [2.0, 3.0]
    assert frame.digest() == open_rows(data).digest()
    with pytest.raises(MissingColumnError):
        open_rows(data, weight="m")


def test_a_derived_column_is_there_and_not_in_the_digest() -> None:
    frame = open_rows({"a": [1, 2]})
    more = frame.with_column("b", pa.array(["x", "y"]))
    assert more.digest() == frame.digest()
    assert more.count(Key(column="b")).values == (("x",), ("y",))
    with pytest.raises(DataError, match="already"):
        more.with_column("a", pa.array([1, 2]))


def test_more_cells_than_numbers_of_64_bits_are_counted_all_the_same() -> None:
    random = np.random.default_rng(1)
    columns = {f"c{i}": random.integers(0, 2**40, 3000) for i in range(7)}
    columns = {name: np.append(values, values[:10]) for name, values in columns.items()}
    cells = open_rows(columns).count(*(Key(column=name) for name in columns))
    assert (len(cells.counts), cells.rows, int(cells.counts.max())) == (3000, 3010, 2)
    assert sorted(cells.values) == list(cells.values)


@law(60)
@given(
    values=st.lists(
        st.none() | st.floats() | st.sampled_from([0.0, -0.0, 1.0, 2.0**60]), max_size=30
    )
)
def test_a_distribution_is_numpys_unique(values: list[float | None]) -> None:
    found = open_rows({"x": pa.array(values, pa.float64())}).distribution("x")
    clean = [value for value in values if value is not None and not math.isnan(value)]
    expected, counts = np.unique(np.array(clean, dtype=float), return_counts=True)
    assert found.values.tolist() == expected.tolist()
    assert found.counts.tolist() == counts.tolist()
    assert found.nulls == len(values) - len(clean)


def test_losses_are_those_of_scikit_learn_and_moments_those_of_scipy() -> None:
    random = np.random.default_rng(7)
    label = random.random(401) < 0.3
    score = np.clip(random.beta(2, 3, 401), 0, 1)
    score[:3] = [0.0, 1.0, 0.5]
    frame: Frame = open_rows(
        {
            "y": np.where(label, "yes", "no"),
            "p": score,
            "t": label * 2.0 + 1,
        }
    )
    mean = {
        loss: frame.moments(RowLoss(loss=loss, label="y", estimate="p", positive="yes")).mean
        for loss in (Loss.BRIER, Loss.LOG)
    }
    assert mean[Loss.BRIER] == pytest.approx(brier_score_loss(label, score), rel=1e-12)
    assert mean[Loss.LOG] == pytest.approx(log_loss(label, score), rel=1e-12)
    target = label * 2.0 + 1
    absolute = frame.moments(RowLoss(loss=Loss.ABSOLUTE, label="t", estimate="p"))
    assert absolute.mean == pytest.approx(mean_absolute_error(target, score), rel=1e-12)
    squared = frame.moments(RowLoss(loss=Loss.SQUARED, label="t", estimate="p"))
    assert squared.mean == pytest.approx(mean_squared_error(target, score), rel=1e-12)
    losses = (target - score) ** 2
    assert squared.variance == pytest.approx(np.var(losses, ddof=1), rel=1e-12)
    assert squared.skewness == pytest.approx(stats.skew(losses), rel=1e-9)
    share = frame.moments(RowLoss(loss=Loss.ABSOLUTE_PERCENT, label="t", estimate="p"))
    assert share.mean == pytest.approx(np.mean(np.abs(target - score) / target), rel=1e-12)


def test_constant_losses_have_no_skewness_and_one_row_no_variance() -> None:
    frame = open_rows({"y": [1.0, 2.0], "e": [0.0, 1.0]})
    assert frame.moments(RowLoss(loss=Loss.ABSOLUTE, label="y", estimate="e")).skewness == 0
    one = open_rows({"y": [1.0], "e": [0.0]}).moments(
        RowLoss(loss=Loss.ABSOLUTE, label="y", estimate="e")
    )
    assert math.isnan(one.variance)


def test_the_positive_class_of_a_probability_is_compared_by_value_and_kind() -> None:
    frame = open_rows({"y": [0, 1, 1], "p": [0.0, 1.0, 1.0], "g": ["0", "1", "1"]})
    for positive in (1, 1.0, True):
        found = frame.moments(RowLoss(loss=Loss.BRIER, label="y", estimate="p", positive=positive))
        assert found.mean == 0
    assert frame.moments(RowLoss(loss=Loss.BRIER, label="g", estimate="p", positive=1)).mean > 0


def test_losses_too_large_to_square_are_an_error() -> None:
    frame = open_rows({"y": [1e200, 1.0], "e": [0.0, 1.0]})
    with pytest.raises(DataError):
        frame.moments(RowLoss(loss=Loss.ABSOLUTE, label="y", estimate="e"))
