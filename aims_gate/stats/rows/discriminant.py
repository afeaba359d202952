"""Cross-validated linear discriminant: predicts group membership from columns.

Ridge regression of group membership on the columns, fitted five times on four fifths of the rows
and asked about the rest. Numbers enter as ranks and their squares, other values as indicators.

Folds depend on nothing but the data: copies of one row are dealt out in turn, beginning at a fold
that the row's print says. So neither the order of rows nor a weight in the place of repeated rows
makes a difference, and every fold has its share of what is frequent.

Nor do names. A print is made of the codes of numbers and of what is known of a category without
its name: how often it occurs, and in which rows (colour refinement, as Weisfeiler and Leman's). Of
equally frequent categories, too, the print decides. Names decide only between rows that nothing
but names tells apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aims_gate.stats.rows import Codes
from aims_gate.stats.tables import Counts, Floats

FOLDS = 5
_LEVELS = 10
"""Values of a column of text that have an indicator of their own: the most frequent ones."""
_MOST = 300
"""Indicators of all columns of text together, about."""
_BLOCK = 1 << 13
"""Rows whose design is in memory, or that are printed, at a time."""
_PENALTY = 1.0
_FREE = 1e-9
"""The intercept is not held back."""
_ODD = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(29)
_ROUNDS = 2
"""Rounds of colour refinement: from values to rows, and back."""
Prints = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Input:
    """A column of the rule: codes of its values in ascending order, -1 for null."""

    codes: Codes
    """Shape (rows,)."""
    ranks: Floats | None = None
    """Shape (values + 1,): where a number stands, in (-1/2, 1/2), and null, at 0; else None."""
    most: int = 0
    """Values that have an indicator of their own: the most frequent ones. Null has one, too."""

    def profile(self, weights: Counts) -> tuple[bool, bytes]:
        """Name-free profile of the column: its kind and the counts of its values."""
        counts = np.bincount(self.codes + 1, weights, minlength=1).astype(np.int64)
        if self.ranks is None:
            counts[1:].sort()
        return self.ranks is None, counts.tobytes()

    def levels(self, weights: Counts, prints: Prints) -> Codes:
        """Codes of the values that get an indicator (one-hot) column.

        Args:
            weights: Shape (rows,).
            prints: Shape (values + 1,), null first: which of equally frequent values is taken.
        """
        null = np.array([-1] if bool(np.any(self.codes < 0)) else [], dtype=np.int64)
        if not self.most:
            return null
        counts = np.bincount(self.codes + 1, weights, minlength=1)[1:]
        return np.append(null, np.lexsort((prints[1:], -counts))[: self.most])

    def design(self, rows: slice, levels: Codes) -> Iterator[Floats]:
        """Columns of the design matrix for some rows, each of shape (rows,)."""
        codes = self.codes[rows]
        if self.ranks is not None:
            rank = self.ranks[codes]  # null, -1, is the last
            yield rank
            yield rank * rank
        for level in levels:
            yield (codes == level).astype(np.float64)


Column = tuple[Input, Codes]
"""A column with the codes that have an indicator of their own."""


def number(values: Floats, weights: Counts) -> Input:
    """Take a column of numbers, NaN for null."""
    distinct, codes = np.unique(values, return_inverse=True)
    known = int(np.count_nonzero(~np.isnan(distinct)))
    codes = np.where(codes < known, codes, -1)
    counts = np.bincount(codes + 1, weights, minlength=known + 1)[1:]
    middle = (np.cumsum(counts) - counts / 2) / max(counts.sum(), 1) - 0.5
    # once for the column: an append for each block of rows takes longer than all else together
    return Input(codes=codes, ranks=np.append(middle, 0.0))


def values(codes: Codes, columns: int) -> Input:
    """Take a column of other values by their codes, one of so many *columns*."""
    return Input(codes=dense(codes), most=max(2, min(_LEVELS, _MOST // columns)))


def dense(codes: Codes) -> Codes:
    """Leave no number out: a dictionary may hold values that no row has. -1 stays."""
    used = np.bincount(codes + 1, minlength=1) > 0  # null first
    places: Codes = np.cumsum(used) - 1 - used[0]
    return places[codes + 1]


def scores(inputs: Sequence[Input], target: Codes, groups: int, weights: Counts) -> GroupScores:
    """Score every row for each group by rules that were fitted without it.

    Args:
        inputs: At least one column; their order makes a difference only between columns of one
            `Input.profile`.
        target: Shape (rows,), rows at least 1: the group of each, from 0 and every one in use; -1
            for none, which is neither fitted nor scored.
        groups: How many groups there are.
        weights: Shape (rows,): rows that each row stands for, at least 1.

    Returns:
        Scores of the rows and how many of their copies have each.
    """
    # 1. an order of the columns and fingerprints of the rows that depend on no name
    inputs = sorted(inputs, key=lambda given: given.profile(weights))
    known = _known([*inputs, Input(codes=target, most=groups)], weights)
    # 2. deal the copies of each row to the folds; rows without a group to none
    dealt = _dealt(known, weights)
    dealt[target < 0] = 0
    # 3. choose the indicator columns, and fit one rule on all folds but one, for each fold
    columns = [
        (given, given.levels(weights, prints))
        for given, prints in zip(inputs, known.values, strict=False)
    ]
    rules = [_rule(*sums) for sums in _without(*_sums(columns, target, groups, dealt))]
    # 4. score the copies in each fold by the rule that was fitted without it, block by block
    parts: list[tuple[Codes, Floats, Counts]] = []
    for rows, design in _designs(columns, len(target)):
        for fold, rule in enumerate(rules):
            here = np.flatnonzero(dealt[rows, fold])
            # equal rows are to have equal scores, wherever they stand in a block
            scored = np.round(design[here] @ rule, 10) + 0.0
            parts.append((here + rows.start, scored, dealt[rows, fold][here]))
    return GroupScores(
        rows=np.concatenate([part[0] for part in parts]),
        scores=np.concatenate([part[1] for part in parts]),
        copies=np.concatenate([part[2] for part in parts]),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroupScores:
    """Each row once for every fold that holds copies of it."""

    rows: Codes
    """Shape (entries,): which row."""
    scores: Floats
    """Shape (entries, groups)."""
    copies: Counts
    """Shape (entries,): how many copies of the row."""


def _without(gram: Floats, right: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Leave-one-fold-out sums, one per fold."""
    return zip(gram.sum(axis=0) - gram, right.sum(axis=0) - right, strict=True)


