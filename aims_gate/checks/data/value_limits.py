"""Valid values of a column: a declared range, list or pattern, or what the reference holds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from aims_gate.errors import DataError
from aims_gate.frames import ColumnKind, Frame, Key, Scalar
from aims_gate.frames.widths import WIDE, limit_at, narrowed

_EXACT = 2.0**53
"""Whole numbers of this size and beyond are not exact in a distribution."""
LEAST_REFERENCE = 1_000
"""Values of a reference sample; of so many about 0.2 % of new ones are outside by chance."""


class Bounds(Protocol):
    """Constraint on the values of a column."""

    def invalid(self, frame: Frame, column: str) -> int:
        """Count the rows with a value that is not allowed; DataError for another kind."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What the policy declares for a column: a range, a list or a pattern."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  # a misspelt key would allow everything

    at_least: float | None = None
    at_most: float | None = None
    """The range, its ends included; infinite values are outside of every range."""
    one_of: tuple[str | int | float | bool, ...] = ()
    """The values that may occur; 1, 1.0 and true are one value, "1" is another."""
    matches: str = ""
    """A pattern (RE2) that each text must match from end to end."""

    def problems(self) -> Iterator[tuple[str, str]]:
        """Contradictions in the declaration, each as (what is wrong, hint)."""
        ends = [end for end in (self.at_least, self.at_most) if end is not None]
        stated = [bool(ends), bool(self.one_of), bool(self.matches)]
        if sum(stated) != 1:
            hint = "state at_least and/or at_most, or one_of, or matches"
            yield ("allows everything" if not any(stated) else "is two things at once"), hint
        if len(ends) == 2 and ends[0] > ends[1]:
            yield f"at_least {ends[0]:g} is above at_most {ends[1]:g}", ""
        if len(set(self.one_of)) != len(self.one_of):
            yield "names a value twice", ""
        if any(not isinstance(v, str) and not abs(v) < _EXACT for v in self.one_of):
            yield "names a number of 2^53 or more, which floats do not hold", "store it as text"
        if self.matches:
            from aims_gate.frames.patterns import pattern_problem

            if problem := pattern_problem(self.matches):
                yield f"matches: {problem}", "the syntax is RE2's: no look-around"

    def invalid(self, frame: Frame, column: str) -> int:
        """Count the rows with a value that is not allowed.

        DataError for a range over anything but numbers, and for a pattern over anything but text.
        """
        if self.matches:
            told = frame.count(Key(column=column, matches=self.matches)).by_value()
            return told.get(False, 0)
        if not self.one_of:
            return outside(frame, column, self.at_least, self.at_most)
        if frame.columns[column].kind is ColumnKind.NUMBER:
            found, bits = frame.distribution(column), frame.columns[column].bits
            numbers = [limit_at(float(v), bits) for v in self.one_of if not isinstance(v, str)]
            return int(found.counts[~np.isin(found.values, numbers)].sum())
        return unseen(frame, column, frozenset(self.one_of))


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What the reference data hold: their range of numbers, or their values."""

    low: float = -math.inf
    high: float = math.inf
    values: frozenset[Scalar] | None = None
    """None for numbers."""
    bits: int = WIDE
    """The width of the reference's floats."""

    @classmethod
    def of(cls, frame: Frame, column: str) -> Observed:
        """Observed range or values of a reference column of numbers, text or booleans."""
        if frame.columns[column].kind is not ColumnKind.NUMBER:
            cells = frame.count(Key(column=column))
            return cls(values=frozenset(v for (v,) in cells.values if v is not None))
        values = frame.distribution(column).values
        finite = values[np.isfinite(values)]
        if not len(finite):
            raise DataError("the reference holds no finite number")
        bits = frame.columns[column].bits
        return cls(low=float(finite[0]), high=float(finite[-1]), bits=bits)

    def invalid(self, frame: Frame, column: str) -> int:
        """Count the rows with a value that the reference does not span or hold."""
        if self.values is not None:
            return unseen(frame, column, self.values)
        return outside(frame, column, self.low, self.high, bits=self.bits)


def outside(
    frame: Frame, column: str, low: float | None, high: float | None, *, bits: int = WIDE
) -> int:
    """Count the values that are infinite, below *low* or above *high*, floats of *bits*."""
    if frame.columns[column].kind is not ColumnKind.NUMBER:
        raise DataError(f"{column!r} is {frame.columns[column].type}, and a range needs numbers")
    found, bits = frame.distribution(column), min(bits, frame.columns[column].bits)
    values, bad = narrowed(found.values, bits), ~np.isfinite(found.values)
    if low is not None:
        bad |= values < limit_at(low, bits)
    if high is not None:
        bad |= values > limit_at(high, bits)
    return int(found.counts[bad].sum())


def unseen(frame: Frame, column: str, known: frozenset[Scalar]) -> int:
    """Count the rows whose value is none of *known*; nulls are not counted."""
    counted = frame.count(Key(column=column)).by_value()
    return sum(rows for value, rows in counted.items() if value is not None and value not in known)
