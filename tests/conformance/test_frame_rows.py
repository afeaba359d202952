"""What every frame must answer about whole rows, times and patterns; frames are in test_frame."""

# ruff: noqa: PD011  # `.values` are those of Distribution, not of pandas

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.checks.row_statistics import discriminant_scores
from aims_gate.errors import DataError, MissingColumnError
from aims_gate.frames import Frame, Key
from aims_gate.frames.opening import same_rows
from tests.conformance.test_frame import EVERY_FRAME, FRAMES, Make
from tests.support.laws import law

EVERY = pytest.mark.parametrize("make", EVERY_FRAME.values(), ids=list(EVERY_FRAME))
ROWS: dict[str, Any] = {
    "sex": ["F", "M", None, "F", "M", "M", "F"],
    "age": [17, 25, 70, 17, 44, 25, 17],
    "p": [0.5, -0.0, math.nan, 0.5, 0.1, 0.0, None],
}


@EVERY
def test_a_row_that_repeats_another_is_counted_and_the_first_is_not(make: Make) -> None:
    frame = make(ROWS)
    assert frame.repeats(["sex", "age", "p"]) == 2
    assert frame.repeats(["sex", "age"]) == 3
    assert frame.repeats(["sex"]) == 4
    assert frame.repeats(["p"]) == 3


@EVERY
def test_rows_that_occur_in_the_other_frame_are_counted_on_this_side(make: Make) -> None:
    other = make({"age": [17, 44, 1], "sex": ["F", "M", None], "more": [1, 2, 3]})
    assert make(ROWS).repeats(["sex", "age"], other) == 4
    assert other.repeats(["sex", "age"], make(ROWS)) == 2
    assert other.repeats(["sex"], make(ROWS)) == 3
    with pytest.raises(MissingColumnError, match="more"):
        make(ROWS).repeats(["sex", "more"], other)


@EVERY
def test_the_same_rows_are_so_in_any_order_wherever_they_are(make: Make) -> None:
    """As often, too: a few coarse columns have the same different rows in any two data."""
    rows: dict[str, Any] = {"g": ["a", "a", "b", None], "x": [0.5, 0.5, -0.0, math.nan]}
    turned = {name: values[::-1] for name, values in rows.items()}
    often = {"g": ["a", "b", "b", None], "x": [0.5, 0.0, 0.0, None]}
    other = {"g": ["a", "a", "b", None], "x": [0.5, 0.5, 1.0, math.nan]}
    more = {"g": [*rows["g"], "a"], "x": [*rows["x"], 0.5]}
    single = {"g": rows["g"][1:], "x": rows["x"][1:]}
    weighted = make({**turned, "n": [1, 2, 1, 1]}, weight="n")
    for one in (make(rows), FRAMES["arrow"](rows)):
        assert same_rows(one, make(turned), ["g", "x"])
        assert same_rows(one, weighted, ["g", "x"]), "weights aside"
        assert same_rows(make(often), one, ["g"]) is False
        for apart in (often, other, more, single):
            assert not same_rows(one, make(apart), ["x", "g"])
            assert not same_rows(make(apart), one, ["x", "g"])
    assert same_rows(make(single), FRAMES["arrow"](single), ["g", "x"])


