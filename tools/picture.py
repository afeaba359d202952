"""Draw terminal text as an SVG: `aims-gate run … | python tools/picture.py TITLE > docs/run.svg`.

The picture in README is a real run's output and nothing else.
"""

from __future__ import annotations

import re
import sys
from xml.sax.saxutils import escape

_COLOURS = {
    "PASS": "#7ee787",
    "FAIL": "#ff7b72",
    "WARN": "#e3b341",
    "INSUFFICIENT": "#e3b341",
    "MISSING": "#ff7b72",
    "STALE": "#ff7b72",
    "ERROR": "#ff7b72",
}
_WORD = re.compile(r"\b(" + "|".join(_COLOURS) + r")\b")
_LINE, _CHARACTER, _EDGE = 19, 8.43, 18


def draw(title: str, text: str) -> str:
    """Give an SVG of *text* in a terminal window called *title*."""
    lines = text.rstrip("\n").split("\n")
    width = round(max(map(len, [title, *lines])) * _CHARACTER + 2 * _EDGE)
    height = (len(lines) + 2) * _LINE + 2 * _EDGE
    rows = "\n".join(
        f'<text x="{_EDGE}" y="{_EDGE + 14 + (number + 2) * _LINE}">{_coloured(line)}</text>'
        for number, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'xml:space="preserve" role="img" '
        f'aria-label="{escape(title)}">\n'
        "<style>text{font:14px ui-monospace,Menlo,Consolas,monospace;fill:#e6edf3;"
        "white-space:pre}</style>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>\n'
        f'<text x="{_EDGE}" y="{_EDGE + 14}" style="fill:#7d8590">$ {escape(title)}</text>\n'
        f"{rows}\n</svg>\n"
    )


def _coloured(line: str) -> str:
    def paint(found: re.Match[str]) -> str:
        return f'<tspan style="fill:{_COLOURS[found[1]]}">{found[1]}</tspan>'

    return _WORD.sub(paint, escape(line))


if __name__ == "__main__":
    sys.stdout.write(draw(sys.argv[1], sys.stdin.read()))
