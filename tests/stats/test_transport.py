"""Two samples merged piece by piece: the same as over all their values at once."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import ks_2samp, wasserstein_distance

from aims_gate.stats.counting import Counts
from aims_gate.stats.transport import (
    CELLS,
    Floats,
    farthest,
    transport,
    weighted_mean,
)


@dataclass(frozen=True)
class Sample:
    values: Floats
    counts: Counts


def single(values: Floats) -> Sample:
    """Different values, each there once, as frames give them."""
    ones = np.broadcast_to(np.int64(1), values.shape)
    return Sample(values=np.sort(values), counts=ones)


def counted(values: Floats) -> Sample:
    distinct, counts = np.unique(values, return_counts=True)
    return Sample(values=distinct, counts=counts.astype(np.int64))


def samples() -> list[tuple[Sample, Sample]]:
    random = np.random.default_rng(8)
    one, two = random.normal(size=40_000), random.normal(0.2, 1.1, size=25_001)
    far = random.normal(100, 1, size=30_000)
    return [
        (single(one), single(two)),
        (single(two), single(one)),
        (single(two), single(random.normal(0.2, 1.1, size=25_001))),
        (single(one), single(np.append(one[:10_000], two[:10_000]))),
        (counted(np.round(one, 3)), counted(np.round(two, 2))),
        (single(one), counted(np.round(two, 1))),
        (single(one), single(far)),
        (single(far), single(one)),
        (counted(np.zeros(9)), single(two)),
        (single(two), single(np.array([0.3]))),
        (single(random.standard_cauchy(60_000)), single(random.standard_t(2, 70_000))),
        (single(one[:8_000]), counted(np.round(two[:7_000], 2))),
    ]


def rows(sample: Sample) -> Floats:
    return np.repeat(sample.values, sample.counts)


@pytest.mark.parametrize("pair", samples())
def test_area_and_farthest_are_those_of_scipy(pair: tuple[Sample, Sample]) -> None:
    one, two = pair
    expected = wasserstein_distance(one.values, two.values, one.counts, two.counts)
    assert transport(one, two).area == pytest.approx(expected, rel=1e-11)
    statistic = ks_2samp(rows(one), rows(two), method="asymp").statistic
    assert farthest(one, two) == pytest.approx(statistic, abs=1e-12)


@pytest.mark.parametrize("pair", samples())
def test_pieces_are_those_of_all_pooled_ranks(pair: tuple[Sample, Sample]) -> None:
    pooled = np.sort(np.concatenate([rows(sample) for sample in pair]))
    points, counts = np.unique(pooled, return_counts=True)
    ranks = np.cumsum(counts)[:-1] / len(pooled)
    cells = np.searchsorted(np.arange(1, CELLS + 1) / CELLS, ranks)
    mass = np.sqrt(ranks * (1 - ranks)) * np.diff(points)
    expected = np.bincount(cells, weights=mass, minlength=CELLS)
    found = transport(*pair).pieces
    assert found.sum() == pytest.approx(expected.sum(), rel=1e-5)
    assert found == pytest.approx(expected, rel=1e-9, abs=3e-4 * expected.sum())
    if all(len(sample.values) <= 8_192 for sample in pair):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("pair", samples())
def test_errors_are_those_of_both_distribution_functions_at_every_value(
    pair: tuple[Sample, Sample],
) -> None:
    """In all, and as noise is where the two samples are one."""
    points = np.unique(np.concatenate([sample.values for sample in pair]))
    variance = np.zeros(len(points) - 1)
    for sample in pair:
        n = sample.counts.sum()
        below = np.append(0, np.cumsum(sample.counts))[
            np.searchsorted(sample.values, points[:-1], side="right")
        ]
        variance += below / n * (1 - below / n) / n
    found = transport(*pair).errors
    assert found.sum() == pytest.approx((np.sqrt(variance) * np.diff(points)).sum(), rel=1e-5)
    same = transport(pair[0], pair[0])
    unit = np.sqrt(2 / pair[0].counts.sum())
    assert same.errors == pytest.approx(unit * same.pieces, rel=1e-9, abs=1e-15)


def test_two_values_have_what_lies_between_them_and_one_has_nothing() -> None:
    zero, two = single(np.array([0.0])), single(np.array([2.0]))
    assert transport(zero, two).area == 2
    assert transport(zero, two).pieces.sum() == 1
    assert transport(zero, zero).area == transport(zero, zero).pieces.sum() == 0


def test_other_arrays_in_the_place_of_known_ones_are_not_taken_for_them() -> None:
    random, known = np.random.default_rng(2), single(np.arange(10.0))
    for shift in range(30):
        other = single(random.normal(shift, 1, 50))
        expected = wasserstein_distance(known.values, other.values)
        assert transport(known, other).area == pytest.approx(expected, rel=1e-11)
        assert transport(known, other) is transport(known, other)


def test_the_mean_is_that_of_the_rows_and_does_not_overflow() -> None:
    values = np.round(np.random.default_rng(4).normal(5, 2, 50_000), 2)
    sample = counted(values)
    mean = weighted_mean(sample.values, sample.counts)
    assert mean == pytest.approx(values.mean(), rel=1e-12)
    found = weighted_mean(sample.values, sample.counts, centre=mean)
    assert found == pytest.approx(values.var(), rel=1e-11)
    large = np.full(20_000, 1e308)
    assert weighted_mean(large, np.ones(20_000, dtype=np.int64)) == pytest.approx(1e308)


def test_memory_does_not_grow_with_the_samples() -> None:
    random = np.random.default_rng(9)
    peaks = []
    for size in (100_000, 800_000):
        pair = single(random.normal(size=size)), single(random.normal(size=size))
        tracemalloc.start()
        transport(*pair)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] < 800_000 * 8
