"""Parameters that several checks have, and what is wrong with a value of them.

Each function gives (field, what, hint), as `Check.problems` does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

Named = Literal["all"] | tuple[str, ...]
"""The parameter `columns`: all that fit, or a list."""
_LARGEST_SMALL = 0.1
_ONE = ("column", "strata")
_SEVERAL = ("by", "columns", "allowed", "bins", "population")


def columns_named(parameters: Mapping[str, Any]) -> frozenset[str]:
    """Give the columns that a rule's `with:` names, groups that it spells out included."""
    found = [parameters[name] for name in _ONE if name in parameters]
    for name in _SEVERAL:
        stated = parameters.get(name)
        for entry in stated if isinstance(stated, (list, tuple, Mapping)) else ():
            found += [entry] if isinstance(entry, str) else entry
    groups = [*parameters.get("must_cover", ()), parameters.get("reference", "")]
    found += [part.partition("=")[0] for group in groups for part in group.split(" & ")]
    return frozenset(found)


def column_problems(columns: Named) -> Iterable[tuple[str, str, str]]:
    """Give what is wrong with a parameter `columns`."""
    if columns == "all":
        return
    if not columns or not all(columns):
        yield "columns", "names no column, or an empty one", "list them or write all"
    if len(set(columns)) != len(columns):
        yield "columns", "names a column twice", ""


def cover_problems(min_cell: int, max_uncovered: float) -> Iterable[tuple[str, str, str]]:
    """Give what is wrong with the least rows of a group and the share that may be below them."""
    if min_cell < 1:
        yield "min_cell", f"{min_cell} is not a number of rows", "30 is usual"
    yield from uncovered_problems(max_uncovered)


def uncovered_problems(max_uncovered: float) -> Iterable[tuple[str, str, str]]:
    """Give what is wrong with the share of rows that may be in groups too small to judge."""
    if not 0 <= max_uncovered < 1:
        yield "max_uncovered", f"{max_uncovered:g} is outside [0, 1)", ""


def small_share_problems(small_share: float) -> Iterable[tuple[str, str, str]]:
    """Give what is wrong with the share under which a group that shows nothing warns only."""
    if not 0 <= small_share <= _LARGEST_SMALL:
        hint = "more than a tenth of the rows is not small"
        yield "small_share", f"{small_share:g} is outside [0, {_LARGEST_SMALL:g}]", hint


def design_effect_problems(value: float) -> Iterable[tuple[str, str, str]]:
    """Say why a number is no design effect: rows per independent row, at least 1 and finite."""
    if not 1 <= value < math.inf:
        yield "design_effect", f"{value:g} is not at least 1", "below 1 it would invent rows"