def _rule(gram: Floats, right: Floats) -> Floats:
    """Solve for the rule's coefficients, shape (design columns, groups)."""
    penalty = np.full(len(gram), _PENALTY)
    penalty[0] = _FREE
    rule = np.asarray(np.linalg.solve(gram + np.diag(penalty), right), dtype=np.float64)
    # folds differ in how often a group is in them; what is left is the rule's own order
    rule[0] -= right[0] / max(gram[0, 0], 1)
    return rule


def _designs(columns: Sequence[Column], rows: int) -> Iterator[tuple[slice, Floats]]:
    for start in range(0, rows, _BLOCK):
        part = slice(start, min(start + _BLOCK, rows))
        told = [column for given, levels in columns for column in given.design(part, levels)]
        stacked = np.stack([np.ones(part.stop - part.start), *told])
        yield part, np.ascontiguousarray(stacked.T)


def _sums(
    columns: Sequence[Column], target: Codes, groups: int, dealt: Counts
) -> tuple[Floats, Floats]:
    """Add up X'WX and X'WY of each fold."""
    gram: list[Floats | float] = [0.0] * FOLDS
    right: list[Floats | float] = [0.0] * FOLDS
    for rows, design in _designs(columns, len(target)):
        member = target[rows, None] == np.arange(groups)
        for fold in range(FOLDS):
            here = np.flatnonzero(dealt[rows, fold])
            part, copies = design[here], dealt[rows, fold][here]
            # the product of a matrix with itself takes half the time
            weighted = part if np.all(copies == 1) else part * copies[:, None]
            gram[fold] = gram[fold] + weighted.T @ part
            right[fold] = right[fold] + weighted.T @ member[here]
    return np.stack(gram), np.stack(right)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Known:
    """What tells rows, and the values of columns, apart."""

    rows: Prints
    """Shape (rows,): without names; the same for rows that nothing but names tells apart."""
    names: Prints
    """Shape (rows,): with names; the same for copies of one row."""
    values: Sequence[Prints]
    """Per column, shape (values + 1,), null first: without names, and all 0 for numbers."""


