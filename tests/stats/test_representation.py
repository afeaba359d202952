"""Representation: 1 is the population's own share, and no number of rows hides an absent group."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aims_gate.stats.representation import folded, representation
from tests.support.laws import law
from tests.support.proportions import guarded

SHARES = st.floats(0.001, 0.999)


@pytest.mark.parametrize(
    ("group", "share", "value"), [(50, 0.5, 1), (25, 0.5, 0.5), (50, 0.25, 0.5), (0, 0.5, 0)]
)
def test_half_and_twice_of_the_share_are_as_far_from_it(
    group: int, share: float, value: float
) -> None:
    assert representation(group, 100, share, 1.96, both=True)[0] == value


def test_bounds_are_those_of_statsmodels_over_the_share() -> None:
    low, high = guarded(80, 1_000, 0.05)
    _value, bounds = representation(80, 1_000, 0.2, 1.959963984540054, both=True)
    assert bounds == pytest.approx((low / 0.2, high / 0.2), rel=1e-12)
    # 400 of 1,000 against a fifth is twice too many: the bounds change sides
    low, high = guarded(400, 1_000, 0.05)
    _value, bounds = representation(400, 1_000, 0.2, 1.959963984540054, both=True)
    assert bounds == pytest.approx((0.2 / high, 0.2 / low), rel=1e-12)


@law()
@given(group=st.integers(0, 300), more=st.integers(0, 300), share=SHARES, both=st.booleans())
def test_the_value_lies_between_its_bounds_and_all_in_the_unit_interval(
    group: int, more: int, share: float, both: bool
) -> None:
    assume(group + more > 0)
    value, (low, high) = representation(group, group + more, share, 2.5, both=both)
    assert 0 <= low <= value <= high <= 1


@law()
@given(ratio=st.floats(1e-6, 1e6))
def test_a_ratio_and_its_inverse_are_one(ratio: float) -> None:
    assert folded(ratio) == pytest.approx(folded(1 / ratio), rel=1e-9)
    assert folded(1.0) == 1


def test_too_many_count_only_where_both_sides_do() -> None:
    assert representation(90, 100, 0.3, 2.0, both=False)[0] == 1
    assert representation(90, 100, 0.3, 2.0, both=True)[0] == pytest.approx(1 / 3)
