from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.stats.disparity import (
    Contrast,
    Group,
    Measure,
    contrasts,
    decisive,
    extreme,
    ordered_pairs,
    quantile,
)
from tests.support.laws import law

LAWS = law(80)


def exact(measure: Measure, worse: Group, better: Group) -> float:
    if measure is Measure.RATIO:
        return worse.rate / better.rate
    return better.rate - worse.rate


def compared(
    groups: list[Group], measure: Measure, *, design_effect: float = 1.0, alpha: float = 0.05
) -> tuple[Contrast, ...]:
    pairs = ordered_pairs(groups)
    return contrasts(
        pairs,
        measure=measure,
        z=quantile(alpha, len(pairs)),
        alone=quantile(alpha, 1),
        design_effect=design_effect,
        value=lambda worse, better: exact(measure, worse, better),
    )


@st.composite
def many_groups(draw: st.DrawFn) -> list[Group]:
    sizes = draw(st.lists(st.integers(30, 5_000), min_size=2, max_size=6))
    return [
        Group(name=f"g={i}", rows=rows, successes=draw(st.integers(0, rows)))
        for i, rows in enumerate(sizes)
    ]


@pytest.mark.parametrize(("groups", "z"), [(2, 1.96), (4, 2.64), (9, 3.20)])
def test_z_counts_both_directions_of_every_pair(groups: int, z: float) -> None:
    assert quantile(0.05, groups * (groups - 1)) == pytest.approx(z, abs=0.005)
    assert quantile(0.05, 2 + 20 + 90) == pytest.approx(3.32, abs=0.005)


def test_a_reference_leaves_only_the_pairs_it_is_part_of() -> None:
    groups = [Group(name=name, rows=50, successes=9) for name in "abc"]
    assert len(ordered_pairs(groups)) == 6
    named = {(w.name, b.name) for w, b in ordered_pairs(groups, "b")}
    assert named == {("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")}


def test_the_rate_of_an_empty_group_is_no_number() -> None:
    assert math.isnan(Group(name="g=0", rows=0, successes=0).rate)


def test_zero_over_zero_is_undefined_and_never_parity() -> None:
    found = compared(
        [Group(name="a", rows=40, successes=0), Group(name="b", rows=70, successes=0)],
        Measure.RATIO,
    )
    assert all(math.isnan(contrast.value) for contrast in found)
    assert all((c.low, c.high) == (0.0, math.inf) for c in found)
    assert len(decisive(found, Measure.RATIO)) == 2


@LAWS
@given(many_groups(), st.sampled_from(Measure))
def test_every_interval_holds_its_value(groups: list[Group], measure: Measure) -> None:
    for contrast in compared(groups, measure):
        if not math.isnan(contrast.value):
            assert contrast.low <= contrast.value + 1e-12
            assert contrast.value <= contrast.high + 1e-12
            assert 0 <= contrast.value <= 1
            low, high = contrast.alone  # inside the simultaneous one, and around the value
            assert contrast.low - 1e-12 <= low <= contrast.value + 1e-12
            assert contrast.value - 1e-12 <= high <= contrast.high + 1e-12


@LAWS
@given(
    many_groups(),
    st.sampled_from(Measure),
    st.floats(0.01, 0.99),
    st.floats(0.01, 0.99),
)
def test_leaving_out_dominated_pairs_decides_nothing_differently(
    groups: list[Group], measure: Measure, limit: float, line: float
) -> None:
    """For each kind of breach: some pair of all has it, if and only if some pair kept has it."""
    sign = 1 if measure is Measure.RATIO else -1

    def past(value: float, bar: float) -> bool:
        return sign * value < sign * bar

    def breaches(found: tuple[Contrast, ...]) -> tuple[bool, ...]:
        near = [c.high if measure is Measure.RATIO else c.low for c in found]
        far = [c.low if measure is Measure.RATIO else c.high for c in found]
        pairs = list(zip(found, near, far, strict=True))
        return (
            any(past(c.value, limit) for c, _, _ in pairs),
            any(past(c.value, limit) and past(n, line) for c, n, _ in pairs),
            any(past(c.value, line) and past(n, measure.neutral) for c, n, _ in pairs),
            any(past(f, limit) for _, _, f in pairs),
            any(past(c.alone[0 if measure is Measure.RATIO else 1], limit) for c, _, _ in pairs),
            any(math.isnan(c.value) for c, _, _ in pairs),
        )

    found = compared(groups, measure)
    for group in groups:
        mine = tuple(c for c in found if c.worse is group)
        kept = decisive(mine, measure)
        assert kept
        assert breaches(kept) == breaches(mine)


