"""Coverage: the share of rows in groups or slices too small to judge, and the rows needed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MOST_SMALL = 0.2
"""Share of the rows that groups which only warn may hold together."""
_TOLD = 3
"""Small groups that a reason names; a cell of its own names every one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A group or slice, and how large it is."""

    name: str
    rows: int
    """Rows that its statistic rests on, such as its positives; at least 0."""
    people: int | None = None
    """All of its rows, where they count towards what is left out and *rows* are some of them."""

    @property
    def counted(self) -> int:
        """What counts towards the share that is left out."""
        return self.rows if self.people is None else self.people


def too_small(
    sizes: Sequence[Size], *, least: int, allowed: float, what: str = "rows", called: str = "groups"
) -> str:
    """Say that more than *allowed* of the data are in groups of under *least* rows.

    Args:
        sizes: Every group, large and small.
        least: Rows from which on a group is judged.
        allowed: Share that may be left out, in [0, 1).
        what: The word for what `Size.rows` counts.
        called: The word for groups.

    Returns:
        The reason, with the groups and what would do; empty if no more than *allowed* is left out.
    """
    small = sorted((s for s in sizes if s.rows < least), key=lambda s: (-s.rows, s.name))
    left_out, everything = sum(s.counted for s in small), sum(s.counted for s in sizes)
    if not small or left_out <= allowed * everything:
        return ""
    share = f"{left_out / everything:.1%}"
    if all(s.people is None for s in sizes):
        uncovered = f"{share} of the {what} are in {called} below min_cell {least}"
    else:
        uncovered = (
            f"{share} of all rows are in {called} with fewer than {least} {what} to judge by"
        )
    needed = rows_needed(sizes, least=least, allowed=allowed)
    enough = f"about {_about(needed):,} {what} of all {called} would do, or " if needed else ""
    return (
        f"{uncovered}, more than max_uncovered {allowed:.1%}: {_named(small)}; "
        f"{enough}fewer and larger {called}"
    )


def _named(small: Sequence[Size]) -> str:
    """Names of the first few groups, and how many more there are."""
    names = ", ".join(s.name for s in small[:_TOLD])
    return names + (f" and {len(small) - _TOLD:,} more" if len(small) > _TOLD else "")


def least_large(rows: Iterable[int], everything: int, share: float) -> float:
    """Row count below which a group only warns where an effect is not excluded.

    That is *share* of *everything*, unless the groups below it hold more than a fifth of all rows
    together: who deals one group over many small ones has hidden it, and then none is small.
    """
    least = share * everything
    return least if sum(r for r in rows if r < least) <= MOST_SMALL * everything else 0.0


def _about(rows: int) -> int:
    """Round up to two digits: the exact number would disclose the largest small group's size."""
    unit: int = 10 ** max(len(str(rows)) - 2, 0)
    return -(-rows // unit) * unit


def rows_needed(sizes: Sequence[Size], *, least: int, allowed: float) -> int | None:
    """Sample size, in rows of all groups, at which at most *allowed* of them is left out.

    Groups keep their shares: n rows in place of N make a group of m rows one of m n / N. None if
    no number of rows would do, because groups of no row at all hold too much.
    """
    everything, rows = sum(s.counted for s in sizes), sum(s.rows for s in sizes)
    # if the least group that is judged has m rows now, all that have fewer are left out
    for m in [least, *sorted({s.rows for s in sizes if 0 < s.rows < least}, reverse=True)]:
        if sum(s.counted for s in sizes if s.rows < m) <= allowed * everything:
            return math.ceil(rows * least / m)
    return None
