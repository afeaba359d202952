"""The bracket of a calibration error holds the error, its plain sum and its bounds."""

from __future__ import annotations

import numpy as np

from aims_gate.frames.ordered import by_sorting
from aims_gate.stats import calibration
from aims_gate.stats.brackets import reliability
from aims_gate.stats.paired import quantile
from aims_gate.stats.tables import Ranked
from tests.support.elsewhere import on_one_grid
from tests.support.laws import TIMES

ALPHAS = (0.05, 0.01, 1e-4)


def test_the_exact_error_and_its_bounds_lie_in_the_bracket() -> None:
    told = 0
    for seed in range(30 * TIMES):
        random = np.random.default_rng(seed)
        rows, bins = int(10 ** random.uniform(0.7, 4)), int(random.choice([2, 5, 15]))
        drawn = random.beta(random.uniform(0.3, 3), random.uniform(0.3, 3), rows)
        scores = np.round(drawn, int(random.choice([1, 2, 12])))
        truth = random.random(rows) < np.clip(scores + random.normal(0, 0.1), 0, 1)
        if len(set(truth)) < 2:
            continue
        one, other = (by_sorting(scores[truth == side]) for side in (True, False))
        exact = calibration.reliability(
            Ranked.merge((one.values, one.counts), (other.values, other.counts)), bins
        )
        for cells in (1, 8, 1024, 65536):
            first, second = on_one_grid(cells, one, other)
            found = reliability.bracket(first, second, bins)
            if found is None:
                continue
            told += 1
            assert found.near.rows.tolist() == exact.rows.tolist(), (seed, cells)
            assert found.near.positives.tolist() == exact.positives.tolist(), (seed, cells)
            assert found.value[0] <= calibration.value(exact) <= found.value[1], (seed, cells)
            assert found.plain[0] <= calibration.plain(exact) <= found.plain[1], (seed, cells)
            for alpha in ALPHAS:
                bounds, (low, high) = calibration.bounds(exact, quantile(alpha)), found.ends(alpha)
                assert np.all(np.less_equal(low, bounds)), (seed, cells, alpha)
                assert np.all(np.less_equal(bounds, high)), (seed, cells, alpha)
    assert told > 40


def test_a_cell_with_the_edge_of_a_bin_leaves_it_open() -> None:
    one, other = (by_sorting(np.linspace(0, by, 100)) for by in (1.0, 0.9))
    first, second = on_one_grid(8, one, other)
    assert reliability.bracket(first, second, 15) is None
    assert sum(part.sum() for part in reliability.open_cells(first, second, 15)) > 0
