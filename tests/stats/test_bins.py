from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.stats.bins import BINS, Binned, categorical, numeric
from tests.stats.samples import Sample
from tests.support.laws import law

LAWS = law(80)


def rows_of(found: Binned) -> list[tuple[str, int, int]]:
    columns = found.names, found.reference.tolist(), found.current.tolist()
    return list(zip(*columns, strict=True))


def test_a_hundred_different_values_make_ten_bins_of_ten() -> None:
    found = numeric(Sample.of([*map(float, range(1, 101))]), Sample.of([10, 10.5, 11, 100, 101]))
    assert found.reference.tolist() == [10] * 10
    assert found.current.tolist() == [1, 2, 0, 0, 0, 0, 0, 0, 0, 2]
    assert found.names[:2] == ("(-inf, 10]", "(10, 20]")
    assert found.names[-1] == "(90, inf)"


def test_nulls_are_a_bin_of_their_own_and_count_as_rows() -> None:
    found = numeric(Sample.of([*map(float, range(90))], nulls=10), Sample.of([5.0], nulls=3))
    assert rows_of(found)[-1] == ("null", 10, 3)
    assert found.sizes == (100, 4)
    assert found.bins == 10


def test_nulls_in_one_sample_only_make_a_bin() -> None:
    found = numeric(Sample.of([1.0, 1.0]), Sample.of([1.0], nulls=1))
    assert rows_of(found) == [("1", 2, 1), ("null", 0, 1)]


def test_a_sample_of_nulls_only_is_counted() -> None:
    found = numeric(Sample.of([], nulls=7), Sample.of([3.0, 4.0]))
    assert rows_of(found) == [("(-inf, inf)", 0, 2), ("null", 7, 0)]


def test_an_atom_stands_alone_with_room_on_both_sides() -> None:
    """60 % zeros: a value below the atom and one just above it land in bins of their own."""
    reference = Sample.of([0.0] * 60 + [float(x) for x in range(1, 41)])
    found = numeric(reference, Sample.of([-1.0, 0.0, 0.5]))
    assert rows_of(found)[:3] == [("(-inf, 0)", 0, 1), ("0", 60, 1), ("(0, 10]", 10, 1)]
    assert found.reference.tolist() == [0, 60, 10, 10, 10, 10]


def test_a_value_with_exactly_a_tenth_of_the_rows_is_an_atom_and_with_less_is_not() -> None:
    rest = [float(x) for x in range(100, 190)]
    found = numeric(Sample.of([5.0] * 10 + rest), Sample.of([4.0, 5.0, 6.0]))
    assert rows_of(found)[:2] == [("(-inf, 5)", 0, 1), ("5", 10, 1)]
    found = numeric(Sample.of([5.0] * 10 + rest, nulls=1), Sample.of([4.0, 5.0, 6.0]))
    assert "5" not in found.names


def test_a_highest_atom_gets_an_empty_bin_above_it() -> None:
    found = numeric(Sample.of([1.0] * 5 + [9.0] * 95), Sample.of([9.0, 10.0]))
    assert rows_of(found) == [("(-inf, 9)", 5, 0), ("9", 95, 1), ("(9, inf)", 0, 1)]


def test_values_between_two_neighbouring_atoms_are_a_bin() -> None:
    found = numeric(Sample.of([1.0] * 50 + [2.0] * 50), Sample.of([1.0, 1.5, 2.0]))
    assert rows_of(found) == [("1", 50, 1), ("(1, 2)", 0, 1), ("2", 50, 1)]


def test_one_value_in_both_samples_is_one_bin() -> None:
    found = numeric(Sample.of([4.0] * 8), Sample.of([4.0] * 3))
    assert rows_of(found) == [("4", 8, 3)]


def test_infinities_fall_into_the_end_bins() -> None:
    reference = Sample.of([float(x) for x in range(100)])
    found = numeric(reference, Sample.of([-math.inf, math.inf, math.inf]))
    assert found.current.tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 2]


def test_names_have_as_many_digits_as_tell_the_cuts_apart() -> None:
    """Seconds since 1970 differ in the ninth digit only."""
    start = 1_790_000_000.0
    found = numeric(Sample.of([start + x for x in range(100)]), Sample.of([start]))
    assert found.names[1] == "(1790000009, 1790000019]"


