from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import bdtrc
from scipy.stats import binom, binomtest

from aims_gate.stats.new_values import NewValueDesign, Sizes, Unseen
from tests.support.laws import law

LAWS = law(60)


@LAWS
@given(
    st.integers(0, 200),
    st.integers(1, 400),
    st.integers(400, 50_000),
    st.integers(400, 50_000),
    st.sampled_from([0.05, 1e-3, 7.5e-5]),
)
def test_proven_is_what_the_exact_conditional_test_says(
    before: int, after: int, n: int, m: int, alpha: float
) -> None:
    """SciPy's binomial test of "more than twice as frequent"."""
    excess = Sizes(reference=n, current=m, alpha=alpha).excess(before, after)
    tail = float(bdtrc(after - 1, before + after, 2 * m / (2 * m + n)))
    test = binomtest(after, before + after, 2 * m / (2 * m + n), alternative="greater")
    assert test.pvalue == pytest.approx(tail, rel=1e-6, abs=1e-12)
    if not 0.999 * alpha < tail < 1.001 * alpha:
        assert (excess > 0) == (tail <= alpha)
    assert 0 <= excess <= after / m


@LAWS
@given(st.integers(0, 50), st.integers(1, 300), st.integers(400, 9_000), st.integers(400, 9_000))
def test_more_rows_of_a_value_prove_more_and_more_before_prove_less(
    before: int, after: int, n: int, m: int
) -> None:
    sizes = Sizes(reference=n, current=m, alpha=1e-3)
    assert sizes.excess(before, after + 1) >= sizes.excess(before, after)
    assert sizes.excess(before + 1, after) <= sizes.excess(before, after)
    assert sizes.excess(before, 0) == 0


@pytest.mark.parametrize(("n", "m"), [(99, 100_000), (100_000, 99)])
def test_99_rows_exclude_no_new_value(n: int, m: int) -> None:
    sizes = Sizes(reference=n, current=m, alpha=0.05)
    assert sizes.hidden(0.03) == 1.0
    assert Unseen(sizes=sizes, unseen=0, once=0, share=0.05).below(0.05) == 1.0


@LAWS
@given(st.integers(100, 20_000), st.sampled_from([0.01, 0.03, 0.2]))
def test_a_value_of_more_than_the_hidden_share_is_seen_in_19_of_20(m: int, share: float) -> None:
    """A value is seen where it holds the share of the rows: SciPy's binomial law says how often."""
    hidden = Sizes(reference=m, current=m, alpha=0.05).hidden(share)
    unseen = binom.cdf(math.ceil(share * m) - 1, m, hidden)
    assert unseen == pytest.approx(0.05, abs=1e-6)


def test_a_new_value_of_6_percent_is_excluded_from_a_few_hundred_rows_on() -> None:
    """By the policy's share of 3 %, twice of which is serious."""
    design = NewValueDesign(reference=5_000, rows=100, alpha=0.05, share=0.03, growth=10.0)
    assert design.chance(1.0, serious=0.06) == 0
    assert design.chance(5.0, serious=0.06) == 1


def excluded(n: int, m: int, before: float, after: float, *, factor: float) -> float:
    """Chance that no new value of the column is held possible, with one that is there: exact."""
    sizes, serious = Sizes(reference=n, current=m, alpha=0.05), 0.06
    a, b = (np.arange(rows + 1) for rows in (n, m))
    chances = binom.pmf(a, n, before), binom.pmf(b, m, after)
    a, b = (rows[chance > 1e-7] for rows, chance in zip((a, b), chances, strict=True))
    told = np.array(
        [[sizes.most(x, y, serious=serious, factor=factor) for y in b.tolist()] for x in a.tolist()]
    )
    passed = (told < serious) & (sizes.hidden(0.03) < serious)
    return float(chances[0][a] @ passed @ chances[1][b])


