"""Metrics of rankings, over the rows of each query."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aims_gate.checks.metrics import BUILDERS
from aims_gate.errors import DataError
from aims_gate.facts import NoValue
from aims_gate.policy.model import TaskKind
from tests.checks.performance.scored import (
    arrays,
    cells,
    check,
    of_queries,
    only,
    searches,
)
from tests.checks.subjects import context, data

# rankings


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"query": None}, "no column is named as query"),
        ({"query": "gone"}, "no column 'gone'"),
        ({"score": {"a": "s"}}, "a ranking has one column of scores"),
        ({"label": "t"}, "relevance is a number"),
        ({"label": "m"}, "not finite numbers of at least 0"),
    ],
)
def test_rankings_without_what_they_need_are_refused(change: dict[str, Any], why: str) -> None:
    columns, _ = arrays(searches(1))
    more = {**columns, "t": np.full(600, "yes"), "m": columns["y"] - 1.0}
    roles = {"label": "y", "score": "s", "query": "q", "task": TaskKind.RANKING, **change}
    with pytest.raises(DataError, match=why):
        cells("ndcg", data(more, **roles))


def test_queries_that_nothing_is_relevant_in_are_counted_and_not_taken_as_good_or_bad() -> None:
    """scikit-learn's ndcg_score calls such a query 0, and one of equal rows 1."""
    columns, _ = arrays(searches(1))
    queries = len(np.unique(columns["q"]))
    more = {
        "q": np.concatenate([columns["q"], [900, 900, 901, 901]]),
        "y": np.concatenate([columns["y"], [0, 0, 2, 2]]),
        "s": np.concatenate([columns["s"], [1.0, 2.0, 1.0, 2.0]]),
    }
    found = data(more, label="y", score="s", query="q", task=TaskKind.RANKING)
    assert only("ndcg", found).value == pytest.approx(only("ndcg", searches(1)).value)
    assert context(check("ndcg"), "queries_left_out", found)[""].value == 2
    assert context(check("ndcg"), "queries", found)[""].value == queries


def test_when_no_query_tells_rows_apart_there_is_no_value() -> None:
    columns = {"q": np.arange(90), "y": [1] * 90, "s": np.linspace(0, 1, 90)}
    cell = only("ndcg", data(columns, label="y", score="s", query="q", task=TaskKind.RANKING))
    assert (cell.lack, cell.reason) == (
        NoValue.UNDEFINED,
        "no query has rows of different relevance",
    )


def test_clicks_may_be_ranked_and_classified() -> None:
    columns, _ = arrays(searches(1))
    clicked = data(
        {**columns, "y": (columns["y"] > 1).astype(int)},
        label="y",
        score="s",
        query="q",
        task=TaskKind.BINARY,
    )
    assert only("roc_auc", clicked).value is not None
    assert cells("mrr", clicked)[0].value == pytest.approx(
        of_queries("mrr", arrays(clicked)[0], None), rel=1e-12
    )


def test_a_constant_score_is_never_a_good_ranking() -> None:
    columns, _ = arrays(searches(3))
    flat = data(
        {**columns, "s": np.zeros(600)}, label="y", score="s", query="q", task=TaskKind.RANKING
    )
    for metric in BUILDERS[TaskKind.RANKING]:
        flat_value, value = (cells(metric, found)[0].value for found in (flat, searches(3)))
        assert flat_value is not None
        assert value is not None
        assert flat_value < value
