"""Histograms in the cells of a grid, counted by the engine that holds the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import ibis
import numpy as np

from aims_gate.frames import Counts, Floats, Gathered, Grid, Histogram, Key, RowLoss, Scalar
from aims_gate.frames.ibis_columns import COUNT, IbisColumns
from aims_gate.frames.ibis_forms import Expr, exact
from aims_gate.frames.ibis_losses import row_loss

_MOST_CELLS = 1 << 16
"""Cells of all columns of one question."""


def histogram_of(frame: IbisColumns, of: str | RowLoss, grid: Grid) -> Histogram:
    """Histogram of a column or loss; a column's one cell from the scan of all, if finite."""
    whole = grid.cells == 1 and grid.within is None
    ends = frame.ends(of) if whole and isinstance(of, str) else None
    if ends is not None and isinstance(of, str) and np.isfinite(ends).all():
        nulls = frame.nulls(of)
        least, greatest = (np.array([end]) for end in ends)
        counts = np.array([frame.rows - nulls], dtype=np.int64)
        return Histogram(least=least, greatest=greatest, counts=counts, nulls=nulls)
    found = _counted(frame, of, grid, None)
    return _histogram(found, np.ones(len(found.numbers[0]), dtype=np.bool_), grid)


def histograms_by(frame: IbisColumns, column: str, grid: Grid, by: str) -> dict[Scalar, Histogram]:
    """Histogram for each value of *by*; rows in which it is null are left out."""
    found = _counted(frame, column, grid, by)
    (groups,) = found.codes
    return {
        value: _histogram(found, groups.codes == place, grid)
        for place, value in enumerate(groups.values)
    }


def count_ahead(frame: IbisColumns, grids: Mapping[str, Grid]) -> None:
    """Count numbers on grids that will be asked for: columns by one question, and not one each.

    It costs Spark half as much; of DuckDB it spares the start of each. A union, and no grouping
    sets: those are no cheaper, and a cell would not have the ends of its own column.
    """
    left = {
        column: grid
        for column, grid in grids.items()
        if frame.cache.kept(("histogram", column, grid)) is None
    }
    while left:
        some = list(left)[: max(_MOST_CELLS // max(grid.cells for grid in left.values()), 1)]
        _count_together(frame, {column: left.pop(column) for column in some})


def _count_together(frame: IbisColumns, grids: Mapping[str, Grid]) -> None:
    every = [
        _question(frame, column, grid, None).mutate(column=exact(float(place)))
        for place, (column, grid) in enumerate(grids.items())
    ]
    answer = frame.in_memory(ibis.union(*every) if len(every) > 1 else every[0], {})
    found = answer.gather(numbers=["cell", "least", "greatest", "column"])
    *numbers, places = found.numbers
    found = replace(found, numbers=tuple(numbers))
    for place, (column, grid) in enumerate(grids.items()):
        counted = _histogram(found, places == place, grid)
        frame.cache.get(("histogram", column, grid), partial(replace, counted))


def _counted(frame: IbisColumns, of: str | RowLoss, grid: Grid, by: str | None) -> Gathered:
    """The least and greatest value and the rows of each cell that holds any."""
    question = _question(frame, of, grid, by)
    answer = frame.in_memory(question, {} if by is None else {"by": by})
    codes = () if by is None else (Key(column="by"),)
    return answer.gather(numbers=["cell", "least", "greatest"], codes=codes)


def _question(frame: IbisColumns, of: str | RowLoss, grid: Grid, by: str | None) -> Expr:
    value, coarser = _value(frame, of), grid.coarser
    if coarser is not None and grid.within is not None:
        frame = replace(frame, table=frame.table.filter(_cell(value, coarser).isin(grid.within[1])))
        value = _value(frame, of)
    groups = {"cell": _cell(value, grid)} | ({} if by is None else {"by": frame.table[by]})
    return frame.table.group_by(**groups).aggregate(
        least=value.min(), greatest=value.max(), **{COUNT: frame.total()}
    )


def _value(frame: IbisColumns, of: str | RowLoss) -> Expr:
    return frame.table[of].cast("float64") if isinstance(of, str) else row_loss(frame, of)


def _cell(value: Expr, grid: Grid) -> Expr:
    """As `Grid.codes`; -1 below all cells for one infinity, and past the last for the other."""
    low, high = exact(grid.low), exact(grid.high)
    last, infinite = exact(grid.cells - 1), exact(np.inf)
    steps = ((value - low) / (high - low) * exact(grid.cells)).floor()
    return ibis.cases(  # where nearly all values are comes first: an engine then computes no more
        (value.between(low, high), ibis.least(steps, last)),
        (value == -infinite, exact(-1)),
        (value == infinite, exact(grid.cells)),
        (value < low, exact(0)),
        (value > high, last),
        else_=None,
    )


def _histogram(found: Gathered, of: np.ndarray, grid: Grid) -> Histogram:
    weights = found.weights
    cells, least, greatest = (numbers[of] for numbers in found.numbers)
    counts: Counts = np.zeros(0, dtype=np.int64) if weights is None else weights[of]
    inside = (cells >= 0) & (cells < grid.cells)
    order = np.argsort(cells[inside], kind="stable")

    def ordered(values: Floats) -> Floats:
        found: Floats = values[inside][order] + 0.0  # -0.0 is 0.0
        return found

    return Histogram(
        least=ordered(least),
        greatest=ordered(greatest),
        counts=counts[inside][order],
        nulls=int(counts[np.isnan(cells)].sum()),
        below=int(counts[cells == -1].sum()),
        above=int(counts[cells == grid.cells].sum()),
    )
