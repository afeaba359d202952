from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aims_gate.stats.intervals import Rate, mover_difference
from aims_gate.stats.slices import above, behind, without
from aims_gate.stats.tables import Losses
from tests.support.laws import law

LAWS = law(60)
Z = 1.6448536269514722


def moments(values: npt.NDArray[np.float64]) -> Losses:
    centred = values - values.mean()
    spread = float((centred**2).mean())
    return Losses(
        rows=len(values),
        mean=float(values.mean()),
        variance=float(values.var(ddof=1)),
        skewness=float((centred**3).mean()) / spread**1.5 if spread else 0.0,
    )


@LAWS
@given(st.integers(0, 2**32 - 1), st.integers(2, 300), st.integers(2, 300))
@example(1_255_478, 173, 2)
def test_the_rest_has_the_moments_of_the_rows_that_are_left(
    seed: int, part: int, rest: int
) -> None:
    """To the last digits of sums over all rows, of which two near losses leave little."""
    rng = np.random.default_rng(seed)
    losses = rng.gamma(1.5, 2.0, part + rest)
    found = without(moments(losses), moments(losses[:part]))
    expected = moments(losses[part:])
    assert found.rows == expected.rows
    assert found.mean == pytest.approx(expected.mean)
    away = np.abs(losses - losses.mean())
    second, third = (1e-12 * (away**power).sum() / rest for power in (2, 3))
    spread = expected.variance * (rest - 1) / rest
    assert found.variance == pytest.approx(expected.variance, abs=second * rest / (rest - 1))
    assert found.skewness == pytest.approx(expected.skewness, abs=third / spread**1.5)


def test_a_rest_of_equal_losses_does_not_vary() -> None:
    """What is left of two sums of squares that are equal but for rounding is no variance."""
    rng = np.random.default_rng(4)
    for rest in (0.1, 0.7, 3.3e-7):
        part = rng.gamma(1.5, 2.0, 80)
        found = without(moments(np.append(part, np.full(300, rest))), moments(part))
        assert found.mean == pytest.approx(rest)
        assert (found.variance, found.skewness) == (0.0, 0.0)


@LAWS
@given(
    st.tuples(st.integers(1, 500), st.integers(1, 500)).flatmap(
        lambda sizes: st.tuples(st.just(sizes), st.integers(0, sizes[0]), st.integers(0, sizes[1]))
    )
)
def test_a_slices_distance_to_the_whole_is_that_to_the_rest_times_what_is_outside(
    case: tuple[tuple[int, int], int, int],
) -> None:
    (part, rest), hits, others = case
    whole = hits + others, part + rest
    low, high = behind(whole, (hits, part), Z)
    value = whole[0] / whole[1] - hits / part
    assert low - 1e-12 <= value <= high + 1e-12
    outside = rest / (part + rest)
    assert value == pytest.approx(outside * (others / rest - hits / part))
    expected = mover_difference(Rate.of(others, rest, Z), Rate.of(hits, part, Z))
    assert (low, high) == pytest.approx(tuple(outside * bound for bound in expected))


def test_mean_losses_have_bounds_around_their_difference_() -> None:
    rng = np.random.default_rng(0)
    losses = np.concatenate([rng.gamma(2, 1.3, 200), rng.gamma(2, 1.0, 800)])
    whole, part = moments(losses), moments(losses[:200])
    low, high = above(whole, part, Z)
    value = part.mean - whole.mean
    assert low < value < high
