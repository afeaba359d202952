"""Differences between two models on the same rows, and between one model on two data sets.

A difference is always first minus second. Nothing is divided by either value, so a value of zero
or below is no special case. Formulas and their measured error: statistics 1.5 and 2.9.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtri, stdtrit

from aims_gate.stats import jackknife
from aims_gate.stats.intervals import Bounds, proportion_bounds
from aims_gate.stats.means import LEAST_ROWS
from aims_gate.stats.tables import Jackknife, Losses

_Z_POWER = 0.8416
"""Standard normal quantile of 0.80."""
_FEW_ERRORS = 10
_STEPS = 60
"""Halvings of [-1, 1]: further ones do not change a float."""


def minus(first: float, second: float) -> float:
    """Difference, rounded to 12 digits of the larger value, so that 0.1 - 0.08 is 0.02."""
    size = max(abs(first), abs(second))
    if not size or not math.isfinite(size):
        return first - second
    return round(first - second, 12 - math.ceil(math.log10(size))) + 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Discordant:
    """Rows by which of two answers to them is right: what a paired proportion follows from."""

    first: int
    """Rows that only the first gets right."""
    second: int
    """Rows that only the second gets right."""
    rows: int
    """All rows, those on which both are right or both wrong included."""

    @property
    def difference(self) -> float:
        """Share right of the first minus that of the second, in [-1, 1]; NaN for no rows."""
        return (self.first - self.second) / self.rows if self.rows else math.nan

    @property
    def error(self) -> float:
        """Standard error of the difference: half a row is added to each side, so never 0."""
        first, second = self.first + 0.5, self.second + 0.5
        spread = first + second - (self.first - self.second) ** 2 / self.rows
        return math.sqrt(max(spread, 0.0)) / self.rows


def tango(pairs: Discordant, z: float) -> Bounds:
    """Tango's score interval of the difference of two paired proportions, in [-1, 1].

    Tango (1998), "Equivalence test and confidence interval for the difference in proportions for
    the paired-sample design". A bound D is where (first - second - nD) / sqrt(n(2q + D(1 - D)))
    is z or -z, with q the share of the second's cell that is most likely under D.

    Args:
        pairs: At least one row.
        z: Standard normal quantile, above 0: 1.645 for one-sided 95 %.
    """
    estimate = pairs.difference
    low, high = _bisect(pairs, z, -1.0, estimate), _bisect(pairs, -z, estimate, 1.0)
    return min(low, estimate), max(high, estimate)


def _bisect(pairs: Discordant, z: float, low: float, high: float) -> float:
    """Root D of score(D) = *z* by bisection; the score falls with D."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _score(pairs, middle) > z:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _score(pairs: Discordant, d: float) -> float:
    n, found = pairs.rows, pairs.first - pairs.second
    linear = -(pairs.first + pairs.second) + (2 * n - found) * d
    constant = -pairs.second * d * (1 - d)
    root = math.sqrt(max(linear * linear - 8 * n * constant, 0.0))
    share = (root - linear) / (4 * n)
    variance = n * max(2 * share + d * (1 - d), 0.0)
    distance = found - n * d
    return distance / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, distance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placements:
    """Differences of placements of every row under two rankings, by class.

    A positive's placement is the share of negatives ranked below it, a negative's the share of
    positives above it, ties counting one half; each difference is that under the first ranking
    minus that under the second. Both means are the difference of the areas under the ROC curve.
    """

    positives: Losses
    negatives: Losses

    @property
    def difference(self) -> float:
        """Area of the first minus area of the second, in [-1, 1]."""
        return self.positives.mean

    @property
    def error(self) -> float:
        """DeLong's standard error of the difference; 0 where both rank every row alike."""
        return math.sqrt(sum(_parts(self)))


