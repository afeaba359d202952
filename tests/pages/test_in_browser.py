"""The page in a real browser: nothing is asked for, nothing overflows, everybody can read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from aims_gate.pages.verdict_page import render
from aims_gate.verdict import Verdict
from tests.pages.pictured import PICTURED
from tests.reports.cases import CASES, HOSTILE, hostile_verdict
from tests.support.laws import nightly

pytestmark = pytest.mark.tool("chromium")
Scheme = Literal["light", "dark"]
VERDICTS: dict[str, Verdict] = {
    "pictured": PICTURED,
    **{name: CASES[name] for name in ("passed", "refused", "undecided", "ended", "unrecorded")},
    **{f"hostile {place}": hostile_verdict(text) for place, text in enumerate(HOSTILE)},
}
WIDTHS = (390, 1280)
SMALL = """() => {
  const small = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim()) continue;
    const svg = element.closest('svg');
    const box = svg && svg.getBoundingClientRect();
    const scale = box && box.width ? box.width / svg.viewBox.baseVal.width : 1;
    const size = parseFloat(getComputedStyle(element).fontSize) * scale;
    if (size < 10.99) small.push([size, walk.currentNode.data]);
  }
  return small;
}"""
WIDER = """() => [...document.querySelectorAll('body *')].filter(e =>
  !e.closest('.scroll, pre, svg') && e.getBoundingClientRect().right > innerWidth + 0.5
).map(e => e.outerHTML.slice(0, 90))"""
BROKEN = """() => {
  const broken = [];
  for (const cell of document.querySelectorAll('table.words th, table.words td')) {
    const walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) for (const word of walk.currentNode.data.matchAll(/[^\\s\\-_\\/]+/g)) {
      if (word[0].length > 20) continue;  // a digest
      const range = document.createRange();
      range.setStart(walk.currentNode, word.index);
      range.setEnd(walk.currentNode, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map(r => Math.round(r.top)));
      if (lines.size > 1) broken.push(word[0]);
    }
  }
  return broken;
}"""
CUT = """() => [...document.querySelectorAll('svg text')].filter(e => {
  const [box, svg] = [e.getBoundingClientRect(), e.closest('svg').getBoundingClientRect()];
  return box.width && (box.left < svg.left - 1 || box.right > svg.right + 1);
}).map(e => e.textContent)"""


class Shown:
    """A page that was opened, and what it said or asked for."""

    def __init__(self, browser: Browser, file: Path, width: int, scheme: Scheme) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
        )
        self.page: Page = self.context.new_page()
        self.said: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.said.append(request.url))
        self.page.goto(file.as_uri())
        assert self.said == [file.as_uri()]

    def unfolded(self) -> Page:
        """The page with every table open."""
        self.page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        return self.page


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "report.html"


@pytest.fixture
def look(browser: Browser, file: Path) -> Iterator[object]:
    """Open a verdict's page; every context is closed at the end."""
    opened: list[Shown] = []

    def open_page(name: str, width: int, scheme: Scheme) -> Shown:
        file.write_text(render(VERDICTS[name]), encoding="utf-8")
        opened.append(Shown(browser, file, width, scheme))
        return opened[-1]

    yield open_page
    for one in opened:
        one.context.close()


CASES_SHOWN = [
    pytest.param(name, width, scheme, marks=() if smoke else nightly, id=f"{name}-{width}-{scheme}")
    for name in VERDICTS
    for width in WIDTHS
    for scheme in ("light", "dark")
    for smoke in [(name, width, scheme) in {("pictured", 390, "dark"), ("pictured", 1280, "light")}]
]


@pytest.mark.parametrize(("name", "width", "scheme"), CASES_SHOWN)
def test_it_is_readable_accessible_and_alone(
    look: object, name: str, width: int, scheme: Scheme
) -> None:
    shown = look(name, width, scheme)  # type: ignore[operator]
    for page in (shown.page, shown.unfolded()):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(WIDER) == []
        assert page.evaluate(SMALL) == []
        assert page.evaluate(CUT) == []
    found = Axe().run(shown.page)
    assert found.violations_count == 0, found.generate_report()
    assert [line for line in shown.said if "report.html" not in line] == []


def test_every_link_and_table_is_reached_by_keyboard_and_seen_there(look: object) -> None:
    page = look("pictured", 390, "light").page  # type: ignore[operator]
    wanted = "a, summary, pre, .scroll"
    visible = "e => e.checkVisibility()"
    everything = page.locator(wanted).evaluate_all(f"all => all.filter({visible}).length")
    reached = []
    for _ in range(everything):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "[document.activeElement.matches('a, summary, pre, .scroll'),"
                " getComputedStyle(document.activeElement).outlineStyle]"
            )
        )
    assert reached == [[True, "solid"]] * everything
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement === document.body")
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is not None


def test_scripts_change_nothing(browser: Browser, file: Path) -> None:
    """With scripts off the page is the same picture."""
    file.write_text(render(PICTURED), encoding="utf-8")
    seen = []
    for scripts in (True, False):
        context = browser.new_context(
            viewport={"width": 1280, "height": 900}, java_script_enabled=scripts
        )
        page = context.new_page()
        page.goto(file.as_uri())
        seen.append(page.screenshot(full_page=True))
        context.close()
    assert seen[0] == seen[1]


def test_printed_it_fits_on_a4_in_black_with_its_tables(look: object) -> None:
    shown = look("pictured", 695, "dark")  # type: ignore[operator]
    shown.page.emulate_media(media="print", color_scheme="dark")
    page = shown.page
    colours = (
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert page.evaluate(colours) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert page.evaluate(WIDER) == []
    folded = page.locator("details:not(.long, .aside) table")
    assert folded.count() > 5
    assert all(table.is_visible() for table in folded.all())
    assert not page.locator("nav").is_visible()
    tops = page.locator("figure").evaluate_all("all => all.map(f => f.getBoundingClientRect().top)")
    assert len(set(tops)) < len(tops)  # two pictures side by side
    pdf = page.pdf(format="A4")
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert 3 <= pages <= 10
    ((wide, tall),) = set(re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf))
    assert [float(wide), float(tall)] == pytest.approx([595, 842], abs=1)
