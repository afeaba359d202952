"""Ranking metrics (NDCG, MAP, MRR ...): one value for each query."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aims_gate.checks.column_roles import Labelled, labelled
from aims_gate.checks.metrics.table import MetricRequest, Outcomes, counted, losses, named
from aims_gate.checks.row_statistics import ranked_queries
from aims_gate.engines import CountedRows
from aims_gate.errors import DataError
from aims_gate.frames import ColumnKind, Ranking
from aims_gate.sources.subject import Data
from aims_gate.stats.formulas import RANKINGS
from aims_gate.stats.tables import Queries


def queries(asked: MetricRequest, data: Data) -> Outcomes:
    """Ranking metric: its moments over queries.

    Raises:
        MissingColumnError: A column is not there.
        DataError: A role has no column, a label is negative or no number, or a score is not finite.
    """
    found = labelled(data, ["label", "score", "query"])
    label, score, query = named(found.label), _one(data, found), named(found.query)
    held = found.frame.columns[label]
    if held.kind not in {ColumnKind.NUMBER, ColumnKind.BOOLEAN}:
        raise DataError(
            f"the labels in {label} are {held.type}, and relevance is a number",
            where=f"{data.role} data",
            hint="0 is not relevant; more is more relevant",
        )
    ranking = RANKINGS[asked.metric]
    asking: dict[str, str] = {"query": query, "label": label, "score": score}
    measured = ranked_queries(found.frame, ranking, **asking, k=asked.k)
    table = Queries(
        values=losses(measured.values),
        rows=measured.rows,
        left_out=measured.left_out,
        most_left_out=asked.max_uncovered,
        k=asked.k,
    )
    return Outcomes(table=table, found=found, sample=_sample(found, ranking, (query, label, score)))


def _one(data: Data, found: Labelled) -> str:
    if isinstance(found.score, str):
        return found.score
    raise DataError(
        "a ranking has one column of scores", where=f"{data.role} data", hint="state score: COLUMN"
    )


def _sample(
    found: Labelled, ranking: Ranking, columns: tuple[str, str, str]
) -> Callable[[], CountedRows]:
    """Rows of the queries that have a value, each with its query's number."""

    def sample() -> CountedRows:
        rows, counts = counted(found, columns)
        _, query = np.unique(np.array([str(row[0]) for row in rows]), return_inverse=True)
        truth = np.array([row[1] for row in rows], dtype=np.float64)
        worth = truth if ranking is Ranking.NDCG else truth > 0
        least, most = np.full(len(rows), np.inf), np.full(len(rows), -np.inf)
        np.minimum.at(least, query, worth)
        np.maximum.at(most, query, worth)
        kept = (least < most)[query]
        return CountedRows(
            truth=truth[kept],
            estimate=np.array([row[2] for row in rows], dtype=np.float64)[kept],
            counts=counts[kept],
            group=query[kept].astype(np.int64),
        )

    return sample
