"""Drift of a column that is counted in cells: the distance of their ends, in a proven bracket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from aims_gate.bracket import Bracket
from aims_gate.checks.closer import counted
from aims_gate.checks.drift.distances import METHODS, FoundDistance, Lacking, SamplePair
from aims_gate.frames import WHOLE, Distribution, Histogram
from aims_gate.stats.brackets import binned, ordered
from aims_gate.stats.brackets.cells import Joined, cells_of
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
    cells = Joined.of(*found)
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
    rounds, frames = pair.resolution.of(column), (pair.reference, pair.current)
    if rounds is None or len({frame.columns[column].bits for frame in frames}) > 1:
        return None
    whole = [frame.histogram(column, WHOLE) for frame in frames]
    ends = [float(x) for one in whole for x in (*one.least, *one.greatest)]
    if not ends:
        return None
    reference, current = counted(
        lambda grid: [frame.histogram(column, grid) for frame in frames],
        ordered.OPEN.get(method, binned.open_cells),
        (min(ends), max(ends)),
        rounds,
        pair.resolution,
    )
    return reference, current


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
