"""Which rows belong to a group, told by a linear rule over columns that never saw the row.

Ridge regression of group membership on the columns, fitted five times on four fifths of the rows
and asked about the rest. Numbers enter as ranks and their squares, other values as indicators.

Folds depend on nothing but values: copies of one row are dealt out in turn, beginning at a fold
that the row's own values say. So neither the order of rows nor a weight in the place of repeated
rows makes a difference, and every fold has its share of what is frequent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aims_gate.frames import Counts, Floats
from aims_gate.frames.columns import Coded, Codes

FOLDS = 5
_LEVELS = 10
"""Values of a column of text that have an indicator of their own: the most frequent ones."""
_MOST = 300
"""Indicators of all columns of text together, about."""
_BLOCK = 1 << 13
"""Rows whose design is in memory at a time."""
_PENALTY = 1.0
_FREE = 1e-9
"""The intercept is not held back."""
_ODD = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(29)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Input:
    """A column of the rule: codes of its values in ascending order, -1 for null."""

    codes: Codes
    """Shape (rows,)."""
    ranks: Floats | None
    """Shape (values,): where a number stands, in (-1/2, 1/2); None for other values."""
    levels: Codes
    """Codes that have an indicator of their own, null (-1) included where there is one."""

    def design(self, rows: slice) -> Iterator[Floats]:
        """Give the columns of the design for some rows, each of shape (rows,)."""
        codes = self.codes[rows]
        if self.ranks is not None:
            rank = np.append(self.ranks, 0.0)[codes]  # null, -1, is in the middle
            yield rank
            yield rank * rank
        for level in self.levels:
            yield (codes == level).astype(np.float64)


def number(values: Floats, weights: Counts) -> Input:
    """Take a column of numbers, NaN for null."""
    distinct, codes = np.unique(values, return_inverse=True)
    known = int(np.count_nonzero(~np.isnan(distinct)))
    codes = np.where(codes < known, codes, -1)
    counts = np.bincount(codes[codes >= 0], weights[codes >= 0], minlength=known)
    middle = (np.cumsum(counts) - counts / 2) / max(counts.sum(), 1) - 0.5
    return Input(codes=codes, ranks=middle, levels=_null(codes))


def values(column: Coded, weights: Counts, columns: int) -> Input:
    """Take a column of other values, one of so many *columns*."""
    codes = dense(column.codes)
    counts = np.bincount(codes + 1, weights, minlength=1)[1:]
    most = max(2, min(_LEVELS, _MOST // columns))
    # of equally frequent values the smaller one, so that the order of rows does not matter
    often = np.sort(np.argsort(-counts, kind="stable")[:most])
    return Input(codes=codes, ranks=None, levels=np.concatenate([_null(codes), often]))


def dense(codes: Codes) -> Codes:
    """Leave no number out: a dictionary may hold values that no row has. -1 stays."""
    used, places = np.unique(codes, return_inverse=True)
    return np.asarray(places - int(np.any(used < 0)), dtype=np.int64)


def scores(inputs: Sequence[Input], target: Codes, groups: int, weights: Counts) -> Scores:
    """Score every row for each group by rules that were fitted without it.

    Args:
        inputs: At least one column.
        target: Shape (rows,), rows at least 1: the group of each, from 0 and every one in use; -1
            for none, which is neither fitted nor scored.
        groups: How many groups there are.
        weights: Shape (rows,): rows that each row stands for, at least 1.

    Returns:
        Scores of the rows and how many of their copies have each.
    """
    dealt = _dealt([*(i.codes for i in inputs), target], weights)
    dealt[target < 0] = 0
    rules = [_rule(*sums) for sums in _without(*_sums(inputs, target, groups, dealt))]
    parts: list[tuple[Codes, Floats, Counts]] = []
    for rows, design in _designs(inputs, len(target)):
        for fold, rule in enumerate(rules):
            here = np.flatnonzero(dealt[rows, fold])
            # equal rows are to have equal scores, wherever they stand in a block
            told = np.round(design[here] @ rule, 10) + 0.0
            parts.append((here + rows.start, told, dealt[rows, fold][here]))
    return Scores(
        rows=np.concatenate([part[0] for part in parts]),
        scores=np.concatenate([part[1] for part in parts]),
        copies=np.concatenate([part[2] for part in parts]),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """Each row once for every fold that holds copies of it."""

    rows: Codes
    """Shape (entries,): which row."""
    scores: Floats
    """Shape (entries, groups)."""
    copies: Counts
    """Shape (entries,): how many copies of the row."""


def _without(gram: Floats, right: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Give the sums over all folds but one, for each."""
    return zip(gram.sum(axis=0) - gram, right.sum(axis=0) - right, strict=True)


def _rule(gram: Floats, right: Floats) -> Floats:
    """Solve for the rule's coefficients, shape (design columns, groups)."""
    penalty = np.full(len(gram), _PENALTY)
    penalty[0] = _FREE
    rule = np.asarray(np.linalg.solve(gram + np.diag(penalty), right), dtype=np.float64)
    # folds differ in how often a group is in them; what is left is the rule's own order
    rule[0] -= right[0] / max(gram[0, 0], 1)
    return rule


def _designs(inputs: Sequence[Input], rows: int) -> Iterator[tuple[slice, Floats]]:
    for start in range(0, rows, _BLOCK):
        part = slice(start, min(start + _BLOCK, rows))
        columns = [column for given in inputs for column in given.design(part)]
        stacked = np.stack([np.ones(part.stop - part.start), *columns])
        yield part, np.ascontiguousarray(stacked.T)


def _sums(
    inputs: Sequence[Input], target: Codes, groups: int, dealt: Counts
) -> tuple[Floats, Floats]:
    """Add up X'WX and X'WY of each fold."""
    gram: list[Floats | float] = [0.0] * FOLDS
    right: list[Floats | float] = [0.0] * FOLDS
    for rows, design in _designs(inputs, len(target)):
        member = target[rows, None] == np.arange(groups)
        for fold in range(FOLDS):
            here = np.flatnonzero(dealt[rows, fold])
            part, copies = design[here], dealt[rows, fold][here]
            # the product of a matrix with itself takes half the time
            weighted = part if np.all(copies == 1) else part * copies[:, None]
            gram[fold] = gram[fold] + weighted.T @ part
            right[fold] = right[fold] + weighted.T @ member[here]
    return np.stack(gram), np.stack(right)


def _dealt(columns: Sequence[Codes], weights: Counts) -> Counts:
    """Deal the copies of each row out to the folds: shape (rows, folds), summing to weights."""
    prints: npt.NDArray[np.uint64] = np.zeros(len(weights), dtype=np.uint64)
    for codes in columns:
        prints = (prints ^ codes.astype(np.int64).view(np.uint64)) * _ODD
        prints ^= prints >> _HALF
    order = np.argsort(prints, kind="stable")
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


def _null(codes: Codes) -> Codes:
    return np.array([-1] if bool(np.any(codes < 0)) else [], dtype=np.int64)
