"""Brackets hold the exact distance and the exact bounds, however few cells there are."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest

from aims_gate.frames import Distribution
from aims_gate.frames.ordered import by_sorting
from aims_gate.stats import bins, divergence
from aims_gate.stats.brackets import binned, ordered
from aims_gate.stats.divergence import DIVERGENCES
from aims_gate.stats.drift import DISTANCES, usable
from tests.support.elsewhere import KINDS, hard_sample, on_one_grid
from tests.support.laws import TIMES

ALPHAS = (0.05, 0.05 / 24, 1e-4)
CELLS = (1, 8, 1024, 65536)


def _pairs(cases: int) -> Iterator[tuple[int, Distribution, Distribution]]:
    for seed in range(cases * TIMES):
        random = np.random.default_rng(seed)
        kinds = random.choice(KINDS, 2) if random.random() < 0.2 else [random.choice(KINDS)] * 2
        rows = (10 ** random.uniform(1, 4.2, 2)).astype(int)
        one, other = (
            by_sorting(hard_sample(kind, n, random)) for kind, n in zip(kinds, rows, strict=True)
        )
        if len(one.values) and len(other.values):
            yield seed, one, other


def test_the_exact_ordered_distance_and_its_error_lie_in_the_bracket() -> None:
    for (seed, one, other), (name, of) in product(_pairs(60), DISTANCES.items()):
        if of.finite and not usable(one, other):
            continue
        value, error = of.value(one, other), of.law(one, other).error
        for cells in CELLS:
            found = ordered.BRACKETS[name](*on_one_grid(cells, one, other))
            within = [(value, found.value), *((error(a), found.error(a)) for a in ALPHAS)]
            assert all(low <= x <= high for x, (low, high) in within), (seed, name, cells)


def test_the_exact_binned_distance_and_its_bounds_lie_in_the_bracket() -> None:
    told = 0
    for (seed, one, other), (name, of) in product(_pairs(40), DIVERGENCES.items()):
        effect = (1.0, 3.0)[seed % 2]
        exact = divergence.of_table(name, bins.numeric(one, other), design_effect=effect)
        for cells in CELLS:
            samples = on_one_grid(cells, one, other)
            found = binned.bracket(of, *samples, design_effect=effect)
            if found is None:
                continue
            told += 1
            assert found.value[0] <= exact.value <= found.value[1], (seed, name, cells)
            for bounds, low, high in ((exact.bounds(a), *found.ends(a)) for a in ALPHAS):
                assert np.all(np.less_equal(low, bounds)), (seed, name, cells)
                assert np.all(np.less_equal(bounds, high)), (seed, name, cells)
    assert told > 200


@pytest.mark.parametrize("name", [*DISTANCES, *DIVERGENCES])
def test_cells_of_one_value_leave_nothing_open(name: str) -> None:
    random = np.random.default_rng(5)
    one, other = (by_sorting(np.round(random.normal(x, 1, 3000), 1)) for x in (0.0, 0.2))
    samples = on_one_grid(1 << 16, one, other)
    if name in DISTANCES:
        value, bracket = DISTANCES[name].value(one, other), ordered.BRACKETS[name](*samples).value
    else:
        table = bins.numeric(one, other)
        value = divergence.of_table(name, table).value
        found = binned.bracket(DIVERGENCES[name], *samples)
        assert found is not None
        bracket = found.value
    assert bracket == pytest.approx((value, value), abs=1e-9)


def test_a_few_thousand_cells_tell_the_distance_of_any_number_of_rows_closely() -> None:
    random = np.random.default_rng(0)
    one, other = (by_sorting(random.normal(x, 1, 300_000)) for x in (0.0, 0.05))
    samples = on_one_grid(8192, one, other)
    widths = {}
    for name, of in DISTANCES.items():
        low, high = ordered.BRACKETS[name](*samples).value
        assert low <= of.value(one, other) <= high
        widths[name] = high - low
    psi = binned.bracket(DIVERGENCES["psi"], *samples)
    assert psi is not None
    widths["psi"] = psi.value[1] - psi.value[0]
    assert widths["ks"] < 0.001
    assert widths["wasserstein"] < 0.003
    assert widths["psi"] < 0.001


def test_an_atom_may_hide_in_a_cell_with_a_tenth_of_the_rows() -> None:
    one = by_sorting(np.concatenate([np.full(200, 0.5), np.linspace(0.4, 0.6, 100)]))
    other = by_sorting(np.linspace(0, 1, 300))
    assert binned.bracket(DIVERGENCES["psi"], *on_one_grid(4, one, other)) is None
    assert binned.bracket(DIVERGENCES["psi"], *on_one_grid(1 << 16, one, other)) is not None
