"""Charts as SVG inside a page, drawn on this machine from Vega-Lite specifications.

The same specification is the same bytes: library, version of Vega-Lite and font are named. Colours
are the page's CSS variables, text stays text, and a reader of screens hears one sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from aims_gate.harmless import plain

FONT = "DejaVu Sans"
"""What widths are measured with; the page asks for it first, and for a font as wide second."""
SIZE = 11
"""Pixels of the smallest text."""
WIDTH = 340
"""Most pixels of a chart, so that a phone shows it unscaled."""
_VERSION = "5.21"
_AXIS = {
    "domainColor": "var(--line)",
    "gridColor": "var(--grid)",
    "tickColor": "var(--line)",
    "labelColor": "var(--soft)",
    "titleColor": "var(--soft)",
    "labelFont": FONT,
    "titleFont": FONT,
    "labelFontSize": SIZE,
    "titleFontSize": SIZE,
    "titleFontWeight": "normal",
    "aria": False,
}
_CONFIG = {
    "background": None,
    "font": FONT,
    "view": {"stroke": None},
    "axis": _AXIS,
    "text": {"font": FONT, "fontSize": SIZE},
    "aria": False,
}
_UNSEEN = re.compile(r'<path class="(?:back|fore)ground"[^<>]*/>')
_TAG = re.compile(r"<[^<>]*>")
_NEEDLESS = re.compile(
    r' (?:class|aria-hidden|pointer-events|role|aria-roledescription|font-family)="[^"]*"'
    r'| (?:opacity="1"|stroke-miterlimit="10"|transform="translate\(0,0\)")'
)
_HEAD = re.compile(r'<svg [^<>]*?(width="[\d.]+" height="[\d.]+" viewBox="[^"]*")>')


def available() -> bool:
    """Whether the extra `report`, which draws, is installed."""
    try:
        import vl_convert  # noqa: F401
    except ImportError:
        return False
    return True


def drawn(chart: Mapping[str, Any], label: str) -> Markup | None:
    """Draw a Vega-Lite chart as an inline SVG image that *label* describes.

    Returns:
        The markup; None where the extra `report` is not installed.
    """
    try:
        import vl_convert
    except ImportError:
        return None
    spec = {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "config": _CONFIG}
    text = vl_convert.vegalite_to_svg({**spec, **chart}, _VERSION, allowed_base_urls=[])
    text = _TAG.sub(lambda tag: _NEEDLESS.sub("", tag.group()), _UNSEEN.sub("", text))
    said = escape(plain(label))
    text = _HEAD.sub(lambda head: f'<svg role="img" aria-label="{said}" {head[1]}>', text, count=1)
    return Markup(text)  # noqa: S704  # names were escaped when drawn
