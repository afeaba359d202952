"""Rankings, ordered losses and losses of several classes, of every frame."""

from __future__ import annotations

import math
from itertools import groupby, permutations
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.checks.row_statistics import ranked_queries, unexplained
from aims_gate.errors import DataError
from aims_gate.frames import ClassLoss, Loss, Ranking, RowLoss, Scalar
from tests.conformance.test_frame import EVERY_FRAME, FRAMES, Make
from tests.support.laws import law

LAWS = law(60)
_ITEM = st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.sampled_from([0.0, 0.5, 1.0]))


@pytest.fixture(params=list(EVERY_FRAME))
def make(request: pytest.FixtureRequest) -> Make:
    return EVERY_FRAME[request.param]


def worth(ranking: Ranking, labels: list[float], k: int | None) -> float:
    """The value of rows in one order, from the definition."""
    relevant = [label > 0 for label in labels]
    shown = labels[:k]
    if ranking is Ranking.NDCG:
        best = sorted(labels, reverse=True)[:k]
        gain, most = (
            sum(y / math.log2(p + 1) for p, y in enumerate(ys, 1)) for ys in (shown, best)
        )
        return gain / most
    if ranking is Ranking.PRECISION:
        return sum(relevant[:k]) / (k or 1)
    return sum(relevant[:k]) / sum(relevant)


def last_places(ranking: Ranking, rows: list[tuple[float, float]]) -> float:
    """The value of (label, score) where each row has the last place of those with its score."""
    places = {score: sum(s >= score for _, s in rows) for _, score in rows}
    hits = sorted(places[score] for label, score in rows if label > 0)
    if ranking is Ranking.RECIPROCAL_RANK:
        return 1 / hits[0]
    return sum(sum(h <= place for h in hits) / place for place in hits) / len(hits)


@pytest.mark.parametrize("ranking", list(Ranking))
@LAWS
@given(items=st.lists(_ITEM, min_size=1, max_size=9), k=st.integers(1, 5))
def test_a_ranking_is_what_its_definition_says_of_every_order_of_tied_rows(
    ranking: Ranking, items: list[tuple[str, int, float]], k: int
) -> None:
    """Up to five rows a query, so that all orders of ties can be written out."""
    items = [item for q in "ab" for item in [i for i in items if i[0] == q][:5]]
    expected, rows, left_out = [], 0, 0
    for _, found in groupby(items, key=lambda item: item[0]):
        query = [(float(label), score) for _, label, score in found]
        gains = {label if ranking is Ranking.NDCG else label > 0 for label, _ in query}
        if len(gains) == 1:
            left_out += 1
            continue
        rows += len(query)
        if ranking in {Ranking.AVERAGE_PRECISION, Ranking.RECIPROCAL_RANK}:
            expected.append(last_places(ranking, query))
            continue
        orders = [o for o in permutations(query) if list(o) == sorted(o, key=lambda r: -r[1])]
        every = [worth(ranking, [label for label, _ in order], k) for order in orders]
        expected.append(sum(every) / len(every))
    columns = {
        "q": pa.array([i[0] for i in items]),
        "y": pa.array([i[1] for i in items], pa.int64()),
        "s": pa.array([i[2] for i in items], pa.float64()),
    }
    for make in FRAMES.values():
        told = ranked_queries(make(columns), ranking, query="q", label="y", score="s", k=k)
        assert (told.values.rows, told.rows, told.left_out) == (len(expected), rows, left_out)
        assert told.values.mean == pytest.approx(
            np.mean(expected) if expected else math.nan, abs=1e-12, nan_ok=True
        )


@pytest.mark.parametrize("ranking", list(Ranking))
def test_a_weight_of_a_ranked_row_is_the_same_as_repeated_rows(ranking: Ranking) -> None:
    rng = np.random.default_rng(1)
    columns: dict[str, Any] = {
        "q": rng.integers(0, 9, 120),
        "y": rng.integers(0, 3, 120),
        "s": rng.integers(0, 6, 120) / 2,
    }
    n = rng.integers(0, 4, 120)
    for make in FRAMES.values():
        one = make({**columns, "n": n}, weight="n")
        other = make({name: np.repeat(values, n) for name, values in columns.items()})
        weighted, plain = (
            ranked_queries(frame, ranking, query="q", label="y", score="s", k=4)
            for frame in (one, other)
        )
        assert weighted == plain


