from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn import metrics

from aims_gate.stats import confusion
from aims_gate.stats.intervals import proportion_bounds
from aims_gate.stats.tables import BetaConfusion, Confusion
from tests.support.laws import law
from tests.support.proportions import guarded

Z = 1.6448536269514722
LAWS = law(60)
COUNTS = st.tuples(*[st.integers(0, 60)] * 4)


def table_of(counts: tuple[int, int, int, int]) -> Confusion:
    tp, fp, fn, tn = counts
    return Confusion(tp=tp, fp=fp, fn=fn, tn=tn)


@pytest.mark.parametrize("share", [confusion.precision, confusion.recall, confusion.specificity])
def test_nothing_out_of_nothing_is_no_rate(share: object) -> None:
    assert callable(share)
    assert math.isnan(confusion.ratio(share(Confusion(tp=0, fp=0, fn=0, tn=0))))


@pytest.mark.parametrize("counts", [(0, 0, 7, 5), (7, 5, 0, 0), (9, 0, 2, 0), (0, 4, 0, 8)])
def test_matthews_is_undefined_with_an_empty_margin(counts: tuple[int, int, int, int]) -> None:
    """Where scikit-learn says 0, which is the value of chance."""
    assert math.isnan(confusion.mcc(table_of(counts)))


def test_f1_and_balanced_accuracy_are_undefined_without_positives() -> None:
    assert math.isnan(confusion.f1(Confusion(tp=0, fp=0, fn=0, tn=9)))
    assert math.isnan(confusion.balanced_accuracy(Confusion(tp=0, fp=2, fn=0, tn=9)))
    assert math.isnan(confusion.balanced_accuracy(Confusion(tp=3, fp=0, fn=1, tn=0)))


@LAWS
@given(COUNTS)
def test_values_agree_with_scikit_learn(counts: tuple[int, int, int, int]) -> None:
    table = table_of(counts)
    if min(table.positives, table.negatives, table.tp + table.fp, table.tn + table.fn) == 0:
        return
    rows = list(zip([1, 0, 1, 0], [1, 1, 0, 0], counts, strict=True))
    y = np.repeat([label for label, _, _ in rows], counts)
    p = np.repeat([called for _, called, _ in rows], counts)
    expected = [
        metrics.accuracy_score(y, p),
        metrics.precision_score(y, p),
        metrics.recall_score(y, p),
        metrics.recall_score(y, p, pos_label=0),
        metrics.f1_score(y, p),
        metrics.balanced_accuracy_score(y, p),
        metrics.matthews_corrcoef(y, p),
    ]
    found = [
        confusion.ratio(confusion.accuracy(table)),
        confusion.ratio(confusion.precision(table)),
        confusion.ratio(confusion.recall(table)),
        confusion.ratio(confusion.specificity(table)),
        confusion.f1(table),
        confusion.balanced_accuracy(table),
        confusion.mcc(table),
    ]
    assert found == pytest.approx(expected, abs=1e-12)


@LAWS
@given(st.tuples(*[st.integers(1, 60)] * 4))
def test_naming_the_other_class_positive_keeps_matthews_and_balanced_accuracy(
    counts: tuple[int, int, int, int],
) -> None:
    table, other = table_of(counts), table_of((counts[3], counts[2], counts[1], counts[0]))
    for value, bounds in (
        (confusion.mcc, confusion.mcc_bounds),
        (confusion.balanced_accuracy, confusion.balanced_accuracy_bounds),
    ):
        assert value(table) == pytest.approx(value(other), abs=1e-12)
        assert bounds(table, Z) == pytest.approx(bounds(other, Z), abs=1e-9)


@LAWS
@given(st.tuples(*[st.integers(1, 60)] * 4))
def test_matthews_bounds_are_the_delta_method_with_a_numeric_gradient(
    counts: tuple[int, int, int, int],
) -> None:
    share = np.array(counts, dtype=np.float64) / sum(counts)

    def coefficient(cells: np.typing.NDArray[np.float64]) -> float:
        tp, fp, fn, tn = cells
        return float((tp * tn - fp * fn) / math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))

    step = 1e-7
    gradient = np.array(
        [
            (coefficient(share + step * unit) - coefficient(share - step * unit)) / (2 * step)
            for unit in np.eye(4)
        ]
    )
    value = coefficient(share)
    spread = share @ gradient**2 - (share @ gradient) ** 2
    width = Z * math.sqrt(spread / sum(counts)) / (1 - value * value)
    expected = [math.tanh(math.atanh(value) + sign * width) for sign in (-1, 1)]
    assert confusion.mcc_bounds(table_of(counts), Z) == pytest.approx(expected, abs=1e-5)


