"""Differences and ratios between groups: exact of known values, and bounds of those in cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.checks.fairness.summary import spread
from aims_gate.facts import NoValue, Statistic
from tests.support.laws import law

_SHARE = st.floats(0, 1) | st.sampled_from([0.0, 0.5, 1.0])
_WITHIN = st.tuples(_SHARE, _SHARE, _SHARE).map(sorted)
"""The least, the true and the greatest value of a group."""


def told(values: list[tuple[float, float]], overall: tuple[float, float]) -> list[Statistic]:
    return list(spread("tpr", "sex", values, overall, rows=9, total=9, cells=8))


@given(st.lists(_WITHIN, min_size=2, max_size=5), _WITHIN)
@law()
def test_what_is_told_of_bounds_holds_what_is_told_of_the_values(
    groups: list[list[float]], overall: list[float]
) -> None:
    exact = told([(true, true) for _, true, _ in groups], (overall[1], overall[1]))
    bounds = told([(low, high) for low, _, high in groups], (overall[0], overall[2]))
    for one, other in zip(bounds, exact, strict=True):
        assert (one.name, one.slice) == (other.name, other.slice)
        assert other.bracket is None
        if other.value is None:
            continue
        assert one.bracket is not None or one.value == other.value
        assert one.bracket is None or one.bracket.holds(other.value)


def test_known_values_have_the_differences_and_ratios_of_published_tables() -> None:
    found = told([(0.2, 0.2), (0.5, 0.5)], (0.4, 0.4))
    assert [one.value for one in found] == pytest.approx([0.3, 0.2, 0.4, 0.5])
    zero = told([(0.0, 0.0), (0.0, 0.0)], (0.0, 0.0))
    assert [one.lack for one in zero] == [None, None, NoValue.UNDEFINED, NoValue.UNDEFINED]
