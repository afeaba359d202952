"""In a notebook a verdict is its page, and neither changes the other."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from aims_gate.pages.notebook import HEIGHT
from aims_gate.pages.verdict_page import render
from tests.reports.cases import CASES, HOSTILE, hostile_verdict

NOTEBOOK = """<!doctype html><html><head><meta charset="utf-8"><title>notebook</title><style>
* {{ color: rgb(255, 0, 255) !important; }} table {{ border: 9px solid red; }}
</style></head><body><h1 id="own">My analysis</h1><table><tr><td>own</td></tr></table>
<div class="output">{}</div><p id="after">below</p></body></html>"""


class Frames(HTMLParser):
    """Elements of an output, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("text", HOSTILE)
def test_the_output_is_one_frame_that_allows_nothing(text: str) -> None:
    """Whatever a stranger called the model: the whole page is one attribute of one element."""
    verdict = hostile_verdict(text)
    ((tag, attributes),) = Frames(verdict._repr_html_()).found
    assert (tag, attributes["sandbox"]) == ("iframe", "")
    assert attributes["srcdoc"] == render(verdict)
    assert f"height: {HEIGHT}px" in (attributes["style"] or "")


@pytest.mark.tool("chromium")
def test_no_style_leaks_into_the_page_or_out_of_it(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page(viewport={"width": 900, "height": 900})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: said.append(request.url))
    place = tmp_path / "notebook.html"
    place.write_text(NOTEBOOK.format(""), encoding="utf-8")
    page.goto(place.as_uri())
    colour = "e => getComputedStyle(e).color + getComputedStyle(e).font"
    before = page.locator("#own").evaluate(colour)
    place.write_text(NOTEBOOK.format(CASES["refused"]._repr_html_()), encoding="utf-8")
    page.goto(place.as_uri())
    inside = page.frame_locator("iframe")
    assert inside.locator("h1").inner_text().endswith("may not go to production")
    assert page.locator("#own").evaluate(colour) == before
    assert "rgb(255, 0, 255)" not in inside.locator("h1").evaluate(colour)
    box = page.locator("iframe").bounding_box()
    assert box is not None
    assert (round(box["height"]), box["width"] <= 900) == (HEIGHT + 2, True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert [one for one in said if not re.match("file:|about:srcdoc", one)] == []
    page.close()