def _known(columns: Sequence[Input], weights: Counts) -> _Known:
    """Print rows and values, beginning with how often each row and each value occurs."""
    names = _printed([column.codes.view(np.uint64) for column in columns])
    _, place = np.unique(names, return_inverse=True)
    copies = np.bincount(place, weights).astype(np.uint64)[place]
    sizes = [int(column.codes.max(initial=-1)) + 2 for column in columns]
    rows, values = copies, [np.zeros(size, dtype=np.uint64) for size in sizes]
    for _ in range(_ROUNDS):
        rows = _printed([rows, *map(_named, columns, values)])
        values = [
            seen if column.ranks is not None else _summed(column.codes, rows, weights, len(seen))
            for column, seen in zip(columns, values, strict=True)
        ]
    return _Known(rows=_printed([rows, *map(_named, columns, values)]), names=names, values=values)


def _named(column: Input, prints: Prints) -> Prints:
    """Name-free stand-in for each row's value: a number's code, else the value's fingerprint."""
    return column.codes.view(np.uint64) if column.ranks is not None else prints[column.codes + 1]


def _printed(columns: Sequence[Prints]) -> Prints:
    """Print the rows of columns in their order, each of shape (rows,)."""
    prints = np.zeros(len(columns[0]), dtype=np.uint64)
    for start in range(0, len(prints), _BLOCK):
        part = prints[start : start + _BLOCK]
        for column in columns:
            part ^= column[start : start + _BLOCK]
            part *= _ODD
            part ^= part >> _HALF
    return prints


def _summed(codes: Codes, rows: Prints, weights: Counts, size: int) -> Prints:
    """Add up the prints of the rows that have each value, null first, modulo 2^64."""
    sums = np.zeros(size, dtype=np.uint64)
    np.add.at(sums, codes + 1, rows * weights.astype(np.uint64))
    return sums


def _in_order(prints: Prints, names: Prints) -> Codes:
    """Order rows by their *prints*, those of one print by *names*, and last as they stand."""
    order = np.argsort(prints)
    alike = prints[order]
    alike = alike[1:] == alike[:-1]
    # few have their print in common with others, and a sort by two keys takes ten times as long
    places = np.flatnonzero(np.append(alike, False) | np.append(False, alike))
    rows = np.sort(order[places])
    order[places] = rows[np.lexsort((names[rows], prints[rows]))]
    return order


def _dealt(known: _Known, weights: Counts) -> Counts:
    """Deal the copies of each row out to the folds: shape (rows, folds), summing to weights."""
    prints = known.rows
    order = _in_order(prints, known.names)
    ends = np.cumsum(weights[order])
    begins = ends - weights[order]
    starts = np.ones(len(order), dtype=np.bool_)
    starts[1:] = np.diff(prints[order]) != 0
    first = begins[starts][np.cumsum(starts) - 1]
    place = (prints[order] >> np.uint64(8)) % np.uint64(FOLDS)
    begin = (place.astype(np.int64) + begins - first) % FOLDS
    copies = weights[order]
    folds = np.empty((len(order), FOLDS), dtype=np.int64)
    for fold in range(FOLDS):
        folds[order, fold] = copies // FOLDS + ((fold - begin) % FOLDS < copies % FOLDS)
    return folds
