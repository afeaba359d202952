"""Chances to be decided are those of drawn data, and rows that are named decide four in five."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.facts import PowerDesign
from aims_gate.stats import divergence
from aims_gate.stats.bins import Binned
from aims_gate.stats.disparity import Group, Measure, contrasts, ordered_pairs, quantile
from aims_gate.stats.drift import ks_noise, ks_p_value
from aims_gate.stats.drift_power import DivergenceDesign, OrderedDesign
from aims_gate.stats.power import (
    ChangeDesign,
    NormalDesign,
    PairsDesign,
    SharesDesign,
    factor_needed,
    least,
    pooled_error,
)
from tests.support.laws import law

ALONE = quantile(0.05, 1)
SERIOUS = {Measure.RATIO: 0.60, Measure.GAP: 0.20}
G2, G4, G6 = (0.7, 0.3), (0.5, 0.25, 0.15, 0.1), (0.45, 0.2, 0.13, 0.1, 0.08, 0.04)


def pairs(shares: tuple[float, ...], rows: int, rate: float, measure: Measure) -> PairsDesign:
    sizes = tuple(round(share * rows) for share in shares)
    return PairsDesign(
        measure=measure,
        sizes=sizes,
        errors=pooled_error(rate, sizes),
        pairs=tuple(itertools.permutations(range(len(sizes)), 2)),
        centre=rate,
        z=ALONE,
        rows=rows,
    )


def excluded(shares: tuple[float, ...], rows: int, rate: float, measure: Measure) -> float:
    """Share of 400 draws without any effect in which each pair's own bound excludes a serious."""
    rng, sizes = np.random.default_rng(3), [round(share * rows) for share in shares]
    decided = 0
    for _ in range(400):
        groups = [
            Group(name=str(place), rows=size, successes=int(rng.binomial(size, rate)))
            for place, size in enumerate(sizes)
        ]
        found = contrasts(
            ordered_pairs(groups),
            measure=measure,
            z=ALONE,
            alone=ALONE,
            design_effect=1,
            value=lambda worse, better: (
                worse.rate / better.rate if measure is Measure.RATIO else better.rate - worse.rate
            ),
        )
        if measure is Measure.RATIO:
            decided += all(one.alone[0] > SERIOUS[measure] for one in found)
        else:
            decided += all(one.alone[1] < SERIOUS[measure] for one in found)
    return decided / 400


@pytest.mark.parametrize("measure", list(Measure))
@pytest.mark.parametrize(
    ("shares", "rows", "rate"),
    [(G2, 400, 0.3), (G2, 1_200, 0.1), (G4, 1_000, 0.3), (G4, 500, 0.6), (G6, 3_000, 0.3)],
)
def test_the_chance_of_groups_is_that_of_drawn_data(
    measure: Measure, shares: tuple[float, ...], rows: int, rate: float
) -> None:
    told = pairs(shares, rows, rate, measure).chance(1.0, serious=SERIOUS[measure])
    assert excluded(shares, rows, rate, measure) == pytest.approx(told, abs=0.06)


@pytest.mark.parametrize(
    ("shares", "rate"), [(G2, 0.3), (G2, 0.1), (G4, 0.3), (G4, 0.6), (G6, 0.3)]
)
def test_at_the_rows_that_are_named_groups_are_decided_four_times_in_five(
    shares: tuple[float, ...], rate: float
) -> None:
    factor = factor_needed([(pairs(shares, 300, rate, Measure.RATIO), 0.60)])
    assert 1 < factor < 100
    assert 0.74 <= excluded(shares, math.ceil(300 * factor), rate, Measure.RATIO) <= 0.90


def test_the_chance_is_the_published_table_of_the_rule() -> None:
    """No effect at a base rate of 0.3: 70/30 at 500 rows 90 %, four groups at 2,000 92 %."""
    for shares, rows, published in ((G2, 500, 0.90), (G4, 2_000, 0.92), (G6, 5_000, 0.94)):
        told = pairs(shares, rows, 0.3, Measure.RATIO).chance(1.0, serious=0.60)
        assert told == pytest.approx(published, abs=0.02)


def test_means_of_unequal_spread_are_decided_as_often_as_their_chance_says() -> None:
    sizes, deviations = (120, 300, 60), (1.0, 1.4, 0.8)
    design = PairsDesign(
        measure=Measure.GAP,
        sizes=sizes,
        errors=deviations,
        pairs=tuple(itertools.permutations(range(3), 2)),
        centre=0.0,
        z=ALONE,
        rows=480,
    )
    errors = np.array(deviations) / np.sqrt(sizes)
    means = np.random.default_rng(1).normal(0, errors, (20_000, 3))
    decided = np.ones(20_000, dtype=np.bool_)
    for worse, better in design.pairs:
        step = ALONE * math.hypot(errors[worse], errors[better])
        decided &= means[:, better] - means[:, worse] + step < 0.45
    assert design.chance(1.0, serious=0.45) == pytest.approx(decided.mean(), abs=0.02)


