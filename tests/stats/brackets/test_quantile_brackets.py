"""The bracket of a median holds it and its bounds, and ends in them."""

from __future__ import annotations

from functools import partial

import numpy as np

from aims_gate.checks.closer import counted
from aims_gate.checks.contract import Resolution
from aims_gate.frames import Distribution, Grid, Histogram
from aims_gate.frames.histograms import histogram_of
from aims_gate.frames.ordered import by_sorting
from aims_gate.stats import medians
from aims_gate.stats.brackets.quantiles import MedianBracket, open_cells
from aims_gate.stats.tables import OrderedErrors
from tests.support.elsewhere import KINDS, hard_sample, on_one_grid
from tests.support.laws import TIMES

ALPHAS = (0.05, 0.01, 1e-4)


def _asked(sample: Distribution, grid: Grid) -> list[Histogram]:
    return [histogram_of(sample, grid)]


def test_the_exact_median_and_its_bounds_lie_in_the_bracket() -> None:
    ended = 0
    for seed in range(100 * TIMES):
        random = np.random.default_rng(seed)
        drawn = hard_sample(random.choice(KINDS), int(10 ** random.uniform(0, 4)), random)
        sample = by_sorting(np.abs(drawn[np.isfinite(drawn)]))
        if not len(sample.values):
            continue
        exact = OrderedErrors(values=sample.values, counts=sample.counts)
        for cells in (1, 8, 1024, 65536):
            (one,) = on_one_grid(cells, sample)
            found = MedianBracket.of(one)
            assert found.value[0] <= medians.median(exact) <= found.value[1], (seed, cells)
            for alpha in ALPHAS:
                bounds, (low, high) = medians.bounds(exact, alpha), found.ends(alpha)
                assert np.all(np.less_equal(low, bounds)), (seed, cells, alpha)
                assert np.all(np.less_equal(bounds, high)), (seed, cells, alpha)
        ends = float(sample.values[0]), float(sample.values[-1])
        asked = partial(_asked, sample)
        (last,) = counted(asked, open_cells, ends, 8, Resolution(cells=8, room=64))
        settled = MedianBracket.of(last)
        low, high = settled.ends(0.01)
        if settled.value[0] == settled.value[1] and low == high:
            ended += 1
            assert settled.value[0] == medians.median(exact), seed
            assert low == medians.bounds(exact, 0.01), seed
    assert ended > 70
