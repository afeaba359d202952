"""Counts that are all one take no memory, and are added up as any others are."""

from __future__ import annotations

import numpy as np
import pytest

from aims_gate.stats.counting import is_once, once, total


def test_values_that_occur_once_are_counted_without_an_array() -> None:
    counts = once(7)
    assert (len(counts), total(counts), is_once(counts)) == (7, 7, True)
    assert counts.dtype == np.int64
    assert not any(counts.strides)


@pytest.mark.parametrize("counts", [[], [1], [1, 1, 1], [4, 0, 9]])
def test_other_counts_are_summed(counts: list[int]) -> None:
    found = np.array(counts, dtype=np.int64)
    assert total(found) == sum(counts)
    assert not len(found) or not is_once(found)


def test_one_number_other_than_one_is_not_taken_for_ones() -> None:
    counts = np.broadcast_to(np.int64(3), 5)
    assert (is_once(counts), total(counts)) == (False, 15)


def test_no_values_have_no_counts_to_look_at() -> None:
    assert is_once(once(0))
    assert total(once(0)) == 0
