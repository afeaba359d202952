"""Expected calibration error over bins of equal mass, what noise adds to it, and its bounds.

With bins b of weight w_b, the error is the sum of w_b |Delta_b|, Delta_b the true rate less the
mean score. Its plain estimate sum of w_b |D_b|, D_b the rate seen less the mean score, is too high:
D_b is nearly normal around Delta_b with an error tau_b, so that |D_b| has the folded normal mean
m(|Delta_b|, tau_b), which exceeds |Delta_b| most, by tau_b sqrt(2/pi), where a model is calibrated.
Kumar, Liang and Ma (2019) subtract a plug-in estimate of that excess, which leaves more than half
of it (Roelofs and others 2022 show how much bins matter); here the mean itself is inverted.

Measured with five kinds of scores, 225 to 10,000 rows and 15 bins: "value above 0.05 and low above
0.025" refuses a calibrated model in at most 1 %. For an aim of 5 % low is wrong in at most 6 %
where a model is calibrated or off in one bin only, and in under 2 % where all bins are off; high is
wrong in at most 9 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from aims_gate.errors import CheckError
from aims_gate.stats.intervals import Bounds, root
from aims_gate.stats.power import DATA
from aims_gate.stats.tables import Counts, Floats, Ranked

ROWS_PER_BIN = 15
"""Below so many rows a bin on average no bound is given: rates are not nearly normal."""
_FOLDED = math.sqrt(2 / math.pi)
"""Mean of the absolute value of a standard normal number."""
_FOLDED_SPREAD = math.sqrt(1 - 2 / math.pi)
"""Its standard deviation."""
_ROUNDED = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reliability:
    """Rows of a binary task in bins of ascending scores, none of them empty."""

    rows: Counts
    """Shape (bins,)."""
    positives: Counts
    """Shape (bins,)."""
    scores: Floats
    """Shape (bins,): the mean score, in [0, 1]."""
    asked: int
    """Bins requested; ties leave fewer."""

    @property
    def total(self) -> int:
        """All rows."""
        return int(self.rows.sum())

    @property
    def weights(self) -> Floats:
        """Shape (bins,): each bin's share of the rows."""
        weights: Floats = self.rows / self.total
        return weights

    @property
    def errors(self) -> Floats:
        """Shape (bins,): the standard error of each rate, half a row added to either side."""
        rates = (self.positives + 0.5) / (self.rows + 1)
        errors: Floats = np.sqrt(rates * (1 - rates) / self.rows)
        return errors


def reliability(table: Ranked, bins: int) -> Reliability:
    """Cut scores into *bins* of equal mass, as scikit-learn's `calibration_curve` by quantiles.

    Edges are linear quantiles of all rows; equal scores stay together, and empty bins are left out.

    Raises:
        CheckError: A score lies outside [0, 1], there are no rows, or *bins* is below 2.
    """
    if bins < 2 or not table.rows:
        raise CheckError(f"{table.rows:,} rows cannot be cut into {bins} bins")
    if table.scores[0] < 0 or table.scores[-1] > 1:
        raise CheckError(
            "a score lies outside [0, 1]", hint="give probabilities, not margins or percentages"
        )
    rows = table.positives + table.negatives
    place = np.searchsorted(_quantiles(table.scores, rows, bins)[1:-1], table.scores)
    counts = np.bincount(place, rows, bins)
    there = counts > 0
    positives = np.bincount(place, table.positives, bins)
    means = np.bincount(place, rows * table.scores, bins)[there] / counts[there]
    return Reliability(
        rows=counts[there].astype(np.int64),
        positives=positives[there].astype(np.int64),
        scores=np.clip(means, 0, 1),
        asked=bins,
    )


def plain(found: Reliability) -> float:
    """Plain expected calibration error: sum of w_b |D_b|, in [0, 1]; too high by noise alone."""
    return float(found.weights @ np.abs(found.positives / found.rows - found.scores))


def value(found: Reliability) -> float:
    """Expected calibration error in [0, 1] without the bias of noise: 0 is calibrated."""
    return freed(found, plain(found))


def freed(found: Reliability, estimate: float) -> float:
    """Bias-corrected calibration error: the d at which sum of w_b m(d, tau_b) is *estimate*.

    0 where noise alone explains the plain estimate. m is convex in d, so where the bins' errors
    differ it lies between the true error and the plain estimate, up to noise: never too low.
    NaN for an *estimate* that is none, outside [0, 1] or NaN.
    """
    if not 0 <= estimate <= 1 + _ROUNDED:  # the search below would call NaN calibrated
        return math.nan
    return _even(estimate, found.weights, found.errors)


