"""Families of groups: how often something happened in each group of an attribute.

One count by (attribute, label, prediction) answers every group metric, however many rows there
are. Null is the group `(missing)`; no group is left out, however small.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from aims_gate.checks.columns import Labelled
from aims_gate.errors import DataError
from aims_gate.frames import MISSING, Cells, Key, Kind, Scalar
from aims_gate.policy.model import DataSpec
from aims_gate.stats.disparity import Group

MOST_GROUPS = 250
"""An attribute with more groups than this is a number without bin edges, or an identifier."""


class RateOf(StrEnum):
    """What happened, of which rows."""

    SELECTION = "selection_rate"
    """Predicted positive, of all rows."""
    TPR = "true_positive_rate"
    """Predicted positive, of the rows whose label is positive."""
    FPR = "false_positive_rate"
    """Predicted positive, of the rows whose label is not positive."""

    @property
    def prefix(self) -> str:
        """What stands before a slice, so that both rates of a rule can be told apart."""
        return {RateOf.SELECTION: "", RateOf.TPR: "TPR ", RateOf.FPR: "FPR "}[self]

    @property
    def trials(self) -> str:
        """The word for the rows that the rate is a share of."""
        return {RateOf.SELECTION: "rows", RateOf.TPR: "positives", RateOf.FPR: "negatives"}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The groups of one attribute (or intersection) for one rate: they are compared together."""

    columns: tuple[str, ...]
    rate: RateOf
    groups: tuple[Group, ...]
    """Every group, sorted by name; *rows* are the rate's trials and may be 0."""
    min_cell: int

    @property
    def slice(self) -> str:
        """The attribute, such as `sex` or `TPR sex & race`."""
        return self.rate.prefix + " & ".join(self.columns)

    @property
    def eligible(self) -> tuple[Group, ...]:
        """The groups that may be judged, be the reference or be the best."""
        return tuple(g for g in self.groups if g.rows >= max(self.min_cell, 1))

    @property
    def small(self) -> tuple[Group, ...]:
        """The groups that are too small for any of it."""
        return tuple(g for g in self.groups if g.rows < max(self.min_cell, 1))

    @property
    def rows(self) -> int:
        """Trials of all groups."""
        return sum(group.rows for group in self.groups)

    @property
    def pooled_rate(self) -> float:
        """(successes + 1/2) / (trials + 1) over the eligible groups, in (0, 1)."""
        successes = sum(group.successes for group in self.eligible)
        return (successes + 0.5) / (sum(group.rows for group in self.eligible) + 1)


def families(
    found: Labelled,
    positive: Scalar,
    *,
    columns: tuple[str, ...],
    rates: Sequence[RateOf],
    spec: DataSpec,
    min_cell: int,
) -> tuple[Family, ...]:
    """Count the groups of an attribute once, for every one of *rates*.

    Raises:
        DataError: A column cannot be grouped by, or has more than 250 groups.
    """
    keys = tuple(_key(found, column, spec) for column in columns)
    outcomes = [c for c in (found.label, found.prediction) if c is not None]
    cells = found.frame.count(*keys, *(Key(column=column) for column in outcomes))
    tally = _tally(cells, len(keys), positive)
    if len(tally) > MOST_GROUPS:
        raise DataError(
            f"{' & '.join(columns)} has {len(tally):,} groups, more than {MOST_GROUPS}",
            hint="give bin edges for numbers under sensitive:, or use a coarser attribute",
        )
    return tuple(
        Family(
            columns=columns,
            rate=rate,
            groups=tuple(
                Group(name=_name(columns, values), rows=counts[rate][0], successes=counts[rate][1])
                for values, counts in sorted(tally.items())
            ),
            min_cell=min_cell,
        )
        for rate in rates
    )


def is_of(group: str, columns: tuple[str, ...]) -> bool:
    """Tell whether a group's label is one of an attribute: `sex=F & race=Black`."""
    parts = group.split(" & ") if len(columns) > 1 else [group]
    return len(parts) == len(columns) and all(
        part.startswith(f"{column}=") for part, column in zip(parts, columns, strict=True)
    )


_Counts = dict[RateOf, tuple[int, int]]


def _tally(cells: Cells, keys: int, positive: Scalar) -> dict[tuple[str, ...], _Counts]:
    """Add up trials and successes by group and rate; the last value of a cell is the prediction."""
    tally: dict[tuple[str, ...], _Counts] = {}
    for values, count in zip(cells.values, map(int, cells.counts), strict=True):
        group = tally.setdefault(tuple(map(_text, values[:keys])), dict.fromkeys(RateOf, (0, 0)))
        for rate in _rates_of(values[keys:], positive):
            trials, successes = group[rate]
            group[rate] = trials + count, successes + count * (values[-1] == positive)
    return tally


def _rates_of(outcome: tuple[Scalar | None, ...], positive: Scalar) -> Iterator[RateOf]:
    yield RateOf.SELECTION
    if len(outcome) > 1:
        yield RateOf.TPR if outcome[0] == positive else RateOf.FPR


def _key(found: Labelled, column: str, spec: DataSpec) -> Key:
    kind = found.frame.kinds[column]
    edges = spec.sensitive.get(column) or ()
    if kind is Kind.OTHER:
        raise DataError(
            f"{column} holds {found.frame.types[column]}, which is not an attribute to group by"
        )
    if edges and kind is not Kind.NUMBER:
        raise DataError(f"{column} has bin edges, but holds {kind}, not numbers")
    return Key(column=column, edges=tuple(edges))


def _name(columns: Sequence[str], values: Sequence[str]) -> str:
    return " & ".join(f"{c}={v}" for c, v in zip(columns, values, strict=True))


def _text(value: Scalar | None) -> str:
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
