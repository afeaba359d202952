"""A serious effect of one cell, and whether a draw of it is let through."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from draws import Rng
from scipy.special import ndtri

ALPHA = 0.05
"""The error that a cell's own bound aims at."""
Z = float(-ndtri(ALPHA))
Floats = np.ndarray
Draw = Callable[[Rng], bool]
Sample = Callable[[Rng, int], Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A serious effect at some sizes."""

    what: str
    effect: str
    sizes: str
    draw: Draw | None = None
    """Tells of one draw whether the cell's own bound excludes the effect."""
    exact: float = math.nan
    """Percent where it was counted out."""
