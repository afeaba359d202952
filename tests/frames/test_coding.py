"""Codes of distinct values: rows are put beside those of the same value without an order of all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.frames import Coded, Key, coding
from aims_gate.frames.coding import by_code
from aims_gate.frames.opening import open_frame
from tests.support.laws import law


@law(150)
@given(st.integers(0, 4), st.data())
def test_each_value_has_its_rows_in_their_order_and_null_has_none(
    size: int, data: st.DataObject
) -> None:
    codes = data.draw(st.lists(st.integers(-1, size - 1), max_size=40))
    column = Coded(codes=np.array(codes, dtype=np.int8), values=tuple(range(size)))
    places, halves = np.arange(len(codes)), np.arange(len(codes)) / 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coding, "_TABLE", 7)  # so that rows are ordered in several steps
        found = by_code(column, places, halves)
    assert len(found) == size
    for code, (own, half) in enumerate(found):
        assert own.tolist() == [place for place, other in enumerate(codes) if other == code]
        assert half.tolist() == [place / 2 for place in own.tolist()]
        assert (own.dtype, half.dtype) == (places.dtype, halves.dtype)


def test_rows_of_many_values_over_several_steps() -> None:
    random = np.random.default_rng(4)
    codes = random.integers(-1, 300, 200_001).astype(np.int16)
    values = random.normal(size=len(codes))
    found = by_code(Coded(codes=codes, values=tuple(range(300))), values)
    for code in (0, 17, 299):
        assert found[code][0].tolist() == values[codes == code].tolist()
    assert sum(len(own) for (own,) in found) == np.count_nonzero(codes >= 0)


@pytest.mark.parametrize("edges", [126, 127, 128])
def test_null_is_a_cell_of_its_own_however_many_bins_there_are(edges: int) -> None:
    """One bin more than the largest signed byte would count null among the bins of another cell."""
    middles = [edge - 0.5 for edge in range(edges + 1)]
    rows = [("a", middle) for middle in middles] + [("b", None), ("b", None)]
    groups, values = zip(*rows, strict=True)
    frame = open_frame({"group": groups, "x": values})
    bins = Key(column="x", edges=tuple(float(edge) for edge in range(edges)))
    found = frame.count(Key(column="group"), bins)
    assert found.counts.tolist() == [1] * (edges + 1) + [2]
    assert found.values[-1] == ("b", None)
    assert all(group == "a" for group, _ in found.values[:-1])