def bounds(found: Reliability, z: float) -> Bounds:
    """One-sided bounds of the expected calibration error, in [0, 1]; see `too_few`.

    With n_b = w_b tau_b and the plain estimate E: high is the d at which sum of w_b m(d, tau_b) is
    E + z s, the least that noise can add, with s^2 the sum of n_b^2, at least the variance of E.
    low = E - z r - sqrt(2/pi) sum of n_b, the most that noise can add, where r^2 is (1 - 2/pi) s^2
    and 2/pi of the largest n_b^2. Noise adds its most where as few bins as can be are off, and
    there E varies least: |D_b| has the variance (1 - 2/pi) tau_b^2 in a bin that is not off, and
    tau_b^2 in one that is far off, which adds nothing in return.
    """
    weights, errors = found.weights, found.errors
    noise = weights * errors
    step = z * float(np.linalg.norm(noise))
    least = math.hypot(_FOLDED_SPREAD * step, z * _FOLDED * float(noise.max()))
    low = plain(found) - least - _FOLDED * float(noise.sum())
    middle = value(found)
    high = _even(plain(found) + step, weights, errors)
    return min(max(low, 0.0), middle), max(high, middle)


def too_few(found: Reliability) -> str:
    """Say why there are no bounds; empty if there are."""
    wanted = ROWS_PER_BIN * found.asked
    if found.total >= wanted:
        return ""
    return f"{found.total:,} rows, and {found.asked} bins need {wanted:,}; fewer bins need fewer"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationDesign:
    """The sizes and scores behind a calibration error."""

    weights: tuple[float, ...]
    scores: tuple[float, ...]
    """The mean score of each bin."""
    binned: int
    """Rows in the bins."""
    z: float
    rows: int
    what: str = DATA

    def chance(self, factor: float, *, serious: float) -> float:
        """Power: the probability that the upper bound is below *serious* if calibrated.

        The plain error is then a sum of folded normals around 0, and so about normal.
        """
        weights, rates = np.array(self.weights), np.array(self.scores).clip(1e-6, 1 - 1e-6)
        errors = np.sqrt(rates * (1 - rates) / (self.binned * factor * weights))
        noise = weights * errors
        room = float(weights @ _folded(serious, errors)) - _FOLDED * float(noise.sum())
        spread = float(np.linalg.norm(noise))
        return float(ndtr((room - self.z * spread) / (_FOLDED_SPREAD * spread)))


def design(found: Reliability, z: float, rows: int) -> CalibrationDesign:
    """Power design of a calibration error: what more *rows* of the data would show."""
    return CalibrationDesign(
        weights=tuple(found.weights.tolist()),
        scores=tuple(found.scores.tolist()),
        binned=found.total,
        z=z,
        rows=rows,
    )


def _folded(distance: float, errors: Floats) -> Floats:
    """Mean of the folded normal distribution, m(d, tau): E |X| for normal X around *distance*."""
    ratio = distance / errors
    means: Floats = errors * _FOLDED * np.exp(-ratio * ratio / 2)
    means += distance * (1 - 2 * ndtr(-ratio))
    return means


def _even(target: float, weights: Floats, errors: Floats) -> float:
    """The error d, equal in every bin, at which the plain estimate is *target* on average."""
    if target <= float(weights @ _folded(0.0, errors)):
        return 0.0
    if target >= float(weights @ _folded(1.0, errors)):
        return 1.0
    return root(lambda d: target - float(weights @ _folded(d, errors)), 0.0, 1.0)


def _quantiles(values: Floats, counts: Counts, bins: int) -> Floats:
    """Quantiles that cut weighted values into *bins* of equal mass, by NumPy's linear rule."""
    ends = np.cumsum(counts)
    below, part = ranks_below(int(ends[-1]), bins)
    low = values[np.searchsorted(ends, below, side="right")]
    high = values[np.searchsorted(ends, np.minimum(below + 1, ends[-1] - 1), side="right")]
    # from the nearer side, as NumPy does, so that an edge between equal scores is that score
    edges: Floats = np.where(
        part < 0.5, low + (high - low) * part, high - (high - low) * (1 - part)
    )
    return edges


def ranks_below(rows: int, bins: int) -> tuple[Floats, Floats]:
    """Ranks, from 0, next below each quantile that ends a bin, and its part of the way to the next.

    With those of the least and of the greatest value, by NumPy's linear rule.
    """
    at = np.linspace(0, 1, bins + 1) * 100 / 100 * (rows - 1)
    below = np.floor(at)
    return below, at - below
