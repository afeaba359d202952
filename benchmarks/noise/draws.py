"""What is drawn: columns of every awkward kind, groups of unequal sizes, and effects on purpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.generic]
Rng = np.random.Generator

SHARES: Mapping[int, tuple[float, ...]] = {
    2: (0.70, 0.30),
    4: (0.60, 0.25, 0.10, 0.05),
    9: (0.40, 0.20, 0.12, 0.10, 0.07, 0.05, 0.03, 0.02, 0.01),
}
"""Shares of the rows, by the number of groups."""


def _zeros(share: float) -> Callable[[Rng, int], Values]:
    return lambda rng, n: np.where(rng.random(n) < share, 0.0, rng.lognormal(size=n))


def _categories(kinds: int) -> Callable[[Rng, int], Values]:
    weights = 1 / np.arange(1, kinds + 1)
    names = np.array([f"c{kind:03d}" for kind in range(kinds)])
    return lambda rng, n: names[rng.choice(kinds, size=n, p=weights / weights.sum())]


_BIMODAL = (-2.0, 2.0)
MIXED: tuple[Callable[[Rng, int], Values], ...] = (
    *[lambda rng, n: rng.normal(size=n)] * 5,
    *[lambda rng, n: rng.lognormal(size=n)] * 3,
    lambda rng, n: rng.standard_t(2, size=n),
    lambda rng, n: rng.standard_cauchy(size=n),
    lambda rng, n: rng.normal(rng.choice(_BIMODAL, size=n), 1.0),
    _zeros(0.6),
    _zeros(0.9),
    lambda rng, n: rng.poisson(3, size=n),
    lambda rng, n: rng.integers(1, 101, size=n),
    lambda rng, n: np.where(rng.random(n) < 0.47, 40.0, rng.normal(40, 12, size=n)),
    _categories(2),
    _categories(5),
    _categories(12),
    _categories(200),
)
"""Normal, heavy-tailed, bimodal, zero-inflated, discrete, with an atom, and categories."""


def columns(rng: Rng, rows: int, count: int) -> dict[str, Values]:
    """Draw *count* columns: the mixed list over and over; a single column is normal."""
    return {f"x{i:03d}": MIXED[i % len(MIXED)](rng, rows) for i in range(count)}


def people(
    rng: Rng, rows: int, groups: int, *, ratio: float = 1.0, tpr: float = 0.75, fpr: float = 0.15
) -> dict[str, Values]:
    """Draw labels, predictions, sex and race; the last race is selected at *ratio* of the rates."""
    shares = SHARES[groups]
    race = rng.choice(groups, size=rows, p=shares)
    label = rng.random(rows) < 0.3
    chance = np.where(label, tpr, fpr) * np.where(race == groups - 1, ratio, 1.0)
    return {
        "label": label.astype(np.int64),
        "prediction": (rng.random(rows) < chance).astype(np.int64),
        "sex": np.where(rng.random(rows) < 0.45, "F", "M"),
        "race": np.array([f"r{group}" for group in range(groups)])[race],
    }


def pairs(rng: Rng, sizes: tuple[int, ...], rate: float, *, ratio: float) -> dict[str, Values]:
    """Draw decisions on groups of exactly *sizes*, the last one selected at *ratio* of *rate*."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    chance = np.where(group == len(sizes) - 1, rate * ratio, rate)
    return {
        "label": np.tile([0, 1], len(group))[: len(group)],
        "prediction": (rng.random(len(group)) < chance).astype(np.int64),
        "sex": np.array([f"g{name}" for name in range(len(sizes))])[group],
    }


def clustered(rng: Rng, rows: int, size: int, icc: float) -> dict[str, Values]:
    """Draw 20 normal columns in clusters of *size* rows that correlate by *icc*."""
    shared = np.repeat(rng.normal(size=(rows // size, 20)), size, axis=0)
    values = np.sqrt(icc) * shared + np.sqrt(1 - icc) * rng.normal(size=shared.shape)
    return {f"x{column:02d}": values[:, column] for column in range(20)}


EFFECTS: Mapping[str, Callable[[Rng, Values], Values]] = {
    "none": lambda _rng, x: x,
    "mean + 0.3 sd": lambda _rng, x: x + 0.3,
    "mean + 0.75 sd": lambda _rng, x: x + 0.75,
    "sd x 2": lambda _rng, x: x * 2,
    "5 % of rows constant": lambda rng, x: np.where(rng.random(len(x)) < 0.05, 0.123, x),
    "5 % of rows null": lambda rng, x: np.where(rng.random(len(x)) < 0.05, np.nan, x),
    "20 % of rows null": lambda rng, x: np.where(rng.random(len(x)) < 0.20, np.nan, x),
}
"""What happens to one standard normal column of the current data."""
