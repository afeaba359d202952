"""The page of a verdict inside a notebook: a frame of bounded height, apart from its styles."""

from __future__ import annotations

from html import escape

from aims_gate.harmless import plain
from aims_gate.pages.verdict_page import render
from aims_gate.verdict import Verdict

HEIGHT = 480
"""Pixels; the page scrolls inside of them."""


def frame(verdict: Verdict) -> str:
    """HTML frame with the page of *verdict*; its sandbox allows no script, form or navigation.

    Raises:
        RecordError: The verdict contradicts itself.
    """
    page = escape(render(verdict), quote=True)
    title = escape(plain(repr(verdict)), quote=True)
    style = f"width: 100%; height: {HEIGHT}px; border: 1px solid #8888; resize: vertical"
    return f'<iframe sandbox="" title="{title}" style="{style}" srcdoc="{page}"></iframe>\n'