@LAWS
@given(COUNTS)
def test_f1_bounds_are_those_of_the_jaccard_index(counts: tuple[int, int, int, int]) -> None:
    """F1 = 2J / (1 + J), so J = F1 / (2 - F1) turns the bounds back."""
    table = table_of(counts)
    trials = table.tp + table.fp + table.fn
    if not trials:
        return
    expected = guarded(table.tp, trials, 0.10)
    found = [bound / (2 - bound) for bound in confusion.f1_bounds(table, Z)]
    assert found == pytest.approx(expected, abs=1e-9)


def test_matthews_of_a_billion_rows_does_not_overflow() -> None:
    table = Confusion(tp=10**9, fp=10**8, fn=2 * 10**8, tn=3 * 10**9)
    small = Confusion(tp=10, fp=1, fn=2, tn=30)
    assert confusion.mcc(table) == pytest.approx(confusion.mcc(small), abs=1e-12)


@LAWS
@given(st.tuples(*[st.integers(1, 60)] * 4))
def test_bounds_enclose_the_value_and_stay_in_range(counts: tuple[int, int, int, int]) -> None:
    table = table_of(counts)
    for value, bounds, least in (
        (confusion.f1, confusion.f1_bounds, 0.0),
        (confusion.balanced_accuracy, confusion.balanced_accuracy_bounds, 0.0),
        (confusion.mcc, confusion.mcc_bounds, -1.0),
    ):
        low, high = bounds(table, Z)
        assert least <= low <= value(table) <= high <= 1


@pytest.mark.parametrize(
    ("rows", "rates"),
    [
        ((15, 15), (0.95, 0.90)),
        ((9, 21), (0.75, 0.85)),
        ((30, 30), (0.98, 0.98)),
        ((40, 40), (0.05, 0.95)),
        ((15, 9, 6), (0.8, 0.7, 0.6)),
        ((20, 20, 20), (0.99, 0.99, 0.5)),
    ],
)
def test_each_bound_of_a_mean_of_proportions_is_wrong_in_4_percent_at_most(
    rows: tuple[int, ...], rates: tuple[float, ...]
) -> None:
    """Exact, over every outcome, for an aim of 2.5 %; MOVER alone reaches 7.1 % on the first."""
    laws = [binom.pmf(range(n + 1), n, rate).tolist() for n, rate in zip(rows, rates, strict=True)]
    truth, below, above = sum(rates) / len(rates), 0.0, 0.0
    for hits in itertools.product(*(range(n + 1) for n in rows)):
        chance = math.prod(law[x] for law, x in zip(laws, hits, strict=True))
        if chance < 1e-7:
            continue
        low, high = confusion.mean_bounds(list(zip(hits, rows, strict=True)), 1.959964)
        below += chance * (truth < low)
        above += chance * (truth > high)
    assert below <= 0.04
    assert above <= 0.04
    assert 1 - below - above >= 0.94


@LAWS
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(10, 60)), min_size=1, max_size=6))
def test_the_mean_of_proportions_lies_within_bounds_that_mirror_them(
    shares: list[tuple[int, int]],
) -> None:
    shares = [(min(hits, rows), rows) for hits, rows in shares]
    low, high = confusion.mean_bounds(shares, Z)
    assert 0 <= low <= sum(hits / rows for hits, rows in shares) / len(shares) + 1e-12
    assert low <= high <= 1
    missed = confusion.mean_bounds([(rows - hits, rows) for hits, rows in shares], Z)
    assert missed == pytest.approx((1 - high, 1 - low), abs=1e-9)
    wider = confusion.mean_bounds(shares, 2.6)
    assert wider[0] <= low + 1e-12
    assert wider[1] >= high - 1e-12


def test_the_mean_of_one_proportion_has_its_own_interval() -> None:
    assert confusion.mean_bounds([(70, 95)], Z) == pytest.approx(proportion_bounds(70, 95, Z))


