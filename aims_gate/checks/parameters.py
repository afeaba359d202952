"""Validation of parameters that several checks share.

Each problem is (field, what is wrong, hint), as in `Check.problems`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any, Literal

from aims_gate.checks.contract import Check
from aims_gate.policy.domains import PARAMETERS

ColumnNames = Literal["all"] | tuple[str, ...]
"""The parameter `columns`: all that fit, or a list."""
_ONE = ("column", "strata")
_SEVERAL = ("by", "columns", "allowed", "bins", "population", "declared")


def columns_named(parameters: Mapping[str, Any]) -> frozenset[str]:
    """Columns that a rule's `with:` names, those in written-out groups (`sex=F`) included."""
    found = [parameters[name] for name in _ONE if name in parameters]
    for name in _SEVERAL:
        stated = parameters.get(name)
        for entry in stated if isinstance(stated, (list, tuple, Mapping)) else ():
            found += [entry] if isinstance(entry, str) else entry
    groups = [*parameters.get("must_cover", ()), parameters.get("reference", "")]
    found += [part.partition("=")[0] for group in groups for part in group.split(" & ")]
    return frozenset(found)


def column_problems(columns: ColumnNames) -> Iterable[tuple[str, str, str]]:
    """Invalid entries of a parameter `columns`."""
    if columns == "all":
        return
    if not columns or not all(columns):
        yield "columns", "names no column, or an empty one", "list them or write all"
    if len(set(columns)) != len(columns):
        yield "columns", "names a column twice", ""


def problems_of(check: Check) -> Iterator[tuple[str, str, str]]:
    """Invalid parameters of a check: numbers out of range, and contradictions between them."""
    reported = set()
    for field in fields(check):
        domain, value = PARAMETERS.get(field.name), getattr(check, field.name)
        if domain is None:
            continue
        for number in _numbers(value):
            if number not in domain and field.name not in reported:
                reported.add(field.name)
                yield field.name, f"{field.name} {number:g} is outside {domain}", domain.why
    yield from (problem for problem in check.problems() if problem[0] not in reported)


def _numbers(value: object) -> Iterator[float]:
    """Numbers in a parameter: itself, or the values of a mapping; bin edges are not among them."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield value
    for inner in value.values() if isinstance(value, Mapping) else ():
        yield from _numbers(inner)