@pytest.mark.parametrize("ranking", list(Ranking))
def test_two_rankings_are_compared_query_by_query(make: Make, ranking: Ranking) -> None:
    """Against itself every query has 0; against other scores, the difference of the means."""
    rng = np.random.default_rng(3)
    columns = {
        "q": rng.integers(0, 9, 120),
        "y": rng.integers(0, 3, 120),
        "s": rng.integers(0, 6, 120) / 2,
        "t": rng.integers(0, 6, 120) / 2,
    }
    frame = make(columns)
    asked: dict[str, Any] = {"query": "q", "label": "y", "k": 4}
    one, other = (ranked_queries(frame, ranking, score=score, **asked) for score in "st")
    both = ranked_queries(frame, ranking, score="s", against="t", **asked)
    assert (both.rows, both.left_out) == (one.rows, one.left_out)
    assert both.values.mean == pytest.approx(one.values.mean - other.values.mean, abs=1e-12)
    same = ranked_queries(frame, ranking, score="s", against="s", **asked)
    assert (same.values.mean, same.values.variance) == (0, 0)
    holed = make({**columns, "t": [math.nan, *columns["t"][1:]]})
    with pytest.raises(DataError, match="1 scores are not finite"):
        ranked_queries(holed, ranking, score="s", against="t", **asked)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"q": [1, None, 1]}, "1 queries are null"),
        ({"y": [1.0, -1.0, 0.0]}, "1 labels are not finite numbers of at least 0"),
        ({"y": [1.0, math.inf, 0.0]}, "1 labels"),
        ({"s": [0.5, math.nan, 0.5]}, "1 scores are not finite"),
        ({"s": [0.5, math.inf, 0.5]}, "1 scores are not finite"),
        ({"y": ["a", "b", "c"]}, "numbers are needed"),
    ],
)
def test_rows_that_cannot_be_ranked_are_refused(
    make: Make, change: dict[str, list[Any]], why: str
) -> None:
    frame = make({"q": [1, 1, 1], "y": [1.0, 0.0, 2.0], "s": [0.1, 0.2, 0.3], **change})
    with pytest.raises(DataError, match=why):
        ranked_queries(frame, Ranking.NDCG, query="q", label="y", score="s")


def test_weights_of_more_rows_than_memory_holds_are_refused_and_not_written_out(make: Make) -> None:
    frame = make({"q": [1, 1], "y": [1.0, 0.0], "s": [0.1, 0.2], "w": [2**40, 1]}, weight="w")
    with pytest.raises(DataError, match=r"1,099,511,627,777 rows, and 50,000,000 can be ranked"):
        ranked_queries(frame, Ranking.NDCG, query="q", label="y", score="s")


def test_places_must_be_told_where_they_are_counted(make: Make) -> None:
    frame = make({"q": [1, 1], "y": [1.0, 0.0], "s": [0.1, 0.2]})
    for ranking in (Ranking.PRECISION, Ranking.RECALL):
        with pytest.raises(DataError, match="how many places"):
            ranked_queries(frame, ranking, query="q", label="y", score="s")


@pytest.mark.parametrize("centred", [False, True])
@LAWS
@given(rows=st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9), st.integers(1, 3)), max_size=8))
def test_what_is_left_unexplained_is_told_by_leaving_out_each_row(
    centred: bool, rows: list[tuple[float, float, int]]
) -> None:
    """The jackknife of its definition, and a weight is that many rows."""
    rows = [(1.0, 2.0, 1), (2.0, 4.5, 2), (4.0, 3.0, 1), (7.0, 7.5, 1), *rows]
    y, e, n = (np.array(column) for column in zip(*rows, strict=True))
    every, estimates = np.repeat(y, n), np.repeat(e, n)

    def left(labels: np.ndarray, given: np.ndarray) -> float:
        errors = labels - given
        error = errors.var() if centred else (errors**2).mean()
        return math.log(error / labels.var())

    size = len(every)
    values = np.array(
        [
            size * left(every, estimates)
            - (size - 1) * left(np.delete(every, row), np.delete(estimates, row))
            for row in range(size)
        ]
    )
    for make in FRAMES.values():
        for columns, weight in (
            ({"y": every.tolist(), "e": estimates.tolist()}, None),
            ({"y": y.tolist(), "e": e.tolist(), "n": n.tolist()}, "n"),
        ):
            frame = make(columns, weight=weight) if weight else make(columns)
            found = unexplained(frame, label="y", estimate="e", centred=centred)
            assert found.rows == size
            assert found.centre == pytest.approx(values.mean(), rel=1e-6, abs=1e-9)
            assert found.variance == pytest.approx(values.var(ddof=1), rel=1e-6)
            third = ((values - values.mean()) ** 3).mean() / values.std() ** 3
            assert found.skewness == pytest.approx(third, rel=1e-6, abs=1e-6)
            fourth = ((values - values.mean()) ** 4).mean() / values.var() ** 2
            assert found.kurtosis == pytest.approx(fourth, rel=1e-6)


