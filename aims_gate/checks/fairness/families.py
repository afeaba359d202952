"""Families of groups: how often something happened in each group of an attribute.

One count by (attribute, label, prediction) answers every group metric, however many rows there
are. Null is the group `(missing)`; no group is left out, however small.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aims_gate.checks.cells import text
from aims_gate.checks.fairness.events import Asked, Event, RateOf
from aims_gate.errors import DataError
from aims_gate.frames import Cells, Frame, Key, Kind, Scalar
from aims_gate.policy.model import DataSpec
from aims_gate.stats.disparity import Group

MOST_GROUPS = 250
"""An attribute with more groups than this is a number without bin edges, or an identifier."""
POOL = "(small groups)"
"""The label of the groups below min_cell where they are judged together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """The groups of one attribute or intersection, and which of them may be judged."""

    columns: tuple[str, ...]
    groups: tuple[Group, ...]
    """Every group, sorted by name, or the pool of small ones in their place; *rows* may be 0."""
    min_cell: int
    pooled: tuple[Group, ...] = ()
    """The groups that the pool is made of; empty where there is none."""

    @property
    def prefix(self) -> str:
        """What stands before a slice, so that several rates of a rule can be told apart."""
        return ""

    @property
    def trials(self) -> str:
        """The word for what *rows* of a group counts."""
        return "rows"

    @property
    def attribute(self) -> str:
        """The columns, such as `sex` or `sex & race`."""
        return " & ".join(self.columns)

    @property
    def slice(self) -> str:
        """The attribute with its prefix, such as `TPR sex & race`."""
        return self.prefix + self.attribute

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
    def successes(self) -> int:
        """Successes of all groups."""
        return sum(group.successes for group in self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family(Cover):
    """The groups of one attribute for one rate: they are compared together."""

    rate: RateOf

    @property
    def prefix(self) -> str:
        """What stands before a slice, so that several rates of a rule can be told apart."""
        return self.rate.prefix

    @property
    def trials(self) -> str:
        """The word for the rows that the rate is a share of."""
        return self.rate.trials

    @property
    def pooled_rate(self) -> float:
        """(successes + 1/2) / (trials + 1) over the eligible groups, in (0, 1)."""
        successes = sum(group.successes for group in self.eligible)
        return (successes + 0.5) / (sum(group.rows for group in self.eligible) + 1)


def families(
    frame: Frame,
    asked: Asked,
    *,
    columns: tuple[str, ...],
    rates: Sequence[RateOf],
    spec: DataSpec,
    min_cell: int,
    pool_small: bool = False,
) -> tuple[Family, ...]:
    """Count the groups of an attribute once, for every one of *rates*.

    With *pool_small* the groups below *min_cell* become one group, for each rate on its own, if
    together they reach it.

    Raises:
        DataError: A column cannot be grouped by, has more than 250 groups, two groups of one name,
            or one that is named like the pool.
    """
    keys = group_keys(frame, columns, spec)
    cells = frame.count(*keys, *asked.keys.values())
    refuse_alike(columns, (values[: len(keys)] for values in cells.values))
    tally = _tally(cells, len(keys), asked, rates)
    refuse_many(columns, tally)
    found = []
    for rate in rates:
        groups = tuple(
            Group(name=group_name(columns, values), rows=counts[rate][0], successes=counts[rate][1])
            for values, counts in sorted(tally.items())
        )
        judged, pooled = pool(groups, columns, min_cell) if pool_small else (groups, ())
        found.append(
            Family(columns=columns, rate=rate, groups=judged, min_cell=min_cell, pooled=pooled)
        )
    return tuple(found)


def pool(
    groups: tuple[Group, ...], columns: Sequence[str], min_cell: int
) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
    """Put the groups below *min_cell* together, if they reach it: all groups, and the pool's own.

    Raises:
        DataError: A group has the pool's name.
    """
    name = group_name(columns, [POOL] * len(columns))
    if any(group.name == name for group in groups):
        raise DataError(
            f"{' & '.join(columns)} has a group that is called {name!r}, as the pool is",
            hint="rename that value, or leave pool_small out",
        )
    small = tuple(group for group in groups if group.rows < min_cell)
    rows = sum(group.rows for group in small)
    if rows < max(min_cell, 1):
        return groups, ()
    one = Group(name=name, rows=rows, successes=sum(group.successes for group in small))
    rest = (group for group in groups if group.rows >= min_cell)
    return tuple(sorted((*rest, one), key=lambda group: group.name)), small


def refuse_many(columns: Sequence[str], groups: Iterable[object]) -> None:
    """Refuse an attribute of more groups than anybody could compare."""
    many = len(tuple(groups))
    if many > MOST_GROUPS:
        raise DataError(
            f"{' & '.join(columns)} has {many:,} groups, more than {MOST_GROUPS}",
            hint="give bin edges for numbers under sensitive:, or use a coarser attribute",
        )


def refuse_alike(columns: Sequence[str], groups: Iterable[Sequence[Scalar | None]]) -> None:
    """Refuse different groups that have one name: one of them would be taken for the other.

    That is a value written like a null, or one that holds ` & ` and the name of the next column.
    """
    names: dict[str, tuple[Scalar | None, ...]] = {}
    for values in map(tuple, groups):
        name = group_name(columns, values)
        if names.setdefault(name, values) != values:
            raise DataError(
                f"two groups of {' & '.join(columns)} are called {name!r}",
                hint="a value must not be written like a null or like another one",
            )


def is_of(group: str, columns: tuple[str, ...]) -> bool:
    """Tell whether a group's label is one of an attribute: `sex=F & race=Black`."""
    parts = group.split(" & ") if len(columns) > 1 else [group]
    return len(parts) == len(columns) and all(
        part.startswith(f"{column}=") for part, column in zip(parts, columns, strict=True)
    )


def group_keys(frame: Frame, columns: Sequence[str], spec: DataSpec) -> tuple[Key, ...]:
    """Give what to count by: each column, with its bin edges; DataError if one cannot be."""
    return tuple(_key(frame, column, spec) for column in columns)


def group_name(columns: Sequence[str], values: Sequence[Scalar | None]) -> str:
    """Name a group: `sex=F & age=[25,45)`."""
    return " & ".join(f"{c}={text(v)}" for c, v in zip(columns, values, strict=True))


_Counts = dict[RateOf, tuple[int, int]]


def _tally(
    cells: Cells, keys: int, asked: Asked, rates: Sequence[RateOf]
) -> dict[tuple[str, ...], _Counts]:
    """Add up trials and successes by group and rate."""
    tally: dict[tuple[str, ...], _Counts] = {}
    for values, count in zip(cells.values, map(int, cells.counts), strict=True):
        group = tally.setdefault(tuple(map(text, values[:keys])), dict.fromkeys(rates, (0, 0)))
        happened = asked.happened(values[keys:])
        for rate in rates:
            if rate.counts(happened):
                trials, successes = group[rate]
                group[rate] = trials + count, successes + count * _hit(rate, happened)
    return tally


def _hit(rate: RateOf, happened: Mapping[Event, bool]) -> bool:
    event, wanted = rate.event
    return happened[event] is wanted


def _key(frame: Frame, column: str, spec: DataSpec) -> Key:
    kind = frame.kinds[column]
    edges = spec.sensitive.get(column) or ()
    if kind is Kind.OTHER:
        raise DataError(
            f"{column} holds {frame.types[column]}, which is not an attribute to group by"
        )
    if edges and kind is not Kind.NUMBER:
        raise DataError(f"{column} has bin edges, but holds {kind}, not numbers")
    return Key(column=column, edges=tuple(edges))
