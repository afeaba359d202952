"""How often intervals hold the truth, computed from the binomial law: nothing is drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, betainc, betaincinv, gammaincinv, ndtr

from aims_gate.stats.intervals import proportion_bounds

Floats = npt.NDArray[np.float64]
QUANTILES = (1.959963984540054, 2.64, 3.2)
"""For one value, for all pairs of four groups, and for all pairs of nine, at 95 % together."""
_BISECTIONS = 60
_MOST = 20_000
"""Tables that are worth counting out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exact:
    """What one rule does at one number of rows, over all rates between 0 and 1."""

    least: float
    """Coverage at the rate where it is least, in percent."""
    mean: float
    """Coverage on average over all rates, in percent."""
    worst: float
    """Error of one side at the rate where it is greatest, over its aim."""


def exact(rule: str, rows: int, z: float) -> Exact:
    """Compute all three; every least and greatest value is on one side of a bound."""
    low = RULES[rule](rows, z)
    high = 1 - low[::-1]  # every rule here mirrors successes and failures
    ends = np.concatenate([low, high])
    rates = np.unique(np.concatenate([ends * (1 - 1e-12), ends * (1 + 1e-12)]))
    rates = rates[(rates > 1e-9) & (rates < 1 - 1e-9)]
    below, above = _errors(low, high, rates)
    inside = 100 * (1 - below - above)
    even = (np.arange(20_000) + 0.5) / 20_000
    return Exact(
        least=float(inside.min()),
        mean=float(100 * (1 - np.add(*_errors(low, high, even))).mean()),
        worst=float(below.max() / ndtr(-z)),
    )


def multinomial(cells: Sequence[float], rows: int) -> Iterator[tuple[list[int], float]] | None:
    """Give every table of *rows* rows in the cells, with its chance; None if they are too many."""
    if math.comb(rows + len(cells) - 1, len(cells) - 1) > _MOST:
        return None
    return ((counts, _chance(cells, counts)) for counts in _splits(rows, len(cells)))


def _splits(rows: int, cells: int) -> Iterator[list[int]]:
    if cells == 1:
        yield [rows]
        return
    for first in range(rows + 1):
        for others in _splits(rows - first, cells - 1):
            yield [first, *others]


def _chance(cells: Sequence[float], counts: Sequence[int]) -> float:
    log = math.lgamma(sum(counts) + 1)
    for cell, count in zip(cells, counts, strict=True):
        log += count * math.log(cell) - math.lgamma(count + 1)
    return math.exp(log)


def _errors(low: Floats, high: Floats, rates: Floats) -> tuple[Floats, Floats]:
    """Give the chance at each rate that it lies below the interval, and above it."""
    rows = len(low) - 1
    first = np.searchsorted(low, rates, side="right")  # the fewest successes that exclude it
    last = np.searchsorted(high, rates)
    inner = np.clip(first, 1, rows)
    below = np.where(first > rows, 0.0, betainc(inner, rows - inner + 1, rates))
    return below, np.where(last > 0, bdtr(np.maximum(last - 1, 0), rows, rates), 0.0)


def _guarded(rows: int, z: float) -> Floats:
    return np.array([proportion_bounds(hits, rows, z)[0] for hits in range(rows + 1)])


def _wilson(rows: int, z: float) -> Floats:
    share, square = np.arange(rows + 1) / rows, z * z / rows
    spread = np.sqrt(share * (1 - share) * square + square * square / 4)
    low: Floats = (share + square / 2 - spread) / (1 + square)
    low[0] = 0.0
    return low


def _modified(rows: int, z: float) -> Floats:
    """Brown, Cai and DasGupta (2001), 4.1.2: Poisson bounds for the first two or three hits."""
    low = _wilson(rows, z)
    for hits in range(1, 3 if rows <= 50 else 4):
        low[hits] = min(low[hits], gammaincinv(hits, 2 * ndtr(-z)) / rows)
    return low


def _agresti_coull(rows: int, z: float) -> Floats:
    more = rows + z * z
    share = (np.arange(rows + 1) + z * z / 2) / more
    return np.maximum(share - z * np.sqrt(share * (1 - share) / more), 0.0)


def _jeffreys(rows: int, z: float) -> Floats:
    hits = np.arange(1, rows + 1)
    return np.concatenate([[0.0], betaincinv(hits + 0.5, rows - hits + 0.5, ndtr(-z))])


def _clopper_pearson(rows: int, z: float) -> Floats:
    hits = np.arange(1, rows + 1)
    return np.concatenate([[0.0], betaincinv(hits, rows - hits + 1, ndtr(-z))])


def _mid_p(rows: int, z: float) -> Floats:
    """The rate at which more hits, and half of as many, are as likely as z says."""
    hits = np.arange(rows + 1)
    low, high = np.zeros(rows + 1), hits / rows
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        more = betainc(hits + 1, np.maximum(rows - hits, 1e-300), middle) * (hits < rows)
        as_many = betainc(np.maximum(hits, 1e-300), rows - hits + 1, middle)
        past = (more + as_many) / 2 > ndtr(-z)
        high, low = np.where(past, middle, high), np.where(past, low, middle)
    low[0] = 0.0
    return low


RULES: Mapping[str, Callable[[int, float], Floats]] = {
    "guarded Wilson (here)": _guarded,
    "Wilson": _wilson,
    "modified Wilson": _modified,
    "Agresti-Coull": _agresti_coull,
    "mid-P": _mid_p,
    "Jeffreys": _jeffreys,
    "Clopper-Pearson": _clopper_pearson,
}
"""Lower bounds of 0 to *rows* hits, ascending; upper bounds are their mirror image."""
