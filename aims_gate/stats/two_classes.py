"""The sampling error of a number that positives and negatives add to independently."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoClasses:
    """How many rows each class has, and its part of the variance."""

    positives: int
    negatives: int
    positive_variance: float
    negative_variance: float
    positive_freedom: float
    """Degrees of freedom of that part of the variance, rows - 1 at most."""
    negative_freedom: float

    @property
    def variance(self) -> float:
        """Squared standard error of the number."""
        return self.positive_variance + self.negative_variance

    @property
    def degrees(self) -> float:
        """Degrees of freedom after Satterthwaite; needs a variance above 0."""
        return self.variance**2 / (
            self.positive_variance**2 / self.positive_freedom
            + self.negative_variance**2 / self.negative_freedom
        )
