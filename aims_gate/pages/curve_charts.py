"""Charts of recorded aggregates: distributions, ROC, precision-recall and reliability diagrams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aims_gate.facts import Curve, CurveKind
from aims_gate.harmless import plain
from aims_gate.pages.charts import BEHIND, IN_FRONT, frame, mark, titled

_WIDE = 304
_BIN = 34
_BINS = 24
"""Bins that are drawn; the table has all."""
_NAME = 34
AXES = {
    CurveKind.HISTOGRAM: ("reference", "current"),
    CurveKind.ROC: ("false positive rate", "true positive rate"),
    CurveKind.PRECISION_RECALL: ("recall", "precision"),
    CurveKind.CALIBRATION: ("mean score of a bin", "share of positives"),
}
TITLES = {
    CurveKind.HISTOGRAM: "distribution",
    CurveKind.ROC: "ROC curve",
    CurveKind.PRECISION_RECALL: "precision and recall",
    CurveKind.CALIBRATION: "reliability diagram",
}
_TWO = ("champion", "candidate")


def chart(curves: Sequence[Curve]) -> dict[str, Any]:
    """Chart of curves of one kind: a histogram, or lines over one square."""
    first = curves[0]
    return histogram(first) if first.kind is CurveKind.HISTOGRAM else lines(curves)


def histogram(curve: Curve) -> dict[str, Any]:
    """Histogram of the current data (thin bars) over the reference (wide, pale ones)."""
    rows = [
        {
            "y": _BIN * place + 22,
            "above": _BIN * place + 8,
            "name": plain(name, most=_NAME),
            "shown": f"{x:.1%} / {y:.1%}",
            "reference": x,
            "current": y,
        }
        for place, (name, x, y) in enumerate(zip(curve.names, curve.x, curve.y, strict=True))
    ][:_BINS]
    y = {
        "field": "y",
        "type": "quantitative",
        "axis": None,
        "scale": {"domain": [_BIN * len(rows), 0], "nice": False},
    }
    axis = {"tickCount": 4, **titled("share of rows"), "grid": False, "format": ".0%"}
    bars = [
        {
            "mark": mark("bar", orient="horizontal", **look),
            "encoding": {"x": {"field": of, "type": "quantitative", "axis": axis}, "y": y},
        }
        for of, look in (("reference", BEHIND), ("current", IN_FRONT))
    ]
    words = [
        {
            "mark": mark("text", align=align, color="var(--ink)"),
            "encoding": {
                "x": {"value": at},
                "y": {**y, "field": "above"},
                "text": {"field": field, "type": "nominal"},
            },
        }
        for field, at, align in (("name", 0, "left"), ("shown", _WIDE, "right"))
    ]
    height = _BIN * len(rows)
    return {
        **frame(_WIDE, bottom=38),
        "height": height,
        "data": {"values": rows},
        "layer": [*bars, *words],
    }


def lines(curves: Sequence[Curve]) -> dict[str, Any]:
    """Lines over the unit square, two models apart by colour and dash, with what chance gives."""
    kind = curves[0].kind
    titles = AXES[kind]
    axes = [
        {**titled(title, upright=name == "y"), "tickCount": 4, "grid": True}
        for name, title in zip("xy", titles, strict=True)
    ]
    scale = {"domain": [0, 1], "nice": False}
    places = {
        name: {"field": name, "type": "quantitative", "scale": scale, "axis": axis}
        for name, axis in zip(("x", "y"), axes, strict=True)
    }
    layers: list[dict[str, Any]] = []
    if kind is not CurveKind.PRECISION_RECALL:
        diagonal = [{"x": 0, "y": 0}, {"x": 1, "y": 1}]
        layers.append(_line(diagonal, places, color="var(--line)", strokeDash=[3, 3]))
    for curve in curves:
        rows = [
            {"x": x, "y": y, "at": at}
            for at, (x, y) in enumerate(zip(curve.x, curve.y, strict=True))
        ]
        second = {"color": "var(--soft)", "strokeDash": [6, 3]} if curve.of == _TWO[0] else {}
        dots = {"point": {"color": "var(--accent)"}} if kind is CurveKind.CALIBRATION else {}
        layers.append(_line(rows, places, **{"color": "var(--accent)", **dots, **second}))
    return {**frame(240, left=50, bottom=38), "height": 200, "layer": layers}


def _line(rows: list[dict[str, Any]], places: dict[str, Any], **look: Any) -> dict[str, Any]:
    order = {"field": "at", "type": "quantitative"} if "at" in rows[0] else {"field": "x"}
    return {
        "data": {"values": rows},
        "mark": mark("line", strokeWidth=2, **look),
        "encoding": {**places, "order": {"type": "quantitative", **order}},
    }
