"""Slices: the rows of each combination of values, and which of them are large enough to judge.

Null is the slice `(missing)`. A slice that is too small is named with its rows and never judged;
too many rows in such slices are a judged cell that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from aims_gate.checks import attributes
from aims_gate.checks.attributes import Columns
from aims_gate.checks.cells import lacking
from aims_gate.checks.column_roles import positive_class
from aims_gate.checks.coverage import Size, too_small
from aims_gate.checks.levels import recorded, written
from aims_gate.checks.metrics import Outcomes
from aims_gate.facts import NoValue, PowerDesign, Statistic
from aims_gate.frames import Key, Scalar
from aims_gate.sources.subject import Data
from aims_gate.stats.tables import Classes, Confusion


def problems(
    by: Sequence[Columns], bins: Mapping[str, tuple[float, ...]]
) -> Iterable[tuple[str, str, str]]:
    """Invalid entries of the parameters `by` and `bins`, each as (field, what is wrong, hint)."""
    yield from attributes.problems(by)
    named = {column for columns in by for column in columns}
    for column, edges in bins.items():
        if column not in named:
            yield "bins", f"{column!r} is no column of by", "add it to by"
        if not edges or any(low >= high for low, high in pairwise(edges)):
            yield "bins", f"the edges of {column!r} are not ascending numbers", "such as [25, 45]"


def tables(
    found: Sequence[Key], data: Data, whole: Outcomes
) -> Mapping[tuple[Scalar | None, ...], Confusion | Classes]:
    """Confusion table of each slice, from one grouped count; in the order of the slices' values."""
    outcome = [Key(column=c) for c in (whole.found.label, whole.found.prediction) if c is not None]
    cells = whole.found.frame.count(*found, *outcome)
    counted: dict[tuple[Scalar | None, ...], list[tuple[Scalar | None, Scalar | None, int]]] = {}
    for values, count in zip(cells.values, cells.counts.tolist(), strict=True):
        *cut, label, prediction = values
        counted.setdefault(tuple(cut), []).append((label, prediction, count))
    if isinstance(whole.table, Classes):
        labels = whole.table.labels
        return {cut: _classes(labels, rows) for cut, rows in counted.items()}
    positive = positive_class(data, whole.found)
    return {cut: _confusion(positive, rows) for cut, rows in counted.items()}


_Counted = Sequence[tuple[Scalar | None, Scalar | None, int]]


def _confusion(positive: Scalar, rows: _Counted) -> Confusion:
    counts = dict.fromkeys(((True, True), (True, False), (False, True), (False, False)), 0)
    for label, prediction, count in rows:
        counts[label == positive, prediction == positive] += count
    return Confusion(
        tp=counts[True, True],
        fn=counts[True, False],
        fp=counts[False, True],
        tn=counts[False, False],
    )


def _classes(labels: tuple[Scalar, ...], rows: _Counted) -> Classes:
    place: dict[Scalar | None, int] = {label: index for index, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for label, prediction, count in rows:
        counts[place[label], place[prediction]] += count
    return Classes(labels=labels, counts=counts)


def small(
    sizes: Sequence[Size],
    *,
    where: str,
    statistic: str,
    least: int,
    allowed: float,
    total: int,
    grown: Callable[[int], PowerDesign | None] = lambda _rows: None,
) -> Iterator[Statistic]:
    """Name the slices below *least* rows, and refuse where they are more than *allowed* of all.

    *grown* says what a slice of so many rows will show once it is judged.
    """
    few = [size for size in sizes if size.rows < least]
    for size in few:
        yield Statistic(
            name="small_slice",
            slice=size.name,
            rows=recorded(size.rows, least),
            total=total,
            lack=NoValue.INSUFFICIENT,
            reason=f"{written(size.rows, least)} rows, below min_cell {least}: not judged",
            design=grown(size.rows),
        )
    reason = too_small(sizes, least=least, allowed=allowed, called="slices")
    if reason:
        left_out = recorded(sum(size.rows for size in few), least)
        yield lacking(
            statistic, NoValue.INSUFFICIENT, reason, where=where, rows=left_out, total=total
        )
