"""Plug-in tables: names, and the `module:attribute` that is loaded when a name is looked up.

A plug folder's `__init__` holds its contract and its table. Because the table holds strings, it
imports no implementation, and optional libraries load only when they are used.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar, cast

from aims_gate.errors import UsageError, near

T = TypeVar("T")


class Table(Mapping[str, T], Generic[T]):
    """Named implementations of one contract, loaded lazily."""

    def __init__(self, kind: str, rows: Mapping[str, str]) -> None:
        self._kind = kind
        self._rows = dict(rows)

    def __getitem__(self, name: str) -> T:
        """Load the implementation called *name*; UsageError, with the near names, if unknown."""
        if name not in self._rows:
            raise UsageError(f"unknown {self._kind} {name!r}", hint=near(name, self._rows))
        module, _, attribute = self._rows[name].partition(":")
        return cast("T", getattr(importlib.import_module(module), attribute))

    def __contains__(self, name: object) -> bool:
        """Tell whether *name* is in the table, without loading it."""
        return name in self._rows

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names in the order of the table."""
        return iter(self._rows)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._rows)