@pytest.mark.parametrize("method", ["psi", "js", "hellinger", "chi2"])
def test_the_chance_of_a_column_is_that_of_drawn_bins(method: str) -> None:
    rng, shares = np.random.default_rng(7), np.full(10, 0.1)
    serious = 0.5 if method == "psi" else 0.25
    n, m = 1_000, 130
    design = DivergenceDesign(bins=10, reference=n, rows=m, alpha=0.05, method=method)
    seen = 0
    for _ in range(400):
        table = Binned(
            names=tuple("abcdefghij"),
            reference=rng.multinomial(n, shares),
            current=rng.multinomial(m, shares),
        )
        seen += divergence.of_table(method, table).bounds(0.05)[1] < serious
    assert seen / 400 == pytest.approx(design.chance(1.0, serious=serious), abs=0.07)


def test_the_chance_of_an_ordered_column_is_that_of_drawn_values() -> None:
    """Kolmogorov-Smirnov: the law is that of continuous values."""
    rng, n, m = np.random.default_rng(9), 400, 150
    unit = math.sqrt(1 / n + 1 / m)
    design = OrderedDesign(
        reference=n,
        rows=m,
        below=lambda distance: 1 - ks_p_value(distance * unit, n, m),
        error=ks_noise(n, m, 0.05) / unit,
    )
    seen = 0
    for _ in range(400):
        before, after = np.sort(rng.random(n)), np.sort(rng.random(m))
        grid = np.concatenate([before, after])
        ranks = [np.searchsorted(s, grid, side="right") / len(s) for s in (before, after)]
        seen += float(np.abs(ranks[0] - ranks[1]).max()) + ks_noise(n, m, 0.05) < 0.21
    assert seen / 400 == pytest.approx(design.chance(1.0, serious=0.21), abs=0.08)


def test_a_change_of_a_rate_is_excluded_as_often_as_its_chance_says() -> None:
    rng, n, m = np.random.default_rng(2), 3_000, 500
    design = ChangeDesign(reference=n, rows=m, rate=0.3, z=ALONE)
    p, q = rng.binomial(n, 0.3, 20_000) / n, rng.binomial(m, 0.3, 20_000) / m
    error = np.sqrt((1 - p) / p / n + (1 - q) / q / m)
    change = np.log(q / p)
    seen = (change - ALONE * error > math.log(0.8)) & (change + ALONE * error < math.log(1.2))
    assert design.chance(1.0, serious=0.2) == pytest.approx(seen.mean(), abs=0.04)
    assert design.chance(1.0, serious=1.5) > 0.99  # no fall is so large


def test_a_share_of_columns_that_are_seen_well_enough_decides() -> None:
    sure = NormalDesign(error=0.01, z=ALONE, rows=500)
    blind = NormalDesign(error=1.0, z=ALONE, rows=500)

    def chance(*columns: PowerDesign | None) -> float:
        made = SharesDesign(columns=tuple((1.0, 0.2, one) for one in columns), rows=500)
        return made.chance(1.0, serious=0.6)

    assert chance(None, None) == 1.0
    assert chance(sure, sure, sure, blind) > 0.99
    assert chance(sure, blind, blind, blind) == pytest.approx(1 - 0.926**3, abs=0.02)
    assert chance(*[blind] * 40) < 0.01


@law(60)
@given(
    error=st.floats(0.001, 10),
    fixed=st.sampled_from([0.0, 0.01]),
    serious=st.floats(0.05, 2.0),
)
def test_more_rows_never_lower_a_chance_and_the_named_ones_are_enough(
    error: float, fixed: float, serious: float
) -> None:
    design = NormalDesign(error=error, fixed=fixed, z=ALONE, rows=100)
    chances = [design.chance(factor, serious=serious) for factor in (1.0, 2.0, 8.0, 1e6)]
    assert chances == sorted(chances)
    factor = factor_needed([(design, serious)])
    assert design.chance(factor, serious=serious) >= 0.80
    if factor > 1:
        assert design.chance(0.99 * factor, serious=serious) < 0.80


def test_where_no_rows_would_do_the_factor_is_infinite() -> None:
    """The other data are too few, or nothing lies between value and what it must exclude."""
    few = NormalDesign(error=0.1, fixed=1.0, z=ALONE, rows=100)
    assert math.isinf(factor_needed([(few, 0.5)]))
    assert math.isinf(factor_needed([(NormalDesign(error=0.1, z=ALONE, rows=100), 0.0)]))


def test_a_search_that_nothing_satisfies_ends() -> None:
    assert least(lambda _: False, start=1.0) == math.inf
    assert least(lambda _: True, start=3.0) == 3.0
    assert least(lambda x: x >= 12345.678, start=1.0) == pytest.approx(12345.678, rel=2e-4)
