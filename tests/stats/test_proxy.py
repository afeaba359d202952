"""How well one column tells a group: scikit-learn's area, and how much of it is chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from aims_gate.stats.proxy import MOST_NOISE, chance, cuts, of_categories, of_numbers
from tests.support.laws import law

COUNTS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=1, max_size=8)


def arrays(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(pairs, dtype=np.int64)
    return table[:, 0], table[:, 1]


def written_out(group: np.ndarray, rest: np.ndarray, scores: np.ndarray) -> float:
    """The area by scikit-learn, each cell as many rows."""
    truth = np.concatenate([np.ones(len(group)), np.zeros(len(rest))])
    weights = np.concatenate([group, rest])
    return float(roc_auc_score(truth, np.concatenate([scores, scores]), sample_weight=weights))


@law()
@given(pairs=COUNTS)
def test_categories_are_ordered_by_the_share_of_the_group(pairs: list[tuple[int, int]]) -> None:
    group, rest = arrays(pairs)
    n, m = group.sum(), rest.sum()
    assume(n > 50 and m > 50)
    assume(np.all((group + rest) * min(n, m) / (n + m) >= 5))
    assume(chance(group, rest) <= MOST_NOISE)
    found = of_categories(group, rest)
    assert found is not None
    shares = group / (group + rest)
    assert found.area == pytest.approx(written_out(group, rest, shares), abs=1e-12)
    assert 0.5 <= found.area <= 1


@law()
@given(pairs=COUNTS, data=st.data())
def test_the_names_of_categories_and_of_the_two_sides_do_not_matter(
    pairs: list[tuple[int, int]], data: st.DataObject
) -> None:
    group, rest = arrays(pairs)
    assume(group.sum() > 0 and rest.sum() > 0)
    order = data.draw(st.permutations(range(len(pairs))))
    found = of_categories(group, rest)
    for other in (of_categories(group[order], rest[order]), of_categories(rest, group)):
        assert (found is None) == (other is None)
        assert found is None or other is None or found.area == pytest.approx(other.area, abs=1e-12)


def test_no_order_of_the_categories_gives_a_larger_area() -> None:
    random = np.random.default_rng(2)
    group, rest = random.integers(50, 900, 6), random.integers(50, 900, 6)
    found = of_categories(group, rest)
    assert found is not None
    others = [written_out(group, rest, random.permutation(6).astype(float)) for _ in range(60)]
    assert found.area >= max(others) - 1e-12


def test_a_threshold_on_a_number_is_scikit_learns_area_to_the_width_of_a_bin() -> None:
    random = np.random.default_rng(3)
    truth = random.random(20_000) < 0.3
    for values in (random.normal(truth, 1.0), -random.normal(truth, 1.0)):
        distinct, counts = np.unique(values, return_counts=True)
        edges = np.array(cuts(distinct, counts))
        assert len(edges) == 99
        places = np.searchsorted(edges, values, side="right")
        sides = [np.bincount(places[truth == side], minlength=100) for side in (True, False)]
        area = roc_auc_score(truth, values)
        found = of_numbers(sides[0], sides[1], (0, 0))
        assert found.area == pytest.approx(max(area, 1 - area), abs=2e-3)


def test_a_group_in_the_middle_of_a_number_is_seen_and_so_are_its_nulls() -> None:
    """No threshold tells who is between two others, and no number who left the field empty."""
    group, rest = np.zeros(100, dtype=np.int64), np.full(100, 50)
    group[40:60] = 200
    rest[40:60] = 0
    assert of_numbers(group, rest, (0, 0)).area == pytest.approx(1.0)
    even = np.full(100, 40)
    assert of_numbers(even, even, (0, 0)).area == pytest.approx(0.5)
    assert of_numbers(even, even, (6_000, 0)).area > 0.75


@pytest.mark.parametrize(("rows", "bins"), [(2_000, 5), (5_000, 20), (20_000, 40)])
def test_chance_adds_what_the_formula_says(rows: int, bins: int) -> None:
    """Over 80 draws without any effect, unequal groups and unequal bins."""
    random = np.random.default_rng(bins)
    shares = random.dirichlet(np.full(bins, 3.0))
    areas, told = [], []
    for _ in range(80):
        group = random.multinomial(rows // 5, shares)
        rest = random.multinomial(rows - rows // 5, shares)
        some = (group + rest) > 0
        order = np.where(some, group / np.maximum(group + rest, 1), 0)
        areas.append(written_out(group, rest, order))
        told.append(chance(group, rest))
    assert np.mean(areas) - 0.5 == pytest.approx(np.mean(told), rel=0.1)


def test_many_categories_are_pooled_until_chance_adds_little_or_nothing_is_said() -> None:
    random = np.random.default_rng(6)
    codes = random.integers(0, 2_000, 5_000)
    truth = random.random(5_000) < 0.5
    sides = [np.bincount(codes[truth == side], minlength=2_000) for side in (True, False)]
    assert of_categories(sides[0], sides[1]) is None
    few = random.choice(50, 5_000, p=random.dirichlet(np.full(50, 0.3)))
    sides = [np.bincount(few[truth == side], minlength=50) for side in (True, False)]
    found = of_categories(sides[0], sides[1])
    assert found is not None
    assert found.noise <= MOST_NOISE
    assert found.area < 0.5 + 2 * MOST_NOISE


def test_categories_beyond_the_most_frequent_ones_are_one() -> None:
    """A pair of each two of 100,000 categories would fit into no memory."""
    even = np.full(100_000, 20)
    assert of_categories(even, even) is None
    group, rest = np.append(even, 900_000), np.append(even, 100_000)
    found = of_categories(group, rest)
    assert found is not None
    pair = [np.array([part[:-1].sum(), part[-1]]) for part in (group, rest)]
    pooled = written_out(pair[0], pair[1], np.arange(2.0))
    assert found.area == pytest.approx(pooled, abs=1e-12)


def test_zeros_stand_alone_in_their_bin() -> None:
    values = np.concatenate([[0.0], np.linspace(1, 2, 50)])
    edges = cuts(values, np.concatenate([[5_000], np.full(50, 100)]))
    assert edges[0] == np.nextafter(0.0, np.inf)
    assert cuts(np.array([7.0]), np.array([10])) == (np.nextafter(7.0, np.inf),)
    assert cuts(np.array([np.inf]), np.array([10])) == ()
    assert cuts(np.zeros(0), np.zeros(0, dtype=np.int64)) == ()
