"""The small tables that performance metrics are computed from; NumPy only, so cheap to import.

Counts may be sums of frequency weights: a table of weighted rows is the table of repeated rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from aims_gate.errors import CheckError
from aims_gate.stats.merging import cuts

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """Rows of a binary task by label and prediction.

    Raises:
        CheckError: A count is negative.
    """

    tp: int
    """Labelled and predicted positive."""
    fp: int
    """Labelled negative, predicted positive."""
    fn: int
    """Labelled positive, predicted negative."""
    tn: int
    """Labelled and predicted negative."""

    def __post_init__(self) -> None:
        if min(self.tp, self.fp, self.fn, self.tn) < 0:
            raise CheckError(f"a confusion table holds a negative count: {self}")

    @property
    def rows(self) -> int:
        """All rows."""
        return self.tp + self.fp + self.fn + self.tn

    @property
    def positives(self) -> int:
        """Rows labelled positive."""
        return self.tp + self.fn

    @property
    def negatives(self) -> int:
        """Rows labelled negative."""
        return self.fp + self.tn


@dataclass(frozen=True, slots=True, kw_only=True)
class BetaConfusion(Confusion):
    """A confusion table in which recall counts *beta* times as much as precision."""

    beta: float
    """Above 0; 1 is F1."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Classes:
    """Rows of a multi-class task by label and prediction.

    Raises:
        CheckError: The counts are negative or not of shape (classes, classes).
    """

    labels: tuple[str | int | float | bool, ...]
    """Every class that occurs in labels or predictions."""
    counts: Counts
    """Shape (classes, classes): row i, column j counts label i predicted as j."""

    def __post_init__(self) -> None:
        if self.counts.shape != (len(self.labels),) * 2 or np.any(self.counts < 0):
            raise CheckError(f"{self.counts.shape} is no table of {len(self.labels)} classes")

    @property
    def rows(self) -> int:
        """All rows."""
        return int(self.counts.sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranked:
    """How often each score occurs among positives and among negatives.

    Raises:
        CheckError: The arrays differ in length, the scores are not finite and strictly ascending,
            or a count is negative.
    """

    scores: Floats
    """Shape (distinct,), strictly ascending and finite."""
    positives: Counts
    """Shape (distinct,)."""
    negatives: Counts
    """Shape (distinct,)."""

    def __post_init__(self) -> None:
        if not self.scores.shape == self.positives.shape == self.negatives.shape:
            raise CheckError("scores and their counts differ in length")
        if not np.all(np.isfinite(self.scores)) or np.any(self.scores[1:] <= self.scores[:-1]):
            raise CheckError("scores are not finite and strictly ascending")
        if np.any(self.positives < 0) or np.any(self.negatives < 0):
            raise CheckError("a score has a negative count")

    @classmethod
    def merge(cls, positives: tuple[Floats, Counts], negatives: tuple[Floats, Counts]) -> Ranked:
        """Merge two ordered distributions, each (distinct values, counts), into one table."""
        size, stop = len(positives[0]) + len(negatives[0]), 0
        scores = np.empty(size)
        counts = np.empty((2, size), dtype=np.int64)
        for left, right in cuts(positives[0], negatives[0]):
            values = np.concatenate([positives[0][left], negatives[0][right]])
            order = np.argsort(values, kind="stable")  # merges two ascending runs in linear time
            values = values[order]
            both = np.concatenate([positives[1][left], negatives[1][right]])[order]
            own = np.where(order < left.stop - left.start, both, 0)
            starts = np.append(0, np.flatnonzero(values[1:] != values[:-1]) + 1)
            piece = slice(stop, stop + len(starts))
            scores[piece] = values[starts]
            for side, rows in zip(counts, (own, both - own), strict=True):
                side[piece] = np.add.reduceat(rows, starts)
            stop = piece.stop
        return cls(scores=scores[:stop], positives=counts[0, :stop], negatives=counts[1, :stop])

    @property
    def rows(self) -> int:
        """All rows."""
        return int(self.positives.sum() + self.negatives.sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassRanked:
    """The scores of each class: its rows as positives against all others."""

    labels: tuple[str | int | float | bool, ...]
    tables: tuple[Ranked, ...]
    """One per label, each over the same rows."""

    @property
    def rows(self) -> int:
        """All rows, each once."""
        return self.tables[0].rows if self.tables else 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OrderedErrors:
    """Per-row losses in ascending order, each distinct one with the rows that have it."""

    values: Floats
    """Shape (distinct,), strictly ascending and finite."""
    counts: Counts
    """Shape (distinct,)."""

    @property
    def rows(self) -> int:
        """All rows."""
        return int(self.counts.sum())


class Loss(StrEnum):
    """A per-row loss whose mean is a metric."""

    ABSOLUTE = "absolute"
    """|label - estimate|"""
    SQUARED = "squared"
    """(label - estimate)^2"""
    SIGNED = "signed"
    """label - estimate, which has a sign"""
    ABSOLUTE_PERCENT = "absolute_percent"
    """|label - estimate| / |label|; undefined where a label is 0."""
    BRIER = "brier"
    """(1[label = positive] - estimate)^2"""
    LOG = "log"
    """-ln of the probability given to the label, which is clipped to [2^-52, 1 - 2^-52]."""


class Ranking(StrEnum):
    """What a query is worth whose rows are ordered by score, in [0, 1]."""

    NDCG = "ndcg"
    """Sum of label / log2(place + 1) over the first k places, of its largest possible value."""
    AVERAGE_PRECISION = "average_precision"
    """Mean over relevant rows, those with a label above 0, of the relevant share down to them."""
    RECIPROCAL_RANK = "reciprocal_rank"
    """1 / place of the first relevant row."""
    PRECISION = "precision"
    """Relevant rows among the first k places, / k."""
    RECALL = "recall"
    """Relevant rows among the first k places, / relevant rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """The moments of a per-row loss over *rows* rows."""

    rows: int
    mean: float
    variance: float
    """Sample variance, divisor rows - 1; NaN for one row."""
    skewness: float
    """Third standardised sample moment, g1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jackknife:
    """Moments of jackknife pseudo-values: of what each row adds to a number (Tukey 1958).

    All but *rows* are NaN where the number cannot be told without some row, or never changes.
    """

    rows: int
    centre: float
    """Their mean: the number, freed of bias to first order."""
    variance: float
    """Sample variance, divisor rows - 1."""
    skewness: float
    """Third standardised sample moment, g1."""
    kurtosis: float
    """Fourth standardised sample moment, at least 1; 3 of a normal law."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Squared errors of a regression beside the variance of its labels."""

    squared: Losses
    variance: float
    """Variance of the labels, divisor rows; 0 where all labels are one value."""
    unexplained: Jackknife
    """Of the share of that variance that is left."""

    @property
    def rows(self) -> int:
        """All rows."""
        return self.squared.rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Residuals:
    """Errors of a regression with their sign, beside the variance of its labels."""

    errors: Losses
    """Moments of label - prediction."""
    variance: float
    """Variance of the labels, divisor rows; 0 where all labels are one value."""
    unexplained: Jackknife
    """Of the share of that variance that is left."""

    @property
    def rows(self) -> int:
        """All rows."""
        return self.errors.rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Queries:
    """The values of a ranking metric, one for each query."""

    values: Losses
    """Their moments; *rows* counts queries."""
    rows: int
    """Rows of these queries."""
    left_out: int = 0
    """Queries without a value: any order of their rows is as good as another."""
    most_left_out: float = 0.05
    """The share of queries that may be left out, in [0, 1)."""
    k: int | None = None
    """Cut-off k of each ranking; None for all places."""


ScoreTable = (
    Confusion
    | BetaConfusion
    | Classes
    | Ranked
    | ClassRanked
    | Losses
    | OrderedErrors
    | Fit
    | Residuals
    | Queries
)
