"""The bracket of an area under the ROC curve holds the area and both of its bounds."""

from __future__ import annotations

import numpy as np

from aims_gate.frames.ordered import by_sorting
from aims_gate.stats import auc
from aims_gate.stats.brackets import ranked
from aims_gate.stats.brackets.cells import midpoints
from aims_gate.stats.tables import Ranked
from tests.support.elsewhere import hard_sample, on_one_grid
from tests.support.laws import TIMES

ALPHAS = (0.05, 0.01, 1e-4)


def test_the_exact_area_and_its_bounds_lie_in_the_bracket() -> None:
    for seed in range(80 * TIMES):
        random = np.random.default_rng(seed)
        kind = random.choice(["normal", "rounded", "cauchy", "atom", "few", "skewed", "constant"])
        rows = (10 ** random.uniform(1.4, 4, 2)).astype(int)
        moved = random.choice([0.0, 0.5, 2.0, 6.0]) * random.random()
        one, other = (
            by_sorting(np.nan_to_num(hard_sample(kind, n, random)) + by)
            for n, by in zip(rows, (moved, 0.0), strict=True)
        )
        exact = Ranked.merge((one.values, one.counts), (other.values, other.counts))
        for cells in (1, 8, 1024, 65536):
            found = ranked.area(*on_one_grid(cells, one, other))
            assert found.value[0] <= auc.area(exact) <= found.value[1], (seed, kind, cells)
            for alpha in ALPHAS:
                bounds, (low, high) = auc.bounds(exact, alpha), found.ends(alpha)
                assert np.all(np.less_equal(low, bounds)), (seed, kind, cells, alpha)
                assert np.all(np.less_equal(bounds, high)), (seed, kind, cells, alpha)


def test_a_few_thousand_cells_tell_an_area_within_two_in_ten_thousand() -> None:
    random = np.random.default_rng(3)
    one, other = (by_sorting(random.normal(x, 1, 100_000)) for x in (1.0, 0.0))
    samples = on_one_grid(8192, one, other)
    found = ranked.area(*samples)
    assert found.value[1] - found.value[0] < 0.0004
    low, high = found.ends(0.05)
    assert np.max(np.subtract(high, low)) < 0.0006
    middle = auc.area(Ranked.merge(*midpoints(*samples)))
    exact = Ranked.merge((one.values, one.counts), (other.values, other.counts))
    assert abs(middle - auc.area(exact)) < 2e-6, "rows in one cell are in no order"
