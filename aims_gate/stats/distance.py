"""What a row of the catalogue of drift distances says: names, conventions, second opinion.

Adding a distance is one row: in `stats.divergence` over bins, in `stats.drift` over ordered values.
The checks that take it, its limit, how it is written and how a library computes it follow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far two computations of one quantity may lie apart: relative, or absolute near zero."""

    relative: float
    absolute: float

    def holds(self, ours: float, theirs: float) -> bool:
        """Whether two numbers agree; two undefined ones do, one undefined one does not."""
        if math.isnan(ours) or math.isnan(theirs):
            return math.isnan(ours) and math.isnan(theirs)
        return math.isclose(ours, theirs, rel_tol=self.relative, abs_tol=self.absolute)


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """A distance between two samples of a column; 0 is no drift."""

    name: str
    """As a policy names it."""
    statistic: str
    """As evidence names it."""
    words: str
    """As people write it."""
    definition: str
    limit: float
    """The conventional limit."""
    line: float
    """The conventional line, past which a distance is noticeable."""
    most: float
    """The distance of two samples without a common value; may be infinite."""
    rooted: bool = False
    """The distance is the root of what is additive."""
    oracle: tuple[str, str]
    """Who computes it a second time, and its name there: a test of `evidently`, or in `scipy`."""
    tolerance: Tolerance
    """How far a second computation may lie apart (docs/deciding.md)."""
