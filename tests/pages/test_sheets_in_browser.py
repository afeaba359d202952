"""Pages of audits and reviews in a real browser: alone, readable, accessible, and on paper."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from aims_gate.operations.aims.gap import assess
from aims_gate.operations.aims.gap_sheet import gap_sheet
from aims_gate.operations.aims.status import status_sheet
from aims_gate.operations.aims.todo import duties, todo_sheet
from aims_gate.operations.audit.review_inputs import review_sheet
from aims_gate.pages.sheet import render_html
from tests.operations.aims.test_gap import Company
from tests.operations.audit.conftest import PERIOD, audited, company, pack
from tests.pages.test_in_browser import BROKEN, SMALL, WIDER, Scheme, Shown
from tests.support.laws import nightly

__all__ = ["audited", "company"]
pytestmark = pytest.mark.tool("chromium")
PAPER = 690
"""CSS pixels between the margins of an A4 page."""


@pytest.mark.parametrize(
    ("width", "scheme"), [(390, "dark"), pytest.param(1280, "light", marks=nightly)]
)
def test_each_sheet_and_the_pages_of_a_pack_are_readable_accessible_and_printable(
    browser: Browser, audited: Company, tmp_path: Path, width: int, scheme: Scheme
) -> None:
    folder = pack(audited, tmp_path / "pack")
    found = audited.survey()
    todo = duties(found)
    sheets = {
        "review": review_sheet(found, PERIOD),
        "status": status_sheet(found, todo, risks=True),
        "gap": gap_sheet(assess(found), found),
        "todo": todo_sheet(todo, today=found.today, days=400),
    }
    for name, sheet in sheets.items():
        page_of = render_html(sheet).replace(">credit<", ">credit-limit-recommendation<")
        (tmp_path / f"{name}.html").write_text(page_of, encoding="utf-8")
    shown_files = (folder / "index.html", folder / "controls" / "A.5.4.html")
    for file in (*shown_files, *(tmp_path / f"{name}.html" for name in sheets)):
        shown = Shown(browser, file, width, scheme)
        page = shown.page
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(WIDER) == []
        assert page.evaluate(SMALL) == []
        found = Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
        page.emulate_media(media="print")
        page.set_viewport_size({"width": PAPER, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= PAPER, file.name
        assert page.evaluate(BROKEN) == [], file.name
        shown.context.close()
