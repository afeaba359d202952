"""Valid values of a column: a declared range, list or pattern, or what the reference holds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from aims_gate.checks.contract import VALUES
from aims_gate.errors import DataError
from aims_gate.frames import WHOLE, ColumnKind, Frame, Key, Scalar
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

    @property
    def needs(self) -> str:
        """What it asks of a frame besides counts; see `StatisticSpec.needs`."""
        if self.matches:
            return VALUES
        return "distribution" if self.one_of else "histogram"

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
        whole = frame.histogram(column, WHOLE)
        if not len(whole.counts):
            raise DataError("the reference holds no finite number")
        bits = frame.columns[column].bits
        return cls(low=float(whole.least[0]), high=float(whole.greatest[-1]), bits=bits)

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
    own = frame.columns[column].bits
    low = -math.inf if low is None else limit_at(low, min(bits, own))
    high = math.inf if high is None else limit_at(high, min(bits, own))
    bits = bits if bits < own else WIDE  # what is stored as narrow is not rounded
    whole = frame.histogram(column, WHOLE)
    below = bool((narrowed(whole.least, bits) < low).any())
    above = bool((narrowed(whole.greatest, bits) > high).any())
    if not (below or above):
        return whole.below + whole.above
    edges = (*((_from(low, bits),) if below else ()), *((_after(high, bits),) if above else ()))
    cells = frame.count(Key(column=column, edges=edges))
    counts = [many for (name,), many in zip(cells.values, cells.counts, strict=True) if name]
    return int((counts[0] if below else whole.below) + (counts[-1] if above else whole.above))


def _from(limit: float, bits: int) -> float:
    """Least number that is *limit* or more where it is rounded to floats of so many bits."""
    if bits >= WIDE:
        return limit
    half = (_next(limit, -math.inf, bits) + limit) / 2
    return half if narrowed(np.array([half]), bits)[0] >= limit else math.nextafter(half, math.inf)


def _after(limit: float, bits: int) -> float:
    """Least number that is more than *limit* where it is rounded."""
    return _from(_next(limit, math.inf, bits), bits)


def _next(limit: float, towards: float, bits: int) -> float:
    narrow = np.dtype(f"f{bits // 8}").type
    return float(np.nextafter(narrow(limit), narrow(towards)))


def unseen(frame: Frame, column: str, known: frozenset[Scalar]) -> int:
    """Count the rows whose value is none of *known*; nulls are not counted."""
    counted = frame.count(Key(column=column)).by_value()
    return sum(rows for value, rows in counted.items() if value is not None and value not in known)
