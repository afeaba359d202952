from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import bdtrc
from scipy.stats import binomtest

from aims_gate.stats.new_values import NewValueDesign, Sizes, Unseen
from tests.laws import law

LAWS = law(60)
LOOSE = {"limit": 0.0, "line": 0.0, "serious": 0.0}


def powered(ratio: int, columns: int, m: int) -> bool:
    """Whether *m* current rows are enough, the reference being *ratio* times as large."""
    sizes = Sizes(reference=ratio * m, current=m, alpha=0.05 * 0.03 / columns)
    return NewValueDesign(sizes=sizes, share=0.03).need(**LOOSE).powered


@pytest.mark.parametrize(
    ("columns", "published"),
    [(1, (340, 100, 100)), (20, (465, 135, 100)), (100, (540, 150, 100))],
)
def test_the_rows_needed_are_the_published_table(
    columns: int, published: tuple[int, int, int]
) -> None:
    """The published table is rounded up to the next five rows."""
    for ratio, rows in zip((1, 10, 100), published, strict=True):
        assert powered(ratio, columns, rows)
        assert not any(powered(ratio, columns, m) for m in range(rows - 15, rows - 4))


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


@LAWS
@given(st.integers(100, 5_000), st.integers(100, 5_000), st.integers(1, 100))
def test_the_rows_asked_for_are_enough(n: int, m: int, columns: int) -> None:
    def need(n: int, m: int) -> tuple[bool, str]:
        sizes = Sizes(reference=n, current=m, alpha=0.0015 / columns)
        found = NewValueDesign(sizes=sizes, share=0.03).need(**LOOSE)
        return found.powered, found.reason

    enough, reason = need(n, m)
    if enough:
        assert not reason
        return
    current = re.search(r"needs ([\d,]+) current", reason)
    both = re.search(r"; ([\d,]+) rows in both", reason)
    if current:
        assert need(n, int(current[1].replace(",", "")))[0]
    else:
        assert both is not None
        rows = int(both[1].replace(",", ""))
        assert need(rows, rows)[0]


@pytest.mark.parametrize(("n", "m"), [(99, 100_000), (100_000, 99)])
def test_99_rows_cannot_show_a_new_value(n: int, m: int) -> None:
    sizes = Sizes(reference=n, current=m, alpha=0.0015)
    assert not NewValueDesign(sizes=sizes, share=0.03).need(**LOOSE).powered
    found = Unseen(sizes=sizes, unseen=0, once=0, share=0.05).need(**LOOSE)
    assert not found.powered
    assert ("reference is too small" in found.reason) == (n == 99)


def test_a_serious_effect_that_the_limit_allows_can_never_be_shown() -> None:
    sizes = Sizes(reference=10_000, current=10_000, alpha=0.0015)
    found = NewValueDesign(sizes=sizes, share=0.03).need(limit=0.5, line=0.25, serious=0.1)
    assert not found.powered
    assert "no number of rows could" in found.reason


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


@LAWS
@given(st.integers(100, 9_000), st.integers(0, 80), st.integers(100, 9_000))
def test_the_rows_asked_for_unseen_categories_are_enough(n: int, once: int, m: int) -> None:
    def need(m: int) -> tuple[bool, str]:
        sizes = Sizes(reference=n, current=m, alpha=0.0025)
        found = Unseen(sizes=sizes, unseen=0, once=once, share=0.05).need(**LOOSE)
        return found.powered, found.reason

    enough, reason = need(m)
    told = re.search(r"needs ([\d,]+) current", reason)
    assert enough or told or "reference is too small" in reason
    if told:
        assert need(int(told[1].replace(",", "")))[0]