@pytest.mark.parametrize(
    "columns",
    [
        {"y": [1.0, 2.0], "e": [1.0, 1.0]},
        {"y": [1.0, 2.0, 4.0], "e": [1.0, 2.0, 4.0]},
        {"y": [1.0, 2.0, 4.0], "e": [1.0, 2.0, 3.0]},
        {"y": [1.0, 1.0, 4.0], "e": [1.0, 2.0, 3.0]},
        {"y": [1.0, 1.0, 1.0], "e": [1.0, 2.0, 3.0]},
    ],
)
def test_nothing_is_told_where_a_row_cannot_be_left_out(
    make: Make, columns: dict[str, list[Any]]
) -> None:
    found = unexplained(make(columns), label="y", estimate="e", centred=False)
    assert found.rows == len(columns["y"])
    told = found.centre, found.variance, found.skewness, found.kurtosis
    assert all(map(math.isnan, told))


@pytest.mark.parametrize("bad", [math.nan, math.inf, None])
def test_an_error_that_is_not_finite_leaves_nothing_explained(make: Make, bad: float) -> None:
    frame = make({"y": [1.0, 2.0, 3.0, 5.0], "e": [1.5, bad, 2.0, 4.0]})
    with pytest.raises(DataError, match="1 of 4 rows is not finite"):
        unexplained(frame, label="y", estimate="e", centred=True)


def test_losses_come_in_ascending_order_with_their_rows(make: Make) -> None:
    found = make({"y": [1.0, 5.0, 2.0, 4.0], "e": [2.0, 2.0, 3.0, 4.0]})
    spread = found.distribution(RowLoss(loss=Loss.ABSOLUTE, label="y", estimate="e"))
    assert spread.values.tolist() == [0, 1, 3]
    assert (spread.counts.tolist(), spread.nulls) == ([1, 2, 1], 0)
    signed = found.distribution(RowLoss(loss=Loss.SIGNED, label="y", estimate="e"))
    assert signed.values.tolist() == [-1, 0, 3]
    with pytest.raises(DataError, match="not finite"):
        make({"y": [1.0, None, 2.0], "e": [2.0, 2.0, 3.0]}).distribution(
            RowLoss(loss=Loss.ABSOLUTE, label="y", estimate="e")
        )


CHANCES: dict[str, list[Any]] = {
    "y": ["a", "b", "a", "c"],
    "a": [0.5, 0.2, 1.0, 0.0],
    "b": [0.3, 0.7, 0.0, 0.1],
    "c": [0.2, 0.1, 0.0, 0.9],
}
COLUMNS: dict[Scalar, str] = {"a": "a", "b": "b", "c": "c"}


def test_losses_of_several_classes_are_those_of_the_labels_own_column(make: Make) -> None:
    frame = make(CHANCES)
    log = frame.moments(ClassLoss(loss=Loss.LOG, label="y", estimates=COLUMNS))
    own = np.clip([0.5, 0.7, 1.0, 0.9], 2**-52, 1 - 2**-52)
    assert log.mean == pytest.approx(float(-np.log(own).mean()), rel=1e-12)
    brier = frame.moments(ClassLoss(loss=Loss.BRIER, label="y", estimates=COLUMNS))
    squares = [0.25 + 0.09 + 0.04, 0.04 + 0.09 + 0.01, 0.0, 0.01 + 0.01]
    assert brier.mean == pytest.approx(sum(squares) / 4 / 2, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"y": ["a", "b", "a", "d"]}, "1 classes without a score"),
        ({"y": ["a", "b", "a", None]}, "null labels"),
        ({"c": [0.2, 0.1, 0.0, 1.2]}, "outside"),
        ({"c": [0.2, 0.1, 0.0, None]}, "null or lies outside"),
        ({"c": [0.2, 0.1, 0.0, 0.8]}, "1 rows do not sum to 1"),
    ],
)
def test_losses_of_several_classes_that_are_undefined_are_refused(
    make: Make, change: dict[str, list[Any]], why: str
) -> None:
    frame = make({**CHANCES, **change})
    for loss in (Loss.LOG, Loss.BRIER):
        with pytest.raises(DataError, match=why):
            frame.moments(ClassLoss(loss=loss, label="y", estimates=COLUMNS))