def proven(groups: list[Group], limit: float = 0.8, line: float = 0.9) -> bool:
    return any(c.value < limit and c.high < line for c in compared(groups, Measure.RATIO))


@LAWS
@given(many_groups(), st.integers(2, 9))
def test_more_rows_at_the_same_shares_never_soften_a_refusal(
    groups: list[Group], factor: int
) -> None:
    more = [
        Group(name=g.name, rows=g.rows * factor, successes=g.successes * factor) for g in groups
    ]
    assert proven(more) or not proven(groups)


@LAWS
@given(many_groups())
def test_one_fewer_selected_in_the_worst_group_never_softens_a_refusal(
    groups: list[Group],
) -> None:
    worst = min(groups, key=lambda g: g.rate)
    if worst.successes == 0:
        return
    fewer = Group(name=worst.name, rows=worst.rows, successes=worst.successes - 1)
    assert proven([fewer if g is worst else g for g in groups]) or not proven(groups)


@LAWS
@given(many_groups(), st.sampled_from(Measure))
def test_a_design_effect_widens_intervals_and_leaves_values(
    groups: list[Group], measure: Measure
) -> None:
    plain, wide = compared(groups, measure), compared(groups, measure, design_effect=2.5)
    for one, other in zip(plain, wide, strict=True):
        assert other.value == one.value or math.isnan(one.value)
        assert other.low <= one.low + 1e-12
        assert other.high >= one.high - 1e-12


def test_the_extreme_is_the_least_ratio_and_the_largest_gap() -> None:
    groups = [
        Group(name="a", rows=400, successes=40),
        Group(name="b", rows=900, successes=180),
        Group(name="c", rows=50, successes=12),
    ]
    ratio, (low, high) = extreme(compared(groups, Measure.RATIO), Measure.RATIO)
    assert ratio == pytest.approx(0.10 / 0.24)
    assert 0 < low < ratio < high <= 1
    gap, (low, high) = extreme(compared(groups, Measure.GAP), Measure.GAP)
    assert gap == pytest.approx(0.14)
    assert 0 <= low < gap < high <= 1


@pytest.mark.parametrize(
    ("rates", "measure"),
    [
        ((0.3, 0.3, 0.3, 0.3), Measure.RATIO),
        ((0.3, 0.3, 0.3, 0.3), Measure.GAP),
        ((0.5, 0.5, 0.5, 0.3), Measure.RATIO),
        ((0.9, 0.9, 0.8, 0.9), Measure.GAP),
    ],
)
def test_the_interval_of_the_extreme_covers_the_truth(
    rates: tuple[float, ...], measure: Measure
) -> None:
    """Coverage at least 94 % where a bootstrap of max - min covers parity in 0 %."""
    rng = np.random.default_rng(20)
    sizes = (600, 250, 100, 50)
    truth = min(rates) / max(rates) if measure is Measure.RATIO else max(rates) - min(rates)
    covered, trials = 0, 400
    for _ in range(trials):
        groups = [
            Group(name=str(i), rows=rows, successes=int(rng.binomial(rows, rate)))
            for i, (rows, rate) in enumerate(zip(sizes, rates, strict=True))
        ]
        low, high = extreme(compared(groups, measure), measure)[1]
        covered += low <= truth <= high
    assert covered / trials >= 0.93
