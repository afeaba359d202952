"""What is said where too much of the data is in groups too small to judge."""

from __future__ import annotations

import math

from hypothesis import assume, given
from hypothesis import strategies as st

from aims_gate.checks.coverage import Size, rows_needed, too_small
from tests.support.laws import law

SIZES = st.lists(st.integers(0, 200), min_size=1, max_size=12)


def sizes(rows: list[int]) -> list[Size]:
    """Groups of so many rows."""
    return [Size(name=f"g={index}", rows=each) for index, each in enumerate(rows)]


def left_out(rows: list[int], least: int, total: int) -> float:
    """The share in groups below *least*, if all groups grow alike until there are *total* rows."""
    factor = total / sum(rows)
    return sum(each for each in rows if each * factor < least - 1e-9) / sum(rows)


@law(100)
@given(rows=SIZES, least=st.integers(1, 50), allowed=st.floats(0, 0.5))
def test_the_rows_that_are_asked_for_are_enough_and_no_fewer_are(
    rows: list[int], least: int, allowed: float
) -> None:
    """Held against growing the groups themselves."""
    assume(sum(rows) > 0)
    needed = rows_needed(sizes(rows), least=least, allowed=allowed)
    assert needed is not None
    assert needed >= sum(rows)
    assert left_out(rows, least, needed) <= allowed
    if needed > sum(rows):
        assert left_out(rows, least, needed - 1) > allowed


@law(100)
@given(rows=SIZES, least=st.integers(1, 50), allowed=st.floats(0, 0.5))
def test_it_refuses_exactly_where_more_than_allowed_is_left_out(
    rows: list[int], least: int, allowed: float
) -> None:
    """Empty is covered; on the limit, too."""
    few = sum(each for each in rows if each < least)
    assert bool(too_small(sizes(rows), least=least, allowed=allowed)) is (few > allowed * sum(rows))


def test_the_reason_names_the_groups_and_says_what_would_do() -> None:
    """The largest of the small ones first: they are the nearest to being judged."""
    found = too_small(sizes([900, 29, 28, 15, 10, 9]), least=30, allowed=0.05)
    assert found == (
        "9.2% of the rows are in groups below min_cell 30, more than max_uncovered 5.0%: "
        "g=1, g=2, g=3 and 2 more; "
        "about 1,100 rows of all groups would do, or fewer and larger groups"
    )
    assert math.ceil(991 * 30 / 28) == 1062  # as it is, it would tell the 28


def test_groups_without_any_case_cannot_be_grown() -> None:
    """Where a rate is 0/0 in half of the people, no number of rows is promised."""
    found = [Size(name="a", rows=90, people=500), Size(name="b", rows=0, people=500)]
    told = too_small(found, least=30, allowed=0.05, what="positives")
    assert told.startswith("50.0% of all rows are in groups with fewer than 30 positives to judge")
    assert ": b; fewer and larger groups" in told
    assert rows_needed(found, least=30, allowed=0.05) is None
