"""Two samples of a column as one small table of counts: quantile bins, or categories.

Bins come from the reference alone, null is a bin of its own, and nothing is left out: every row of
both samples is counted in exactly one bin.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from aims_gate.stats.counting import total

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

V = TypeVar("V", bound=Hashable | None)

BINS = 10
"""Bins of a numeric column, before atoms: a reference value with a tenth of all rows or more."""
RARE = 5
"""A category expected fewer times than this in the smaller sample is pooled with its likes."""


class OrderedSample(Protocol):
    """Distinct values in strictly ascending order with their counts, and the count of nulls."""

    @property
    def values(self) -> Floats:
        """Shape (distinct,), strictly ascending; may begin or end infinite."""
        ...

    @property
    def counts(self) -> Counts:
        """Shape (distinct,), each at least 1."""
        ...

    @property
    def nulls(self) -> int:
        """Rows without a value."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Binned:
    """Counts of two samples over the same bins, each bin filled in at least one of them."""

    reference: Counts
    """Shape (bins,)."""
    current: Counts
    """Shape (bins,)."""
    names: tuple[str, ...]
    """What falls into each bin, such as `(25, 40]`, `40` or `null`."""
    pooled: int = 0
    """Categories that share the bin `rare`."""

    @property
    def bins(self) -> int:
        """How many bins are left."""
        return len(self.names)

    @property
    def sizes(self) -> tuple[int, int]:
        """Rows of the reference and of the current sample."""
        return int(self.reference.sum()), int(self.current.sum())


def numeric(reference: OrderedSample, current: OrderedSample) -> Binned:
    """Count two numeric samples in about ten bins of equal reference mass.

    A reference value with a tenth of the rows or more (an atom) stands alone in its bin, and
    between atoms the bins end where the reference reaches equal shares. End bins are open.

    Args:
        reference: The sample that the bins come from; rows n include its nulls.
        current: The sample that is compared.

    Returns:
        The table without bins that are empty in both, null last.
    """
    cuts = tuple(_cuts(reference))
    table = [_counted(sample, cuts) for sample in (reference, current)]
    return _kept(table[0], table[1], (*_ranges(cuts), "null"))


def categorical(reference: Mapping[V, int], current: Mapping[V, int]) -> Binned:
    """Count two categorical samples by value, None for null, the rare ones pooled into one bin.

    A category is rare if (a+b) min(n,m)/(n+m) < 5, a rule on pooled counts, which does not bend
    the statistic's law. Unseen categories count like all others.

    Args:
        reference: Rows by value, each count at least 0.
        current: The same of the sample that is compared.

    Returns:
        The table; `rare` comes last. Where `rare` is the only bin, the samples cannot be compared.
    """
    n, m = sum(reference.values()), sum(current.values())
    named: list[tuple[str, int, int]] = []
    rare_a = rare_b = pooled = 0
    for value in {**reference, **current}:
        a, b = reference.get(value, 0), current.get(value, 0)
        # whole numbers, so that a category expected exactly five times is not rare by rounding
        if (a + b) * min(n, m) >= RARE * (n + m):
            named.append(("null" if value is None else str(value), a, b))
        else:
            rare_a, rare_b, pooled = rare_a + a, rare_b + b, pooled + (a + b > 0)
    rows = [*sorted(named), ("rare", rare_a, rare_b)]
    return _kept(
        np.array([row[1] for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.int64),
        tuple(row[0] for row in rows),
        pooled=pooled,
    )


def unpooled(reference: Mapping[V, int], current: Mapping[V, int]) -> tuple[Counts, Counts]:
    """Contingency table of two samples by value: two arrays of shape (values,), none left out."""
    values = {**reference, **current}
    before, after = (
        np.array([sample.get(value, 0) for value in values], dtype=np.int64)
        for sample in (reference, current)
    )
    return before, after


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """An edge between two bins: just before a value, or just after it."""

    value: float
    after: bool


def _cuts(sample: OrderedSample) -> Iterator[_Cut]:
    rows = total(sample.counts) + sample.nulls
    atoms = np.flatnonzero(sample.counts * BINS >= rows)
    start = 0
    for atom in map(int, atoms):
        yield from _run_cuts(sample, start, atom, rows)
        yield _Cut(value=float(sample.values[atom]), after=False)
        yield _Cut(value=float(sample.values[atom]), after=True)
        start = atom + 1
    yield from _run_cuts(sample, start, len(sample.values), rows)


def _run_cuts(sample: OrderedSample, start: int, stop: int, rows: int) -> Iterator[_Cut]:
    """Cut the run of values [start, stop) into bins of equal mass; its own ends are not cuts."""
    if start == stop:
        return
    reached = np.cumsum(sample.counts[start:stop])
    shares = equal_shares(int(reached[-1]), rows)
    ends = sorted(set(map(int, np.searchsorted(reached, shares, side="left"))))
    for end in ends:
        if start + end + 1 < stop:
            yield _Cut(value=float(sample.values[start + end]), after=True)


def equal_shares(mass: int, rows: int) -> list[int]:
    """Rows of a run of *mass* rows that lie up to each cut, so that bins are about a tenth."""
    pieces = max(1, round(mass * BINS / rows))
    return [-(-mass * share // pieces) for share in range(1, pieces)]


def _counted(sample: OrderedSample, cuts: tuple[_Cut, ...]) -> Counts:
    """Count the rows of *sample* between the cuts, and its nulls last."""
    below = np.concatenate(([0], np.cumsum(sample.counts)))
    marks = [
        int(np.searchsorted(sample.values, cut.value, side="right" if cut.after else "left"))
        for cut in cuts
    ]
    edges = np.concatenate(([0], below[marks] if marks else [], [below[-1]])).astype(np.int64)
    return np.append(np.diff(edges), sample.nulls)


def _ranges(cuts: tuple[_Cut, ...]) -> Iterator[str]:
    """Name the bins between cuts, with as few digits as tell the cuts apart."""
    values = sorted({cut.value for cut in cuts})
    digits = next(d for d in (4, 8, 12, 17) if len({f"{v:.{d}g}" for v in values}) == len(values))
    low: _Cut | None = None
    for cut in (*cuts, None):
        if low is not None and cut is not None and low.value == cut.value:
            yield f"{cut.value:.{digits}g}"
        else:
            left = "(-inf" if low is None else f"{'(' if low.after else '['}{low.value:.{digits}g}"
            right = "inf)" if cut is None else f"{cut.value:.{digits}g}{']' if cut.after else ')'}"
            yield f"{left}, {right}"
        low = cut


def _kept(reference: Counts, current: Counts, names: tuple[str, ...], *, pooled: int = 0) -> Binned:
    filled = (reference + current) > 0
    return Binned(
        reference=reference[filled],
        current=current[filled],
        names=tuple(name for name, full in zip(names, filled, strict=True) if full),
        pooled=pooled,
    )
