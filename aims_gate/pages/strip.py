"""Interval strips: value, interval and limit of each cell drawn in Unicode, in equal scale.

A comment shows no image without a third party, and these show in mail and terminals, too.
"""

from __future__ import annotations

import math
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from aims_gate.facts import Statistic
from aims_gate.harmless import plain
from aims_gate.policy.model import Threshold
from aims_gate.sentences import display, number
from aims_gate.verdict import Result

_WIDE = 24
"""Columns of a drawing."""
_CELLS = 6
"""Cells of a rule that are drawn, the worst first."""
_NAME = 36
_FAR = sys.float_info.max
LEGEND = (
    "● value, ├─┤ interval, ┊ limit; ✗ the value is past the limit, ? its interval reaches past "
    "it, or there is no value, ✓ all of it meets the limit"
)


def strips(results: Iterable[Result], most: int) -> list[str]:
    """Lines that draw the judged cells of the first *most* results with a value and a limit."""
    drawn = list(islice(filter(None, map(_rows, results)), most))
    rows = [row for _, below in drawn for row in below]
    names = max((_columns(row.name) for row in rows), default=0)
    values = max((len(row.told) for row in rows), default=0)
    heads = max((_columns(head) for (head, _), _ in drawn), default=0)
    names += max(heads - (names + values + 3), 0)
    lines = []
    for (head, ends), below in drawn:
        lines.append(f"{_padded(head, names + values + 5)}{ends}".rstrip())
        for row in below:
            told = f"{row.mark} {_padded(row.name, names)} {row.told:<{values}}  {row.drawing}"
            lines.append(told.rstrip())
    return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    mark: str
    name: str
    told: str = ""
    drawing: str = ""


def _rows(result: Result) -> tuple[tuple[str, str], list[_Row]] | None:
    """Head and ends of the scale, and a row for each cell; None where there is none to draw."""
    limits = limits_of(result.threshold)
    judged = [s for s in result.statistics if s.judged]
    if not limits or all(margin_of(s, limits) == -math.inf for s in judged):
        return None
    cells = sorted(judged, key=lambda s: margin_of(s, limits))[:_CELLS]
    scale = _Scale([limit for limit, _ in limits], cells)
    must = " and ".join(f"{'≥' if upward else '≤'} {limit:g}" for limit, upward in limits)
    what = plain(display(judged[0].name), most=_NAME)
    rows = [
        _Row(mark=mark_of(s, limits), name=_name(s), told=_numbers(s), drawing=scale.draw(s))
        for s in cells
    ]
    if len(judged) > len(cells):
        rows.append(_Row(mark=" ", name=f"and {len(judged) - len(cells):,} more"))
    return (f"{plain(result.rule, most=_NAME)} {what}, must be {must}", scale.ends()), rows


class _Scale:
    """From a value to a column."""

    def __init__(self, limits: Sequence[float], cells: Sequence[Statistic]) -> None:
        found = [*limits]
        for cell in cells:
            bounds = () if cell.interval is None else (cell.interval.low, cell.interval.high)
            found += [x for x in (cell.value, *bounds) if x is not None and math.isfinite(x)]
        self._limits = limits
        low, high = min(found), max(found)
        room = (high / 8 - low / 8) or abs(high) / 8 or 0.1
        ends = [
            end
            for cell in cells
            if cell.interval
            for end in (cell.interval.low, cell.interval.high)
        ]
        # an arrow needs room beyond the last value
        self._low = max(low - room, -_FAR) if -math.inf in ends else low
        self._high = min(high + room, _FAR) if math.inf in ends else high

    def ends(self) -> str:
        """The values at both ends."""
        low, high = short(self._low), short(self._high)
        return f"{low:<{_WIDE - len(high)}}{high}"

    def draw(self, cell: Statistic) -> str:
        """Draw one cell; an interval without an end reaches the border with an arrow."""
        line = [" "] * _WIDE
        within = cell.interval
        if within is not None and not (math.isnan(within.low) or math.isnan(within.high)):
            low, high = self._column(within.low), self._column(within.high)
            line[low : high + 1] = "─" * (high + 1 - low)
            line[low] = "├" if math.isfinite(within.low) else "◄"
            line[high] = "┤" if math.isfinite(within.high) else "►"
        for limit in self._limits:
            line[self._column(limit)] = "┊"
        if cell.value is not None and not math.isnan(cell.value):
            line[self._column(cell.value)] = "●"
        return "".join(line)

    def _column(self, value: float) -> int:
        # halves, so that no difference of two large numbers is infinite
        span = self._high / 2 - self._low / 2
        share = (
            0.5 if span == 0 and math.isfinite(value) else (value / 2 - self._low / 2) / (span or 1)
        )
        return round(min(max(share, 0), 1) * (_WIDE - 1))


def limits_of(threshold: Threshold | None) -> list[tuple[float, bool]]:
    """Each limit, and whether more is better."""
    if threshold is None:
        return []
    both = ((threshold.at_least, True), (threshold.at_most, False))
    return [(limit, upward) for limit, upward in both if limit is not None]


def margin_of(cell: Statistic, limits: list[tuple[float, bool]]) -> float:
    """How far a value lies on the right side of its closest limit; what has none comes first."""
    if cell.value is None or math.isnan(cell.value):
        return -math.inf
    return _least(cell.value, limits)


def _least(value: float, limits: list[tuple[float, bool]]) -> float:
    return min(value - limit if upward else limit - value for limit, upward in limits)


def mark_of(cell: Statistic, limits: list[tuple[float, bool]]) -> str:
    """Where a cell lies; what that means for its rule, its outcome says."""
    margin = margin_of(cell, limits)
    if margin == -math.inf:
        return "?"
    if margin < 0:
        return "✗"
    if cell.interval is None:
        return "✓"
    ends = (cell.interval.low, cell.interval.high)
    return "✓" if all(_least(end, limits) >= 0 for end in ends) else "?"


def _name(cell: Statistic) -> str:
    return plain(cell.slice, most=_NAME) or "all rows"


def _numbers(cell: Statistic) -> str:
    if cell.value is None or math.isnan(cell.value):
        return "no value"
    within = cell.interval
    if within is None:
        return short(cell.value)
    return f"{short(cell.value)} ({short(within.low)} to {short(within.high)})"


def short(value: float) -> str:
    """A number of ten characters at most."""
    return number(value) if abs(value) < 1e6 else f"{value:.3g}"


def _columns(text: str) -> int:
    """Columns that a terminal gives *text*."""
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - _columns(text))
