"""A frame that is not in this process, as far as the gate can tell, and samples that are hard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from aims_gate.errors import DataError
from aims_gate.frames import Distribution, Floats, Frame, Grid, Histogram, RowLoss, Scalar
from aims_gate.frames.histograms import histogram_of

KINDS = ("normal", "rounded", "cauchy", "atom", "few", "skewed", "constant", "infinite")


class Elsewhere:
    """Answers of a frame in memory, given as an engine would; *asked* says how finely."""

    def __init__(self, frame: Frame, *, refuses: bool = False) -> None:
        self._frame = frame
        self._refuses = refuses
        self.asked: list[tuple[str, int | None]] = []
        self._grids: set[Grid] = set()

    @property
    def finest(self) -> int | None:
        """Rounds in which cells were counted closer; None if every value was asked for."""
        if any(cells is None for _, cells in self.asked):
            return None
        return sum(grid.within is not None for grid in self._grids)

    def histogram(
        self, of: str | RowLoss, grid: Grid, by: str | None = None
    ) -> Histogram | Mapping[Scalar, Histogram]:
        self.asked.append((str(of), grid.cells))
        self._grids.add(grid)
        return self._frame.histogram(str(of), grid, by) if by else self._frame.histogram(of, grid)

    def distribution(
        self, of: str | RowLoss, by: str | None = None
    ) -> Distribution | Mapping[Scalar, Distribution]:
        self.asked.append((str(of), None))
        if self._refuses:
            raise DataError("the answer has more bytes than the budget of 64 MB")
        return self._frame.distribution(of, *([by] if by else []))

    def unweighted(self) -> Elsewhere:
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._frame, name)


def hard_sample(kind: str, rows: int, random: np.random.Generator) -> Floats:
    """Rows with ties, atoms, heavy tails, infinities and, now and then, nulls."""
    shift, scale = random.normal() * 0.3, 1 + 0.3 * random.random()
    made: Mapping[str, Callable[[], Any]] = {
        "normal": lambda: random.normal(shift, scale, rows),
        "rounded": lambda: np.round(random.normal(shift, scale, rows), 1),
        "cauchy": lambda: random.standard_cauchy(rows) * scale + shift,
        "atom": lambda: np.where(random.random(rows) < 0.4, 0.0, random.exponential(scale, rows)),
        "few": lambda: random.integers(0, 5, rows).astype(np.float64),
        "skewed": lambda: np.exp(random.normal(0, 2, rows)),
        "constant": lambda: 3.0 + (random.random(rows) < 0.01),
        "infinite": lambda: random.choice([-np.inf, *np.arange(20), np.inf], rows),
    }
    values = np.asarray(made[kind](), dtype=np.float64)
    if random.random() < 0.2:
        values[: rows // 50] = np.nan
    return values


def on_one_grid(cells: int, *samples: Distribution) -> tuple[Histogram, ...]:
    """Histograms of samples on a grid from their least to their greatest finite value."""
    ends = [float(x) for one in samples for x in one.values if np.isfinite(x)] or [0.0]
    grid = Grid.over(min(ends), max(ends), cells)
    return tuple(histogram_of(one, grid) for one in samples)
