"""Data frames as aggregate queries only, so that no check loops over rows.

The same check then runs on Arrow in memory, on files larger than memory and on Spark. Adding an
implementation is one file here; `tests/conformance/test_frame.py` holds every one to this contract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, overload

from aims_gate.frames.values import (
    MISSING,
    Cells,
    ColumnKind,
    Counts,
    Distribution,
    Floats,
    Grid,
    Histogram,
    Key,
    Moments,
    Rankings,
    Scalar,
    Span,
)
from aims_gate.stats.tables import Jackknife, Loss, Ranking

__all__ = [
    "MISSING",
    "Cells",
    "Counts",
    "Distribution",
    "Floats",
    "Frame",
    "Grid",
    "Histogram",
    "Key",
    "ColumnKind",
    "Loss",
    "Moments",
    "Ranking",
    "Rankings",
    "Scalar",
    "Span",
]


class Frame(Protocol):
    """A table that answers aggregate questions; every count is weighted if the frame is."""

    @property
    def rows(self) -> int:
        """Rows, or the sum of the weights."""
        ...

    @property
    def kinds(self) -> Mapping[str, ColumnKind]:
        """Columns in their order, and what each holds."""
        ...

    @property
    def types(self) -> Mapping[str, str]:
        """Columns and the exact type each was stored with, for people and schema checks."""
        ...

    def unweighted(self) -> Frame:
        """The frame unweighted: every row counts once."""
        ...

    def float_bits(self, column: str) -> int:
        """Float precision of a column in bits; 64 if it holds no floats."""
        ...

    def nulls(self, column: str) -> int:
        """Count null (and, in numbers, NaN)."""
        ...

    def count(self, *keys: Key) -> Cells:
        """Count rows by the values of *keys*."""
        ...

    def distribution(self, column: str) -> Distribution:
        """Empirical distribution of a number or boolean: distinct values, ascending, with counts.

        DataError for a column of another kind, unless every value of it is null.
        """
        ...

    def split(self, column: str, by: str) -> Mapping[Scalar, Distribution]:
        """Distribution of *column* for each value of *by*; rows with null *by* are left out."""
        ...

    @overload
    def histogram(self, column: str, grid: Grid) -> Histogram: ...

    @overload
    def histogram(self, column: str, grid: Grid, by: str) -> Mapping[Scalar, Histogram]: ...

    def histogram(
        self, column: str, grid: Grid, by: str | None = None
    ) -> Histogram | Mapping[Scalar, Histogram]:
        """Histogram of a number or boolean; DataError as `distribution`.

        With *by*, one for each value of that column; rows where it is null are left out.
        """
        ...

    def moments(
        self,
        loss: Loss,
        *,
        label: str,
        estimate: str,
        positive: Scalar | None = None,
        against: str | None = None,
    ) -> Moments:
        """Moments of a per-row loss; DataError if a row's loss is not finite.

        With *against*, another column of estimates, those of each row's loss less the loss that
        it has there; less than 1e-12 of the largest loss is rounding, and no difference.
        """
        ...

    def root_moments(self, *, label: str, estimate: str, against: str) -> Moments:
        """Moments of jackknife pseudo-values of a difference of two RMSE.

        That of *estimate* less that of *against*; what a row adds is found by leaving it out, once
        for each row that it stands for (Tukey 1958), so the mean is the difference, freed of bias
        to first order. A root of errors that are all 0 adds nothing. DataError if an error is not
        finite, or there are no rows.
        """
        ...

    def placements(
        self, *, label: str, positive: Scalar, first: str, second: str
    ) -> tuple[Moments, Moments]:
        """Moments of the difference of DeLong placements, under *first* less under *second*.

        A positive's placement is the share of negatives with a lower score, a negative's the
        share of positives with a higher one, ties counting one half: what DeLong's variance of a
        difference of areas follows from.

        Returns:
            Of the rows whose label is *positive*, and of the others. DataError if there are none
            of either, a label is null, or a score is not a finite number.
        """
        ...

    def class_moments(
        self,
        loss: Loss,
        *,
        label: str,
        estimates: Mapping[Scalar, str],
        against: Mapping[Scalar, str] | None = None,
    ) -> Moments:
        """Moments of the multi-class Brier or log loss, each class with its column of scores.

        Brier is half the sum over classes, in [0, 1]. DataError if a label is not among the
        classes, a probability is outside [0, 1], or a row's do not sum to 1 within 0.01. With
        *against*, other columns of estimates, those of the difference, as `moments`.
        """
        ...

    def losses(self, loss: Loss, *, label: str, estimate: str) -> Distribution:
        """Empirical distribution of a regression loss; DataError as `moments`."""
        ...

    def unexplained(self, *, label: str, estimate: str, centred: bool) -> Jackknife:
        """Jackknife of the log of unexplained variance: ln(SSE / total sum of squares).

        With *centred*, of squared distances from the errors' mean. DataError if an error is not
        finite.
        """
        ...

    def rankings(
        self,
        ranking: Ranking,
        *,
        query: str,
        label: str,
        score: str,
        k: int | None = None,
        against: str | None = None,
    ) -> Rankings:
        """Ranking metric of each query, with its rows ordered by falling score.

        Rows that share a score: NDCG, PRECISION and RECALL are the mean over all their orders, as
        in scikit-learn's `ndcg_score`; AVERAGE_PRECISION and RECIPROCAL_RANK give each the last of
        their places, as in its `label_ranking_average_precision_score`. PRECISION and RECALL need
        *k*, and the two others ignore it. With *against*, another column of scores, those of each
        query's value less the value that it has there. DataError if a query is null, a label
        negative, or a label or score not finite.
        """
        ...

    def repeats(self, columns: Sequence[str]) -> int:
        """Count the rows that repeat an earlier one in *columns*: rows less different rows.

        Null equals null. DataError for no columns, and for lists, structs and bytes.
        """
        ...

    def shared(self, other: Frame, columns: Sequence[str]) -> int:
        """Count the rows that have an equal one in *other*, in *columns*, which both have.

        Null equals null, a whole number the same float, and of floats of two widths the narrower
        one is compared. DataError as `repeats`, and where a column holds another kind in *other*.
        """
        ...

    def discriminant_scores(
        self, target: Key, columns: Sequence[str]
    ) -> Mapping[Scalar, tuple[Distribution, Distribution]]:
        """Discriminant scores of each group's rows and of all others, by a rule over *columns*.

        The rule is linear, and a row is scored by one that was fitted without it (see
        `frames.discriminant`). Rows with null *target* are left out.

        Raises:
            MissingColumnError: A column is not there.
            DataError: There are no columns, or one holds lists, structs or bytes.
        """
        ...

    def same_rows(self, other: Frame, columns: Sequence[str]) -> bool:
        """Tell whether *other* has the same rows in *columns*, in whatever order; weights aside."""
        ...

    def span(self, column: str) -> Span:
        """Say from when to when a column of dates or times is; DataError for other kinds.

        A time without a zone is taken as UTC, and a date as its first second.
        """
        ...

    def until(self, column: str, moment: datetime) -> int:
        """Count the rows whose date or time is not after *moment*, read as `span` does."""
        ...

    def matches(self, column: str, pattern: str) -> int:
        """Count the rows of a text column that match an RE2 pattern from end to end."""
        ...

    def containing(self, column: str, patterns: Sequence[str]) -> Sequence[Mapping[str, int]]:
        """Count rows by value, for each RE2 pattern of the values in which it matches somewhere.

        A number that is whole is read as its decimal digits; other numbers have no text. DataError
        for a column of another kind than text or numbers.
        """
        ...

    def digest(self) -> str:
        """`rows-v1` digest: 64 hexadecimal digits, independent of chunking and storage."""
        ...

    def parts(
        self, *keys: Key, columns: Sequence[str]
    ) -> Sequence[tuple[tuple[Scalar | None, ...], Frame]]:
        """Partition of the rows by the cells of `count(*keys)`, in its order; *columns* only."""
        ...

    def at_one_width(self, columns: Sequence[str]) -> Frame:
        """The frame with numeric *columns* cast to the lowest precision among them."""
        ...

    def without_nulls(self, columns: Sequence[str]) -> Frame:
        """The frame without rows that are null in any of *columns*."""
        ...
