"""Statistics of gathered rows: what no count or sum over all rows tells (see `stats.rows`).

A frame that does not hold its rows can answer these only for few different ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from aims_gate.errors import DataError
from aims_gate.frames import ColumnKind, Distribution, Frame, Key, Loss, Moments, Ranking, Scalar
from aims_gate.frames.ordered import by_sorting_weighted
from aims_gate.stats.rows import discriminant
from aims_gate.stats.rows.losses import differences, moments_of, regression_loss, root_values
from aims_gate.stats.rows.placements import placement_moments
from aims_gate.stats.rows.queries import Rankings, rankings
from aims_gate.stats.rows.unexplained import unexplained_of
from aims_gate.stats.tables import Jackknife


def root_moments(frame: Frame, *, label: str, estimate: str, against: str) -> Moments:
    """Moments of jackknife pseudo-values of a difference of two RMSE.

    That of *estimate* less that of *against*; what a row adds is found by leaving it out, once for
    each row that it stands for (Tukey 1958), so the mean is the difference, freed of bias to first
    order. A root of errors that are all 0 adds nothing. DataError if an error is not finite, or
    there are no rows.
    """
    rows = frame.gather(numbers=[label, estimate, against])
    labels, *estimates = rows.numbers
    first, second = (
        root_values(regression_loss(Loss.SQUARED, labels, given), rows.weights)
        for given in estimates
    )
    return moments_of(differences(first, second), rows.weights)


def placements(
    frame: Frame, *, label: str, positive: Scalar, first: str, second: str, where: str = "data"
) -> tuple[Moments, Moments]:
    """Moments of the difference of DeLong placements, under *first* less under *second*.

    A positive's placement is the share of negatives with a lower score, a negative's the share of
    positives with a higher one, ties counting one half: what DeLong's variance of a difference of
    areas follows from.

    Returns:
        Of the rows of *frame* whose label is *positive*, and of the others. DataError if there are
        none of either, a label is null, or a score is not a finite number.
    """
    rows = frame.gather(numbers=[first, second], codes=[Key(column=label)])
    truth, (one, other) = rows.codes[0].equals(positive), rows.numbers
    return placement_moments(truth, one, other, rows.weights, where=where)


def unexplained(frame: Frame, *, label: str, estimate: str, centred: bool) -> Jackknife:
    """Jackknife of the log of unexplained variance: ln(SSE / total sum of squares).

    With *centred*, of squared distances from the errors' mean. DataError if an error is not finite.
    """
    rows = frame.gather(numbers=[label, estimate])
    labels, estimates = rows.numbers
    return unexplained_of(labels, estimates, rows.weights, centred=centred)


def ranked_queries(
    frame: Frame,
    ranking: Ranking,
    *,
    query: str,
    label: str,
    score: str,
    k: int | None = None,
    against: str | None = None,
) -> Rankings:
    """Ranking metric of each query, with its rows ordered by falling score.

    Rows that share a score: NDCG, PRECISION and RECALL are the mean over all their orders, as in
    scikit-learn's `ndcg_score`; AVERAGE_PRECISION and RECIPROCAL_RANK give each the last of their
    places, as in its `label_ranking_average_precision_score`. PRECISION and RECALL need *k*, and
    the two others ignore it. With *against*, another column of scores, those of each query's value
    less the value that it has there. DataError if a query is null, a label negative, or a label or
    score not finite.
    """
    numbers = [label, score, *([] if against is None else [against])]
    rows = frame.gather(numbers=numbers, codes=[Key(column=query)])
    labels, first, *other = rows.numbers
    return rankings(
        ranking,
        query=rows.codes[0].codes,
        label=labels,
        score=first,
        weights=rows.weights,
        k=k,
        against=other[0] if other else None,
    )


def discriminant_scores(
    frame: Frame, target: Key, columns: Sequence[str], *, where: str = "data"
) -> Mapping[Scalar, tuple[Distribution, Distribution]]:
    """Discriminant scores of each group's rows and of all others, by a rule over *columns*.

    The rule is linear, and a row is scored by one that was fitted without it (see
    `stats.rows.discriminant`). Rows with null *target* are left out.

    Raises:
        MissingColumnError: A column is not there.
        DataError: There are no columns, or one holds lists, structs or bytes.
    """
    if not columns:
        raise DataError("there is no column to tell groups by", where=where)
    numeric = [c for c in columns if _is_number(frame, c)]
    others = [c for c in columns if c not in numeric]
    rows = frame.gather(numbers=numeric, codes=[target, *(Key(column=c) for c in others)])
    groups, *coded = rows.codes
    of_all = discriminant.dense(groups.codes)
    names = [groups.values[code] for code in np.unique(groups.codes) if code >= 0]
    if not names:
        return {}
    weights = np.ones(len(of_all), dtype=np.int64) if rows.weights is None else rows.weights
    inputs = {c: discriminant.values(coded.pop(0).codes, len(others)) for c in others}
    given = list(rows.numbers)
    del rows  # a column of numbers is let go once it is an input: all of both would be much
    inputs |= {c: discriminant.number(given.pop(0), weights) for c in numeric}
    # by name, so that columns which only names tell apart have an order, too
    found = discriminant.scores([inputs[c] for c in sorted(columns)], of_all, len(names), weights)
    of = of_all[found.rows]
    return {
        value: (
            by_sorting_weighted(found.scores[of == place, place], found.copies[of == place]),
            by_sorting_weighted(found.scores[of != place, place], found.copies[of != place]),
        )
        for place, value in enumerate(names)
    }


def _is_number(frame: Frame, column: str) -> bool:
    held = frame.columns.get(column)
    return held is not None and held.kind is ColumnKind.NUMBER
