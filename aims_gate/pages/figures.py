"""Charts and tables of a rule, from what the page still has room for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from aims_gate.facts import POWER, Curve, CurveKind, Statistic
from aims_gate.harmless import plain
from aims_gate.pages import svg
from aims_gate.pages.charts import cells_of, comparable, forest
from aims_gate.pages.curve_charts import AXES, TITLES, chart
from aims_gate.pages.environment import Clean
from aims_gate.pages.strip import limits_of, margin_of, mark_of, strips
from aims_gate.sentences import between, display, interval, number, rows_wanted
from aims_gate.verdict import CellPower, Result

CHARTS = 60
"""Charts of a page, the worst rules first."""
TEXT = 1_000_000
"""Characters of the tables of all rules, tags included."""
_TAGS = 10
"""Characters of the tags around a cell."""
TABLE = 250
"""Rows of one table."""
_LEAST = 5
"""Rows that each table shows, whatever the others took."""
_CELL = 400
"""Characters of one cell."""
_OF_MET = 2
"""Cells whose curves are drawn although they meet the limit, the closest."""
_KEYS = {
    CurveKind.HISTOGRAM: "pale: reference, dark: current data",
    CurveKind.ROC: "dashed line: chance",
    CurveKind.PRECISION_RECALL: "right end: the share of positives",
    CurveKind.CALIBRATION: "dashed line: calibrated",
}
_LEADING = "(best): the group ahead, to which others are compared; its interval: how far it may be"
_STATES = {
    "✗": "the value is past the limit",
    "?": "its interval reaches past the limit, or there is no value",
    "✓": "all of it meets the limit",
}


@dataclass(slots=True)
class Allowance:
    """How many charts and characters of tables a page may still take."""

    charts: int = CHARTS
    text: int = TEXT

    def draw(self, plot: Callable[[], dict[str, Any]], label: str) -> Markup | None:
        """Draw a chart, if one may still be drawn and can be."""
        if not self.charts:
            return None
        self.charts -= 1
        return svg.drawn(plot(), label)

    def listing(
        self,
        caption: str,
        heads: tuple[str, ...],
        rows: Sequence[tuple[str, ...]],
        *,
        of: int | None = None,
    ) -> Listing:
        """Table of as many *rows* as there is room for, and how many of all are left out."""
        kept: list[tuple[str, ...]] = []
        for row in rows[:TABLE]:
            told = tuple(Clean(plain(cell, most=_CELL)) for cell in row)
            self.text -= sum(len(cell) + _TAGS for cell in told)
            if self.text < 0 and len(kept) >= _LEAST:
                break
            kept.append(told)
        more = (len(rows) if of is None else of) - len(kept)
        return Listing(caption=caption, heads=heads, rows=tuple(kept), more=more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A table: its heads, its rows, and how many more there are."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart with its caption; without the library that draws, a strip of characters or nothing.

    Its numbers stand in a table beside it.
    """

    title: str
    told: str
    image: Markup | None
    strip: tuple[str, ...] = ()
    table: Listing | None = None
    narrow: bool = False
    """Whether the table is as narrow as the chart, and stands under it."""


def figures(result: Result, allowance: Allowance) -> Iterator[Figure]:
    """Forest plot of a rule's cells, then what the worst of them summarise."""
    if comparable(result):
        yield _forest_figure(result, allowance)
    limits = limits_of(result.threshold)
    drawn = [s for s in result.statistics if s.curves]
    if limits:
        drawn.sort(key=lambda s: margin_of(s, limits))
        past = sum(mark_of(s, limits) != "✓" for s in drawn)
        drawn = drawn[: max(past, _OF_MET)]
    for cell in drawn:
        for kind in dict.fromkeys(curve.kind for curve in cell.curves):
            same = [curve for curve in cell.curves if curve.kind is kind]
            yield _curve_figure(cell, same, allowance)


def _curve_figure(cell: Statistic, curves: list[Curve], allowance: Allowance) -> Figure:
    """Chart of what a value summarises, and its table."""
    kind = curves[0].kind
    title = f"{TITLES[kind]} of {cell.slice or 'all rows'}"
    told = f"{display(cell.name)} {value_of(cell)}; {_KEYS[kind]}"
    if len(curves) > 1:
        told += "; the champion is dashed"
    image = allowance.draw(lambda: chart(curves), f"{title}: {told}")
    table = _curve_table(title, curves, allowance)
    return Figure(title=title, told=told, image=image, table=table, narrow=True)


