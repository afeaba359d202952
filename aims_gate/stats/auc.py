"""Area under the ROC curve, with DeLong's variance, from distinct scores and counts.

One pass over the distinct scores; ties count one half. The bounds are measured in statistics 2.9:
their one-sided error stays below 6.2 % for an aim of 5 %, where plain DeLong reaches 49 %. With the
degrees of freedom of the placements' kurtosis, intervals at 95 % cover 94 % where a tenth of 30
positives is hopeless, which was 92.7 % with n - 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtri, stdtrit

from aims_gate.stats.intervals import Bounds, root
from aims_gate.stats.merging import PIECE
from aims_gate.stats.tables import Counts, Floats, Ranked
from aims_gate.stats.two_classes import TwoClasses

LEAST_CLASS = 20
"""Below so many rows of either class no bound is given."""
LEAST_EXCESS = 1e-9
"""Least excess of the kurtosis over 1, which is 0 where all placements are equally far off."""
FEW_ERRORS = 10
"""Where rarer-class rows x (1 - A) fall below this, DeLong's variance rests on too few errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeLong(TwoClasses):
    """An area under the ROC curve; its variances are those of placements over rows, V1 and V0."""

    area: float
    """P(score of a positive > score of a negative) + P(equal) / 2, in [0, 1]."""


def area(table: Ranked) -> float:
    """Area under the ROC curve, in [0, 1]: 1 is a perfect order, 0.5 chance; NaN for one class."""
    positives, negatives = int(table.positives.sum()), int(table.negatives.sum())
    if not positives or not negatives:
        return math.nan
    pairs = math.fsum(_dot(counts, below) for counts, below, _, _ in _placed(table))
    return min(pairs / positives / negatives, 1.0)


def delong(table: Ranked) -> DeLong:
    """Area under the ROC curve with DeLong's variance; needs two rows of each class.

    DeLong, DeLong and Clarke-Pearson (1988). A positive's placement is the share of negatives
    below it, a negative's the share of positives above it, ties counting one half. A variance of n
    placements has 2n / (kurtosis - 1) degrees of freedom, n - 1 at most: a few that matter much
    tell little about it.
    """
    positives, negatives = int(table.positives.sum()), int(table.negatives.sum())
    value = area(table)
    powers = []
    for hits, below, misses, above in _placed(table):
        of_hits = np.square(below / negatives - value)
        of_misses = np.square(above / positives - value)
        second = _dot(hits, of_hits), _dot(misses, of_misses)
        powers.append((*second, _dot(hits, of_hits**2), _dot(misses, of_misses**2)))
    sums = [math.fsum(column) for column in zip(*powers, strict=True)]
    of_positives = _part(positives, *sums[::2])
    of_negatives = _part(negatives, *sums[1::2])
    return DeLong(
        area=value,
        positives=positives,
        negatives=negatives,
        positive_variance=of_positives[0],
        negative_variance=of_negatives[0],
        positive_freedom=of_positives[1],
        negative_freedom=of_negatives[1],
    )


def _placed(table: Ranked) -> Iterator[tuple[Counts, Floats, Counts, Floats]]:
    """Placements: negatives below each positive, and positives above each negative.

    Ties count one half. In pieces, so that large tables are not held several times over.
    """
    below, above = 0, int(table.positives.sum())
    for start in range(0, len(table.scores), PIECE):
        hits = table.positives[start : start + PIECE]
        misses = table.negatives[start : start + PIECE]
        passed, left = np.cumsum(misses), np.cumsum(hits)
        yield hits, below + passed - misses / 2, misses, above - left + hits / 2
        below, above = below + int(passed[-1]), above - int(left[-1])


def _part(rows: int, second: float, fourth: float) -> tuple[float, float]:
    """A class's part of DeLong's variance, and its degrees of freedom.

    From the sums of squares and of fourth powers of its placements' distances from the area.
    """
    excess = fourth * rows / second**2 - 1 if second > 0 else 0.0
    return second / (rows - 1) / rows, min(2 * rows / max(excess, LEAST_EXCESS), rows - 1)


def bounds(table: Ranked, alpha: float) -> Bounds:
    """DeLong interval of the area on the logit scale: two one-sided bounds, in [0, 1].

    logit A -+ t se / (A (1 - A)) with Satterthwaite's t. Where few errors are left, or the
    variance is 0, the wider of it and the bound of `hanley_mcneil_low`. Exchanging the classes
    mirrors the bounds.

    Args:
        table: At least `LEAST_CLASS` rows of each class.
        alpha: The probability that a bound is wrong, on each side, in (0, 0.5).
    """
    result = delong(table)
    low, high = result.area, result.area
    if result.variance > 0 and 0 < result.area < 1:
        step = float(stdtrit(result.degrees, 1 - alpha)) * math.sqrt(result.variance)
        step /= result.area * (1 - result.area)
        low, high = float(expit(logit(low) - step)), float(expit(logit(high) + step))
    rarer = min(result.positives, result.negatives)
    if rarer * min(result.area, 1 - result.area) < FEW_ERRORS or result.variance <= 0:
        low = min(low, hanley_mcneil_low(result, alpha))
        mirrored = hanley_mcneil_low(_mirrored(result), alpha)
        high = max(high, 1 - mirrored)
    return low, high


def too_few(table: Ranked) -> str:
    """Say why there are no bounds; empty if there are."""
    rarer = min(int(table.positives.sum()), int(table.negatives.sum()))
    if rarer >= LEAST_CLASS:
        return ""
    return f"the rarer class has {rarer:,} rows, and an interval needs {LEAST_CLASS}"


def hanley_mcneil_variance(a: float, positives: int, negatives: int) -> float:
    """Hanley-McNeil variance of an area a: [a(1-a) + (n_s - 1) q + (n_l - 1) Q] / (n_1 n_0).

    Hanley and McNeil (1982), with the larger of q, Q = a(1-a)^2/(2-a), a^2(1-a)/(1+a) given to the
    larger class, so that it does not matter which class varies more.
    """
    small, large = sorted((positives, negatives))
    least, most = sorted((a * (1 - a) ** 2 / (2 - a), a * a * (1 - a) / (1 + a)))
    total = a * (1 - a) + (small - 1) * least + (large - 1) * most
    return total / (small * large)


def hanley_mcneil_low(result: DeLong, alpha: float) -> float:
    """Lower score bound of the area A: the root a below A of A - a = z sqrt(variance at a)."""
    z = -float(ndtri(alpha))

    def excess(a: float) -> float:
        variance = hanley_mcneil_variance(a, result.positives, result.negatives)
        return result.area - a - z * math.sqrt(variance)

    return root(excess, 0.0, result.area)


def _dot(counts: Counts, values: Floats) -> float:
    """Dot product in one thread, so that the order of adding, and the rounding, never changes."""
    return float(np.einsum("i,i->", counts, values))


def _mirrored(result: DeLong) -> DeLong:
    return DeLong(
        area=1 - result.area,
        positives=result.negatives,
        negatives=result.positives,
        positive_variance=result.negative_variance,
        negative_variance=result.positive_variance,
        positive_freedom=result.negative_freedom,
        negative_freedom=result.positive_freedom,
    )
