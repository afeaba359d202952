"""What every frame must do, whatever holds its rows; a new implementation adds a row to FRAMES."""

from __future__ import annotations

import math
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyarrow import parquet
from scipy.stats import kurtosis, skew

from aims_gate.checks.row_statistics import placements, root_moments
from aims_gate.errors import DataError, MissingColumnError
from aims_gate.frames import WHOLE, ColumnKind, Frame, Grid, Histogram, Key, Loss, RowLoss
from aims_gate.frames.convert import to_table
from aims_gate.frames.opening import open_frame
from aims_gate.sources.readers import read_file
from tests.support.engine_tables import ENGINES
from tests.support.laws import law

Rows = Mapping[str, Sequence[Any]]
Make = Callable[..., Frame]

FRAMES: dict[str, Make] = {"arrow": open_frame}


def _chunked(data: Rows, **options: Any) -> Frame:
    """Give the same rows in chunks of one and two, text dictionary-encoded chunk by chunk."""
    table = pa.table(data)
    parts = [table.slice(0, 1), table.slice(1, 2), table.slice(3)]
    batches = [
        pa.table(
            {
                name: column.combine_chunks().dictionary_encode()
                if pa.types.is_string(column.type)
                else column
                for name, column in zip(part.column_names, part.columns, strict=True)
            }
        )
        for part in parts
    ]
    return open_frame(pa.concat_tables(batches), **options)


