"""Tables and columns written out as few rows have the shape of the many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.frames import Distribution
from aims_gate.stats.bins import Binned
from aims_gate.stats.samples import COMPARED_ROWS, ORDER_STATISTICS, order_statistics, scaled
from tests.support.laws import law

COUNTS = st.lists(st.integers(0, 10**12), min_size=2, max_size=30).filter(any)


@law()
@given(COUNTS)
def test_a_scaled_table_keeps_its_shares_and_every_bin(counts: list[int]) -> None:
    """To half a row, and to one for a bin that would be lost."""
    given_counts = np.array(counts, dtype=np.int64)
    names = tuple(map(str, range(len(counts))))
    found = scaled(Binned(reference=given_counts, current=given_counts[::-1], names=names))
    assert found.reference.tolist() == found.current[::-1].tolist()
    assert ((found.reference > 0) == (given_counts > 0)).all()
    rows = int(given_counts.sum())
    if rows <= COMPARED_ROWS:
        assert found.reference.tolist() == counts
    else:
        exact = given_counts * (COMPARED_ROWS / rows)
        assert np.abs(found.reference - exact).max() <= 1
        assert found.reference.sum() <= COMPARED_ROWS + len(counts)


@pytest.mark.parametrize("rows", [7, ORDER_STATISTICS, ORDER_STATISTICS + 1, 90_011])
def test_order_statistics_are_the_same_of_values_once_and_of_counted_ones(rows: int) -> None:
    values = np.sort(np.random.default_rng(rows).normal(size=rows))
    once = np.broadcast_to(np.int64(1), rows)
    twice = np.full(rows, 2, dtype=np.int64)
    found = order_statistics(Distribution(values=values, counts=once, nulls=0))
    assert len(found) == min(rows, ORDER_STATISTICS)
    assert found.tolist() == sorted(found.tolist())
    ranks = (np.arange(len(found)) * 2 + 1) * rows // (2 * len(found))
    assert found.tolist() == values[ranks].tolist()
    doubled = order_statistics(Distribution(values=values, counts=twice, nulls=3))
    if rows > ORDER_STATISTICS:
        assert np.abs(np.searchsorted(values, doubled) - ranks).max() <= 1
