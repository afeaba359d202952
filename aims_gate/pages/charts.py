"""Charts as plain Vega-Lite dictionaries: forest plots, histograms, curves, sample sizes, trends.

Shape and dash say what colour says. No chart is wider than `svg.WIDTH`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aims_gate.facts import Statistic
from aims_gate.harmless import plain
from aims_gate.pages.strip import limits_of, margin_of, mark_of, short
from aims_gate.verdict import CellPower, Outcome, Result

FOREST = 16
"""Cells of a rule that are drawn, the worst first."""
_OF_MET = 6
"""Cells of a rule that was met."""
_WIDE = 304
_ROW = 36
_NAME = 34
_MARKS = ("✗", "?", "✓")
_COLOURS = ("var(--bad)", "var(--warn)", "var(--good)")
_SHAPES = ("cross", "diamond", "circle")
BEHIND = {"color": "var(--faint)", "stroke": "var(--line)", "strokeWidth": 0.75, "height": 14}
"""Bars of what is compared with."""
IN_FRONT = {"color": "var(--accent)", "height": 6}
"""Bars of what is there now."""
_LINES = {"line": ([5, 3], "var(--warn)"), "serious": ([2, 2], "var(--bad)")}
"""Dash and colour of what a breach is proven past, and of what is serious."""


def comparable(result: Result) -> bool:
    """Whether a picture says more than a number: a limit, and intervals or several values."""
    judged = [s for s in result.statistics if s.judged and _finite(s.value)]
    differ = any(s.interval for s in judged) or len({s.value for s in judged}) > 1
    return bool(limits_of(result.threshold)) and differ


def forest(result: Result) -> dict[str, Any]:
    """Forest plot: value and interval of each judged cell against limit and lines.

    Of a result that is `comparable`; of its cells those closest to the limit.
    """
    limits = limits_of(result.threshold)
    judged = [s for s in result.statistics if s.judged and _finite(s.value)]
    cells = sorted(judged, key=lambda s: margin_of(s, limits))[: cells_of(result)]
    stated = [
        *(("limit", value) for value, _ in limits),
        *((name.partition("_")[0], value) for name, value in sorted(result.lines.items())),
    ]
    low, high = _ends([value for _, value in stated], cells)
    rows = [_forest_row(s, limits, place, (low, high)) for place, s in enumerate(cells)]
    height = _ROW * len(rows)
    x = {"type": "quantitative", "scale": {"domain": [low, high], "nice": False, "zero": False}}
    y = {
        "field": "y",
        "type": "quantitative",
        "axis": None,
        "scale": {"domain": [height, 0], "nice": False},
    }
    colour = {"field": "mark", "type": "nominal", "legend": None}
    colour["scale"] = {"domain": list(_MARKS), "range": list(_COLOURS)}  # type: ignore[assignment]
    shape = {**colour, "scale": {"domain": list(_MARKS), "range": list(_SHAPES)}}
    axis = {"tickCount": 5, "title": None, "grid": True}
    return {
        **frame(_WIDE),
        "height": height,
        "layer": [
            *(_upright(name, value) for name, value in stated),
            {
                "data": {"values": rows},
                "mark": mark("rule", strokeWidth=2),
                "encoding": {
                    "x": {"field": "low", **x, "axis": axis},
                    "x2": {"field": "high"},
                    "y": y,
                    "color": colour,
                },
            },
            {
                "data": {"values": rows},
                "mark": mark("point", filled=True, size=60, opacity=1),
                "encoding": {
                    "x": {"field": "value", **x},
                    "y": y,
                    "color": colour,
                    "shape": shape,
                },
            },
            *_arrows(cells, (low, high), x, y),
            _words(rows, "name", y, at=0, align="left"),
            _words(rows, "shown", y, at=_WIDE, align="right"),
        ],
    }


def _arrows(
    cells: Sequence[Statistic],
    ends: tuple[float, float],
    x: Mapping[str, Any],
    y: Mapping[str, Any],
) -> Iterator[dict[str, Any]]:
    """Arrows where an interval goes on past the scale, or has no end."""
    for end, shape in zip(ends, ("left", "right"), strict=True):
        rows = [
            {"y": _ROW * place + 26, "end": end}
            for place, cell in enumerate(cells)
            if cell.interval is not None
            and (cell.interval.low < end if shape == "left" else cell.interval.high > end)
        ]
        if rows:
            yield {
                "data": {"values": rows},
                "mark": mark("point", filled=True, shape=f"triangle-{shape}", color="var(--ink)"),
                "encoding": {"x": {"field": "end", **x}, "y": y},
            }


def cells_of(result: Result) -> int:
    """How many cells of a rule are drawn at most."""
    return _OF_MET if result.outcome is Outcome.PASS else FOREST


def _forest_row(
    cell: Statistic, limits: list[tuple[float, bool]], place: int, ends: tuple[float, float]
) -> dict[str, Any]:
    within = cell.interval
    value = cell.value if cell.value is not None else 0.0
    low, high = (value, value) if within is None else (within.low, within.high)
    mark = mark_of(cell, limits)
    name = plain(cell.slice, most=_NAME) or "all rows"
    return {
        "y": _ROW * place + 26,
        "above": _ROW * place + 11,
        "value": _clipped(value, ends),
        "low": _clipped(low, ends),
        "high": _clipped(high, ends),
        "mark": mark,
        "name": f"{mark} {name}",
        "shown": short(value),
    }


def _words(
    rows: list[dict[str, Any]], field: str, y: Mapping[str, Any], *, at: float, align: str
) -> dict[str, Any]:
    return {
        "data": {"values": rows},
        "mark": mark("text", align=align, color="var(--ink)"),
        "encoding": {
            "x": {"value": at},
            "y": {**y, "field": "above"},
            "text": {"field": field, "type": "nominal"},
        },
    }


def _upright(name: str, value: float) -> dict[str, Any]:
    dash, colour = _LINES.get(name, (None, "var(--ink)"))
    more = {} if dash is None else {"strokeDash": dash}
    return {
        "data": {"values": [{"at": value}]},
        "mark": mark("rule", color=colour, strokeWidth=1.5, **more),
        "encoding": {"x": {"field": "at", "type": "quantitative"}},
    }


def frame(width: int, *, left: int = 16, bottom: int = 22) -> dict[str, Any]:
    """Size that depends on no font: what is measured differs between machines."""
    padding = {"left": left, "right": 18, "top": 6, "bottom": bottom}
    return {"width": width, "autosize": {"type": "none"}, "padding": padding}


def titled(words: str, *, upright: bool = False) -> dict[str, Any]:
    """Title of an axis, at a place that no width of its labels changes."""
    return {"title": words, **({"titleX": -36} if upright else {"titleY": 24})}


def mark(kind: str, **more: Any) -> dict[str, Any]:
    """Mark of a chart that a reader of screens passes over: the image has one sentence."""
    return {"type": kind, "aria": False, **more}


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _ends(stated: Sequence[float], cells: Sequence[Statistic]) -> tuple[float, float]:
    """Ends of the scale: all values and lines, and intervals as far out as these are apart.

    So that one wide interval does not crowd all others.
    """
    found = [*stated, *(s.value for s in cells if s.value is not None)]
    low, high = min(found), max(found)
    room = (high - low) or abs(high) * 0.1 or 0.1
    bounds = [b for s in cells if s.interval for b in (s.interval.low, s.interval.high)]
    seen = [*found, *(_clipped(b, (low - room, high + room)) for b in bounds)]
    margin = room * 0.05
    return min(seen) - margin, max(seen) + margin


def _clipped(value: float, ends: tuple[float, float]) -> float:
    return min(max(value, ends[0]), ends[1])


def sizes(cells: Sequence[CellPower]) -> dict[str, Any]:
    """Sample sizes: rows of each group that are there, over those that are wanted."""
    shown = cells[:FOREST]
    rows = [
        {
            "y": _ROW * place + 24,
            "above": _ROW * place + 9,
            "now": cell.rows,
            "wanted": cell.wanted or 0,
            "name": plain(cell.group or cell.slice, most=_NAME) or "all rows",
            "shown": "no number" if cell.wanted is None else f"{cell.rows:,} of {cell.wanted:,}",
        }
        for place, cell in enumerate(shown)
    ]
    y = {
        "field": "y",
        "type": "quantitative",
        "axis": None,
        "scale": {"domain": [_ROW * len(rows), 0], "nice": False},
    }
    axis = {"tickCount": 4, **titled("rows"), "grid": False, "format": "~s"}
    return {
        **frame(_WIDE, bottom=38),
        "height": _ROW * len(rows),
        "layer": [
            *(
                {
                    "data": {"values": rows},
                    "mark": mark("bar", orient="horizontal", **look),
                    "encoding": {
                        "x": {"field": field, "type": "quantitative", "axis": axis},
                        "y": y,
                    },
                }
                for field, look in (("wanted", BEHIND), ("now", IN_FRONT))
            ),
            _words(rows, "name", y, at=0, align="left"),
            _words(rows, "shown", y, at=_WIDE, align="right"),
        ],
    }


def trend(points: Sequence[tuple[str, float | None]], limit: float | None) -> dict[str, Any]:
    """Trend of one number over versions, against its limit; a version without it leaves a gap."""
    rows = [
        {"place": place, "name": plain(name, most=12), "value": value}
        for place, (name, value) in enumerate(points)
    ]
    x = {
        "field": "name",
        "type": "ordinal",
        "sort": None,
        "axis": {"title": None, "labelAngle": 0, "labelOverlap": True},
    }
    known = [value for _, value in points if value is not None]
    scale = {"zero": False, "nice": True} if known else {"domain": [0, 1]}
    y = {
        "field": "value",
        "type": "quantitative",
        "scale": scale,
        "axis": {"title": None, "tickCount": 4},
    }
    line = {
        "data": {"values": rows},
        "mark": mark("line", color="var(--accent)", point={"color": "var(--accent)"}),
        "encoding": {"x": x, "y": y},
    }
    if limit is None:
        return {**frame(260, left=40), "height": 100, "layer": [line]}
    bar = {
        "data": {"values": [{"limit": limit}]},
        "mark": mark("rule", color="var(--ink)"),
        "encoding": {"y": {"field": "limit", "type": "quantitative"}},
    }
    return {**frame(260, left=40), "height": 100, "layer": [bar, line]}
