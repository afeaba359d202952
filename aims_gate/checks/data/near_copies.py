"""Near duplicates between two data sets: rows that differ only in columns that can hide a copy.

Such a column marks the split, numbers the rows or holds fresh noise, so that every copied row looks
new. The rows are therefore also compared without these columns: all columns of which hardly any
value occurs on both sides, and each column of text or whole numbers that may be an identifier. What
is then equal on both sides counts only if it is more than chance explains: coarse columns make rows
equal without any copy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from aims_gate.frames import ColumnKind, Frame

_NAMES = 0.5
"""Distinct values per row from which text or whole numbers may be an identifier."""
_SLACK = 2.0
"""Factor on the rows that chance explains: two data sets are never drawn quite alike."""
_Z = 3.29
"""Standard normal quantile of one in two thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """Rows that are equal on both sides except in some columns."""

    columns: tuple[str, ...]
    """The columns that are not compared."""
    shared: int
    rows: int

    def __str__(self) -> str:
        """The finding in words, with what to do."""
        named = ", ".join(map(repr, self.columns[:3]))
        named += f" and {len(self.columns) - 3} more" if len(self.columns) > 3 else ""
        return (
            f"without {named}, {self.shared:,} of {self.rows:,} rows occur in the reference data: "
            "such a column may hide copies. Name it as key or time, or list the columns to compare"
        )


def hidden(
    columns: Sequence[str], frame: Frame, reference: Frame, *, allowed: float
) -> Hidden | None:
    """Find near duplicates: rows that differ from a reference row only in columns that hide copies.

    The chance that a new row occurs in a reference of n rows is 1 - f / n, with f its rows that
    occur once (Good 1953, after Turing), and so at most twice the share of its rows that repeat
    another one.

    Args:
        columns: Those that are compared.
        frame: Rows that are looked up, at least one.
        reference: Where, in at least one.
        allowed: Share of rows that may be known.

    Returns:
        None if no column could hide a copy, or if nothing shows that one does.
    """
    new = [c for c in columns if frame.repeats([c], reference) <= allowed * frame.rows]
    names = [c for c in columns if c not in new and _names(c, frame)]
    looked = _Looked(columns=columns, frame=frame, reference=reference, allowed=allowed)
    return (looked.without(new) if new else None) or looked.behind_one(names, new)


def _names(column: str, frame: Frame) -> bool:
    """Tell whether a column of text or whole numbers may name rows."""
    words = frame.columns[column].kind is ColumnKind.TEXT or "int" in frame.columns[column].type
    return words and frame.repeats([column]) < (1 - _NAMES) * frame.rows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Looked:
    """Settings of the search; the fields are those of `hidden`."""

    columns: Sequence[str]
    frame: Frame
    reference: Frame
    allowed: float

    def behind_one(self, names: Sequence[str], new: Sequence[str]) -> Hidden | None:
        """Compare without each of *names*, one at a time, and without *new*.

        Rows that are equal without one column are equal without several. So where hardly any row
        is without all of them, nothing is looked for behind one; else behind either half.
        """
        if len(names) < 2:
            return self.without([*new, *names]) if names else None
        rest = self._rest([*new, *names])
        if rest and self._shared(rest) <= self.allowed * self.frame.rows:
            return None
        half = len(names) // 2
        return self.behind_one(names[:half], new) or self.behind_one(names[half:], new)

    def without(self, apart: Sequence[str]) -> Hidden | None:
        """Compare without all of these columns at once."""
        rest = self._rest(apart)
        shared = self._shared(rest) if rest else 0
        share = shared / self.frame.rows
        if share <= self.allowed:
            return None
        # one repeated row more than was seen, so that none seen is not taken for none possible
        rows = self.reference.rows
        chance = min(2 * (self.reference.repeats(rest) + 1) / rows, 1.0)
        noise = math.sqrt(share * (1 - share) / self.frame.rows + chance * (1 - chance) / rows)
        if share <= self.allowed + _SLACK * chance + _Z * noise:
            return None
        return Hidden(columns=tuple(apart), shared=shared, rows=self.frame.rows)

    def _rest(self, apart: Sequence[str]) -> list[str]:
        return [column for column in self.columns if column not in apart]

    def _shared(self, columns: Sequence[str]) -> int:
        return self.frame.repeats(columns, self.reference)
