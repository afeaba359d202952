"""Counts by group: trials and successes of each rate in each group of an attribute.

One count by (attribute, label, prediction) answers every group metric, however many rows there
are. Null is the group `(missing)`; no group is left out, however small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from aims_gate.checks import attributes
from aims_gate.checks.coverage import Size
from aims_gate.checks.fairness.rate_definitions import Event, RateOf, RateRequest
from aims_gate.checks.levels import Levels, full, levels, title
from aims_gate.errors import DataError
from aims_gate.frames import Cells, Frame, Key, Scalar
from aims_gate.sources.subject import Data
from aims_gate.stats.disparity import Group

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
    people: Mapping[str, int] = field(default_factory=dict, hash=False)
    """All rows of each group by its name, where *rows* of it are the trials of a rate."""

    @property
    def prefix(self) -> str:
        """Prefix of slice names, which distinguishes several rates of a rule."""
        return ""

    @property
    def trials(self) -> str:
        """The word for what *rows* of a group counts."""
        return "rows"

    @property
    def attribute(self) -> str:
        """The columns, such as `sex` or `sex & race`."""
        return title(self.columns)

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

    def sizes(self) -> list[Size]:
        """Size of every group, in trials."""
        return [Size(name=group.name, rows=group.rows) for group in self.groups]

    def sizes_of_people(self) -> list[Size]:
        """Size of every group, in trials and in rows; empty where both are the same."""
        pooled = sum(self.people[group.name] for group in self.pooled) if self.people else 0
        return [
            replace(size, people=self.people.get(size.name, pooled))
            for size in (self.sizes() if self.people else ())
        ]

    @property
    def successes(self) -> int:
        """Successes of all groups."""
        return sum(group.successes for group in self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFamily(Cover):
    """The groups of one attribute for one rate: they are compared together."""

    rate: RateOf

    @property
    def prefix(self) -> str:
        """Prefix of slice names, which distinguishes several rates of a rule."""
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
    data: Data,
    frame: Frame,
    asked: RateRequest,
    *,
    columns: tuple[str, ...],
    rates: Sequence[RateOf],
    min_cell: int,
    pool_small: bool = False,
) -> tuple[GroupFamily, ...]:
    """Count the groups of an attribute once, for every one of *rates*.

    With *pool_small* the groups below *min_cell* become one group, for each rate on its own, if
    together they reach it.

    Raises:
        MissingColumnError: A column is not in the data.
        DataError: It cannot be grouped by, has more than 250 groups, two groups of one name, or
            one that is named like the pool.
    """
    keys = attributes.keys(columns, data, frame)
    cells = frame.count(*keys, *asked.keys.values())
    named = levels(keys, data)
    attributes.refuse_alike(named, (values[: len(keys)] for values in cells.values))
    tally = _tally(cells, named, asked, rates)
    attributes.refuse_many(columns, len(tally))
    people: dict[str, int] = {}
    for values, count in zip(cells.values, map(int, cells.counts), strict=True):
        name = named.name(values[: len(keys)])
        people[name] = people.get(name, 0) + count
    found = []
    for rate in rates:
        groups = tuple(
            Group(name=name, rows=counts[rate][0], successes=counts[rate][1])
            for name, counts in sorted(tally.items())
        )
        judged, pooled = pool(groups, columns, min_cell) if pool_small else (groups, ())
        found.append(
            GroupFamily(
                columns=columns,
                rate=rate,
                groups=judged,
                min_cell=min_cell,
                pooled=pooled,
                people=people,
            )
        )
    return tuple(found)


def pool(
    groups: tuple[Group, ...], columns: Sequence[str], min_cell: int
) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
    """Pool the groups below *min_cell*, if together they reach it: (all groups, pooled groups).

    Raises:
        DataError: A group has the pool's name.
    """
    name = full(columns, [POOL] * len(columns))
    if any(group.name == name for group in groups):
        raise DataError(
            f"{title(columns)} has a group that is called {name!r}, as the pool is",
            hint="rename that value, or leave pool_small out",
        )
    small = tuple(group for group in groups if group.rows < min_cell)
    rows = sum(group.rows for group in small)
    if rows < max(min_cell, 1):
        return groups, ()
    one = Group(name=name, rows=rows, successes=sum(group.successes for group in small))
    rest = (group for group in groups if group.rows >= min_cell)
    return tuple(sorted((*rest, one), key=lambda group: group.name)), small


def group_rows(
    data: Data, frame: Frame, key: Key, *, label: tuple[str, Scalar] | None = None
) -> dict[str, int]:
    """Count the rows of each group, such as `sex=F`; null is `sex=(missing)`.

    Args:
        data: The role, whose groups have one name each.
        frame: All of its rows, or some.
        key: From `attributes.keys`.
        label: A column and its value: only rows that have it are counted.

    Raises:
        DataError: There are more groups than anybody could compare, or two of one name.
    """
    cells = frame.count(key, *([Key(column=label[0])] if label else []))
    named = levels([key], data)
    attributes.refuse_alike(named, (values[:1] for values in cells.values))
    groups: dict[str, int] = {}
    for values, rows in zip(cells.values, cells.counts.tolist(), strict=True):
        if label is None or values[1] == label[1]:
            name = named.name(values[:1])
            groups[name] = groups.get(name, 0) + rows
    attributes.refuse_many([key.column], len(groups))
    return groups


def is_of(group: str, columns: tuple[str, ...]) -> bool:
    """Tell whether a group's label is one of an attribute: `sex=F & race=Black`."""
    parts = group.split(" & ") if len(columns) > 1 else [group]
    return len(parts) == len(columns) and all(
        part.startswith(f"{column}=") for part, column in zip(parts, columns, strict=True)
    )


_Counts = dict[RateOf, tuple[int, int]]


def _tally(
    cells: Cells, named: Levels, asked: RateRequest, rates: Sequence[RateOf]
) -> dict[str, _Counts]:
    """Add up trials and successes by group and rate."""
    tally: dict[str, _Counts] = {}
    keys = len(named.columns)
    for values, count in zip(cells.values, map(int, cells.counts), strict=True):
        group = tally.setdefault(named.name(values[:keys]), dict.fromkeys(rates, (0, 0)))
        happened = asked.happened(values[keys:])
        for rate in rates:
            if rate.counts(happened):
                trials, successes = group[rate]
                group[rate] = trials + count, successes + count * _hit(rate, happened)
    return tally


def _hit(rate: RateOf, happened: Mapping[Event, bool]) -> bool:
    event, wanted = rate.event
    return happened[event] is wanted