@EVERY
@pytest.mark.parametrize(
    ("ours", "theirs", "shared"),
    [
        (pa.array([1, 2], pa.int8()), pa.array([1.0, 2.5]), 1),
        (pa.array([0.1, 0.7]), pa.array([0.1, 0.3], pa.float32()), 1),
        (pa.array([0.1, 0.7], pa.float32()), pa.array([0.1, 0.3]), 1),
        (pa.array([-1, 2**53 + 1]), pa.array([2**53, 2**64 - 1], pa.uint64()), 1),
        (pa.array([2**53 + 1]), pa.array([2**53]), 0),
        (pa.array([2**64 - 1], pa.uint64()), pa.array([2**64 - 2], pa.uint64()), 0),
        (pa.array([None, 3], pa.int64()), pa.array([math.nan, 4.0]), 1),
        (pa.array(["a", None]).dictionary_encode(), pa.array(["a"], pa.large_string()), 1),
        (pa.array([True, None]), pa.array([True, False]), 1),
        (
            pa.array([datetime(2026, 1, 1, 12, tzinfo=UTC)], pa.timestamp("ns", "Asia/Tokyo")),
            pa.array([datetime(2026, 1, 1, 12)], pa.timestamp("s")),  # noqa: DTZ001 - on purpose
            1,
        ),
        (pa.array([date(2026, 1, 1)]), pa.array([datetime(2026, 1, 1, tzinfo=UTC)]), 1),
        (pa.array([], pa.int64()), pa.array([1.0]), 0),
        (pa.array([1.0]), pa.array([], pa.int64()), 0),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else None,
)
def test_how_a_value_is_stored_does_not_hide_that_it_is_the_same(
    make: Make, ours: pa.Array, theirs: pa.Array, shared: int
) -> None:
    assert make({"v": ours}).repeats(["v"], make({"v": theirs})) == shared


@EVERY
@pytest.mark.parametrize(
    "ask",
    [
        lambda frame: frame.repeats([]),
        lambda frame: discriminant_scores(frame, Key(column="sex"), []),
        lambda frame: discriminant_scores(frame, Key(column="sex"), ["list"]),
        lambda frame: frame.repeats([], frame),
        lambda frame: frame.repeats(["list"]),
        lambda frame: frame.repeats(["sex"], FRAMES["arrow"]({"sex": [1, 2]})),
        lambda frame: frame.span("age"),
        lambda frame: frame.count(Key(column="age", matches="1.")),
        lambda frame: frame.count(Key(column="list", contains="1")),
    ],
)
def test_rows_that_cannot_be_compared_are_an_error_and_never_different(
    make: Make, ask: Callable[[Frame], object]
) -> None:
    """Text in one frame and numbers in the other would share no row, and so hide every leak."""
    rows = 7
    frame = make({**ROWS, "list": pa.array([[1]] * rows)})
    with pytest.raises(DataError):
        ask(frame)


@EVERY
def test_a_column_that_is_not_there_is_named(make: Make) -> None:
    asks: list[Callable[[Frame], object]] = [
        lambda frame: frame.repeats(["sex", "agee"]),
        lambda frame: discriminant_scores(frame, Key(column="sex"), ["agee"]),
        lambda frame: discriminant_scores(frame, Key(column="agee"), ["p"]),
        lambda frame: frame.repeats(["agee"], frame),
        lambda frame: frame.span("agee"),
        lambda frame: frame.span("agee", until=datetime.now(tz=UTC)),
        lambda frame: frame.count(Key(column="agee", matches="x")),
        lambda frame: frame.count(Key(column="agee", contains="x")),
        lambda frame: frame.gather(numbers=["agee"]),
        lambda frame: frame.gather(codes=[Key(column="agee")]),
    ]
    for ask in asks:
        with pytest.raises(MissingColumnError, match="did you mean 'age'"):
            ask(make(ROWS))


@EVERY
def test_a_span_goes_from_the_oldest_row_to_the_newest_with_its_longest_gap(make: Make) -> None:
    start = datetime(2026, 3, 1, 6, tzinfo=UTC)
    hours = [50, 0, None, 2, 98, 50]
    times = [None if hour is None else start + timedelta(hours=hour) for hour in hours]
    found = make({"t": pa.array(times, pa.timestamp("ms", "America/New_York"))}).span("t")
    assert (found.oldest, found.newest) == (start, start + timedelta(hours=98))
    assert (found.nulls, found.gap_days) == (1, 2.0)
    assert found.gap_after == start + timedelta(hours=2)


@EVERY
def test_rows_until_a_moment_include_it_and_leave_out_null(make: Make) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    times = [noon, noon + timedelta(seconds=1), noon - timedelta(days=9), None]
    columns = {"t": pa.array(times, pa.timestamp("ns", "Asia/Tokyo")), "n": [1, 2, 4, 8]}
    frame = make(columns, weight="n")
    assert frame.span("t", until=noon).until == 5
    assert frame.span("t", until=noon - timedelta(microseconds=1)).until == 4
    assert frame.span("t").until == 0
    with pytest.raises(DataError):
        frame.span("n", until=noon)


@EVERY
def test_a_span_of_one_day_has_no_gap_and_one_of_nothing_no_ends(make: Make) -> None:
    one = make({"t": [date(2026, 3, 1), date(2026, 3, 1)]}).span("t")
    assert (one.oldest, one.gap_days, one.gap_after) == (one.newest, 0.0, None)
    for nothing in (pa.array([], pa.date32()), pa.array([None, None], pa.timestamp("s"))):
        found = make({"t": nothing}).span("t")
        assert (found.oldest, found.newest, found.nulls) == (None, None, len(nothing))


@EVERY
def test_gathered_rows_stand_for_every_row_with_its_numbers_and_codes(make: Make) -> None:
    """In whatever order, and each once or with how often it occurs."""
    frame = make({**ROWS, "n": [1, 2, 0, 3, 1, 1, 1]}, weight="n")
    for asked, written in ((frame, [0, 1, 1, 3, 3, 3, 4, 5, 6]), (make(ROWS), range(7))):
        by_age = Key(column="age", edges=(18.0,))
        found = asked.gather(numbers=["p", "age"], codes=[Key(column="sex"), by_age])
        sexes, ages = found.codes
        assert (list(sexes.values), list(ages.values)) == (["F", "M"], ["(-inf,18)", "[18,inf)"])
        rows = zip(*(n.tolist() for n in found.numbers), sexes.codes, ages.codes, strict=True)
        copies = [1] * len(sexes.codes) if found.weights is None else found.weights.tolist()
        told: Counter[Any] = Counter()
        for (p, age, sex, old), many in zip(rows, copies, strict=True):
            told[None if math.isnan(p) else p, age, sex, old] += many
        expected = Counter(
            (
                None if ROWS["p"][row] is None or math.isnan(ROWS["p"][row]) else ROWS["p"][row],
                ROWS["age"][row],
                {"F": 0, "M": 1, None: -1}[ROWS["sex"][row]],
                int(ROWS["age"][row] >= 18),
            )
            for row in written
        )
        assert told == expected
    with pytest.raises(DataError, match="numbers are needed"):
        frame.gather(numbers=["sex"])
    truth = make({"y": [1, 0, None]}).gather(codes=[Key(column="y")]).codes[0].equals(True)
    assert sorted(map(str, truth)) == ["0.0", "1.0", "nan"]


@EVERY
def test_a_pattern_holds_from_end_to_end_and_null_does_not_match(make: Make) -> None:
    frame = make({"zip": ["12345", "1234", "123456", None, "12345\n", "1234x", "00000"]})
    for pattern, rows in {"[0-9]{5}": 2, "1234|12345": 2, "": 0}.items():
        found = frame.count(Key(column="zip", matches=pattern))
        assert found.by_value() == ({True: rows} if rows else {}) | {False: 6 - rows, None: 1}
    by_both = frame.count(Key(column="zip", matches="[0-9]+"), Key(column="zip", matches="1.*"))
    assert by_both.values == (
        (False, False),
        (False, True),
        (True, False),
        (True, True),
        (None, None),
    )


@EVERY
def test_values_that_contain_a_pattern_are_counted_by_rows_and_weight(make: Make) -> None:
    text = ["x1", "a", "x1", None, "2y", ""]
    digit, last = Key(column="t", contains="[0-9]"), Key(column="t", contains="(?i)Y$")
    assert make({"t": text}).count(digit).by_value() == {"x1": 2, "2y": 1, None: 3}
    assert make({"t": text}).count(last).by_value() == {"2y": 1, None: 5}
    assert make({"t": text}).count(last, digit).values == (("2y", "2y"), (None, "x1"), (None, None))
    weighted = make({"t": text, "n": [1, 2, 4, 8, 16, 32]}, weight="n")
    assert weighted.count(digit).by_value() == {"x1": 5, "2y": 16, None: 42}
    assert make({"t": pa.array([], pa.string())}).count(digit).by_value() == {}
    nothing = make({"t": pa.array([None], pa.string())}).count(Key(column="t", contains=""))
    assert nothing.by_value() == {None: 1}


@EVERY
def test_whole_numbers_are_read_as_their_digits_and_others_have_no_text(make: Make) -> None:
    large = 2**53 + 1
    two = make({"n": [large, 7, None]}).count(Key(column="n", contains="[0-9]{2}"))
    assert two.by_value() == {str(large): 1, None: 2}
    floats = [12.0, -12.0, 0.5, None, float("nan"), float("inf"), 1e300]
    found = make({"n": floats}).count(Key(column="n", contains="1"))
    assert found.by_value() == {"12": 1, "-12": 1, None: 5}


@EVERY
def test_parts_by_a_pattern_are_the_rows_of_all_values_that_match(make: Make) -> None:
    frame = make({"t": ["x1", "a", "x2", None, "b"], "x": [1, 2, 4, 8, 16]})
    parts = frame.parts(Key(column="t", matches="x.*"), columns=["x"])
    assert [(cell, part.distribution("x").values.tolist()) for cell, part in parts] == [
        ((False,), [2, 16]),
        ((True,), [1, 4]),
        ((None,), [8]),
    ]


_CELL = st.tuples(
    st.sampled_from(["a", "b", None]), st.sampled_from([0.5, -1.0, None]), st.integers(0, 3)
)


def _columns(rows: list[tuple[Any, ...]]) -> dict[str, pa.Array]:
    return {
        "g": pa.array([row[0] for row in rows], pa.string()),
        "x": pa.array([row[1] for row in rows], pa.float64()),
    }


@law(30)
@given(rows=st.lists(_CELL, max_size=12), others=st.lists(_CELL, max_size=12))
def test_weighted_rows_repeat_and_are_shared_as_repeated_rows_are(
    rows: list[tuple[Any, ...]], others: list[tuple[Any, ...]]
) -> None:
    """pandas, which holds NaN and null for equal, says the same of the rows written out."""
    written = [row[:2] for row in rows for _ in range(row[2])]
    known = [row[:2] for row in others if row[2]]
    frame = pd.DataFrame(written, columns=["g", "x"])
    for make in FRAMES.values():
        weights = pa.array([row[2] for row in rows], pa.int64())
        weighted = make({**_columns(rows), "n": weights}, weight="n")
        other = make(
            {**_columns(others), "n": pa.array([row[2] for row in others], pa.int64())}, weight="n"
        )
        assert weighted.repeats(["g", "x"]) == int(frame.duplicated().sum())
        assert weighted.repeats(["x"]) == int(frame.duplicated(subset=["x"]).sum())
        assert weighted.repeats(["g", "x"], other) == sum(row in known for row in written)
        assert weighted.repeats(["g", "x"], weighted) == weighted.rows


@law(20)
@given(rows=st.lists(_CELL, min_size=1, max_size=12), data=st.data())
def test_the_order_of_rows_and_columns_does_not_matter(
    rows: list[tuple[Any, ...]], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(rows))
    for make in FRAMES.values():
        one, other = make(_columns(rows)), make(_columns(shuffled))
        assert one.repeats(["g", "x"]) == other.repeats(["x", "g"])
        assert one.repeats(["g", "x"], other) == other.repeats(["x", "g"], one) == one.rows


@law(20)
@given(rows=st.lists(_CELL, min_size=1, max_size=12), data=st.data())
def test_scores_are_those_of_repeated_rows_in_any_order(
    rows: list[tuple[Any, ...]], data: st.DataObject
) -> None:
    written = data.draw(st.permutations([row for row in rows for _ in range(row[2])]))
    for make in FRAMES.values():
        weights = pa.array([row[2] for row in rows], pa.int64())
        weighted = make({**_columns(rows), "n": weights}, weight="n")
        plain = make(_columns(written))
        one, other = (discriminant_scores(f, Key(column="g"), ["x"]) for f in (weighted, plain))
        assert list(one) == list(other)
        for group, sides in one.items():
            for ours, theirs in zip(sides, other[group], strict=True):
                assert ours.counts.tolist() == theirs.counts.tolist()
                assert ours.values == pytest.approx(theirs.values, abs=1e-9)
