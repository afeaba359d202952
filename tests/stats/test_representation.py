"""Representation: 1 is the population's own share, and no number of rows hides an absent group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aims_gate.stats.representation import ShareDesign, folded, representation
from tests.laws import law
from tests.proportions import guarded

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


def test_the_rows_that_are_asked_for_are_enough_and_no_fewer() -> None:
    def need(rows: int, serious: float = 0.0) -> bool:
        design = ShareDesign(rows=rows, population=0.02, z=2.24)
        return design.need(limit=0.5, line=0.75, serious=serious).powered

    told = ShareDesign(rows=100, population=0.02, z=2.24).need(limit=0.5, line=0.75, serious=0.0)
    wanted = int(told.reason.split("needs ")[1].rstrip(")").replace(",", ""))
    assert not told.powered
    assert need(wanted)
    assert not need(wanted - 1)
    assert need(10 * wanted, 0.2)


def test_an_effect_on_the_limit_is_shown_by_no_number_of_rows() -> None:
    told = ShareDesign(rows=0, population=0.2, z=2.0).need(limit=0.5, line=0.75, serious=0.5)
    assert "no number of rows could" in told.reason


def test_a_serious_absence_is_refused_at_the_power_that_is_promised() -> None:
    """At the rows asked for, a group at a quarter of its share is proven below 0.75 in 80 %."""
    design = ShareDesign(rows=1, population=0.1, z=2.24)
    told = design.need(limit=0.5, line=0.75, serious=0.25)
    rows = int(told.reason.split("needs ")[1].rstrip(")").replace(",", ""))
    drawn = np.random.default_rng(1).binomial(rows, 0.025, 2_000)
    proven = [representation(int(x), rows, 0.1, 2.24, both=True) for x in drawn]
    assert np.mean([value < 0.5 and high < 0.75 for value, (_low, high) in proven]) >= 0.77
