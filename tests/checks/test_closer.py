"""Cells that matter are counted closer, down to the very value, and no others are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from aims_gate.checks.closer import FINEST, counted
from aims_gate.checks.contract import Resolution
from aims_gate.errors import DataError
from aims_gate.frames import Distribution, Grid, Histogram
from aims_gate.frames.histograms import histogram_of
from aims_gate.frames.ordered import by_sorting
from aims_gate.stats.brackets import binned, ordered, ranked
from aims_gate.stats.divergence import DIVERGENCES
from aims_gate.stats.drift import ks
from tests.support.elsewhere import KINDS, hard_sample
from tests.support.laws import TIMES

FEW = Resolution(rounds=0, cells=8, room=64)


class _Asked:
    """Two samples, and the grids that they were counted on."""

    def __init__(self, *samples: Distribution) -> None:
        self._samples = samples
        self.grids: list[Grid] = []

    def __call__(self, grid: Grid) -> Sequence[Histogram]:
        self.grids.append(grid)
        return [histogram_of(one, grid) for one in self._samples]

    @property
    def ends(self) -> tuple[float, float]:
        values = np.concatenate([one.values for one in self._samples])
        values = values[np.isfinite(values)]
        return float(values.min()), float(values.max())


def _hard_pairs(cases: int) -> list[tuple[int, Distribution, Distribution]]:
    found = []
    for seed in range(cases * TIMES):
        random = np.random.default_rng(seed)
        kind = random.choice(KINDS)
        rows = (10 ** random.uniform(0.5, 3.5, 2)).astype(int)
        one, other = (by_sorting(hard_sample(kind, int(n), random)) for n in rows)
        if np.isfinite(one.values).any() and np.isfinite(other.values).any():
            found.append((seed, one, other))
    return found


def test_each_round_lies_within_the_one_before_and_the_last_is_the_value() -> None:
    """Of what rests on few cells; rows are neither lost nor counted twice."""
    settled = 0
    for seed, one, other in _hard_pairs(60):
        ask = _Asked(one, other)
        brackets = []
        for rounds in range(9):
            found = counted(ask, ordered.open_to_ks, ask.ends, rounds, FEW)
            assert [cell.rows for cell in found] == [one.rows, other.rows]
            assert all(np.all(cell.greatest[:-1] < cell.least[1:]) for cell in found)
            brackets.append(ordered.ks(*found).value)
        assert all(a[0] <= b[0] <= b[1] <= a[1] for a, b in pairwise(brackets)), seed
        low, high = brackets[-1]
        assert low <= ks(one, other) <= high
        settled += low == high == ks(one, other)
    assert settled > 40


@pytest.mark.parametrize("name", DIVERGENCES)
def test_quantile_bins_are_known_exactly_after_a_few_rounds(name: str) -> None:
    known = 0
    pairs = _hard_pairs(30)
    for seed, one, other in pairs:
        ask = _Asked(one, other)
        found = binned.bracket(
            DIVERGENCES[name], *counted(ask, binned.open_cells, ask.ends, 8, FEW)
        )
        assert found is not None, seed
        known += found.low is found.high
    assert known > 0.9 * len(pairs)


def test_rows_far_from_all_others_cost_rounds_and_no_values() -> None:
    random = np.random.default_rng(0)
    one, other = (
        by_sorting(np.append(random.normal(by, 1, 5000), [-1e9, 1e9])) for by in (0.0, 0.1)
    )
    ask = _Asked(one, other)
    found = ordered.ks(*counted(ask, ordered.open_to_ks, ask.ends, 8, Resolution(rounds=0)))
    assert found.value == (ks(one, other),) * 2
    assert len(ask.grids) <= 5


def test_an_area_that_rests_on_every_score_is_not_counted_closer_for_ever() -> None:
    random = np.random.default_rng(0)
    one, other = (by_sorting(random.normal(by, 1, 200_000)) for by in (0.0, 0.1))
    ask = _Asked(one, other)
    found = counted(ask, ranked.open_cells, ask.ends, 8, Resolution(rounds=0))
    assert len(ask.grids) == 2
    assert max(len(cells.counts) for cells in found) <= 1 << 16
    assert max(grid.cells for grid in ask.grids) < FINEST


def test_rows_that_changed_between_two_rounds_are_an_error() -> None:
    one, other = (by_sorting(np.linspace(by, 1, 500)) for by in (0.0, 0.1))
    honest = _Asked(one, other)

    def ask(grid: Grid) -> Sequence[Histogram]:
        first, second = honest(grid)
        if grid.within is None:
            return first, second
        return first, replace(second, counts=second.counts + 1)

    with pytest.raises(DataError, match="rows changed while they were counted"):
        counted(ask, ordered.open_to_ks, honest.ends, 1, FEW)
