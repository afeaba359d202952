from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import chdtri, chndtr
from scipy.stats import wasserstein_distance

from aims_gate.errors import CheckError
from aims_gate.stats import drift as module
from aims_gate.stats.bins import Binned, Counts, Floats, categorical, numeric
from aims_gate.stats.drift import Psi, psi, wasserstein, wasserstein_noise

LAWS = settings(deadline=None, max_examples=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    values: Floats
    counts: Counts
    nulls: int = 0

    @classmethod
    def of(cls, rows: Floats | list[float]) -> Sample:
        values, counts = np.unique(np.asarray(rows, dtype=np.float64), return_counts=True)
        return cls(values=values, counts=counts.astype(np.int64))


def table(reference: list[int], current: list[int]) -> Binned:
    return Binned(
        reference=np.array(reference, dtype=np.int64),
        current=np.array(current, dtype=np.int64),
        names=tuple(map(str, range(len(reference)))),
    )


def test_psi_is_the_formula_worked_by_hand() -> None:
    found = psi(table([70, 30], [40, 110]))
    p, q = (70.5 / 101, 30.5 / 101), (40.5 / 151, 110.5 / 151)
    raw = sum((a - b) * math.log(a / b) for a, b in zip(p, q, strict=True))
    assert found.raw == pytest.approx(raw)
    assert found.size == 100 * 150 / 250
    assert found.value == pytest.approx(raw - 1 / 60)
    assert found.moved == "0"


def test_a_bin_that_vanished_has_a_finite_psi() -> None:
    """The share floor of 1e-4: 0.5 ln 2 + 0.5 ln 5000, nearly."""
    expected = 0.5 * math.log(2) + (0.5 - 1e-4) * math.log(5_000)
    assert psi(table([500_000, 500_000], [1_000_000, 0])).value == pytest.approx(expected, 1e-4)


def test_one_bin_is_no_drift_with_nothing_to_bound() -> None:
    found = psi(table([500], [300]))
    assert (found.value, found.df, found.bounds(0.05), found.noise(0.05)) == (0, 0, (0, 0), 0)


@LAWS
@given(st.lists(st.tuples(st.integers(1, 9_999), st.integers(1, 9_999)), min_size=2, max_size=20))
def test_psi_is_symmetric_and_never_negative(counts: list[tuple[int, int]]) -> None:
    a, b = [x for x, _ in counts], [y for _, y in counts]
    one, other = psi(table(a, b)), psi(table(b, a))
    assert one.raw == pytest.approx(other.raw, abs=1e-12)
    assert one.value >= 0


@LAWS
@given(
    st.lists(st.tuples(st.integers(1, 99_999), st.integers(1, 99_999)), min_size=2, max_size=20),
    st.sampled_from([0.05, 0.0025, 0.0005]),
)
def test_bounds_hold_the_value_and_solve_the_noncentral_law(
    counts: list[tuple[int, int]], alpha: float
) -> None:
    found = psi(table([x for x, _ in counts], [y for _, y in counts]))
    low, high = found.bounds(alpha)
    assert 0 <= low <= found.value + 1e-9
    assert found.value <= high + 1e-9
    x = found.size * found.raw
    if low > 1e-9:
        assert chndtr(x, found.df, found.size * low) == pytest.approx(1 - alpha, abs=1e-5)
    if high > 1e-9:
        assert chndtr(x, found.df, found.size * high) == pytest.approx(alpha, abs=1e-5)


def test_noise_is_what_the_bound_starts_to_prove() -> None:
    """A PSI just above the noise has a lower bound above 0, one just below it has none."""
    for df, size in ((1, 300.0), (9, 5_000.0), (40, 800.0)):
        edge = float(chdtri(df, 0.01)) / size
        below = Psi(raw=edge * 0.999, df=df, size=size, moved="")
        above = Psi(raw=edge * 1.01, df=df, size=size, moved="")
        assert below.bounds(0.01)[0] == 0
        assert above.bounds(0.01)[0] > 0
        assert above.noise(0.01) == pytest.approx(edge - df / size)


@pytest.mark.parametrize("size", [1e4, 1e6, 5e7])
def test_bounds_close_in_on_the_value_with_very_many_rows(size: float) -> None:
    found = Psi(raw=0.3, df=9, size=size, moved="")
    low, high = found.bounds(0.0005)
    assert low < found.value < high
    assert high - low < 8 / math.sqrt(size)


def test_a_law_that_cannot_be_inverted_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An older SciPy may give NaN: a comparison with NaN would prove nothing, in silence."""
    monkeypatch.setattr(module, "chndtrinc", lambda *_: math.nan)
    with pytest.raises(CheckError, match="no bound for PSI"):
        Psi(raw=0.3, df=9, size=1e4, moved="").bounds(0.05)


def test_psi_of_many_rows_agrees_with_evidently() -> None:
    """Evidently adds no half row and corrects no bias: both vanish with the rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its imports warn of its own dependencies
        from evidently.legacy.calculations.stattests.psi import psi_stat_test
        from evidently.legacy.core import ColumnType

    rng = np.random.default_rng(3)
    before = rng.choice(list("abcdef"), 60_000, p=[0.3, 0.25, 0.2, 0.1, 0.1, 0.05])
    after = rng.choice(list("abcdef"), 50_000, p=[0.2, 0.30, 0.2, 0.15, 0.1, 0.05])
    expected = psi_stat_test.func(pd.Series(before), pd.Series(after), ColumnType.Categorical, 0.1)[
        0
    ]
    counts = [dict(zip(*np.unique(x, return_counts=True), strict=True)) for x in (before, after)]
    assert psi(categorical(counts[0], counts[1])).value == pytest.approx(expected, abs=3e-4)


def test_without_drift_a_column_is_hardly_ever_proven_to_have_any() -> None:
    """At alpha 5 % the lower bound leaves 0 in at most 6 % of undrifted tables of ten bins."""
    rng = np.random.default_rng(11)
    shares = np.full(10, 0.1)
    proven = sum(
        psi(
            table(rng.multinomial(400, shares).tolist(), rng.multinomial(900, shares).tolist())
        ).bounds(0.05)[0]
        > 0
        for _ in range(3_000)
    )
    assert 0.02 <= proven / 3_000 <= 0.06


@pytest.mark.parametrize(("n", "m"), [(500, 500), (20_000, 300)])
def test_bounds_cover_a_true_drift(n: int, m: int) -> None:
    """One-sided error at 5 %: measured 0 to 8.7."""
    rng = np.random.default_rng(13)
    p = np.full(10, 0.1)
    q = np.array([0.03, 0.05, 0.06, 0.08, 0.1, 0.1, 0.1, 0.13, 0.15, 0.2])
    truth = float(((p - q) * np.log(p / q)).sum())
    below = above = 0
    for _ in range(1_000):
        found = psi(table(rng.multinomial(n, p).tolist(), rng.multinomial(m, q).tolist()))
        low, high = found.bounds(0.05)
        below += truth < low
        above += truth > high
    assert below / 1_000 <= 0.08
    assert above / 1_000 <= 0.09


finite = st.one_of(st.integers(-9, 9).map(float), st.floats(-1e3, 1e3))


@LAWS
@given(st.lists(finite, min_size=2, max_size=60), st.lists(finite, min_size=1, max_size=60))
def test_wasserstein_is_scipys_over_the_references_spread(
    reference: list[float], current: list[float]
) -> None:
    spread = max(float(np.std(reference)), 0.001)
    expected = wasserstein_distance(reference, current) / spread
    found = wasserstein(Sample.of(reference), Sample.of(current))
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@LAWS
@given(st.lists(finite, min_size=2, max_size=60), st.floats(0.5, 50))
def test_wasserstein_of_a_shift_is_the_shift_in_standard_deviations(
    reference: list[float], shift: float
) -> None:
    rows = np.asarray(reference)
    expected = shift / max(float(rows.std()), 0.001)
    found = wasserstein(Sample.of(rows), Sample.of(rows + shift))
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("rows", [[], [math.inf, 1.0], [-math.inf]])
def test_wasserstein_without_values_or_with_infinite_ones_is_no_number(rows: list[float]) -> None:
    good = Sample.of([1.0, 2.0, 4.0])
    assert math.isnan(wasserstein(Sample.of(rows), good))
    assert math.isnan(wasserstein(good, Sample.of(rows)))
    assert math.isnan(wasserstein_noise(Sample.of(rows), good, 0.05))


def test_a_spread_that_overflows_does_not_call_every_distance_zero() -> None:
    vast, plain = Sample.of([1e308, -1e308, 1e308]), Sample.of([1.0, 2.0, 4.0])
    assert math.isnan(wasserstein(vast, plain))
    assert wasserstein(plain, vast) > 1e300


def test_two_constant_columns_have_no_distance_and_no_noise() -> None:
    one = Sample.of([3.0] * 200)
    assert wasserstein(one, one) == 0
    assert wasserstein_noise(one, one, 0.05) == 0


@pytest.mark.parametrize("law", ["normal", "lognormal", "poisson"])
@pytest.mark.parametrize(("n", "m"), [(200, 300), (4_000, 150)])
def test_noise_alone_passes_the_wasserstein_allowance_about_as_often_as_it_says(
    law: str, n: int, m: int
) -> None:
    """Target 5 %; measured 1.7 to 6.8."""
    rng = np.random.default_rng(17)

    def draw(size: int) -> Floats:
        if law == "normal":
            return rng.normal(size=size)
        if law == "lognormal":
            return rng.lognormal(size=size)
        return np.asarray(rng.poisson(3, size=size), dtype=np.float64)

    past, trials = 0, 400
    for _ in range(trials):
        before, after = Sample.of(draw(n)), Sample.of(draw(m))
        past += wasserstein(before, after) > wasserstein_noise(before, after, 0.05)
    assert 0.005 <= past / trials <= 0.085


def test_a_shift_of_three_quarters_of_a_standard_deviation_is_psi_of_a_half() -> None:
    """The published true PSI of mean +0.75 sd in ten bins is 0.53, of +0.3 sd 0.09."""
    rng = np.random.default_rng(5)
    before = Sample.of(rng.normal(size=200_000))
    for shift, published in ((0.75, 0.53), (0.5, 0.24), (0.3, 0.09)):
        after = Sample.of(rng.normal(loc=shift, size=200_000))
        assert psi(numeric(before, after)).value == pytest.approx(published, abs=0.015)
