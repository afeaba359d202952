"""Sorting in a column's own width, or counting, gives what sorting its values as floats gives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.frames import Distribution
from aims_gate.frames import ordered as ORDERED  # noqa: N812  # the module
from aims_gate.frames.column_values import numbers
from aims_gate.frames.ordered import ordered as ordered_pieces
from tests.support.laws import law

WHOLE = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint64()]


def ordered(*pieces: pa.ChunkedArray) -> Distribution:
    return ordered_pieces(pieces, sum(map(len, pieces)))


def plainly(column: pa.ChunkedArray) -> tuple[list[float], list[int], int]:
    """The same by NumPy's `unique` over all values as float64."""
    values = numbers(column)
    null = np.isnan(values)
    distinct, counts = np.unique(values[~null], return_counts=True)
    return (distinct + 0.0).tolist(), counts.tolist(), int(null.sum())


def told(found: Distribution) -> tuple[list[float], list[int], int]:
    assert (found.values.dtype.char, found.counts.dtype.char) == ("d", "l")
    assert not np.signbit(found.values[found.values == 0]).any()
    return found.values.tolist(), found.counts.tolist(), found.nulls


def chunks(kind: pa.DataType, values: list[Any]) -> pa.ChunkedArray:
    half = len(values) // 2
    return pa.chunked_array([values[:half], values[half:]], type=kind)


@st.composite
def whole_numbers(draw: st.DrawFn) -> pa.ChunkedArray:
    kind = draw(st.sampled_from(WHOLE))
    limits = np.iinfo(kind.to_pandas_dtype())
    edges = [int(limits.min), int(limits.min) + 1, 0, 1, 2, int(limits.max) - 1, int(limits.max)]
    values = draw(st.lists(st.none() | st.sampled_from(edges), max_size=12))
    return chunks(kind, values)


@law(80)
@given(whole_numbers())
def test_whole_numbers_of_every_width_and_range(column: pa.ChunkedArray) -> None:
    assert told(ordered(column)) == plainly(column)


@law(60)
@given(
    st.sampled_from([pa.float16(), pa.float32(), pa.float64()]),
    st.lists(
        st.none() | st.sampled_from([0.0, -0.0, 0.5, -1.5, math.inf, -math.inf, math.nan]),
        max_size=12,
    ),
)
def test_floats_of_every_width(kind: pa.DataType, values: list[float | None]) -> None:
    column = chunks(kind, [None if v is None else kind.to_pandas_dtype()(v) for v in values])
    assert told(ordered(column)) == plainly(column)


@pytest.mark.parametrize("span", [1 << 16, 1 << 17, 1 << 40])
def test_counted_and_sorted_whole_numbers_are_the_same(span: int) -> None:
    random = np.random.default_rng(span)
    column = pa.chunked_array([random.integers(-span // 2, span // 2, 100_000)])
    assert told(ordered(column)) == plainly(column)


def test_truth_values_and_decimals_are_numbers() -> None:
    flags = pa.chunked_array([[True, None, False], [True]])
    assert told(ordered(flags)) == ([0.0, 1.0], [1, 2], 1)
    amounts = pa.chunked_array([pa.array([1.5, None, 1.5]).cast(pa.decimal128(5, 2))])
    assert told(ordered(amounts)) == ([1.5], [2], 1)


def test_counts_that_are_all_one_take_no_memory() -> None:
    found = ordered(pa.chunked_array([np.random.default_rng(1).normal(size=1000)]))
    assert found.counts.tolist() == [1] * 1000
    assert found.counts.strides == (0,)


def test_the_column_itself_is_left_alone() -> None:
    values = np.array([3.0, 1.0, -0.0])
    ordered(pa.chunked_array([pa.array(values)]))
    assert values.tolist() == [3.0, 1.0, 0.0]
    assert np.signbit(values[2])


@law(60)
@given(
    st.sampled_from([pa.float32(), pa.float64(), pa.int64(), pa.bool_(), pa.decimal128(22, 2)]),
    st.lists(st.lists(st.none() | st.integers(-3, 3), max_size=9), max_size=6),
)
def test_a_column_in_pieces_is_that_in_one(
    kind: pa.DataType, parts: list[list[int | None]]
) -> None:
    """Ties and nulls lie within pieces and across them; steps are shorter than runs and pieces."""
    pieces = [pa.chunked_array([pa.array(part, pa.int64()).cast(kind)]) for part in parts]
    whole = pa.chunked_array([chunk for piece in pieces for chunk in piece.chunks], type=kind)
    for step in (1, 3, ORDERED._STEP):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ORDERED, "_STEP", step)
            assert told(ordered(*pieces)) == plainly(whole)
