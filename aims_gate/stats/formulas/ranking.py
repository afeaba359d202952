"""Metrics of rankings: the mean over queries of a value in [0, 1]."""

from __future__ import annotations

from aims_gate.stats import means
from aims_gate.stats.formulas.formula import Formula, at_z
from aims_gate.stats.tables import Queries, Ranking


def left_out(table: Queries) -> str:
    """Say that too many queries say nothing; empty if not."""
    queries = table.values.rows + table.left_out
    if table.left_out > table.most_left_out * queries:
        return (
            f"{table.left_out:,} of {queries:,} queries have rows of one relevance only, more than "
            f"max_uncovered {table.most_left_out:.1%}"
        )
    return ""


def _few(table: Queries) -> str:
    return left_out(table) or means.too_few(table.values, of="queries")


def _mean(metric: str, of: Ranking, definition: str, needs: str = "") -> Formula[Queries]:
    return Formula(
        metric=metric,
        table=Queries,
        definition=f"mean over queries of {definition}",
        value=lambda t: means.mean(t.values),
        undefined=lambda _: "no query has rows of different relevance",
        bounds=at_z(lambda t, z: means.share_bounds(t.values, z)),
        method="Hall (1992) over queries",
        short=_few,
        of=of,
        needs=needs,
        capitals=() if needs else (metric,),
    )


RANKING: tuple[Formula[Queries], ...] = (
    _mean(
        "ndcg",
        Ranking.NDCG,
        "the sum of label / log2(place + 1) over the first k places, divided by its largest "
        "possible value (Jarvelin and Kekalainen 2002), in [0, 1]: 1 is the best order",
    ),
    _mean(
        "map",
        Ranking.AVERAGE_PRECISION,
        "average precision: the mean over its relevant rows of the share relevant down to their "
        "place, in [0, 1]: 1 ranks every relevant row first",
    ),
    _mean(
        "mrr",
        Ranking.RECIPROCAL_RANK,
        "1 / place of the first relevant row, in [0, 1]: 1 is a relevant row on top",
    ),
    _mean(
        "precision_at_k",
        Ranking.PRECISION,
        "the relevant rows among the first k places / k, in [0, 1]",
        needs="k",
    ),
    _mean(
        "recall_at_k",
        Ranking.RECALL,
        "the relevant rows among the first k places / its relevant rows, in [0, 1]: 1 has them all",
        needs="k",
    ),
)