def _curve_table(title: str, curves: list[Curve], allowance: Allowance) -> Listing:
    kind = curves[0].kind
    rows: list[tuple[str, ...]] = []
    for curve in curves:
        for place, (x, y) in enumerate(zip(curve.x, curve.y, strict=True)):
            head = curve.names[place] if curve.names else curve.of
            shares = (f"{x:.1%}", f"{y:.1%}") if curve.names else (f"{x:.4g}", f"{y:.4g}")
            rows.append((head, *shares) if head else shares)
    named = kind is CurveKind.HISTOGRAM or curves[0].of
    heads = (("bin" if kind is CurveKind.HISTOGRAM else "model",) if named else ()) + AXES[kind]
    return allowance.listing(title, heads, rows)


def _forest_figure(result: Result, allowance: Allowance) -> Figure:
    judged = [s for s in result.statistics if s.judged]
    most = cells_of(result)
    cells = f"the {most} worst of {len(judged):,}" if len(judged) > most else "each"
    told = f"{cells} with its interval; solid line: the limit"
    told += ", dashed: proven past it, dotted: serious" if result.lines else ""
    if any(cell.slice.endswith(" (best)") for cell in judged):
        told += f"; {_LEADING}"
    title = f"{display(judged[0].name)} against its limit"
    image = allowance.draw(lambda: forest(result), f"{title}: {result.reason}")
    strip = () if image is not None else tuple(strips([result], 1))
    table = judged_table(result, allowance)
    return Figure(title=title, told=told, image=image, strip=strip, table=table)


def judged_table(result: Result, allowance: Allowance) -> Listing:
    """Table of the judged cells, the worst first."""
    limits = limits_of(result.threshold)
    judged = [s for s in result.statistics if s.judged]
    cells = sorted(judged, key=lambda s: margin_of(s, limits)) if limits else judged
    caption = "Every value that was held against the limit"
    heads = ("group or column", "value", "interval", "rows", "against the limit")
    rows = [_judged_row(s, limits) for s in cells[:TABLE]]
    return allowance.listing(caption, heads, rows, of=len(cells))


def _judged_row(cell: Statistic, limits: list[tuple[float, bool]]) -> tuple[str, ...]:
    mark = mark_of(cell, limits) if limits else ""
    state = f"{mark} {_STATES[mark]}" if mark else ""
    if cell.value is None:
        state = f"{cell.lack or 'no value'}: {cell.reason}"
    elif cell.reason:
        state = f"{state}; {cell.reason}" if state else cell.reason
    return (cell.slice or "all rows", value_of(cell), interval_of(cell), rows_of(cell), state)


def value_of(cell: Statistic) -> str:
    """Value of a cell, for people, with its bracket if rows were counted in cells."""
    if cell.value is None:
        return "no value"
    return f"{number(cell.value)} {between(cell.bracket)}".rstrip()


def interval_of(cell: Statistic) -> str:
    """Interval of a cell with its level, for people."""
    if cell.interval is None or math.isnan(cell.interval.level):
        return "-"
    return interval(cell.interval)


def rows_of(cell: Statistic) -> str:
    """Rows that a value rests on, and of how many."""
    if not cell.rows:
        return "-"
    return f"{cell.rows:,} of {cell.total:,}" if cell.total > cell.rows else f"{cell.rows:,}"


def power_table(cells: Sequence[CellPower], allowance: Allowance) -> Listing:
    """Table of the rows of each cell, those that would do, and what they rule out now."""
    rows = [
        (
            cell.slice or "all rows",
            f"{cell.rows:,}",
            rows_wanted(cell.rows, cell.wanted),
            "nothing" if cell.excluded is None else f"past {cell.excluded:.3g}",
        )
        for cell in cells[:TABLE]
    ]
    heads = ("group or column", "rows", f"rows for {POWER:.0%}", "ruled out now")
    return allowance.listing("Rows by group", heads, rows, of=len(cells))