def by_rows(reference: list[float], current: list[float]) -> list[tuple[int, int]]:
    """Bin row by row, as the definition reads; no null, no counting of distinct values."""
    rows = sorted(reference)
    n = len(rows)
    share = Counter(rows)
    atoms = [v for v in sorted(share) if share[v] >= n / BINS]
    edges: list[tuple[float, int]] = []
    for low, high in zip([-math.inf, *atoms], [*atoms, math.inf], strict=True):
        run = [v for v in rows if low < v < high]
        pieces = max(1, round(len(run) * BINS / n))
        ends = {run[math.ceil(len(run) * s / pieces) - 1] for s in range(1, pieces)} if run else {}
        edges += [(v, 1) for v in sorted(ends) if v != run[-1]]
        edges += [(high, 0), (high, 1)] if high != math.inf else []

    def place(value: float) -> int:
        return sum((value, 0.5) > edge for edge in edges)

    before, after = Counter(map(place, reference)), Counter(map(place, current))
    pairs = [(before[b], after[b]) for b in range(len(edges) + 1)]
    return [pair for pair in pairs if pair != (0, 0)]


finite = st.one_of(st.integers(-6, 6).map(float), st.floats(-100, 100))


@LAWS
@given(st.lists(finite, min_size=1, max_size=120), st.lists(finite, min_size=1, max_size=60))
def test_bins_are_those_of_the_definition_applied_row_by_row(
    reference: list[float], current: list[float]
) -> None:
    found = numeric(Sample.of(reference), Sample.of(current))
    counted = list(zip(found.reference.tolist(), found.current.tolist(), strict=True))
    assert counted == by_rows(reference, current)


@LAWS
@given(
    st.lists(finite, max_size=80),
    st.lists(finite, max_size=80),
    st.integers(0, 20),
    st.integers(0, 20),
)
def test_every_row_is_in_exactly_one_bin_and_no_bin_is_empty(
    reference: list[float], current: list[float], before: int, after: int
) -> None:
    found = numeric(Sample.of(reference, before), Sample.of(current, after))
    assert found.sizes == (len(reference) + before, len(current) + after)
    assert (found.reference + found.current > 0).all()
    assert found.bins <= 2 * BINS + 3
    assert len(set(found.names)) == found.bins


def test_a_category_expected_just_five_times_is_not_rare() -> None:
    """(a+b) min(n,m)/(n+m) = 10 * 100/200 = 5."""
    found = categorical({"x": 93, "y": 7}, {"x": 97, "y": 3})
    assert rows_of(found) == [("x", 93, 97), ("y", 7, 3)]
    found = categorical({"x": 93, "y": 7}, {"x": 98, "y": 2})
    assert rows_of(found) == [("x", 93, 98), ("rare", 7, 2)]


def test_unseen_categories_and_nulls_are_counted() -> None:
    before: dict[str | None, int] = {"x": 60, None: 40}
    after: dict[str | None, int] = {"x": 50, "new": 50}
    found = categorical(before, after)
    assert sorted(rows_of(found)) == [("new", 0, 50), ("null", 40, 0), ("x", 60, 50)]


def test_categories_that_are_all_rare_end_in_one_bin_that_says_so() -> None:
    before = {f"id {i}": 1 for i in range(400)}
    after = {f"id {i}": 1 for i in range(300, 700)}
    found = categorical(before, after)
    assert rows_of(found) == [("rare", 400, 400)]
    assert found.pooled == 700


@LAWS
@given(
    st.dictionaries(st.text(max_size=3), st.integers(0, 300), min_size=1, max_size=30),
    st.dictionaries(st.text(max_size=3), st.integers(0, 300), min_size=1, max_size=30),
)
def test_pooling_loses_no_row_and_does_not_depend_on_which_sample_is_first(
    before: dict[str, int], after: dict[str, int]
) -> None:
    one, other = categorical(before, after), categorical(after, before)
    assert one.sizes == (sum(before.values()), sum(after.values()))
    assert one.names == other.names
    assert one.reference.tolist() == other.current.tolist()
    assert one.pooled == other.pooled


@pytest.mark.parametrize("rows", [1, 3, 9])
def test_a_handful_of_rows_is_still_a_table(rows: int) -> None:
    found = numeric(Sample.of([float(x) for x in range(rows)]), Sample.of([0.0]))
    assert found.sizes == (rows, 1)
