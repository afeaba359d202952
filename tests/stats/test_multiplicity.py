from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from aims_gate.stats.multiplicity import adjusted
from tests.support.laws import law


@law()
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_adjusted_p_values_are_scipys(p_values: list[float]) -> None:
    assert adjusted(p_values) == pytest.approx(false_discovery_control(p_values), rel=1e-12)


def test_one_p_value_stays_and_none_are_none() -> None:
    assert adjusted([0.03]) == [0.03]
    assert adjusted([]) == []
    assert adjusted([0.01, 0.04, 0.03, 1.0]) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 1.0])