def delong_difference(placements: Placements, alpha: float, *, area: float) -> Bounds:
    """DeLong interval of the difference of two correlated ROC areas, in [-1, 1].

    DeLong, DeLong and Clarke-Pearson (1988), with Satterthwaite's t. Where few errors are left,
    rarer-class rows x (1 - area) below 10, both bounds lie a quarter of a row of that class
    further out: without it an upper bound was measured to be wrong in up to 12 % for 5 %. Where
    every row is ranked alike, nothing varies, and the bounds are what the bound of none in n leaves
    of each class. Needs `LEAST_CLASS` rows of each class.

    Args:
        placements: Of both classes.
        alpha: Error of each side, in (0, 0.5).
        area: The larger of the two areas.
    """
    value, (first, second) = placements.difference, _parts(placements)
    rows = placements.positives.rows, placements.negatives.rows
    rarer = min(rows)
    if first + second <= 0:
        step = unseen(rows[0], alpha) + unseen(rows[1], alpha)
    else:
        degrees = (first + second) ** 2 / (first**2 / (rows[0] - 1) + second**2 / (rows[1] - 1))
        step = float(stdtrit(degrees, 1 - alpha)) * math.sqrt(first + second)
    if rarer * (1 - area) < _FEW_ERRORS:
        step += 1 / (4 * rarer)
    return max(value - step, -1.0), min(value + step, 1.0)


def unseen(rows: int, alpha: float) -> float:
    """Upper bound of a share that none of *rows* rows has: about 3 / rows at 5 %."""
    return proportion_bounds(0, rows, quantile(alpha))[1]


def quantile(alpha: float) -> float:
    """Standard normal quantile of 1 - *alpha*."""
    return -float(ndtri(alpha))


def _parts(placements: Placements) -> tuple[float, float]:
    return (
        placements.positives.variance / placements.positives.rows,
        placements.negatives.variance / placements.negatives.rows,
    )


def mean_difference(differences: Jackknife, alpha: float, *, value: float, loss: float) -> Bounds:
    """Paired interval of a difference of mean losses, or of their roots; see `short_of_mean`.

    Those of `jackknife.limits`, which take the wider of Student's t and Hall's bound on each side:
    differences of models that are alike are symmetric with long tails, and Hall's correction for
    skewness then follows chance; those of unlike models are skewed, and need it
    (docs/statistics.md). Where not one row differs, the bound of none in n rows, times *loss*: as
    if that share of rows changed by as much as the mean loss.

    Args:
        differences: Of what each row adds to the difference: of a mean, its own difference.
        alpha: Error of each side, in (0, 0.5).
        value: The difference.
        loss: The first model's loss.
    """
    if _same(differences):
        step = unseen(differences.rows, alpha) * loss
        return -step, step
    low, high = jackknife.limits(differences, alpha)
    return min(low, value), max(high, value)


def short_of_mean(differences: Jackknife, *, loss: float, of: str = "rows") -> str:
    """Say why a difference of mean losses has no bounds; empty if it has.

    Args:
        differences: As `mean_difference` takes them.
        loss: The first model's loss: where not one row differs, all there is to tell a size from.
        of: What the rows are.
    """
    rows = differences.rows
    if rows < LEAST_ROWS:
        return f"{rows:,} {of}, and a mean's interval needs {LEAST_ROWS}"
    if _same(differences):
        return "" if loss else f"all {rows:,} {of} are 0 for both, so nothing shows how they vary"
    if not differences.variance > 0:
        return (
            f"the differences of all {rows:,} {of} are equal, so nothing shows how much they vary"
        )
    wanted = jackknife.rows_needed(differences)
    if rows < wanted:
        return (
            f"one of the {of} dominates the difference: at a kurtosis of "
            f"{differences.kurtosis:.0f} its interval needs {math.ceil(wanted):,} {of}, and there "
            f"are {rows:,}"
        )
    return ""


def _same(differences: Jackknife) -> bool:
    """Tell whether not one row differs."""
    return not differences.variance > 0 and not differences.centre


def mover(first: float, of_first: Bounds, second: float, of_second: Bounds) -> Bounds:
    """MOVER interval of first - second, from the bounds of each on different rows.

    MOVER (Zou and Donner 2008): low = d - sqrt((first - its low)² + (second's high - second)²),
    and high mirrored. Asymmetric bounds of either stay so, and are as safe as they were.
    """
    value = first - second
    low = value - math.hypot(first - of_first[0], of_second[1] - second)
    return low, value + math.hypot(of_first[1] - first, second - of_second[0])
