"""Two ascending samples cut at the same values: nothing is lost, and equal values meet."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.stats import merging
from aims_gate.stats.merging import Floats, cuts
from tests.support.laws import law

SAMPLES = st.sets(st.integers(0, 40)).map(lambda values: np.array(sorted(values), dtype=float))


@law(200)
@given(SAMPLES, SAMPLES)
def test_pieces_follow_each_other_in_both_samples_and_share_no_value(
    one: Floats, two: Floats
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "PIECE", 3)
        pieces = [(one[left], two[right]) for left, right in cuts(one, two)]
    for place, sample in enumerate((one, two)):
        joined = [value for piece in pieces for value in piece[place].tolist()]
        assert joined == sample.tolist()
    ends = [np.concatenate(piece) for piece in pieces]
    assert all(before.max() < after.min() for before, after in pairwise(ends))
    longer = one if len(one) >= len(two) else two
    assert len(pieces) == -(-len(longer) // 3)


def test_samples_without_a_value_have_no_piece() -> None:
    assert list(cuts(np.zeros(0), np.zeros(0))) == []
