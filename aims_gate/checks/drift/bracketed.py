"""Drift of a column that is counted in cells: the distance of their ends, in a proven bracket."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

from aims_gate.bracket import Bracket
from aims_gate.checks.closer import counted
from aims_gate.checks.drift.distances import METHODS, FoundDistance, Lacking, SamplePair
from aims_gate.checks.drift.matching import CATEGORIES, kind_of_both
from aims_gate.errors import DataError
from aims_gate.frames import WHOLE, ColumnKind, Distribution, Grid, Histogram, opening
from aims_gate.stats.brackets import binned, ordered
from aims_gate.stats.brackets.cells import MergedCells, cells_of
from aims_gate.stats.divergence import DIVERGENCES
from aims_gate.stats.intervals import Bounds

Samples = tuple[Distribution, Distribution]
Ends = tuple[Bounds, Bounds]


def compare_cells(
    method: str,
    found: tuple[Histogram, Histogram],
    pair: SamplePair,
    by: Callable[[Samples], FoundDistance | Lacking],
) -> FoundDistance | Lacking:
    """Distance of two histograms, measured *by* the ends of their cells, with its bracket.

    Bounds are those that hold wherever in the bracket the value lies. Up to the end of a cell rows
    are known, and so are those of bins that end there; other numbers are not told as if they were.
    """
    cells = MergedCells.of(*found)
    one, other = (
        Distribution(values=values, counts=counts, nulls=sample.nulls)
        for sample, (values, counts) in zip(found, cells.rows(cells.greatest, *found), strict=True)
    )
    estimate = by((one, other))
    if isinstance(estimate, Lacking):
        return replace(estimate, observed=None)
    bracket = _bracket(method, found, pair)
    if (
        bracket.is_settled
    ):  # rows at the ends of their cells are in the order and bins of all values
        return estimate
    return replace(
        estimate,
        value=min(max(estimate.value, bracket.low), bracket.high),
        bounds=_hull(bracket.interval),
        alone=_hull(bracket.alone),
        context=(),
        bracket=bracket,
    )


def histograms(method: str, column: str, pair: SamplePair) -> tuple[Histogram, Histogram] | None:
    """Histograms of a column in both samples, on one grid; None where every value is looked at.

    That is also where floats have two widths, of which the narrower one is compared, and where
    there is no finite value.
    """
    rounds, ends = pair.resolution.of(column), _ends(column, pair)
    if rounds is None or ends is None:
        return None
    frames = pair.reference, pair.current
    reference, current = counted(
        lambda grid: [frame.histogram(column, grid) for frame in frames],
        ordered.OPEN.get(method, binned.open_cells),
        ends,
        rounds,
        pair.resolution,
    )
    return reference, current


def count_ahead(columns: Iterable[str], pair: SamplePair) -> None:
    """Count the columns that will be compared: many of a table by one question.

    Whatever an engine refuses here, it refuses again where a column is compared, and is told there.
    """
    with suppress(DataError):
        kinds = {c: kind_of_both(pair.reference, pair.current, c) for c in columns}
        grids = {
            column: Grid.over(*ends, pair.resolution.cells)
            for column, kind in kinds.items()
            if kind is ColumnKind.NUMBER and (ends := _ends(column, pair)) is not None
        }
        categories = [column for column, kind in kinds.items() if kind in CATEGORIES]
        for frame in (pair.reference, pair.current):
            opening.count_ahead(frame, grids, categories)


def _ends(column: str, pair: SamplePair) -> tuple[float, float] | None:
    frames = (pair.reference, pair.current)
    if pair.resolution.of(column) is None:
        return None
    if len({frame.columns[column].bits for frame in frames}) > 1:
        return None
    whole = [frame.histogram(column, WHOLE) for frame in frames]
    ends = [float(x) for one in whole for x in (*one.least, *one.greatest)]
    return (min(ends), max(ends)) if ends else None


def _bracket(method: str, found: tuple[Histogram, Histogram], pair: SamplePair) -> Bracket:
    share, most = pair.alpha / pair.columns, METHODS[method].most
    proven: binned.BinnedBracket | ordered.DistanceBracket | None
    if method in DIVERGENCES:
        effect = pair.design_effect
        proven = binned.bracket(DIVERGENCES[method], *found, design_effect=effect)
    else:
        proven = ordered.BRACKETS[method](*found).of_dependent_rows(pair.design_effect)
    value, nothing = (0.0, most), ((0.0, 0.0), (most, most))
    return Bracket(
        low=(value if proven is None else proven.value)[0],
        high=(value if proven is None else proven.value)[1],
        cells=cells_of(*found),
        interval=nothing if proven is None else proven.ends(share),
        alone=nothing if proven is None else proven.ends(pair.alpha_alone),
    )


def _hull(ends: Ends | None) -> Bounds:
    if ends is None:
        return 0.0, float("inf")
    (low, _), (_, high) = ends
    return low, high
