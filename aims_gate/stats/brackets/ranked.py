"""Bracket of the area under the ROC curve, and of the bounds that DeLong's variance gives it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, stdtrit

from aims_gate.stats.auc import FEW_ERRORS, LEAST_EXCESS, DeLong, hanley_mcneil_low
from aims_gate.stats.brackets.cells import Celled, Floats, Proven, cells_of, moments, widened
from aims_gate.stats.intervals import Bounds

_WHOLE = 2.0**52
"""Below it halves of pairs are exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Bounds of a class's part of DeLong's variance, and of its degrees of freedom."""

    variance: Bounds
    freedom: Bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaBracket:
    """Bounds of an area under the ROC curve, and of what its interval follows from."""

    value: Bounds
    """Of the area, in [0, 1]."""
    sizes: tuple[int, int]
    """Positives and negatives."""
    parts: tuple[_Part, _Part]
    cells: int

    def ends(self, alpha: float) -> tuple[Bounds, Bounds]:
        """Bounds of `stats.auc.bounds` at level *alpha*, where both are low and both are high."""
        least, most = self.value
        low, high = self._delong(alpha)
        errors = [min(x, 1 - x) for x in self.value]
        fewest, rarer = min(errors), min(self.sizes)
        greatest = 0.5 if least <= 0.5 <= most else max(errors)
        variance = sum(part.variance[0] for part in self.parts)
        if rarer * fewest < FEW_ERRORS or variance <= 0:
            low = min(low[0], self._guard(least, alpha)), low[1]
            high = high[0], max(high[1], 1 - self._guard(1 - most, alpha, mirrored=True))
        if rarer * greatest < FEW_ERRORS:
            low = low[0], min(low[1], self._guard(most, alpha))
            high = max(high[0], 1 - self._guard(1 - least, alpha, mirrored=True)), high[1]
        low, high = widened(low, 0.0, 1.0), widened(high, 0.0, 1.0)
        return (low[0], high[0]), (low[1], high[1])

    def _delong(self, alpha: float) -> tuple[Bounds, Bounds]:
        """Bounds of the lower and of the upper bound on the logit scale."""
        least, most = self.value
        if not (least > 0 and most < 1):
            return (0.0, most), (least, 1.0)
        slopes = [x * (1 - x) for x in self.value]
        flattest = 0.25 if least <= 0.5 <= most else max(slopes)
        one, other = self.parts
        variance = [one.variance[side] + other.variance[side] for side in (0, 1)]
        degrees = self._degrees()
        short = float(stdtrit(degrees[1], 1 - alpha)) * math.sqrt(variance[0]) / flattest
        long = float(stdtrit(degrees[0], 1 - alpha)) * math.sqrt(variance[1]) / min(slopes)
        ends = float(logit(least)), float(logit(most))
        return (
            (float(expit(ends[0] - long)), float(expit(ends[1] - short))),
            (float(expit(ends[0] + short)), float(expit(ends[1] + long))),
        )

    def _degrees(self) -> Bounds:
        """Bounds of Satterthwaite's degrees of freedom, which lie between the least and the sum."""
        freedoms = [part.freedom for part in self.parts]
        return min(one[0] for one in freedoms), sum(one[1] for one in freedoms)

    def _guard(self, area: float, alpha: float, *, mirrored: bool = False) -> float:
        positives, negatives = reversed(self.sizes) if mirrored else self.sizes
        at = DeLong(
            area=area,
            positives=positives,
            negatives=negatives,
            positive_variance=0.0,
            negative_variance=0.0,
            positive_freedom=1.0,
            negative_freedom=1.0,
        )
        return hanley_mcneil_low(at, alpha)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanBracket:
    """Bounds of a mean of areas, one of each class, and of the mean of their intervals.

    They have more room for rounding than a mean needs.
    """

    of: tuple[Proven, ...]

    @property
    def value(self) -> Bounds:
        """Of the mean, in [0, 1]."""
        return _mean([one.value for one in self.of])

    @property
    def cells(self) -> int:
        """Cells of all classes together."""
        return sum(one.cells for one in self.of)

    def ends(self, alpha: float) -> tuple[Bounds, Bounds]:
        """Bounds of the mean of the classes' bounds, where both are low and where both are high."""
        low, high = zip(*(one.ends(alpha) for one in self.of), strict=True)
        return _mean(low), _mean(high)


def _mean(each: Sequence[Bounds]) -> Bounds:
    low, high = (math.fsum(side) / len(each) for side in zip(*each, strict=True))
    return low, high


def area(positives: Celled, negatives: Celled) -> AreaBracket:
    """Bracket of the area under the ROC curve of two samples of finite scores, two rows at least.

    A positive's placement is the share of negatives below it, ties counting one half: of a negative
    in a cell that may lie on either side, all or nothing is counted.
    """
    below, above = _placements(positives, negatives), _placements(negatives, positives)
    n, m = int(positives.counts.sum()), int(negatives.counts.sum())
    # pairs and half pairs are exact, so that the ends of a settled bracket are the value
    value = tuple(min(float(positives.counts @ end) / n / m, 1.0) for end in below)
    bounds = value[0], value[1]
    return AreaBracket(
        value=bounds if n * m < _WHOLE else widened(bounds, 0.0, 1.0),
        sizes=(n, m),
        parts=(
            _part(positives, (below[0] / m, below[1] / m)),
            _part(negatives, (above[0] / n, above[1] / n)),
        ),
        cells=cells_of(positives, negatives),
    )


def open_cells(positives: Celled, negatives: Celled) -> tuple[Floats, Floats]:
    """Cells by the pairs whose order they leave open."""
    below, above = _placements(positives, negatives), _placements(negatives, positives)
    found = [
        one.counts * (high - low) * (one.least < one.greatest)
        for one, (low, high) in ((positives, below), (negatives, above))
    ]
    return found[0], found[1]


def _placements(own: Celled, others: Celled) -> tuple[Floats, Floats]:
    """The least and the greatest count of others below each cell's rows, ties one half."""
    summed = np.append(0, np.cumsum(others.counts))

    def up_to(ends: Floats, points: Floats) -> Floats:
        strictly = summed[np.searchsorted(ends, points, side="left")]
        with_ties = summed[np.searchsorted(ends, points, side="right")]
        return np.asarray((strictly + with_ties) / 2)

    return up_to(others.greatest, own.least), up_to(others.least, own.greatest)


def _part(sample: Celled, placed: tuple[Floats, Floats]) -> _Part:
    rows = int(sample.counts.sum())
    found = moments(*placed, sample.counts)
    low, high = found.spread
    freedom = [2 * rows / max(one - 1, LEAST_EXCESS) for one in reversed(found.kurtosis)]
    return _Part(
        variance=(low**2 / (rows - 1), high**2 / (rows - 1)),
        freedom=(min(freedom[0], rows - 1), min(freedom[1] * (1 + 1e-9), rows - 1)),
    )
