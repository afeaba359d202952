"""The parameter `columns` of a check: all that fit, or a list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

Named = Literal["all"] | tuple[str, ...]


def column_problems(columns: Named) -> Iterable[tuple[str, str, str]]:
    """Give what is wrong with a parameter `columns`."""
    if columns == "all":
        return
    if not columns or not all(columns):
        yield "columns", "names no column, or an empty one", "list them or write all"
    if len(set(columns)) != len(columns):
        yield "columns", "names a column twice", ""