@pytest.mark.parametrize(
    ("n", "m"), [(100, 300), (200, 200), (200, 2_000), (500, 500), (2_000, 500), (500, 2_000)]
)
@pytest.mark.parametrize("after", [0.06, 0.07, 0.3])
def test_a_value_that_grew_seriously_is_excluded_in_6_percent_at_most(
    n: int, m: int, after: float
) -> None:
    """Ten times its old share: by the estimate of the ratio alone, 17 % passed of 200 rows."""
    assert excluded(n, m, after / 10, after, factor=10.0) <= 0.06
    assert excluded(n, m, 0.0, after, factor=10.0) <= 0.05


def test_a_value_that_did_not_grow_is_mostly_excluded() -> None:
    """One in eight rows, of 300 a side, or one in twenty of 500."""
    for rows, share in ((300, 1 / 8), (500, 0.05)):
        assert excluded(rows, rows, share, share, factor=10.0) >= 0.95


def test_the_chance_of_a_design_is_how_often_a_held_value_is_excluded() -> None:
    """A value of 5 %, 3 of 300 rows before: ever more current rows tell that 6 % it is not."""
    rng = np.random.default_rng(3)
    design = NewValueDesign(
        reference=300, rows=300, alpha=0.05, share=0.03, growth=10.0, held=(3, 15)
    )
    for factor in (1.0, 4.0, 12.0):
        sizes = Sizes(reference=300, current=int(300 * factor), alpha=0.05)
        drawn = rng.binomial(sizes.current, 0.05, 400).tolist()
        told = [sizes.most(3, rows, serious=0.06, factor=10.0) < 0.06 for rows in drawn]
        assert np.mean(told) == pytest.approx(design.chance(factor, serious=0.06), abs=0.08)


def unseen(shares: np.typing.NDArray[np.float64], n: int, m: int, new: float, seed: int) -> float:
    """Share of 300 draws in which more than 5 % of unseen rows are found, and proven."""
    rng = np.random.default_rng(seed)
    hits = 0
    for _ in range(300):
        before = rng.multinomial(n, shares)
        fresh = int(rng.binomial(m, new))
        after = rng.multinomial(m - fresh, shares)
        found = Unseen(
            sizes=Sizes(reference=n, current=m, alpha=0.05 / 20),
            unseen=int(after[before == 0].sum()) + fresh,
            once=int((before == 1).sum()),
            share=0.05,
        )
        hits += found.value > 0.05 and found.proven > 0
    return hits / 300


ZIPF = 1 / np.arange(1, 5_001)
ZIPF /= ZIPF.sum()
FLAT = np.full(2_000, 1 / 2_000)


@pytest.mark.parametrize(("n", "m"), [(400, 400), (2_000, 500), (1_000, 10_000)])
@pytest.mark.parametrize("shares", [ZIPF, FLAT], ids=["zipf", "flat"])
def test_what_chance_leaves_unseen_is_hardly_ever_called_unseen(
    shares: np.typing.NDArray[np.float64], n: int, m: int
) -> None:
    """5,000 Zipf or 2,000 equal categories, of which many are seen once or never."""
    assert unseen(shares, n, m, 0.0, seed=41) <= 0.01


def test_new_categories_in_a_sixth_of_the_rows_are_found() -> None:
    assert unseen(ZIPF, 2_000, 2_000, 0.15, seed=43) >= 0.95


def test_the_chance_of_a_design_is_how_often_unseen_categories_are_excluded() -> None:
    """Without drift, from 2,000 equal categories, which leave a few unseen by chance."""
    rng, shares = np.random.default_rng(5), np.full(2_000, 1 / 2_000)
    excluded, told = [], []
    for _ in range(300):
        before, after = (rng.multinomial(rows, shares) for rows in (6_000, 800))
        found = Unseen(
            sizes=Sizes(reference=6_000, current=800, alpha=0.05),
            unseen=int(after[before == 0].sum()),
            once=int((before == 1).sum()),
            share=0.04,
        )
        excluded.append(found.below(0.05) < 0.04)
        told.append(found.design(0.05).chance(1.0, serious=0.04))
    assert np.mean(excluded) == pytest.approx(np.mean(told), abs=0.12)