def test_few_rows_a_proportion_take_the_wider_side_on_both_sides() -> None:
    """Ten proportions of three rows: the short side alone would be wrong in 6 % for 2.5 %."""
    low, high = confusion.mean_bounds([(2, 3)] * 10, Z)
    assert 2 / 3 - low == pytest.approx(high - 2 / 3)


@pytest.mark.parametrize(
    ("rows", "shares"),
    [
        (120, (0.24, 0.07, 0.06, 0.63)),
        (400, (0.08, 0.045, 0.02, 0.855)),
        (90, (0.4, 0.1, 0.1, 0.4)),
    ],
)
def test_each_bound_is_wrong_in_about_five_percent(
    rows: int, shares: tuple[float, float, float, float]
) -> None:
    """One-sided error at most 7.5 % on 4,000 multinomial tables."""
    truth_of = table_of(
        (
            round(shares[0] * 1e6),
            round(shares[1] * 1e6),
            round(shares[2] * 1e6),
            round(shares[3] * 1e6),
        )
    )
    draws = np.random.default_rng(rows).multinomial(rows, shares, size=4000).tolist()
    for value, bounds in (
        (confusion.f1, confusion.f1_bounds),
        (confusion.balanced_accuracy, confusion.balanced_accuracy_bounds),
        (confusion.mcc, confusion.mcc_bounds),
    ):
        truth = value(truth_of)
        found = [bounds(table_of(draw), Z) for draw in draws]
        assert sum(truth < low for low, _ in found) / 4000 <= 0.075
        assert sum(truth > high for _, high in found) / 4000 <= 0.075


@LAWS
@given(COUNTS, st.sampled_from([0.1, 0.5, 1.0, 2.0, 7.0]))
def test_f_beta_is_scikit_learns_and_lies_within_bounds_that_widen(
    counts: tuple[int, int, int, int], beta: float
) -> None:
    tp, fp, fn, tn = counts
    table = BetaConfusion(tp=tp, fp=fp, fn=fn, tn=tn, beta=beta)
    if not tp + fp + fn:
        assert math.isnan(confusion.f_beta(table))
        return
    value = confusion.f_beta(table)
    y, p = (np.repeat(side, counts) for side in ([1, 0, 1, 0], [1, 1, 0, 0]))
    assert value == pytest.approx(metrics.fbeta_score(y, p, beta=beta, zero_division=0), abs=1e-12)
    low, high = confusion.f_beta_bounds(table, Z)
    lower, higher = confusion.f_beta_bounds(table, 2.6)
    assert 0 <= lower <= low <= value <= high <= higher <= 1
    assert (low > 0) == (tp > 0)
    assert (high < 1) == (fp + fn > 0)


@LAWS
@given(COUNTS)
def test_the_bounds_of_f_beta_at_one_are_those_of_f1(counts: tuple[int, int, int, int]) -> None:
    tp, fp, fn, tn = counts
    if tp + fp + fn:
        table = BetaConfusion(tp=tp, fp=fp, fn=fn, tn=tn, beta=1.0)
        assert confusion.f_beta_bounds(table, Z) == pytest.approx(
            confusion.f1_bounds(table, Z), abs=1e-9
        )


@pytest.mark.parametrize("beta", [0.5, 2.0])
@pytest.mark.parametrize("shares", [(0.24, 0.06, 0.06, 0.64), (0.07, 0.105, 0.03, 0.795)])
def test_each_bound_of_f_beta_is_wrong_about_as_often_as_it_may_be(
    beta: float, shares: tuple[float, float, float, float]
) -> None:
    tp, fp, fn, _ = (round(1_000_000 * share) for share in shares)
    truth = confusion.f_beta(BetaConfusion(tp=tp, fp=fp, fn=fn, tn=0, beta=beta))
    wrong = np.zeros(2)
    for drawn in np.random.default_rng(1).multinomial(120, shares, 600).tolist():
        table = BetaConfusion(tp=drawn[0], fp=drawn[1], fn=drawn[2], tn=drawn[3], beta=beta)
        low, high = confusion.f_beta_bounds(table, Z)
        wrong += [low > truth, high < truth]
    assert (wrong / 600 <= 0.08).all()
    assert (wrong / 600 >= 0.02).all()