def _of_a_file(data: Rows, **options: Any) -> Frame:
    """Give the same rows out of a Parquet file, read by the column in row groups of two."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        parquet.write_table(pa.table(data), path, row_group_size=2)
        return open_frame(read_file(path).table, **options)


FRAMES["arrow in chunks"] = _chunked
FRAMES["parquet by the column"] = _of_a_file


def _held_by(hold: Callable[[pa.Table], Any]) -> Make:
    """Give the rows to an engine, and ask it."""
    return lambda data, **options: open_frame(hold(to_table(data, where="data")), **options)


EVERY_FRAME = {
    **FRAMES,
    **{name: _held_by(hold) for name, hold in ENGINES.items() if name != "ibis"},
}
"""With engines, which laws ask less often: see tests/frames/test_ibis_frame.py."""


@pytest.fixture(params=list(EVERY_FRAME))
def make(request: pytest.FixtureRequest) -> Make:
    return EVERY_FRAME[request.param]


DATA: Rows = {
    "sex": ["F", "M", None, "F", "M", "M", "F"],
    "age": [17, 25, 70, None, 44, 25, -3],
    "p": [0.1, 0.5, math.nan, 0.5, -0.0, 0.0, math.inf],
    "y": [True, False, True, None, True, False, False],
}


def test_columns_keep_their_order_and_say_what_they_hold(make: Make) -> None:
    columns = make(DATA).columns
    assert list(columns) == ["sex", "age", "p", "y"]
    assert [column.kind for column in columns.values()] == [
        ColumnKind.TEXT,
        ColumnKind.NUMBER,
        ColumnKind.NUMBER,
        ColumnKind.BOOLEAN,
    ]
    assert {column.bits for column in columns.values()} == {64}
    narrow = make({"x": pa.array([0.1], pa.float32())}).columns["x"]
    assert (narrow.kind, narrow.bits) == (ColumnKind.NUMBER, 32)


def test_null_and_nan_are_both_null(make: Make) -> None:
    assert [make(DATA).nulls(column) for column in DATA] == [1, 1, 1, 1]


def test_cells_are_in_the_order_of_values_with_null_last(make: Make) -> None:
    cells = make(DATA).count(Key(column="sex"), Key(column="y"))
    assert cells.values == (
        ("F", False),
        ("F", True),
        ("F", None),
        ("M", False),
        ("M", True),
        (None, True),
    )
    assert cells.counts.tolist() == [1, 1, 1, 2, 1, 1]
    assert cells.counts.dtype == np.int64
    assert cells.rows == 7


def test_edges_cut_half_open_bins_and_keep_null_apart(make: Make) -> None:
    cells = make(DATA).count(Key(column="age", edges=(0, 25, 70.5)))
    assert cells.values == (("(-inf,0)",), ("[0,25)",), ("[25,70.5)",), (None,))
    assert cells.counts.tolist() == [1, 1, 4, 1]


def test_counting_by_nothing_gives_one_cell_of_all_rows(make: Make) -> None:
    cells = make(DATA).count()
    assert (cells.values, cells.counts.tolist()) == (((),), [7])


def test_a_distribution_is_ascending_with_infinity_in_it_and_nulls_apart(make: Make) -> None:
    found = make(DATA).distribution("p")
    assert found.values.tolist() == [0.0, 0.1, 0.5, math.inf]
    assert found.counts.tolist() == [2, 1, 2, 1]
    assert (found.nulls, found.rows) == (1, 7)
    assert not np.signbit(found.values[0])


def test_truth_values_are_distributed_as_zero_and_one(make: Make) -> None:
    found = make(DATA).distribution("y")
    assert (found.values.tolist(), found.counts.tolist(), found.nulls) == ([0, 1], [3, 3], 1)


def test_a_split_leaves_out_rows_without_a_group_and_keeps_null_values(make: Make) -> None:
    found = make(DATA).distribution("age", "sex")
    assert list(found) == ["F", "M"]
    assert (found["F"].values.tolist(), found["F"].nulls) == ([-3, 17], 1)
    assert (found["M"].values.tolist(), found["M"].counts.tolist()) == ([25, 44], [2, 1])


def _cells_of(found: Histogram) -> list[tuple[float, float, int]]:
    return list(
        zip(found.least.tolist(), found.greatest.tolist(), found.counts.tolist(), strict=True)
    )


def test_a_histogram_says_what_each_cell_holds_and_counts_infinities_apart(make: Make) -> None:
    found = make(DATA).histogram("p", Grid(low=0.0, high=0.5, cells=4))
    assert _cells_of(found) == [(0.0, 0.1, 3), (0.5, 0.5, 2)]
    assert not np.signbit(found.least[0])
    assert (found.nulls, found.below, found.above, found.rows) == (1, 0, 1, 7)
    assert found.counts.dtype == np.int64
    # beyond the grid's range values are in its end cells
    assert _cells_of(make(DATA).histogram("age", Grid(low=20, high=30, cells=2))) == [
        (-3, 17, 2),
        (25, 70, 4),
    ]
    truth = make(DATA).histogram("y", Grid(low=0, high=1, cells=9))
    assert (_cells_of(truth), truth.nulls) == ([(0, 0, 3), (1, 1, 3)], 1)


def test_a_histogram_by_a_column_leaves_out_rows_without_a_group(make: Make) -> None:
    grid = Grid(low=0, high=100, cells=2)
    by_sex = make({**DATA, "n": [1, 2, 9, 3, 1, 1, 4]}, weight="n").histogram("age", grid, "sex")
    assert list(by_sex) == ["F", "M"]
    assert (_cells_of(by_sex["F"]), by_sex["F"].nulls) == ([(-3, 17, 5)], 3)
    assert (_cells_of(by_sex["M"]), by_sex["M"].rows) == ([(25, 44, 4)], 4)


@pytest.mark.parametrize(
    ("low", "high", "cells"), [(0, 0, 5), (1, 0, 5), (0, math.inf, 5), (0, 1, 0)]
)
def test_no_grid_has_an_empty_or_endless_range(low: float, high: float, cells: int) -> None:
    with pytest.raises(ValueError, match="no grid"):
        Grid(low=low, high=high, cells=cells)


@law(60)
@given(
    values=st.lists(
        st.floats(allow_nan=True, allow_infinity=True)
        | st.floats(-1, 1)
        | st.sampled_from([0.1, 1e308, -1e308, 5e-324]),
        min_size=1,
        max_size=30,
    ),
    cells=st.sampled_from([1, 2, 7, 1024]),
)
@example(values=[sys.float_info.max], cells=1)
@example(values=[-sys.float_info.max, -1.7e308], cells=7)
@example(values=[1.7e308, sys.float_info.max], cells=7)
def test_the_cells_of_a_grid_are_disjoint_and_hold_every_row(
    values: list[float], cells: int
) -> None:
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return
    grid = Grid.over(min(finite), max(finite), cells)
    for make in FRAMES.values():
        found = make({"x": values}).histogram("x", grid)
        assert found.rows == len(values)
        assert len(found.counts) <= cells
        assert np.all(found.least <= found.greatest)
        assert np.all(found.greatest[:-1] < found.least[1:])
        assert {float(value) for value in found.least} <= set(finite)
        codes = grid.codes(np.array(finite))
        assert [int(n) for n in found.counts] == list(Counter(sorted(codes.tolist())).values())


def test_cells_of_a_finer_grid_are_those_of_the_rows_in_some_cells_of_a_coarser_one(
    make: Make,
) -> None:
    """Rows without a finite value are in none of them."""
    columns: dict[str, Any] = {
        "x": [0.0, -0.0, 0.1, 0.26, 0.27, 0.49, 0.5, 0.99, 1.0, None, math.inf, -math.inf]
    }
    columns |= {"y": list("aabbaabbaaab"), "n": [1, 1, 1, 2, 1, 1, 1, 1, 3, 1, 1, 1]}
    frame, grid = make(columns, weight="n"), Grid(low=0.0, high=1.0, cells=4)
    found = frame.histogram("x", grid.finer((1, 3), 4))
    assert _cells_of(found) == [(0.26, 0.27, 3), (0.49, 0.49, 1), (0.99, 1.0, 4)]
    assert (found.nulls, found.below, found.above) == (0, 0, 0)
    by = frame.histogram("x", grid.finer((1,), 1 << 50), "y")
    assert {value: _cells_of(one) for value, one in by.items()} == {
        "a": [(0.27, 0.27, 1), (0.49, 0.49, 1)],
        "b": [(0.26, 0.26, 2)],
    }
    assert _cells_of(frame.histogram("x", grid.finer((2,), 1 << 50).finer((7,), 2))) == []
    unweighted = frame.unweighted().histogram("x", grid.finer((0, 2), 2))
    assert _cells_of(unweighted) == [(0.0, 0.1, 3), (0.5, 0.5, 1)]


def test_a_histogram_of_errors_counts_rows_by_how_far_off_they_are(make: Make) -> None:
    frame = make({"y": [1, 2, 4, 8], "e": [1.5, 2.0, 3.0, 9.0], "n": [1, 1, 3, 2]}, weight="n")
    of = RowLoss(loss=Loss.ABSOLUTE, label="y", estimate="e")
    grid = Grid(low=0.0, high=1.0, cells=2)
    assert _cells_of(frame.histogram(of, grid)) == [(0.0, 0.0, 1), (0.5, 1.0, 6)]
    assert _cells_of(frame.histogram(of, grid.finer((1,), 2))) == [(0.5, 0.5, 1), (1.0, 1.0, 5)]
    assert _cells_of(frame.histogram(of, WHOLE)) == [(0.0, 1.0, 7)]


def test_parts_are_the_rows_of_each_cell_in_its_order(make: Make) -> None:
    frame = make({**DATA, "n": [1, 2, 0, 3, 1, 1, 4]}, weight="n")
    keys = Key(column="sex"), Key(column="age", edges=(18.0,))
    parts = frame.parts(*keys, columns=["y", "age"])
    cells = frame.count(*keys)
    assert [cell for cell, _ in parts] == list(cells.values)
    assert [part.rows for _, part in parts] == cells.counts.tolist()
    for cell, part in parts:
        assert list(part.columns) == ["y", "age"]
        again = part.count(Key(column="age", edges=(18.0,))).values
        assert again == ((cell[1],),)
    assert make(DATA).parts(Key(column="sex"), columns=["y"])[-1][0] == (None,)
    with pytest.raises(MissingColumnError):
        frame.parts(*keys, columns=["yy"])


def test_moments_against_another_estimate_are_those_of_row_differences(make: Make) -> None:
    columns = {"y": [1.0, 2.0, 4.0, 8.0], "a": [0.0, 2.5, 4.0, 9.0], "b": [1.0, 1.0, 4.5, 5.0]}
    frame = make({**columns, "n": [1, 1, 3, 2]}, weight="n")
    found = frame.moments(RowLoss(loss=Loss.ABSOLUTE, label="y", estimate="a", against="b"))
    rows = np.repeat([1.0, -0.5, -0.5, -2.0], [1, 1, 3, 2])
    assert found.rows == 7
    assert found.mean == pytest.approx(rows.mean())
    assert found.variance == pytest.approx(rows.var(ddof=1))
    assert found.skewness == pytest.approx(skew(rows))
    assert found.kurtosis == pytest.approx(kurtosis(rows, fisher=False))


@pytest.mark.parametrize("scale", [1e-110, 1e-60, 1e60, 1e110])
def test_moments_of_large_and_small_losses_have_their_shape(make: Make, scale: float) -> None:
    """The third power of 1e110 is no float, and shape tells whether one row dominates."""
    errors = np.array([0.5, 1.0, 1.0, 3.0])
    frame = make({"y": [0.0] * 4, "p": (errors * scale).tolist()})
    found = frame.moments(RowLoss(loss=Loss.ABSOLUTE, label="y", estimate="p"))
    assert found.skewness == pytest.approx(skew(errors))
    assert found.kurtosis == pytest.approx(kurtosis(errors, fisher=False))
    same = make({"y": [0.0] * 3, "p": [scale] * 3}).moments(
        RowLoss(loss=Loss.SQUARED, label="y", estimate="p")
    )
    assert (same.variance, same.skewness, same.kurtosis) == (0, 0, 0)


@pytest.mark.parametrize("lost", [math.inf, -math.inf, math.nan, None])
def test_a_loss_that_is_not_finite_is_no_difference(make: Make, lost: float | None) -> None:
    """Beside an infinite loss all others would be rounding."""
    frame = make({"y": [0.0] * 3, "p": [1.0, 2.0, 3.0], "q": [1.0, 2.5, lost]})
    for estimate, against in (("p", "q"), ("q", "p"), ("q", "q")):
        with pytest.raises(DataError, match="not finite"):
            frame.moments(
                RowLoss(loss=Loss.ABSOLUTE, label="y", estimate=estimate, against=against)
            )
    still = make({"y": [0.0] * 3, "p": [1.0, 1.0, 1e-13], "q": [1.0, 1.0, 0.0]})
    found = still.moments(RowLoss(loss=Loss.ABSOLUTE, label="y", estimate="p", against="q"))
    assert (found.mean, found.variance) == (0, 0), "a share of 1e-13 of the largest loss"


def test_what_a_row_adds_to_a_difference_of_roots_is_told_by_leaving_it_out(make: Make) -> None:
    columns = {"y": [1.0, 2.0, 4.0, 8.0], "a": [0.0, 2.5, 4.0, 9.0], "b": [1.0, 1.0, 4.5, 5.0]}
    weights = [1, 1, 3, 2]
    found = root_moments(
        make({**columns, "n": weights}, weight="n"), label="y", estimate="a", against="b"
    )
    y, a, b = (np.repeat(values, weights) for values in columns.values())

    def difference(kept: Any) -> float:
        roots = [math.sqrt(float(np.square(y - side)[kept].mean())) for side in (a, b)]
        return roots[0] - roots[1]

    every = np.arange(7)
    values = np.array([7 * difference(every) - 6 * difference(every != row) for row in every])
    assert found.rows == 7
    assert found.mean == pytest.approx(values.mean())
    assert found.variance == pytest.approx(values.var(ddof=1))
    assert found.skewness == pytest.approx(skew(values))
    assert found.kurtosis == pytest.approx(kurtosis(values, fisher=False))
    plain = make({"y": y, "a": a, "b": b})
    again = root_moments(plain, label="y", estimate="a", against="b")
    assert again.variance == pytest.approx(found.variance)
    same = root_moments(plain, label="y", estimate="a", against="a")
    assert (same.mean, same.variance) == (0, 0)
    right = root_moments(plain, label="y", estimate="a", against="y")
    assert math.isfinite(right.mean), "errors that are all 0 add nothing"
    assert math.isnan(
        root_moments(
            make({"y": [1], "a": [2], "b": [4]}), label="y", estimate="a", against="b"
        ).variance
    )
    for bad in (None, math.inf):
        holed = make({**columns, "b": [bad, 1.0, 4.5, 5.0]})
        with pytest.raises(DataError, match="1 of 4 rows is not finite"):
            root_moments(holed, label="y", estimate="a", against="b")


def test_placements_weigh_rows_and_are_zero_under_one_score(make: Make) -> None:
    rows: Rows = {
        "y": [1, 1, 0, 0, 0],
        "a": [0.9, 0.4, 0.4, 0.1, 0.7],
        "b": [0.2, 0.8, 0.4, 0.3, 0.1],
    }
    weights = [2, 1, 3, 1, 2]
    asked: dict[str, Any] = {"label": "y", "positive": 1, "first": "a", "second": "b"}
    weighted = placements(make({**rows, "n": weights}, weight="n"), **asked)
    repeated = placements(make({c: np.repeat(v, weights) for c, v in rows.items()}), **asked)
    for one, other in zip(weighted, repeated, strict=True):
        assert one.rows == other.rows
        assert one.mean == pytest.approx(other.mean)
        assert one.variance == pytest.approx(other.variance)
    assert weighted[0].mean == pytest.approx(weighted[1].mean)
    same = placements(make(rows), **{**asked, "second": "a"})
    assert [(side.mean, side.variance) for side in same] == [(0.0, 0.0), (0.0, 0.0)]


@pytest.mark.parametrize(
    "broken",
    [
        {"y": [1, None, 0]},
        {"y": [1, 1, 1]},
        {"y": [0, 0, 0]},
        {"a": [0.1, math.nan, 0.3]},
        {"b": [0.1, math.inf, 0.3]},
    ],
)
def test_placements_need_both_classes_and_finite_scores(make: Make, broken: Rows) -> None:
    rows = {"y": [1, 0, 0], "a": [0.1, 0.2, 0.3], "b": [0.3, 0.2, 0.1], **broken}
    with pytest.raises(DataError):
        placements(make(rows), label="y", positive=1, first="a", second="b")


def test_rows_without_a_value_can_be_left_out(make: Make) -> None:
    kept = make(DATA).without_nulls(["sex", "age"])
    assert kept.rows == 5
    assert [kept.nulls(column) for column in ("sex", "age", "p")] == [0, 0, 0]
    assert make(DATA).without_nulls(["sex", "p"]).rows == 6
    assert make(DATA).without_nulls([]).rows == 7


@pytest.mark.parametrize(
    "ask",
    [
        lambda frame: frame.nulls("agee"),
        lambda frame: frame.count(Key(column="agee")),
        lambda frame: frame.distribution("agee"),
        lambda frame: frame.distribution("age", "agee"),
        lambda frame: frame.histogram("agee", Grid(low=0, high=1, cells=1)),
        lambda frame: frame.histogram("age", Grid(low=0, high=1, cells=1), "agee"),
        lambda frame: frame.without_nulls(["agee"]),
        lambda frame: frame.moments(RowLoss(loss=Loss.SQUARED, label="agee", estimate="p")),
    ],
)
def test_a_column_that_is_not_there_is_an_error_with_the_near_name(
    make: Make, ask: Callable[[Frame], object]
) -> None:
    with pytest.raises(MissingColumnError, match=r"no column 'agee'.*did you mean 'age'"):
        ask(make(DATA))


@pytest.mark.parametrize(
    "ask",
    [
        lambda frame: frame.distribution("sex"),
        lambda frame: frame.distribution("sex", "y"),
        lambda frame: frame.histogram("sex", Grid(low=0, high=1, cells=1)),
        lambda frame: frame.count(Key(column="sex", edges=(1,))),
        lambda frame: frame.count(Key(column="age", edges=(2, 1))),
        lambda frame: frame.count(Key(column="age", edges=(math.nan,))),
        lambda frame: frame.moments(RowLoss(loss=Loss.SQUARED, label="sex", estimate="p")),
        lambda frame: frame.moments(
            RowLoss(loss=Loss.LOG, label="y", estimate="age", positive=True)
        ),
        lambda frame: frame.moments(
            RowLoss(loss=Loss.BRIER, label="y", estimate="age", positive=True)
        ),
        lambda frame: frame.moments(RowLoss(loss=Loss.LOG, label="sex", estimate="p")),
    ],
)
def test_what_cannot_be_answered_is_an_error(make: Make, ask: Callable[[Frame], object]) -> None:
    with pytest.raises(DataError):
        ask(make(DATA))


@pytest.mark.parametrize("loss", list(Loss))
def test_a_row_without_a_finite_loss_is_an_error_and_never_dropped(make: Make, loss: Loss) -> None:
    clean = {"y": [1.0, 0.5, 1.0], "p": [0.5, 0.25, 0.75]}
    assert make(clean).moments(RowLoss(loss=loss, label="y", estimate="p", positive=1)).rows == 3
    for broken in ({"y": [1.0, None, 1.0]}, {"p": [0.5, None, 0.5]}, {"p": [0.5, math.inf, 0.5]}):
        with pytest.raises(DataError):
            make({**clean, **broken}).moments(
                RowLoss(loss=loss, label="y", estimate="p", positive=1)
            )


def test_an_empty_frame_answers_every_question(make: Make) -> None:
    empty = make({"a": pa.array([], pa.string()), "x": pa.array([], pa.float64())})
    assert (empty.rows, empty.nulls("a"), empty.nulls("x")) == (0, 0, 0)
    assert empty.count(Key(column="a"), Key(column="x", edges=(1,))).values == ()
    assert empty.count().values == ()
    assert empty.distribution("x").rows == 0
    assert empty.histogram("x", Grid(low=0, high=1, cells=4)).rows == 0
    assert empty.distribution("x", "a") == {}
    assert len(empty.digest()) == 64
    with pytest.raises(DataError, match="no rows"):
        empty.moments(RowLoss(loss=Loss.SQUARED, label="x", estimate="x"))


def test_the_digest_does_not_depend_on_the_way_the_rows_are_stored() -> None:
    assert {make(DATA).digest() for make in FRAMES.values()} == {open_frame(DATA).digest()}


@pytest.mark.parametrize(
    "weights", [[1, -1], [1, 0.5], [1, None], [1, math.nan], [1, math.inf], ["1", "2"], [2**53, 1]]
)
def test_weights_that_do_not_count_rows_are_refused(make: Make, weights: list[Any]) -> None:
    with pytest.raises(DataError, match="weight"):
        make({"n": weights}, weight="n")


_ROW = st.tuples(
    st.sampled_from(["a", "b", None]),
    st.sampled_from([0.25, 0.5, -1.0, None, math.inf]),
    st.booleans(),
    st.integers(0, 4),
)


@law(60)
@given(rows=st.lists(_ROW, min_size=1, max_size=12))
def test_a_weight_is_the_same_as_repeated_rows(rows: list[tuple[Any, ...]]) -> None:
    kinds = {"g": pa.string(), "x": pa.float64(), "y": pa.bool_()}
    columns = {
        name: pa.array([row[place] for row in rows], kind)
        for place, (name, kind) in enumerate(kinds.items())
    }
    repeated = {
        name: pa.array([row[place] for row in rows for _ in range(row[3])], kind)
        for place, (name, kind) in enumerate(kinds.items())
    }
    for make in FRAMES.values():
        weighted = make({**columns, "n": pa.array([row[3] for row in rows])}, weight="n")
        plain = make(repeated)
        assert weighted.rows == plain.rows
        assert [weighted.nulls(c) for c in kinds] == [plain.nulls(c) for c in kinds]
        for keys in ([Key(column="g")], [Key(column="y"), Key(column="x", edges=(0.5,))], []):
            one, other = weighted.count(*keys), plain.count(*keys)
            assert (one.values, one.counts.tolist()) == (other.values, other.counts.tolist())
        for name, part in plain.distribution("x", "g").items():
            other_part = weighted.distribution("x", "g")[name]
            assert other_part.values.tolist() == part.values.tolist()
            assert other_part.counts.tolist() == part.counts.tolist()
            assert other_part.nulls == part.nulls
        assert weighted.distribution("x", "g").keys() == plain.distribution("x", "g").keys()
        kept, kept_plain = weighted.without_nulls(["x"]), plain.without_nulls(["x"])
        assert (
            kept.distribution("x").counts.tolist() == kept_plain.distribution("x").counts.tolist()
        )


@law(60)
@given(
    rows=st.lists(
        st.tuples(st.floats(-5, 5), st.floats(-5, 5), st.integers(0, 5)), min_size=2, max_size=15
    )
)
def test_weighted_moments_are_those_of_repeated_rows(
    rows: list[tuple[float, float, int]],
) -> None:
    total = sum(weight for _y, _e, weight in rows)
    if not total:
        return
    columns = {"y": [r[0] for r in rows], "e": [r[1] for r in rows], "n": [r[2] for r in rows]}
    repeated = {
        "y": [r[0] for r in rows for _ in range(r[2])],
        "e": [r[1] for r in rows for _ in range(r[2])],
    }
    for make in FRAMES.values():
        one = make(columns, weight="n").moments(RowLoss(loss=Loss.SQUARED, label="y", estimate="e"))
        other = make(repeated).moments(RowLoss(loss=Loss.SQUARED, label="y", estimate="e"))
        assert one.rows == other.rows == total
        assert one.mean == pytest.approx(other.mean, rel=1e-12, abs=1e-12)
        assert one.variance == pytest.approx(other.variance, rel=1e-9, abs=1e-12, nan_ok=True)
        assert math.isnan(one.variance) == (total == 1)


@law(60)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(-3, 3), st.none() | st.booleans()),
        max_size=20,
    )
)
def test_counts_are_those_of_a_plain_python_loop(rows: list[tuple[Any, ...]]) -> None:
    data = {
        "a": pa.array([row[0] for row in rows], pa.string()),
        "b": pa.array([row[1] for row in rows], pa.int8()),
        "c": pa.array([row[2] for row in rows], pa.bool_()),
    }
    for make in FRAMES.values():
        cells = make(data).count(Key(column="a"), Key(column="b"), Key(column="c"))
        assert dict(zip(cells.values, cells.counts.tolist(), strict=True)) == Counter(rows)
